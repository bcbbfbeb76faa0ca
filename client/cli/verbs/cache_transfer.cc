// `icarus cache export` and `import`: entries with their files travel from one broker to another.
#include <unistd.h>

#include <filesystem>
#include <set>

#include "client/cli/cache_file.h"
#include "client/cli/cache_selection.h"
#include "client/cli/exit_codes.h"
#include "client/cli/verbs/cache_actions.h"
#include "common/base/files.h"
#include "common/base/random.h"
#include "common/protocol/result_codec.h"

namespace icarus::client {
namespace {

// Entries that wait to become a record of the file.
class EntryCollector {
 public:
  EntryCollector(Client& client, CacheFileWriter& file) : client_(client), file_(file) {}

  Status Add(const CachedEntry& entry) {
    if (entry.item.error || entry.item.origin == CacheOrigin::kIntermediate)
      return {};  // every cache learns for itself
    if (entry.item.form.empty() || entry.item.damaged) {
      ++left_out_;
      return {};
    }
    for (const FileRef& file : StoredFilesOf(entry.body)) {
      const Status added = AddFile(file);
      if (added) continue;
      if (!IsLost(added.error())) return added;
      ++left_out_;
      return {};
    }
    CachedItem item = entry.item;
    item.body = static_cast<std::int32_t>(bodies_.size());
    bodies_.push_back(entry.encoded);
    bytes_ += bodies_.back()->size();
    entries_.items.push_back(std::move(item));
    ++count_;
    if (entries_.items.size() == kEntriesAtOnce || bytes_ >= kBytesAtOnce) return Flush();
    return {};
  }

  Status Flush() {
    if (!entries_.items.empty()) ICARUS_TRY(file_.AddEntries(entries_, bodies_));
    entries_.items.clear();
    bodies_.clear();
    bytes_ = 0;
    return {};
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  Status AddFile(const FileRef& file) {
    if (!written_.insert(file.hash).second) return {};
    ICARUS_ASSIGN(const std::string content, client_.ReadBlob(file));
    return file_.AddFile(file.hash, content);
  }

  Client& client_;
  CacheFileWriter& file_;
  ImportCache entries_;
  std::vector<Body> bodies_;
  std::size_t bytes_ = 0;
  std::set<ContentHash> written_;
  std::uint64_t count_ = 0;
  std::uint64_t left_out_ = 0;
};

Result<std::string> TheFile(const Session& session) {
  const CacheOptions& options = session.options().cache;
  if (options.operands.size() == 1) return options.operands[0];
  return UsageError("cache " + options.action + " takes one file", "file");
}

// Stores a file of the export at this broker.
Status StoreFile(Client& client, const ContentHash& hash, const std::string& content) {
  const std::string path = (std::filesystem::temp_directory_path() / ("icarus-import-" + RandomHex(8))).string();
  ICARUS_TRY(WriteFileAtomically(path, content, 0600));
  Result<FileRef> stored = client.UploadFile(path, hash.Hex());
  ::unlink(path.c_str());
  if (!stored) return stored.error();
  return {};
}

}  // namespace

Result<int> ExportCache(Session& session, Client& client) {
  ICARUS_ASSIGN(const std::string path, TheFile(session));
  ICARUS_ASSIGN(const CacheSelection selection, CacheSelection::Parse(session.options().cache));
  ICARUS_ASSIGN(CacheFileWriter file, CacheFileWriter::Create(path));
  EntryCollector collector(client, file);
  const auto add = [&](const CachedEntry& entry) -> Result<bool> {
    ICARUS_TRY(collector.Add(entry));
    return true;
  };
  ICARUS_TRY(selection.Visit(client, CacheRead::kSend, add));
  ICARUS_TRY(collector.Flush());
  ICARUS_TRY(file.Finish());
  if (!session.text()) session.PrintDocument({{"exported", collector.count()}, {"left_out", collector.left_out()}});
  std::string note = "wrote " + EntriesText(collector.count()) + " to " + path;
  if (collector.left_out() > 0) {
    note += "; " + std::to_string(collector.left_out()) +
            " were left out: damaged, with a file that is lost, or of a release that did not keep "
            "what their keys are made of";
  }
  session.Note(note);
  return kExitDone;
}

Result<int> ImportIntoCache(Session& session, Client& client) {
  ICARUS_ASSIGN(const std::string path, TheFile(session));
  ImportCacheReply sum;
  const auto on_file = [&](const ContentHash& hash, const std::string& content) {
    return StoreFile(client, hash, content);
  };
  const auto on_entries = [&](ImportCache entries, std::vector<Body> bodies) -> Status {
    entries.replace = session.options().cache.replace;
    ICARUS_ASSIGN(const ImportCacheReply reply, client.Ask<ImportCacheReply>(std::move(entries), std::move(bodies)));
    sum.imported += reply.imported;
    sum.present += reply.present;
    sum.conflicts += reply.conflicts;
    sum.rejected += reply.rejected;
    for (const std::string& problem : reply.problems) session.Note(problem);
    return {};
  };
  ICARUS_TRY(ReadCacheFile(path, on_file, on_entries));
  if (!session.text()) {
    session.PrintDocument({{"imported", sum.imported},
                           {"present", sum.present},
                           {"conflicts", sum.conflicts},
                           {"rejected", sum.rejected}});
  }
  session.Note(
      std::to_string(sum.imported) + " imported, " + std::to_string(sum.present) + " present, " +
      std::to_string(sum.conflicts) + " conflicts" +
      (sum.conflicts > 0 && !session.options().cache.replace ? " (ours are kept; --replace takes theirs)" : "") + ", " +
      std::to_string(sum.rejected) + " rejected");
  return sum.rejected == 0 ? kExitDone : kExitIncomplete;
}

}  // namespace icarus::client
