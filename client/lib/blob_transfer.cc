// Files to and from the broker's blob store: in chunks, a few of them under way at once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "client/lib/client.h"
#include "client/lib/connection.h"
#include "common/base/files.h"
#include "common/base/random.h"
#include "common/base/unique_fd.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

constexpr int kMaxRounds = 3;      // of one upload, from the beginning
constexpr int kMaxRestarts = 100;  // of one upload, when the broker asks for earlier bytes

Error Unreadable(const std::string& path, int error_number) {
  return UsageError(ErrnoError("cannot read " + path, error_number).message, "input");
}

Result<std::string> ReadChunk(int fd, const std::string& path, std::uint64_t offset, std::size_t length) {
  std::string chunk(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = ::pread(fd, chunk.data() + done, length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable(path, errno);
    if (got == 0) return UsageError(path + " became shorter while it was read", "input");
    done += static_cast<std::size_t>(got);
  }
  return chunk;
}

std::size_t ChunkAt(std::uint64_t offset, std::uint64_t size) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(limits::kChunkBytes, size - offset));
}

struct OpenFile {
  UniqueFd fd;
  std::uint64_t size = 0;
  std::uint32_t mode = 0644;
};

Result<OpenFile> OpenRegular(const std::string& path) {
  OpenFile file;
  file.fd.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file.fd || ::fstat(file.fd.get(), &info) != 0) return Unreadable(path, errno);
  if (!S_ISREG(info.st_mode)) return UsageError(path + " is not a regular file", "input");
  file.size = static_cast<std::uint64_t>(info.st_size);
  file.mode = info.st_mode & 0777;
  if (file.size > limits::kMaxOutputFileBytes) {
    return Error::Make(ErrorCode::kRefused, path + " is larger than " + std::to_string(limits::kMaxOutputFileBytes) +
                                                " bytes, the limit of one file (limits.output_file_bytes)");
  }
  return file;
}

Result<ContentHash> HashFile(const OpenFile& file, const std::string& path) {
  ContentHasher hasher;
  for (std::uint64_t offset = 0; offset < file.size; offset += ChunkAt(offset, file.size)) {
    ICARUS_ASSIGN(const std::string chunk, ReadChunk(file.fd.get(), path, offset, ChunkAt(offset, file.size)));
    hasher.Update(chunk);
  }
  return hasher.Finish();
}

// What the answers leave behind. Shared with their callbacks, which may come after an upload that was given up.
struct UploadState {
  std::size_t in_flight = 0;
  bool complete = false;
  std::optional<std::uint64_t> rewind;
  std::optional<Error> error;

  void OnAnswer(std::uint64_t chunk_end, Result<Message> answer) {
    --in_flight;
    if (!answer) {
      error = std::move(answer).error();
      return;
    }
    const auto* reply = answer->payload.get_if<BlobPutReply>();
    if (reply == nullptr) {
      error = ProtocolError("the broker gave an answer of another kind");
      return;
    }
    complete = complete || reply->complete;
    if (!reply->complete && reply->next_offset < chunk_end) {
      rewind = std::min(rewind.value_or(UINT64_MAX), reply->next_offset);
    }
  }
};

// One upload: sends from where the broker is, goes back when it asks for it.
class Upload {
 public:
  Upload(Client& client, const OpenFile& file, const std::string& path, const ContentHash& hash)
      : client_(client), file_(file), path_(path), hash_(hash) {}

  Status Run() {
    ICARUS_ASSIGN(const auto at, client_.Ask<BlobPutReply>(BlobPut{hash_, file_.size, 0}));
    state_->complete = at.complete;
    offset_ = at.next_offset;
    int rounds = 0;
    for (int restarts = 0; !state_->complete; ++restarts) {
      if (restarts > kMaxRestarts) return Error::Make(ErrorCode::kInternal, "the broker does not take " + path_);
      const Status sent = SendRest();
      if (sent) continue;
      // What the broker had was not this file, and is gone: from the beginning.
      if (sent.error().code != ErrorCode::kProtocol || ++rounds == kMaxRounds) return sent;
      state_->error.reset();
      offset_ = 0;
    }
    return {};
  }

 private:
  Status SendRest() {
    UploadState& state = *state_;
    state.rewind.reset();
    while (true) {
      while (state.in_flight < limits::kChunkWindow && offset_ < file_.size && !state.rewind && !state.error)
        ICARUS_TRY(SendOne());
      if (state.in_flight == 0) break;
      const std::size_t before = state.in_flight;
      ICARUS_ASSIGN(const RunEnd end, client_.RunUntil([&] { return state.in_flight < before; }));
      if (end == RunEnd::kInterrupted) return Interrupted();
    }
    if (state.error) return *state.error;
    if (!state.complete) offset_ = state.rewind.value_or(0);
    return {};
  }

  Status SendOne() {
    ICARUS_ASSIGN(std::string chunk, ReadChunk(file_.fd.get(), path_, offset_, ChunkAt(offset_, file_.size)));
    const std::uint64_t end = offset_ + chunk.size();
    ++state_->in_flight;
    client_.CallAsync(BlobPut{hash_, file_.size, offset_}, {std::make_shared<const std::string>(std::move(chunk))},
                      [state = state_, end](Result<Message> answer) { state->OnAnswer(end, std::move(answer)); });
    offset_ = end;
    return {};
  }

