#include "common/analysis/catalogue.h"

#include "common/analysis/built_in_manifests.h"
#include "common/base/check.h"
#include "common/base/text.h"

namespace icarus {

const Catalogue& Catalogue::BuiltIn() {
  static const Catalogue catalogue = [] {
    std::vector<Manifest> manifests;
    for (const BuiltInManifest& source : kBuiltInManifests) {
      auto manifest = ParseManifest(source.text, source.name);
      ICARUS_CHECK(manifest.has_value());
      manifests.push_back(std::move(*manifest));
    }
    return Catalogue(std::move(manifests));
  }();
  return catalogue;
}

const Manifest* Catalogue::Find(const std::string& analysis) const {
  for (const Manifest& manifest : manifests_) {
    if (manifest.analysis == analysis) return &manifest;
  }
  return nullptr;
}

Result<const Manifest*> Catalogue::Get(const std::string& analysis) const {
  if (const Manifest* manifest = Find(analysis)) return manifest;
  std::vector<std::string> names;
  std::string all;
  for (const Manifest& manifest : manifests_) {
    names.push_back(manifest.analysis);
    all += (all.empty() ? "" : ", ") + manifest.analysis;
  }
  const auto nearest = Nearest(analysis, names);
  return UsageError(
      "unknown analysis '" + analysis + "'; " + (nearest ? "did you mean '" + *nearest + "'?" : "there are: " + all),
      "analysis");
}

}  // namespace icarus
