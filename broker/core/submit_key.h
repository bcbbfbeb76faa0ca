// The submission that a job was made of, in 16 bytes: a million of them are looked up by what the user chose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "common/model/content_hash.h"

namespace icarus::broker {

// Half of the cryptographic hash of user and idempotency key: no two are met that are equal.
struct SubmitKey {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const SubmitKey&, const SubmitKey&) = default;

  static SubmitKey Of(const std::string& user, const std::string& id) {
    std::string text = user;
    text += '\0';  // in no user's name
    text += id;
    const ContentHash hash = HashBytes(text);
    SubmitKey key;
    std::memcpy(key.bytes.data(), hash.bytes.data(), key.bytes.size());
    return key;
  }
};

}  // namespace icarus::broker

template <>
struct std::hash<icarus::broker::SubmitKey> {
  std::size_t operator()(const icarus::broker::SubmitKey& key) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, key.bytes.data(), sizeof value);
    return value;
  }
};
