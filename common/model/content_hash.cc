#include "common/model/content_hash.h"

#include <sodium/crypto_generichash.h>
#include <xxhash.h>

#include "common/base/check.h"

namespace icarus {
namespace {

static_assert(sizeof(crypto_generichash_state) <= 512);

crypto_generichash_state* State(std::array<unsigned char, 512>& bytes) {
  return reinterpret_cast<crypto_generichash_state*>(bytes.data());
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string ContentHash::Hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(64);
  for (const std::uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::optional<ContentHash> ContentHash::FromRaw(std::string_view raw) {
  ContentHash hash;
  if (raw.size() != hash.bytes.size()) return std::nullopt;
  std::memcpy(hash.bytes.data(), raw.data(), raw.size());
  return hash;
}

std::optional<ContentHash> ContentHash::FromHex(std::string_view hex) {
  ContentHash hash;
  if (hex.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

ContentHash HashBytes(std::string_view bytes) {
  ContentHash hash;
  ICARUS_CHECK(crypto_generichash(hash.bytes.data(), hash.bytes.size(),
                                  reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr, 0) == 0);
  return hash;
}

ContentHasher::ContentHasher() { ICARUS_CHECK(crypto_generichash_init(State(state_), nullptr, 0, 32) == 0); }

void ContentHasher::Update(std::string_view bytes) {
  crypto_generichash_update(State(state_), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

ContentHash ContentHasher::Finish() {
  ContentHash hash;
  ICARUS_CHECK(crypto_generichash_final(State(state_), hash.bytes.data(), hash.bytes.size()) == 0);
  return hash;
}

std::uint64_t Checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace icarus
