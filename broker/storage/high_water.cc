#include "broker/storage/high_water.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "broker/storage/file_io.h"
#include "common/base/files.h"
#include "common/model/content_hash.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kMaxFileBytes = 4096;
constexpr std::chrono::seconds kSyncInterval{1};

// "lineage epoch sequence checksum\n", the numbers with a fixed width: a shorter mark never leaves the end of a longer
// one.
std::string Format(const StorePosition& position) {
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, " %020" PRIu64 " %020" PRIu64, position.epoch, position.sequence);
  const std::string text = position.lineage + numbers;
  char sum[32];
  std::snprintf(sum, sizeof sum, " %016" PRIx64 "\n", Checksum(text));
  return text + sum;
}

std::optional<StorePosition> Parse(const std::string& text) {
  char lineage[65];
  StorePosition position;
  if (std::sscanf(text.c_str(), "%64s %" SCNu64 " %" SCNu64, lineage, &position.epoch, &position.sequence) != 3) {
    return std::nullopt;
  }
  position.lineage = lineage;
  if (Format(position) != text) return std::nullopt;
  return position;
}

}  // namespace

Result<std::optional<StorePosition>> HighWater::Read(const std::string& path) {
  if (!PathExists(path)) return std::optional<StorePosition>();
  ICARUS_ASSIGN(const std::string text, ReadFile(path, kMaxFileBytes));
  return Parse(text);
}

Result<HighWater> HighWater::Open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return DiskError("cannot open " + path, errno);
  return HighWater(path, std::move(fd));
}

Status HighWater::Write(const StorePosition& position) {
  ICARUS_TRY(WriteAt(fd_.get(), path_, 0, Format(position)));
  const auto now = std::chrono::steady_clock::now();
  if (synced_ && now - *synced_ < kSyncInterval) return {};
  if (::fdatasync(fd_.get()) != 0) return DiskError("cannot sync " + path_, errno);
  synced_ = now;
  return {};
}

}  // namespace icarus::broker
