#include "broker/resident_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "common/base/files.h"

namespace icarus::broker {

std::optional<std::uint64_t> ResidentBytes() {
  constexpr std::uint64_t kMostBytes = 4096;
  const Result<std::string> sizes = ReadFile("/proc/self/statm", kMostBytes);  // "size resident shared …", in pages
  if (!sizes) return std::nullopt;
  const std::size_t blank = sizes->find(' ');
  if (blank == std::string::npos) return std::nullopt;
  std::uint64_t pages = 0;
  const char* begin = sizes->data() + blank + 1;
  if (std::from_chars(begin, sizes->data() + sizes->size(), pages).ec != std::errc()) return std::nullopt;
  return pages * static_cast<std::uint64_t>(::getpagesize());
}

void TrimHeap() { ::malloc_trim(0); }

}  // namespace icarus::broker
