#include "worker/launcher/output_files.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace icarus::worker {
namespace {
namespace fs = std::filesystem;

std::string EscapeForGlob(const std::string& path) {
  std::string escaped;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::vector<std::string> Matches(const std::string& directory, const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob((EscapeForGlob(directory) + "/" + pattern).c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

// Names relative to the directory, in order, each once. A link to a directory is not followed: it may lead around in
// circles.
class Gatherer {
 public:
  Gatherer(std::string directory, CollectedOutputs& out) : directory_(std::move(directory)), out_(out) {}

  void Add(const std::string& path) {
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (fs::is_directory(status) && fs::is_symlink(path, ec)) {
      LeaveOut(path, "is a link to a directory and was left out; name what is in it");
    } else if (fs::is_directory(status)) {
      AddTree(path);
    } else if (fs::is_regular_file(status)) {
      names_.insert(fs::path(path).lexically_relative(directory_).lexically_normal().string());
    } else {
      LeaveOut(path, "is not a file and was left out");
    }
  }
  const std::set<std::string>& names() const { return names_; }

 private:
  void LeaveOut(const std::string& path, const char* why) {
    out_.warnings.push_back("the output '" + fs::path(path).lexically_relative(directory_).string() + "' " + why);
  }

  void AddTree(const std::string& path) {
    std::error_code ec;
    for (fs::recursive_directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
      std::error_code ignored;
      if (it->is_symlink(ignored) && it->is_directory(ignored)) continue;
      if (!it->is_directory(ignored)) Add(it->path().string());
      if (names_.size() > kMaxOutputFiles) return;
    }
    if (ec) out_.warnings.push_back("a directory of the output could not be read: " + ec.message());
  }

  std::string directory_;
  CollectedOutputs& out_;
  std::set<std::string> names_;
};

// Whether the file is the attempt's own, and not reached through a link that leads elsewhere. `directory` is without
// links.
bool IsOwn(const fs::path& directory, const fs::path& path) {
  std::error_code ec;
  if (fs::is_symlink(path, ec)) return false;
  const fs::path place = fs::canonical(path.parent_path(), ec);
  if (ec) return false;
  return std::mismatch(directory.begin(), directory.end(), place.begin(), place.end()).first == directory.end();
}

void AddFiles(const std::string& directory, const std::set<std::string>& names, bool may_take, Outbox& outbox,
              CollectedOutputs& out) {
  std::error_code ec;
  const fs::path real = fs::canonical(directory, ec);
  for (const auto& name : names) {
    std::string path = directory;
    path += "/" + name;
    auto file = outbox.AddFile(path, name, may_take && !ec && IsOwn(real, path));
    if (file) {
      out.files.push_back(std::move(*file));
    } else if (file.error().code == ErrorCode::kUsage) {
      out.too_much = file.error().message;
      return;
    } else {
      out.warnings.push_back("the output '" + name + "' was left out: " + file.error().message);
    }
  }
}

}  // namespace

CollectedOutputs CollectOutputs(const std::string& directory, const std::vector<std::string>& patterns, bool may_take,
                                Outbox& outbox) {
  CollectedOutputs out;
  Gatherer gatherer(directory, out);
  for (const auto& pattern : patterns) {
    const auto paths = Matches(directory, pattern);
    if (paths.empty()) out.unmatched.push_back(pattern);
    for (const auto& path : paths) gatherer.Add(path);
  }
  if (gatherer.names().size() > kMaxOutputFiles) {
    out.too_much = "the outputs are more than the limit of " + std::to_string(kMaxOutputFiles) + " files";
    return out;
  }
  AddFiles(directory, gatherer.names(), may_take, outbox, out);
  return out;
}

}  // namespace icarus::worker
