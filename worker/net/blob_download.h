// BlobDownload: one file from the broker, chunk by chunk, into a temporary beside its place; complete when its hash is
// right.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/model/content_hash.h"
#include "common/protocol/messages.h"

namespace icarus::worker {

class BlobDownload {
 public:
  // `expected_size` 0: as the broker says.
  static Result<BlobDownload> Start(const ContentHash& hash, std::uint64_t expected_size, const std::string& path);
  BlobDownload(BlobDownload&&) = default;
  BlobDownload& operator=(BlobDownload&&) = delete;
  ~BlobDownload();  // removes the temporary of one that did not come to its end

  // The next chunk to ask for, while fewer than four are under way.
  std::optional<BlobGet> NextRequest();
  // kProtocol or kCorruption: it cannot be had.
  Status OnData(const BlobData& data, const Body& body);
  // What was asked for will not come: it is asked for again.
  void Restart();
  bool done() const { return done_; }
  std::size_t under_way() const { return under_way_; }
  std::uint64_t size() const { return written_; }

 private:
  BlobDownload(const ContentHash& hash, std::uint64_t size, std::string path)
      : hash_(hash), size_(size), path_(std::move(path)) {}
  Status Write(const std::string& bytes);
  Status Finish();

  ContentHash hash_;
  std::uint64_t size_;  // 0: not known yet
  std::string path_;
  std::string temporary_;
  UniqueFd fd_;
  ContentHasher hasher_;
  std::uint64_t asked_ = 0;  // bytes from the start that have been asked for
  std::uint64_t written_ = 0;
  std::size_t under_way_ = 0;
  std::map<std::uint64_t, Body> early_;  // came before what precedes them
  bool done_ = false;
};

}  // namespace icarus::worker
