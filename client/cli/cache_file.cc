#include "client/cli/cache_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/little_endian.h"
#include "common/model/limits.h"
#include "common/protocol/codec.h"

namespace icarus::client {
namespace {

constexpr std::string_view kBegin = "icarus-cache 1\n";
constexpr char kFile = 'F', kEntries = 'E', kEnd = 'Z';
constexpr std::uint64_t kMostRecordBytes = limits::kMaxOutputFileBytes + (1u << 20);

void PutNumber(std::string& out, std::uint64_t number) { PutInteger(out, number); }

std::uint64_t NumberAt(std::string_view bytes, std::size_t at) { return GetInteger<std::uint64_t>(bytes, at); }

// Reads, and knows where it is.
class Source {
 public:
  Source(const std::string& path, std::FILE* file) : path_(path), file_(file) {}

  Result<std::string> Take(std::uint64_t size) {
    std::string bytes(size, '\0');
    if (std::fread(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return Damaged("ends early");
    at_ += size;
    return bytes;
  }
  Error Damaged(const std::string& what) const {
    return CorruptionError(path_ + " " + what + " (at byte " + std::to_string(at_) +
                           "); what came before has been taken in");
  }

 private:
  const std::string& path_;
  std::FILE* file_;
  std::uint64_t at_ = 0;
};

std::string Flatten(const EncodedMessage& message) {
  std::string out;
  PutNumber(out, message.header.size());
  PutNumber(out, message.map.size());
  PutNumber(out, message.bodies.size());
  out += message.header + message.map;
  for (const Body& body : message.bodies) {
    PutNumber(out, body->size());
    out += *body;
  }
  return out;
}

// Everything is within `bytes`, or nothing is returned.
std::optional<Message> Unflatten(std::string_view bytes) {
  if (bytes.size() < 24) return std::nullopt;
  const std::uint64_t header = NumberAt(bytes, 0), map = NumberAt(bytes, 8), bodies = NumberAt(bytes, 16);
  std::string_view rest = bytes.substr(24);
  if (header > rest.size() || map > rest.size() - header || bodies > limits::kMaxParts) return std::nullopt;
  const std::string_view header_bytes = rest.substr(0, header), map_bytes = rest.substr(header, map);
  rest.remove_prefix(header + map);
  std::vector<Body> parts;
  for (std::uint64_t i = 0; i < bodies; ++i) {
    if (rest.size() < 8 || NumberAt(rest, 0) > rest.size() - 8) return std::nullopt;
    parts.push_back(std::make_shared<const std::string>(rest.substr(8, NumberAt(rest, 0))));
    rest.remove_prefix(8 + parts.back()->size());
  }
  Result<Message> message = DecodeMessage(header_bytes, map_bytes, std::move(parts), nullptr);
  if (!message || !rest.empty()) return std::nullopt;
  return std::move(*message);
}

}  // namespace

CacheFileWriter::CacheFileWriter(std::string path, std::string temporary, std::FILE* file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(file) {}

CacheFileWriter::~CacheFileWriter() {
  if (file_) ::unlink(temporary_.c_str());
}

Result<CacheFileWriter> CacheFileWriter::Create(const std::string& named) {
  // What the name stands for is replaced, never the name itself: not a link, and no device or pipe.
  std::error_code error;
  const auto target = std::filesystem::canonical(named, error);
  const std::string path = error ? named : target.string();
  if (!error && !std::filesystem::is_regular_file(target, error)) {
    return UsageError(named + " is there and is no regular file; name another place", "file");
  }
  const std::string temporary = path + ".part-" + std::to_string(::getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wbxe");
  if (file == nullptr) return UsageError(ErrnoError("cannot write " + path, errno).message, "file");
  CacheFileWriter writer(path, temporary, file);
  ICARUS_TRY(writer.Write(kBegin));
  return writer;
}

Status CacheFileWriter::Write(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
  return ErrnoError("cannot write " + path_, errno);
}

Status CacheFileWriter::WriteRecord(char kind, std::string_view first, std::string_view second) {
  std::string head(1, kind);
  PutNumber(head, first.size() + second.size());
  ICARUS_TRY(Write(head));
  ICARUS_TRY(Write(first));
  return Write(second);
}

Status CacheFileWriter::AddFile(const ContentHash& hash, const std::string& content) {
  return WriteRecord(kFile, hash.Raw(), content);
}

Status CacheFileWriter::AddEntries(const ImportCache& entries, const std::vector<Body>& bodies) {
  entries_ += entries.items.size();
  return WriteRecord(kEntries, Flatten(EncodeMessage(Message{0, entries, bodies})), {});
}

Status CacheFileWriter::Finish() {
  std::string count;
  PutNumber(count, entries_);
  ICARUS_TRY(WriteRecord(kEnd, count, {}));
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0 ||
      std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return ErrnoError("cannot write " + path_, errno);
  }
  file_.reset();
  return {};
}

Status ReadCacheFile(const std::string& path, const std::function<Status(const ContentHash&, std::string)>& on_file,
                     const std::function<Status(ImportCache, std::vector<Body>)>& on_entries) {
  std::FILE* opened = std::fopen(path.c_str(), "rbe");
  if (opened == nullptr) return UsageError(ErrnoError("cannot read " + path, errno).message, "file");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(opened, std::fclose);
  Source source(path, opened);
  const Result<std::string> begin = source.Take(kBegin.size());
  if (!begin || *begin != kBegin) {
    return UsageError(path + " was not written by `icarus cache export` of this release", "file");
  }
  std::uint64_t entries = 0;
  while (true) {
    ICARUS_ASSIGN(const std::string head, source.Take(9));
    const std::uint64_t size = NumberAt(head, 1);
    if (size > kMostRecordBytes) return source.Damaged("is damaged");
    ICARUS_ASSIGN(std::string payload, source.Take(size));
    if (head[0] == kEnd) {
      if (payload.size() != 8 || NumberAt(payload, 0) != entries)
        return source.Damaged("does not have all its entries");
      return {};
    }
    if (head[0] == kFile && payload.size() >= ContentHash().bytes.size()) {
      const ContentHash hash = *ContentHash::FromRaw(std::string_view(payload).substr(0, ContentHash().bytes.size()));
      payload.erase(0, ContentHash().bytes.size());
      if (HashBytes(payload) != hash) return source.Damaged("has a damaged file");
      ICARUS_TRY(on_file(hash, std::move(payload)));
      continue;
    }
    std::optional<Message> message = head[0] == kEntries ? Unflatten(payload) : std::nullopt;
    const ImportCache* items = message ? message->payload.get_if<ImportCache>() : nullptr;
    if (items == nullptr || !BodiesInRange(*message, items->items)) return source.Damaged("is damaged");
    entries += items->items.size();
    ICARUS_TRY(on_entries(*items, std::move(message->bodies)));
  }
}

}  // namespace icarus::client
