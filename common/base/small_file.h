// Reading the kernel's small text files: /proc, /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace icarus {

// The file's text, up to 64 KiB of it; empty if it cannot be read.
std::string ReadSmallFile(const std::string& path);

// The decimal number at the start of `text`, blanks before it skipped.
std::optional<std::uint64_t> LeadingNumber(std::string_view text);

// The number that follows `key` at the start of a line: NumberAfter("MemTotal:   12 kB\n", "MemTotal:") is 12.
std::optional<std::uint64_t> NumberAfter(std::string_view text, std::string_view key);

}  // namespace icarus
