// 256-bit content hashes (BLAKE2b, RFC 7693, by libsodium): the identity of cached results and of files.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace icarus {

struct ContentHash {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const ContentHash&) const = default;
  bool empty() const { return *this == ContentHash{}; }
  std::string Hex() const;
  std::string Raw() const { return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  static std::optional<ContentHash> FromRaw(std::string_view raw);
  static std::optional<ContentHash> FromHex(std::string_view hex);
};

ContentHash HashBytes(std::string_view bytes);

// For content that arrives in pieces.
class ContentHasher {
 public:
  ContentHasher();
  void Update(std::string_view bytes);
  ContentHash Finish();

 private:
  alignas(64) std::array<unsigned char, 512> state_;
};

// A fast checksum against damage on the wire and on disk (XXH3, 64 bits). Never an identity.
std::uint64_t Checksum(std::string_view bytes);

}  // namespace icarus

template <>
struct std::hash<icarus::ContentHash> {
  std::size_t operator()(const icarus::ContentHash& content) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, content.bytes.data(), sizeof value);
    return value;
  }
};
