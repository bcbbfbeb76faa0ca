// Output and input files by their content: <dir>/ab/<hash in hex>, shared by jobs and cache. An upload grows in
// <dir>/tmp/<hash> and is resumable at its length, also over a restart. A file is there only when all of it is on disk
// and its hash was found right. Names are made from hashes alone: no text from a peer reaches the file system.
//
// A file is offered by whoever sends it or asks whether it is there, and named by a record of a job or of the cache.
// Its mode says which came last (0600 offered, 0400 named), its time of modification when: file_sweep.h goes by them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/content_hash.h"

namespace icarus::broker {

// How far an upload is: it goes on at `next_offset`, which is the size when it is complete.
struct BlobProgress {
  std::uint64_t next_offset = 0;
  bool complete = false;
};

struct BlobChunk {
  std::string bytes;
  std::uint64_t size = 0;  // of the whole file
};

struct StoredBlob {
  ContentHash hash;
  std::uint64_t size = 0;
  std::int64_t touched_at_ns = 0;  // wall time: offered or named last
  bool named = false;              // a record has named it since it was offered
};

// Has, Name, IsWhole, KeepIfWhole, ForEach and RemoveUntouched: any thread; the others one at a time (the blob thread).
// A full disk is kOverloaded, and the upload goes on where it was.
class BlobStore {
 public:
  // Makes the directories if need be, mode 0700.
  static Result<BlobStore> Open(const std::string& dir);
  // For reading alone: makes nothing.
  static BlobStore Existing(const std::string& dir) { return BlobStore(dir); }

  Result<BlobProgress> NextOffset(const ContentHash& hash) const;
  // The same for one who has a file of `size` bytes. An upload that has them all, left behind by a broker that died or
  // by a full disk, becomes the file now; one with other bytes goes, and begins anew. A complete file is offered now;
  // one of another size that is not whole goes.
  Result<BlobProgress> Locate(const ContentHash& hash, std::uint64_t size) const;

  // Appends to the upload. Bytes for another offset than the next are not taken: the answer says where to go on, as it
  // does when the file is complete already. With the last bytes the whole is read again and its hash compared; if it is
  // another, kProtocol, and the upload starts from nothing. kRefused: `size` is over limits::kMaxOutputFileBytes. A
  // complete answer is durable.
  Result<BlobProgress> PutChunk(const ContentHash& hash, std::uint64_t size, std::uint64_t offset,
                                std::string_view bytes);

  // At most limits::kChunkBytes from `offset`, fewer at the end. kNotFound: no such complete file.
  Result<BlobChunk> GetChunk(const ContentHash& hash, std::uint64_t offset, std::uint64_t length) const;

  bool Has(const ContentHash& hash) const;
  // A record that is about to be written names it. False: it is not here, and must not be named.
  bool Name(const ContentHash& hash) const;
  // Reads all of the file: is its content what its name says?
  Result<bool> IsWhole(const ContentHash& hash) const;
  // A file that is not goes, so that it can be sent again. False: it is not here now.
  Result<bool> KeepIfWhole(const ContentHash& hash) const;
  std::string PathOf(const ContentHash& hash) const;
  // The file and its upload; success when neither is there.
  Status Remove(const ContentHash& hash);

  // The complete files, in no order. `visit` may remove the one it is given.
  Status ForEach(const std::function<void(const StoredBlob&)>& visit) const;
  // Unless it was offered or named since ForEach saw it: whether it has gone.
  Result<bool> RemoveUntouched(const StoredBlob& seen) const;
  // Uploads that nobody has gone on with since then.
  Status RemoveUploadsBefore(std::int64_t wall_ms);

 private:
  explicit BlobStore(std::string dir) : dir_(std::move(dir)), touching_(std::make_unique<std::mutex>()) {}

  bool Touch(const ContentHash& hash, bool named) const;
  std::string UploadPathOf(const ContentHash& hash) const;
  Status Append(const std::string& path, std::uint64_t offset, std::string_view bytes) const;
  Status Complete(const ContentHash& hash) const;

  std::string dir_;
  std::unique_ptr<std::mutex> touching_;  // a file is touched, or looked at and removed
};

}  // namespace icarus::broker
