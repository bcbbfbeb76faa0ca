#include "broker/storage/log_file.h"

#include <algorithm>
#include <array>

namespace icarus::broker {
namespace {

constexpr std::size_t kLogBlockBytes = 32768;
constexpr std::size_t kHeaderBytes = 7;
constexpr std::uint32_t kMaskDelta = 0xa282ead8;
constexpr std::uint32_t kPolynomial = 0x82f63b78;  // CRC-32C, reflected

enum FragmentType : std::uint8_t { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

// Eight tables, so that eight bytes are taken in one step ("slicing by 8", Kounavis and Berry 2005).
constexpr CrcTables MakeCrcTables() {
  CrcTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t table = 1; table < tables.size(); ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[table - 1][byte];
      tables[table][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}
constexpr CrcTables kTables = MakeCrcTables();

std::uint32_t Byte(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint32_t Little(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= Byte(bytes, at + i) << (8 * i);
  return value;
}

bool AllZero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

struct Fragment {
  FragmentType type = kWhole;
  std::string_view bytes;
  std::size_t end = 0;  // offset behind it
};

// The fragment that begins at `at`, if a whole one does.
std::optional<Fragment> FragmentAt(std::string_view log, std::size_t at) {
  if (at + kHeaderBytes > log.size()) return std::nullopt;
  const std::size_t room = kLogBlockBytes - at % kLogBlockBytes;
  if (room < kHeaderBytes) return std::nullopt;
  const std::uint32_t length = Little(log, at + 4, 2);
  const std::uint32_t type = Byte(log, at + 6);
  const std::size_t end = at + kHeaderBytes + length;
  if (type < kWhole || type > kLast || length > room - kHeaderBytes || end > log.size()) return std::nullopt;
  const std::uint32_t crc = Crc32c(log.substr(at + 6, 1 + length));
  const std::uint32_t masked = ((crc >> 15) | (crc << 17)) + kMaskDelta;
  if (masked != Little(log, at, 4)) return std::nullopt;
  return Fragment{static_cast<FragmentType>(type), log.substr(at + kHeaderBytes, length), end};
}

// Joins fragments to records.
class LogReader {
 public:
  LogReader(std::string_view log, const LogVisitor& visit) : log_(log), visit_(visit) {}

  std::optional<LogDamage> Run() {
    while (std::optional<std::size_t> broken = ReadRecords()) {
      if (!damage_) damage_ = LogDamage{open_ ? record_at_ : *broken, false};
      open_ = false;
      if (!FindRecord(*broken)) return damage_;
      damage_->followed = true;
    }
    return damage_;
  }

 private:
  // Reads on from at_. nullopt: to the end of the log; else where something else than a record was found.
  std::optional<std::size_t> ReadRecords() {
    while (true) {
      const std::size_t room = kLogBlockBytes - at_ % kLogBlockBytes;
      if (room < kHeaderBytes) at_ += room;  // too little for a fragment: left empty
      if (at_ >= log_.size() || AllZero(log_.substr(at_, kHeaderBytes))) {
        if (!open_ && (at_ >= log_.size() || AllZero(log_.substr(at_)))) return std::nullopt;
        return std::min(at_, log_.size());
      }
      const std::optional<Fragment> fragment = FragmentAt(log_, at_);
      if (!fragment || !Take(*fragment)) return at_;
      at_ = fragment->end;
    }
  }

  // False where a fragment of this type cannot stand.
  bool Take(const Fragment& fragment) {
    const bool begins = fragment.type == kWhole || fragment.type == kFirst;
    if (begins == open_) return false;
    if (begins) {
      record_.clear();
      record_at_ = at_;
    }
    if (fragment.type == kWhole) {
      visit_(fragment.bytes, damage_.has_value());
      return true;
    }
    record_ += fragment.bytes;
    open_ = fragment.type != kLast;
    if (!open_) visit_(record_, damage_.has_value());
    return true;
  }

  // Moves on to the next place at or behind `from` where a record begins; false: there is none. Fragments that go on
  // with the record that is damaged do not count: what was written last may have reached the disk in any order.
  bool FindRecord(std::size_t from) {
    for (at_ = from; at_ + kHeaderBytes <= log_.size(); ++at_) {
      const std::uint32_t type = Byte(log_, at_ + 6);
      if (type != kWhole && type != kFirst) continue;
      if (FragmentAt(log_, at_)) return true;
    }
    return false;
  }

  std::string_view log_;
  const LogVisitor& visit_;
  std::size_t at_ = 0;
  std::string record_;  // as far as it has been read
  std::size_t record_at_ = 0;
  bool open_ = false;
  std::optional<LogDamage> damage_;
};

}  // namespace

std::uint32_t Crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const std::uint32_t low = Little(bytes, at, 4) ^ crc;
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^
          kTables[3][Byte(bytes, at + 4)] ^ kTables[2][Byte(bytes, at + 5)] ^ kTables[1][Byte(bytes, at + 6)] ^
          kTables[0][Byte(bytes, at + 7)];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ Byte(bytes, at)) & 0xff];
  return ~crc;
}

std::optional<LogDamage> ReadLog(std::string_view log, const LogVisitor& visit) { return LogReader(log, visit).Run(); }

}  // namespace icarus::broker
