// Whole numbers as bytes, the lowest first, whatever the machine's order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace icarus {

template <class Integer>
void PutInteger(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

// REQUIRES that many bytes from `at`.
template <class Integer>
Integer GetInteger(std::string_view in, std::size_t at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<Integer>(
        value | static_cast<Integer>(static_cast<Integer>(static_cast<unsigned char>(in[at + i])) << (8 * i)));
  }
  return value;
}

}  // namespace icarus
