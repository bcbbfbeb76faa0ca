#include "broker/storage/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "broker/storage/file_io.h"
#include "common/base/unique_fd.h"
#include "common/model/limits.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOffered = 0600;
constexpr mode_t kNamed = 0400;

struct FileInfo {
  std::uint64_t size = 0;
  std::int64_t touched_at_ns = 0;
  bool named = false;
};

// nullopt: there is no such file.
Result<std::optional<FileInfo>> Stat(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    return std::optional<FileInfo>({static_cast<std::uint64_t>(info.st_size),
                                    info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec,
                                    (info.st_mode & S_IWUSR) == 0});
  }
  if (errno == ENOENT) return std::optional<FileInfo>();
  return ErrnoError("cannot read " + path, errno);
}

Status Unlink(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return ErrnoError("cannot remove " + path, errno);
}

// Up to `length` bytes from `offset`, fewer only at the end of the file.
Status ReadAt(int fd, const std::string& path, std::uint64_t offset, std::size_t length, std::string& out) {
  out.resize(length);
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = ::pread(fd, out.data() + done, length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read " + path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  out.resize(done);
  return {};
}

Result<ContentHash> HashFile(int fd, const std::string& path) {
  ContentHasher hasher;
  std::string chunk;
  std::uint64_t offset = 0;
  do {
    ICARUS_TRY(ReadAt(fd, path, offset, limits::kChunkBytes, chunk));
    hasher.Update(chunk);
    offset += chunk.size();
  } while (!chunk.empty());
  return hasher.Finish();
}

Status CheckChunk(std::uint64_t size, std::uint64_t offset, std::string_view bytes) {
  if (size > limits::kMaxOutputFileBytes) {
    return Error::Make(ErrorCode::kRefused, "a file of " + std::to_string(size) + " bytes is over the limit of " +
                                                std::to_string(limits::kMaxOutputFileBytes) + " (kMaxOutputFileBytes)");
  }
  if (offset > size || bytes.size() > size - offset) return ProtocolError("a chunk goes beyond the end of its file");
  if (bytes.empty() && offset < size) return ProtocolError("a chunk without bytes");
  return {};
}

Status ForEachName(const std::string& dir, const std::function<void(const std::string& name)>& visit) {
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    visit(it->path().filename());
  }
  if (error) return IoError("cannot read " + dir + ": " + error.message());
  return {};
}

}  // namespace

Result<BlobStore> BlobStore::Open(const std::string& dir) {
  ICARUS_TRY(MakePrivateDirectory(dir + "/tmp"));
  return BlobStore(dir);
}

std::string BlobStore::PathOf(const ContentHash& hash) const {
  const std::string hex = hash.Hex();
  return dir_ + "/" + hex.substr(0, 2) + "/" + hex;
}

std::string BlobStore::UploadPathOf(const ContentHash& hash) const { return dir_ + "/tmp/" + hash.Hex(); }

bool BlobStore::Has(const ContentHash& hash) const {
  const auto info = Stat(PathOf(hash));
  return info && info->has_value();
}

bool BlobStore::Name(const ContentHash& hash) const { return Touch(hash, true); }

// False: there is no such file.
bool BlobStore::Touch(const ContentHash& hash, bool named) const {
  const std::string path = PathOf(hash);
  const std::lock_guard lock(*touching_);
  // What cannot be touched for another reason is there.
  return (::chmod(path.c_str(), named ? kNamed : kOffered) == 0 || errno != ENOENT) &&
         (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0 || errno != ENOENT);
}

Result<bool> BlobStore::KeepIfWhole(const ContentHash& hash) const {
  if (!Has(hash)) return false;
  ICARUS_ASSIGN(const bool whole, IsWhole(hash));
  if (!whole) ICARUS_TRY(Unlink(PathOf(hash)));
  return whole;
}

Result<bool> BlobStore::RemoveUntouched(const StoredBlob& seen) const {
  const std::string path = PathOf(seen.hash);
  const std::lock_guard lock(*touching_);
  ICARUS_ASSIGN(const std::optional<FileInfo> info, Stat(path));
  if (!info || info->touched_at_ns != seen.touched_at_ns) return false;
  ICARUS_TRY(Unlink(path));
  return true;
}

Result<bool> BlobStore::IsWhole(const ContentHash& hash) const {
  const std::string path = PathOf(hash);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoError("cannot read " + path, errno);
  ICARUS_ASSIGN(const ContentHash found, HashFile(fd.get(), path));
  return found == hash;
}

Result<BlobProgress> BlobStore::NextOffset(const ContentHash& hash) const {
  ICARUS_ASSIGN(const std::optional<FileInfo> stored, Stat(PathOf(hash)));
  if (stored) return BlobProgress{stored->size, true};
  ICARUS_ASSIGN(const std::optional<FileInfo> upload, Stat(UploadPathOf(hash)));
  return BlobProgress{upload ? upload->size : 0, false};
}

