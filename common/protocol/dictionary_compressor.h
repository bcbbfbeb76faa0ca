// DictionaryCompressor: short byte strings that resemble each other, in little room. Each is compressed (zstd) against
// a dictionary, which is best one of them. Pure: the same bytes give the same bytes. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace icarus {

class DictionaryCompressor {
 public:
  explicit DictionaryCompressor(const std::string& dictionary);
  ~DictionaryCompressor();
  DictionaryCompressor(const DictionaryCompressor&) = delete;
  DictionaryCompressor& operator=(const DictionaryCompressor&) = delete;

  // To be decompressed with the same dictionary, by somebody who knows bytes.size().
  std::string Compress(std::string_view bytes);
  Result<std::string> Decompress(std::string_view compressed, std::size_t size);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace icarus
