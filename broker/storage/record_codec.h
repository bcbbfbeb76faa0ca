// Records to stored bytes and back. A stored value is: version byte, checksum (8 bytes, little-endian), payload. The
// checksum covers the payload and the key it is stored under, so that a value is also refused where it does not belong.
// Every failure to decode is kCorruption and says what is wrong; the caller, who knows the key, puts its name before
// it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/core/records.h"
#include "common/base/result.h"

namespace icarus::broker {

inline constexpr std::uint8_t kRecordVersion = 1;
inline constexpr std::size_t kSealBytes = 9;

// What stands before the payload: with large payloads the two are written one after the other, without a copy.
std::string SealHeader(std::string_view key, std::string_view payload);
// Header and payload in one.
std::string Seal(std::string_view key, std::string_view payload);
// The payload, a view into `stored`.
Result<std::string_view> Unseal(std::string_view key, std::string_view stored);

// The cache's bodies are sealed with another key than its entries, though both are stored under the hash.
std::string CacheBodySealKey(std::string_view key);

// Instantiated for the records of broker/core/records.h alone: StoreMeta, JobRecord, JobStatusRecord, TaskRecord,
// DispatchRecord, CacheEntry.
template <class T>
std::string EncodeRecord(std::string_view key, const T& record);
template <class T>
Result<T> DecodeRecord(std::string_view key, std::string_view stored);

}  // namespace icarus::broker
