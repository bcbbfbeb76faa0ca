// BlobUpload: one file to the broker, chunk by chunk, from where the broker has it already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/model/content_hash.h"
#include "common/protocol/messages.h"

namespace icarus::worker {

class BlobUpload {
 public:
  struct Request {
    BlobPut put;
    Body body;  // null: the question how far the broker is
  };

  static Result<BlobUpload> Start(const ContentHash& hash, std::uint64_t size, const std::string& path);

  // The next message, while fewer than four are under way. An error: the file cannot be read.
  Result<std::optional<Request>> NextRequest();
  // kInternal: the broker does not get any further.
  Status OnReply(const BlobPutReply& reply);
  // What was sent will not be answered: asks again how far the broker is.
  void Restart();
  // The broker has dropped what it had, which was not this file: from the beginning. False: that has happened too
  // often.
  bool StartOver();
  bool done() const { return done_; }
  std::size_t under_way() const { return under_way_; }

 private:
  BlobUpload(const ContentHash& hash, std::uint64_t size, UniqueFd fd, std::string path)
      : hash_(hash), size_(size), fd_(std::move(fd)), path_(std::move(path)) {}
  Result<std::string> ReadChunk();
  void GoOnFrom(std::uint64_t offset);
  Status CountSetback();

  ContentHash hash_;
  std::uint64_t size_;
  UniqueFd fd_;
  std::string path_;
  std::uint64_t offset_ = 0;   // of the next chunk
  std::uint64_t reached_ = 0;  // the broker's farthest answer
  std::size_t under_way_ = 0;
  bool located_ = false;  // the broker has said how far it is
  bool rewind_ = false;   // it wants earlier bytes: waits until all answers are here
  int setbacks_ = 0;      // in a row, without progress
  int rounds_ = 0;        // begun anew
  bool done_ = false;
};

}  // namespace icarus::worker
