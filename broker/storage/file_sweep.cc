#include "broker/storage/file_sweep.h"

#include <unordered_map>

namespace icarus::broker {

Result<SweptFiles> SweepFiles(const BlobStore& files, const SweepAges& ages, const NamedFiles& named) {
  SweptFiles swept;
  std::unordered_map<ContentHash, StoredBlob> unnamed;  // as far as is known
  ICARUS_TRY(files.ForEach([&](const StoredBlob& file) {
    if (file.touched_at_ns < (file.named ? ages.named_before_ns : ages.offered_before_ns)) {
      unnamed.emplace(file.hash, file);
    } else if (file.named) {
      ++swept.young;
    }
  }));
  if (unnamed.empty()) return swept;
  ICARUS_TRY(named([&](const ContentHash& file) { unnamed.erase(file); }));
  for (const auto& [hash, file] : unnamed) {
    ICARUS_ASSIGN(const bool removed, files.RemoveUntouched(file));
    if (!removed) continue;
    ++swept.removed;
    swept.bytes += file.size;
  }
  return swept;
}

}  // namespace icarus::broker
