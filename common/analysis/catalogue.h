// The analyses that are known: those compiled in.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/analysis/manifest.h"
#include "common/base/result.h"

namespace icarus {

class Catalogue {
 public:
  explicit Catalogue(std::vector<Manifest> manifests) : manifests_(std::move(manifests)) {}

  // The analyses that ship. Built once, never changed, safe from any thread.
  static const Catalogue& BuiltIn();

  const std::vector<Manifest>& manifests() const { return manifests_; }
  // Null when there is none of that name.
  const Manifest* Find(const std::string& analysis) const;
  // The same as a Result: an unknown name is a usage error that lists the nearest.
  Result<const Manifest*> Get(const std::string& analysis) const;

 private:
  std::vector<Manifest> manifests_;
};

}  // namespace icarus
