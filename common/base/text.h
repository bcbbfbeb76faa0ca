// Reading and printing numbers, durations, sizes and names, the same in the command line, configuration and manifests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace icarus {

std::string_view Trim(std::string_view text);
std::vector<std::string> Split(std::string_view text, char separator);
std::string Lower(std::string_view text);

// A finite decimal number; the whole text must be one ("1e6", "-4", ".5"). Underscores between digits are ignored.
std::optional<double> ParseNumber(std::string_view text);
std::optional<std::int64_t> ParseInteger(std::string_view text);

// The shortest decimal text that reads back as the same number; 1e6 prints as 1000000.
std::string FormatNumber(double value);

// "90", "90s", "1h30m", "250ms", "3d", "HH:MM:SS"; a bare number is seconds. Result in milliseconds.
Result<std::int64_t> ParseDurationMs(std::string_view text);
// "512MiB", "4G" = 4 GiB, "4GB" = 4e9, a bare number is bytes.
Result<std::int64_t> ParseSizeBytes(std::string_view text);

std::string FormatDuration(double seconds);   // "850 ms", "12.3 s", "4m10s", "3h02m"
std::string FormatSize(std::uint64_t bytes);  // "1.5 MiB"

// The candidate with the smallest edit distance, when it is close enough to be a spelling mistake.
std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& candidates);

// Shell glob on a name: * ? [a-z].
bool GlobMatch(const std::string& pattern, const std::string& text);

// "1 task", "6 tasks".
std::string Counted(std::uint64_t count, const std::string& noun);

}  // namespace icarus
