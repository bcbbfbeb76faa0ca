// A file of cache entries that travels from one broker to another: text "icarus-cache 1", then records, each complete
// and checked: files (under their hash), entries (a message of the wire, with its checksums), and an end that counts.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/protocol/messages.h"

namespace icarus::client {

class CacheFileWriter {
 public:
  // Writes to a temporary file beside the one that is named, or that the link named points to; Finish puts it in its
  // place. Until then a file already there is untouched, whatever fails. kUsage: something else than a file is there.
  static Result<CacheFileWriter> Create(const std::string& named);
  CacheFileWriter(CacheFileWriter&&) = default;
  CacheFileWriter& operator=(CacheFileWriter&&) = delete;
  ~CacheFileWriter();

  Status AddFile(const ContentHash& hash, const std::string& content);
  Status AddEntries(const ImportCache& entries, const std::vector<Body>& bodies);
  Status Finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  CacheFileWriter(std::string path, std::string temporary, std::FILE* file);
  Status Write(std::string_view bytes);
  Status WriteRecord(char kind, std::string_view first, std::string_view second);

  std::string path_;
  std::string temporary_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t entries_ = 0;
};

// Calls on_file and on_entries with what is in the file, in order. kCorruption: it is no such file, is damaged or ends
// early, at which byte; what came before has been handed over. kUsage: it cannot be read.
Status ReadCacheFile(const std::string& path, const std::function<Status(const ContentHash&, std::string)>& on_file,
                     const std::function<Status(ImportCache, std::vector<Body>)>& on_entries);

}  // namespace icarus::client
