// Entries of the result cache for people, programs and plots.
#pragma once

#include <string>
#include <vector>

#include "client/output/display.h"
#include "client/output/json_text.h"
#include "client/output/result_table.h"
#include "common/base/result.h"
#include "common/model/result_body.h"
#include "common/model/value.h"
#include "common/protocol/messages.h"

namespace icarus::client {

struct CachedEntry {
  CachedItem item;
  ValueMap params;  // of the form; empty where the entry has none
  ResultBody body;  // when it was fetched
  Body encoded;     // the same, as it is stored
};

// The parameters in a canonical form, and what the key of a program's intermediate value says in their stead;
// kCorruption when it is no form. An empty one has none.
Result<ValueMap> ParamsOfForm(const std::string& form);

// {"key","analysis","solver","identity","target","params","computed_at","expires_at","size_bytes","compute_s","host",
// "origin","incomplete"}; `with_body`: and "columns","rows","missing","summary","warnings", or, of an intermediate
// value, "value".
Json CachedEntryJson(const CachedEntry& entry, bool with_body);
std::string CachedTableText(const std::vector<CachedEntry>& entries, std::int64_t now_wall_ms, const TextStyle& style);
// What a program has put; null: a solver's, which only it can read.
Json IntermediateJson(const CachedEntry& entry);

// key,target,solver,<params>,<columns>: a line a point, missing points left out. Made in two passes: every entry is
// added, then the lines of any of them can be had.
class CachedTableShape {
 public:
  void Add(const CachedEntry& entry);
  std::string Header() const;
  std::string Rows(const std::vector<CachedEntry>& entries) const;

 private:
  TableShape shape_;
};
// Of these alone.
std::string CachedCsv(const std::vector<CachedEntry>& entries);

}  // namespace icarus::client