  Client& client_;
  const OpenFile& file_;
  const std::string& path_;
  const ContentHash hash_;
  std::uint64_t offset_ = 0;
  const std::shared_ptr<UploadState> state_ = std::make_shared<UploadState>();
};

using Sink = std::function<Status(const std::string&)>;

// As UploadState.
struct DownloadState {
  std::size_t in_flight = 0;
  std::map<std::uint64_t, Body> arrived;  // by offset, not yet handed on
  std::optional<Error> error;

  void OnAnswer(std::uint64_t offset, std::size_t length, Result<Message> answer) {
    --in_flight;
    if (!answer) {
      error = std::move(answer).error();
    } else if (!answer->payload.is<BlobData>() || answer->bodies.size() != 1 || answer->bodies[0]->size() != length) {
      error = ProtocolError("a piece of a file has not the length that was asked for");
    } else {
      arrived[offset] = answer->bodies[0];
    }
  }
};

// One download: chunks arrive in any order and are handed on in theirs.
class Download {
 public:
  Download(Client& client, const FileRef& file, const Sink& sink) : client_(client), file_(file), sink_(sink) {}

  Status Run() {
    DownloadState& state = *state_;
    while (written_ < file_.size) {
      while (!state.error && state.in_flight < limits::kChunkWindow && asked_ < file_.size) AskOne();
      if (state.error && state.in_flight == 0) return *state.error;
      const std::size_t before = state.in_flight;
      ICARUS_ASSIGN(const RunEnd end, client_.RunUntil([&] { return state.in_flight < before; }));
      if (end == RunEnd::kInterrupted) return Interrupted();
      ICARUS_TRY(HandOn());
    }
    if (hasher_.Finish() == file_.hash) return {};
    return Error::Make(ErrorCode::kCorruption, "the content of " + file_.name + " is not what was stored");
  }

 private:
  void AskOne() {
    const std::uint64_t offset = asked_;
    const std::size_t length = ChunkAt(offset, file_.size);
    asked_ += length;
    ++state_->in_flight;
    client_.CallAsync(BlobGet{file_.hash, offset, length}, {},
                      [state = state_, offset, length](Result<Message> answer) {
                        state->OnAnswer(offset, length, std::move(answer));
                      });
  }

  Status HandOn() {
    auto& arrived = state_->arrived;
    for (auto next = arrived.find(written_); next != arrived.end(); next = arrived.find(written_)) {
      hasher_.Update(*next->second);
      ICARUS_TRY(sink_(*next->second));
      written_ += next->second->size();
      arrived.erase(next);
    }
    return {};
  }

  Client& client_;
  const FileRef& file_;
  const Sink& sink_;
  ContentHasher hasher_;
  std::uint64_t asked_ = 0;
  std::uint64_t written_ = 0;
  const std::shared_ptr<DownloadState> state_ = std::make_shared<DownloadState>();
};

Status Fetch(Client& client, const FileRef& file, const Sink& sink) {
  if (!file.content) return Download(client, file, sink).Run();
  if (!file.hash.empty() && HashBytes(*file.content) != file.hash) {
    return Error::Make(ErrorCode::kCorruption, "the content of " + file.name + " is not what was stored");
  }
  return sink(*file.content);
}

Status WriteAll(int fd, const std::string& path, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoError("cannot write " + path, errno);
    done += static_cast<std::size_t>(put);
  }
  return {};
}

}  // namespace

Result<FileRef> Client::UploadFile(const std::string& path, const std::string& name) {
  ICARUS_ASSIGN(const OpenFile file, OpenRegular(path));
  FileRef ref;
  ref.name = name;
  ref.size = file.size;
  ref.mode = file.mode;
  ICARUS_ASSIGN(ref.hash, HashFile(file, path));
  ICARUS_TRY(Upload(*this, file, path, ref.hash).Run());
  return ref;
}

Result<std::string> Client::ReadBlob(const FileRef& file) {
  std::string content;
  ICARUS_TRY(Fetch(*this, file, [&](const std::string& piece) -> Status {
    content += piece;
    return {};
  }));
  return content;
}

Status Client::SaveBlob(const FileRef& file, const std::string& path) {
  ICARUS_TRY(MakeDirectories(std::filesystem::path(path).parent_path().string(), 0777));
  const std::string temporary = path + ".part-" + RandomHex(4);
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode & 0777));
  if (!fd) return ErrnoError("cannot write " + temporary, errno);
  Status saved = Fetch(*this, file, [&](const std::string& piece) { return WriteAll(fd.get(), temporary, piece); });
  fd.Reset();
  if (saved && ::rename(temporary.c_str(), path.c_str()) != 0) saved = ErrnoError("cannot write " + path, errno);
  if (!saved) ::unlink(temporary.c_str());
  return saved;
}

}  // namespace icarus::client
