// Outbox: where the result files of one attempt go. Small ones into the result itself, larger ones into a directory,
// named by their content.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/job_spec.h"
#include "worker/launcher/attempt.h"

namespace icarus::worker {

class Outbox {
 public:
  enum class Inline { kSmall, kNothing };  // which files travel inside the result

  // The directory is created when the first file needs it. Temporary names in it begin with ".attempt-<id>-".
  Outbox(std::string directory, std::uint64_t attempt, Inline inlined = Inline::kSmall);
  ~Outbox();  // removes temporaries that were not filed
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // The regular file at `path` under the name `name`. With `may_take` the file itself may be moved away; otherwise, or
  // where it has further links, it is copied. kUsage: larger than limits::kMaxOutputFileBytes.
  Result<FileRef> AddFile(const std::string& path, std::string name, bool may_take);
  Result<FileRef> AddContent(std::string content, std::string name, std::uint32_t mode);
  // A finished temporary (NewTemporary) whose hash is known.
  Result<FileRef> AddTemporary(const std::string& path, const ContentHash& hash, std::uint64_t size, std::string name);

  // A path for a file that the caller creates.
  Result<std::string> NewTemporary();
  // Of everything added since.
  std::vector<BlobFile> TakeBlobs() { return std::move(blobs_); }

  // What an attempt that was cut short left of temporaries. Walks the directory.
  static void RemoveTemporaries(const std::string& directory, std::uint64_t attempt);

 private:
  bool FitsInline(std::uint64_t size) const;
  Status File(const std::string& path, const ContentHash& hash, std::uint64_t size);
  Result<ContentHash> CopyAndFile(int from, std::uint64_t& size);

  std::string directory_;
  std::uint64_t attempt_;
  Inline inlined_;
  std::uint64_t next_temporary_ = 0;
  std::set<std::string> temporaries_;
  std::uint64_t inline_bytes_ = 0;
  std::vector<BlobFile> blobs_;
};

}  // namespace icarus::worker
