// Which entries of the cache are meant: keys, filters, and conditions on parameters.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/cli/options.h"
#include "client/lib/client.h"
#include "client/output/cached_entry.h"
#include "common/base/result.h"

namespace icarus::client {

// FIRST:LAST of what a number says, both included; either may be left out.
struct Range {
  std::optional<double> first, last;
  bool Holds(double value) const { return (!first || value >= *first) && (!last || value <= *last); }
};
// `option` without its dashes; `number` reads one end. An empty text holds everything. kUsage: no range, or its ends
// the wrong way round.
Result<Range> ParseRange(const std::string& option, const std::string& text,
                         const std::function<Result<double>(const std::string&)>& number);

// NAME=VALUES (any of them) or NAME=FIRST:LAST (from, to, both included; either may be left out).
struct Condition {
  std::string name;
  std::vector<Value> any_of;
  Range range;
  bool Holds(const ValueMap& params) const;
};
Result<Condition> ParseCondition(const std::string& text);

class CacheSelection {
 public:
  static Result<CacheSelection> Parse(const CacheOptions& options);
  static bool HasFilters(const CacheOptions& options);

  // Calls `take` with each entry, by the page, until it says no or an error.
  enum class Which { kResults, kAll };  // kAll: with the intermediate values of solvers
  Status Visit(Client& client, CacheRead read, const std::function<Result<bool>(CachedEntry)>& take,
               Which which = Which::kResults) const;

 private:
  ListCache request_;
  bool Wants(const CachedEntry& entry) const;

  std::vector<Condition> where_;
  Range age_s_, size_bytes_, cost_s_;
  std::int64_t now_wall_ms_ = 0;
};

// These entries with their values, in this order; those that are gone or damaged are left out.
Result<std::vector<CachedEntry>> FetchCached(Client& client, std::vector<ContentHash> keys);

// The entry whose key begins with `text`. kNotFound: there is none; kUsage: several do.
Result<CachedEntry> FindCached(Client& client, const std::string& text);

}  // namespace icarus::client
