#include "common/base/random.h"

#include <sys/random.h>

#include "common/base/check.h"

namespace icarus {

std::string RandomHex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string raw(bytes, '\0');
  ICARUS_CHECK(getrandom(raw.data(), raw.size(), 0) == static_cast<ssize_t>(bytes));
  std::string out;
  out.reserve(bytes * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

}  // namespace icarus
