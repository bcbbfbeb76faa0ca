#include <algorithm>
#include <filesystem>

#include "client/cli/exit_codes.h"
#include "client/cli/results.h"
#include "client/cli/selectors.h"
#include "client/cli/user_file.h"
#include "client/cli/verbs.h"
#include "client/output/text_table.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

// The task; a job of one task stands for it.
Result<TaskRef> ResolveTask(Client& client, const std::vector<std::string>& words) {
  ICARUS_ASSIGN(const Selection selection, ResolveOne(client, words));
  if (selection.index) return TaskRef{selection.job, *selection.index};
  ICARUS_ASSIGN(const JobSummary job, FetchJob(client, selection.job));
  if (job.total == 1) return TaskRef{selection.job, 0};
  const std::string id = std::to_string(selection.job.value);
  return UsageError("job " + id + " has " + std::to_string(job.total) + " tasks; name one: " + id + ".0", "task");
}

Result<std::vector<FileRef>> Choose(const TaskResult& result, const std::vector<std::string>& wanted) {
  const std::vector<FileRef>& files = result.body.files;
  if (wanted.empty()) return files;
  std::vector<FileRef> chosen;
  for (const std::string& pattern : wanted) {
    const auto before = chosen.size();
    std::copy_if(files.begin(), files.end(), std::back_inserter(chosen),
                 [&](const FileRef& file) { return file.name == pattern || GlobMatch(pattern, file.name); });
    if (chosen.size() == before) {
      return Error::Make(ErrorCode::kNotFound, "task " + FormatTask(result.ref()) + " has no output file '" + pattern +
                                                   "'; 'icarus get " + FormatTask(result.ref()) +
                                                   " --list' names them");
    }
  }
  return chosen;
}

// The names come from another machine: they must stay below the directory.
Result<std::string> PathBelow(const std::string& directory, const std::string& name) {
  const std::filesystem::path path(name);
  const bool leaves = path.empty() || path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
  if (leaves)
    return Error::Make(ErrorCode::kProtocol, "the output file '" + name + "' would lie outside of " + directory);
  return (std::filesystem::path(directory) / path).string();
}

void PrintList(const Session& session, const std::vector<FileRef>& files, const std::vector<std::string>& paths) {
  Json list = Json::array();
  std::string names;
  TextTable table;
  table.AddColumn("file");
  table.AddColumn("size", Align::kRight);
  for (std::size_t i = 0; i < files.size(); ++i) {
    list.push_back({{"name", files[i].name}, {"size", files[i].size}, {"hash", files[i].hash.Hex()}});
    if (i < paths.size()) list.back()["path"] = paths[i];
    names += (i < paths.size() ? paths[i] : files[i].name) + "\n";
    table.AddRow({files[i].name, FormatSize(files[i].size)});
  }
  if (!session.text()) {
    session.PrintDocument(list);
  } else if (session.options().select.list && !session.quiet()) {
    session.Print(table.Render(session.style()));
  } else if (!session.quiet()) {
    session.Print(names);
  }
}

}  // namespace

Result<int> RunGet(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const TaskRef task, ResolveTask(*client, select.selectors));
  ICARUS_ASSIGN(const TaskResult result, FetchEndedTask(*client, task));
  ICARUS_ASSIGN(const std::vector<FileRef> files, Choose(result, select.files));
  std::vector<std::string> paths;
  if (!select.list) {
    const std::string directory = select.directory.empty() ? "." : select.directory;
    for (const FileRef& file : files) {
      ICARUS_ASSIGN(const std::string path, PathBelow(directory, file.name));
      if (Status saved = client->SaveBlob(file, path); !saved)
        return AboutUserPath(std::move(saved).error(), "directory");
      paths.push_back(path);
    }
  }
  if (files.empty()) session.Note("task " + FormatTask(task) + " has no output files");
  PrintList(session, files, paths);
  return kExitDone;
}

}  // namespace icarus::client
