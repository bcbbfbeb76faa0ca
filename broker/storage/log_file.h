// RocksDB's write-ahead log, read by us: RocksDB's recovery cannot say whether anything follows damage, and passes over
// some of it in silence. A log is a row of blocks of 32 KiB; each holds fragments: checksum (CRC-32C, masked, 4 bytes,
// little-endian), length (2), type (1: whole, 2: first, 3: middle, 4: last), bytes. A fragment never crosses a block.
// https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace icarus::broker {

// The first place where the log has neither a record nor the zeros of its unwritten end.
struct LogDamage {
  std::uint64_t offset = 0;
  // A whole record, or the beginning of one, lies behind it: what is damaged was not the last that was written.
  bool followed = false;
};

// `log` is the content of the file. Visits every record that can be read, in order; `after_damage` is false up to the
// first damage. nullopt: all of the log can be read. Pure.
using LogVisitor = std::function<void(std::string_view record, bool after_damage)>;
std::optional<LogDamage> ReadLog(std::string_view log, const LogVisitor& visit);

// RFC 3720, appendix B.4.
std::uint32_t Crc32c(std::string_view bytes);

}  // namespace icarus::broker
