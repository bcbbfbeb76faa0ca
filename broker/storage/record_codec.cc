#include "broker/storage/record_codec.h"

#include "common/base/little_endian.h"
#include "common/protocol/map_codec.h"

namespace icarus::broker {
namespace {

// The sum of the key is turned, so that equal key and payload do not cancel out.
std::uint64_t SealChecksum(std::string_view key, std::string_view payload) {
  const std::uint64_t of_key = Checksum(key);
  return Checksum(payload) ^ (of_key << 1 | of_key >> 63);
}

}  // namespace

std::string SealHeader(std::string_view key, std::string_view payload) {
  std::string header(1, static_cast<char>(kRecordVersion));
  PutInteger(header, SealChecksum(key, payload));
  return header;
}

std::string Seal(std::string_view key, std::string_view payload) {
  std::string sealed;
  sealed.reserve(kSealBytes + payload.size());
  sealed += SealHeader(key, payload);
  sealed += payload;
  return sealed;
}

Result<std::string_view> Unseal(std::string_view key, std::string_view stored) {
  if (stored.size() < kSealBytes) return CorruptionError("it is cut off");
  const auto version = static_cast<unsigned char>(stored.front());
  if (version != kRecordVersion)
    return CorruptionError("its version " + std::to_string(version) + " is not known here");
  const std::string_view payload = stored.substr(kSealBytes);
  if (GetInteger<std::uint64_t>(stored, 1) != SealChecksum(key, payload))
    return CorruptionError("its checksum does not match");
  return payload;
}

std::string CacheBodySealKey(std::string_view key) { return "body" + std::string(key); }

template <class T>
std::string EncodeRecord(std::string_view key, const T& record) {
  return Seal(key, codec::EncodeMap(record));
}

template <class T>
Result<T> DecodeRecord(std::string_view key, std::string_view stored) {
  ICARUS_ASSIGN(const std::string_view payload, Unseal(key, stored));
  Result<T> record = codec::DecodeMap<T>(payload);
  if (!record) return CorruptionError(record.error().message);
  return record;
}

#define ICARUS_INSTANTIATE_RECORD(T)                                \
  template std::string EncodeRecord<T>(std::string_view, const T&); \
  template Result<T> DecodeRecord<T>(std::string_view, std::string_view);

ICARUS_INSTANTIATE_RECORD(StoreMeta)
ICARUS_INSTANTIATE_RECORD(JobRecord)
ICARUS_INSTANTIATE_RECORD(JobStatusRecord)
ICARUS_INSTANTIATE_RECORD(TaskRecord)
ICARUS_INSTANTIATE_RECORD(DispatchRecord)
ICARUS_INSTANTIATE_RECORD(CacheEntry)
ICARUS_INSTANTIATE_RECORD(EventsRecord)
#undef ICARUS_INSTANTIATE_RECORD

}  // namespace icarus::broker
