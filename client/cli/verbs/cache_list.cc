// `icarus cache list`: what is in the cache, for people and programs, and as one table of parameters and results.
#include <algorithm>

#include "client/cli/cache_selection.h"
#include "client/cli/exit_codes.h"
#include "client/cli/verbs/cache_actions.h"
#include "client/output/json.h"
#include "common/base/clock.h"

namespace icarus::client {
namespace {

using Order = bool (*)(const CachedItem&, const CachedItem&);

// Null: as they come, by key.
Result<Order> OrderOf(const std::string& name) {
  using Item = const CachedItem&;
  if (name.empty()) return Order{};
  if (name == "age") return Order{[](Item a, Item b) { return a.computed_at_ms < b.computed_at_ms; }};
  if (name == "size") return Order{[](Item a, Item b) { return a.size_bytes > b.size_bytes; }};
  if (name == "cost") return Order{[](Item a, Item b) { return a.compute_s > b.compute_s; }};
  return UsageError("--sort '" + name + "' is none of age, size and cost", "sort");
}

// All entries as one table. It need not fit into memory: they are read twice, first for its columns, then for its rows,
// some at a time.
class CachedTable {
 public:
  CachedTable(const Session& session, Client& client) : session_(session), client_(client) {}

  Result<bool> AddToShape(CachedEntry entry) {
    ICARUS_ASSIGN(const bool whole, HasTable(entry));
    if (!whole) return true;
    shape_.Add(entry);
    CachedItem brief;  // what it is found and ordered by
    brief.key = entry.item.key;
    brief.computed_at_ms = entry.item.computed_at_ms;
    brief.size_bytes = entry.item.size_bytes;
    brief.compute_s = entry.item.compute_s;
    items_.push_back(std::move(brief));
    return true;
  }

  Status Print(Order before) {
    if (before != nullptr) std::stable_sort(items_.begin(), items_.end(), before);
    session_.Print(shape_.Header());
    std::vector<ContentHash> keys;
    std::uint64_t bytes = 0;
    for (const CachedItem& item : items_) {
      keys.push_back(item.key);
      bytes += item.size_bytes;
      if (keys.size() < kEntriesAtOnce && bytes < kBytesAtOnce) continue;
      ICARUS_TRY(PrintRows(std::exchange(keys, {})));
      bytes = 0;
    }
    return keys.empty() ? Status() : PrintRows(std::move(keys));
  }

  std::size_t size() const { return items_.size(); }

 private:
  // False, and told: its table is lost.
  Result<bool> HasTable(CachedEntry& entry) {
    const Status loaded = client_.LoadTable(entry.body);
    if (loaded) return true;
    const ErrorCode code = loaded.error().code;
    if (code != ErrorCode::kNotFound && code != ErrorCode::kCorruption) return loaded.error();
    session_.Note(entry.item.key.Hex() + " is left out, its table is lost: " + loaded.error().message);
    return false;
  }

  // What went since it was first read has no rows.
  Status PrintRows(std::vector<ContentHash> keys) {
    ICARUS_ASSIGN(std::vector<CachedEntry> entries, FetchCached(client_, std::move(keys)));
    for (CachedEntry& entry : entries) ICARUS_TRY(client_.LoadTable(entry.body));
    session_.Print(shape_.Rows(entries));
    return {};
  }

  const Session& session_;
  Client& client_;
  CachedTableShape shape_;
  std::vector<CachedItem> items_;
};

Result<int> PrintTable(Session& session, Client& client, const CacheSelection& selection, Order before) {
  CachedTable table(session, client);
  ICARUS_TRY(
      selection.Visit(client, CacheRead::kSend, [&](CachedEntry entry) { return table.AddToShape(std::move(entry)); }));
  ICARUS_TRY(table.Print(before));
  session.Note("showing " + EntriesText(table.size()));
  return kExitDone;
}

}  // namespace

Result<int> ListCached(Session& session, Client& client) {
  const CacheOptions& options = session.options().cache;
  ICARUS_ASSIGN(const CacheSelection selection, CacheSelection::Parse(options));
  ICARUS_ASSIGN(const Order before, OrderOf(options.sort));
  if (session.csv()) return PrintTable(session, client, selection, before);
  std::vector<CachedEntry> entries;
  std::uint64_t matching = 0;
  const std::uint64_t limit = options.limit == 0 ? UINT64_MAX : options.limit;
  ICARUS_TRY(selection.Visit(client, CacheRead::kNothing, [&](CachedEntry entry) -> Result<bool> {
    ++matching;
    if (before != nullptr || entries.size() < limit) entries.push_back(std::move(entry));
    return true;
  }));
  const auto by = [before](const CachedEntry& a, const CachedEntry& b) { return before(a.item, b.item); };
  if (before != nullptr) std::stable_sort(entries.begin(), entries.end(), by);
  if (entries.size() > limit) entries.resize(limit);
  if (session.json()) {
    Json list = Json::array();
    for (const CachedEntry& entry : entries) list.push_back(CachedEntryJson(entry, false));
    session.PrintJson(list);
  } else if (session.quiet()) {
    for (const CachedEntry& entry : entries) session.Print(entry.item.key.Hex() + "\n");
  } else {
    session.Print(CachedTableText(entries, ReadClocks().wall_ms, session.style()));
  }
  session.Note("showing " + std::to_string(entries.size()) + " of " + std::to_string(matching));
  return kExitDone;
}

}  // namespace icarus::client