Result<BlobProgress> BlobStore::Locate(const ContentHash& hash, std::uint64_t size) const {
  ICARUS_ASSIGN(BlobProgress progress, NextOffset(hash));
  if (progress.complete) {
    const bool doubtful = progress.next_offset != size;  // or the asker is wrong
    if (doubtful) ICARUS_TRY(KeepIfWhole(hash));
    if (Touch(hash, false)) return progress;
    progress = {};  // removed
  }
  if (progress.next_offset < size || size == 0) return progress;
  if (progress.next_offset > size) {  // begun by someone who claimed another size
    ICARUS_TRY(Unlink(UploadPathOf(hash)));
    return BlobProgress{0, false};
  }
  const Status completed = Complete(hash);
  if (completed) return BlobProgress{size, true};
  if (completed.error().code == ErrorCode::kProtocol) return BlobProgress{0, false};
  return completed.error();
}

Result<BlobProgress> BlobStore::PutChunk(const ContentHash& hash, std::uint64_t size, std::uint64_t offset,
                                         std::string_view bytes) {
  ICARUS_TRY(CheckChunk(size, offset, bytes));
  ICARUS_ASSIGN(BlobProgress progress, Locate(hash, size));
  if (progress.complete || offset != progress.next_offset) return progress;
  ICARUS_TRY(Append(UploadPathOf(hash), offset, bytes));
  progress.next_offset = offset + bytes.size();
  if (progress.next_offset < size) return progress;
  ICARUS_TRY(Complete(hash));
  progress.complete = true;
  return progress;
}

Status BlobStore::Append(const std::string& path, std::uint64_t offset, std::string_view bytes) const {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return DiskError("cannot write " + path, errno);
  const Status written = WriteAt(fd.get(), path, offset, bytes);
  if (written) return {};
  // What was written of the chunk goes, so that the upload stays where its sender believes it to be.
  if (::ftruncate(fd.get(), static_cast<off_t>(offset)) != 0) return ErrnoError("cannot shorten " + path, errno);
  return written;
}

// The upload has all its bytes: they become the file, or they go.
Status BlobStore::Complete(const ContentHash& hash) const {
  const std::string upload = UploadPathOf(hash);
  const std::string target = PathOf(hash);
  const std::string folder = fs::path(target).parent_path();
  const UniqueFd fd(::open(upload.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return DiskError("cannot read " + upload, errno);
  ICARUS_ASSIGN(const ContentHash found, HashFile(fd.get(), upload));
  if (found != hash) {
    ICARUS_TRY(Unlink(upload));
    return ProtocolError("the file sent as " + hash.Hex() + " has another content; send it again");
  }
  if (::fsync(fd.get()) != 0) {
    // What is on disk is not known after a failed fsync, and a second one would say that all is well.
    const int sync_errno = errno;
    ICARUS_TRY(Unlink(upload));
    return DiskError("cannot sync " + upload, sync_errno);
  }
  ICARUS_TRY(MakePrivateDirectory(folder));
  if (std::rename(upload.c_str(), target.c_str()) != 0) return DiskError("cannot rename " + upload, errno);
  return SyncDirectory(folder);
}

Result<BlobChunk> BlobStore::GetChunk(const ContentHash& hash, std::uint64_t offset, std::uint64_t length) const {
  const std::string path = PathOf(hash);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return Error::Make(ErrorCode::kNotFound, "there is no file " + hash.Hex());
  if (!fd) return ErrnoError("cannot read " + path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoError("cannot read " + path, errno);
  BlobChunk chunk;
  chunk.size = static_cast<std::uint64_t>(info.st_size);
  if (offset > chunk.size) return ProtocolError("a chunk was asked for beyond the end of its file");
  const std::uint64_t wanted = std::min<std::uint64_t>({length, limits::kChunkBytes, chunk.size - offset});
  ICARUS_TRY(ReadAt(fd.get(), path, offset, static_cast<std::size_t>(wanted), chunk.bytes));
  return chunk;
}

Status BlobStore::Remove(const ContentHash& hash) {
  ICARUS_TRY(Unlink(UploadPathOf(hash)));
  return Unlink(PathOf(hash));
}

Status BlobStore::ForEach(const std::function<void(const StoredBlob&)>& visit) const {
  std::vector<std::string> folders;
  ICARUS_TRY(ForEachName(dir_, [&](const std::string& name) {
    if (name.size() == 2) folders.push_back(name);
  }));
  for (const std::string& folder : folders) {
    ICARUS_TRY(ForEachName(dir_ + "/" + folder, [&](const std::string& name) {
      const std::optional<ContentHash> hash = ContentHash::FromHex(name);
      if (!hash || name.compare(0, 2, folder) != 0) return;
      const auto info = Stat(PathOf(*hash));
      if (info && *info) visit(StoredBlob{*hash, (*info)->size, (*info)->touched_at_ns, (*info)->named});
    }));
  }
  return {};
}

Status BlobStore::RemoveUploadsBefore(std::int64_t wall_ms) {
  Status removed;
  ICARUS_TRY(ForEachName(dir_ + "/tmp", [&](const std::string& name) {
    const std::optional<ContentHash> hash = ContentHash::FromHex(name);
    if (!hash || !removed) return;
    const std::string path = UploadPathOf(*hash);
    const auto info = Stat(path);
    if (info && *info && (*info)->touched_at_ns / 1'000'000 < wall_ms) removed = Unlink(path);
  }));
  return removed;
}

}  // namespace icarus::broker
