#include "common/protocol/dictionary_compressor.h"

#include <zstd.h>

#include "common/base/check.h"

namespace icarus {
namespace {

constexpr int kLevel = 1;
// Every frame begins with these, so they are left out.
constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);

}  // namespace

struct DictionaryCompressor::Impl {
  struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, FreeContext> compress{ZSTD_createCCtx()};
  std::unique_ptr<ZSTD_DCtx, FreeContext> decompress{ZSTD_createDCtx()};
};

DictionaryCompressor::DictionaryCompressor(const std::string& dictionary) : impl_(std::make_unique<Impl>()) {
  ICARUS_CHECK(impl_->compress && impl_->decompress);
  for (const auto& [parameter, value] : {std::pair{ZSTD_c_compressionLevel, kLevel},
                                         {ZSTD_c_contentSizeFlag, 0},
                                         {ZSTD_c_checksumFlag, 0},
                                         {ZSTD_c_dictIDFlag, 0}}) {
    ICARUS_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(impl_->compress.get(), parameter, value)));
  }
  ICARUS_CHECK(!ZSTD_isError(ZSTD_CCtx_loadDictionary(impl_->compress.get(), dictionary.data(), dictionary.size())));
  ICARUS_CHECK(!ZSTD_isError(ZSTD_DCtx_loadDictionary(impl_->decompress.get(), dictionary.data(), dictionary.size())));
}

DictionaryCompressor::~DictionaryCompressor() = default;

std::string DictionaryCompressor::Compress(std::string_view bytes) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(impl_->compress.get(), frame.data(), frame.size(), bytes.data(), bytes.size());
  ICARUS_CHECK(!ZSTD_isError(size) && size >= kMagic.size());
  return frame.substr(kMagic.size(), size - kMagic.size());
}

Result<std::string> DictionaryCompressor::Decompress(std::string_view compressed, std::size_t size) {
  std::string frame(kMagic);
  frame += compressed;
  std::string bytes(size, '\0');
  const std::size_t got =
      ZSTD_decompressDCtx(impl_->decompress.get(), bytes.data(), bytes.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) || got != size) return CorruptionError("cannot be decompressed with this dictionary");
  return bytes;
}

}  // namespace icarus
