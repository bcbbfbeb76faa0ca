// `icarus cache list`: what is in the cache, for people and programs, and as one table of parameters and results.
#include <algorithm>

#include "client/cli/cache_selection.h"
#include "client/cli/exit_codes.h"
#include "client/cli/verbs/cache_actions.h"
#include "client/output/json.h"
#include "common/base/clock.h"

namespace icarus::client {
namespace {

constexpr std::uint64_t kListed = 50;  // unless more are asked for

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

// Entries as one table. It need not fit into memory: they are read twice, first for its columns, then for its rows,
// some at a time.
class CachedTable {
 public:
  CachedTable(const Session& session, Client& client, const std::vector<CachedEntry>& entries)
      : session_(session), client_(client), entries_(entries) {}

  Status Print() {
    ICARUS_TRY(ForSome([this](const std::vector<CachedEntry>& some) {
      for (const CachedEntry& entry : some) shape_.Add(entry);
    }));
    session_.Print(shape_.Header());
    quiet_ = true;
    return ForSome([this](const std::vector<CachedEntry>& some) { session_.Print(shape_.Rows(some)); });
  }

 private:
  // What went or was damaged meanwhile is left out.
  Status ForSome(const std::function<void(const std::vector<CachedEntry>&)>& visit) {
    std::vector<ContentHash> keys;
    std::uint64_t bytes = 0;
    for (const CachedEntry& entry : entries_) {
      keys.push_back(entry.item.key);
      bytes += entry.item.size_bytes;
      if (keys.size() < kEntriesAtOnce && bytes < kBytesAtOnce && &entry != &entries_.back()) continue;
      ICARUS_ASSIGN(const std::vector<CachedEntry> whole, Fetch(std::exchange(keys, {})));
      visit(whole);
      bytes = 0;
    }
    return {};
  }

  Result<std::vector<CachedEntry>> Fetch(std::vector<ContentHash> keys) {
    ICARUS_ASSIGN(std::vector<CachedEntry> some, FetchCached(client_, std::move(keys)));
    std::vector<CachedEntry> whole;
    for (CachedEntry& entry : some) {
      const Status loaded = client_.LoadTable(entry.body);
      if (loaded) {
        whole.push_back(std::move(entry));
      } else if (!IsLost(loaded.error())) {
        return loaded.error();
      } else if (!quiet_) {
        session_.Note(entry.item.key.Hex() + " is left out, its table is lost: " + loaded.error().message);
      }
    }
    return whole;
  }

  const Session& session_;
  Client& client_;
  const std::vector<CachedEntry>& entries_;
  CachedTableShape shape_;
  bool quiet_ = false;  // what is left out has been told
};

// Those that are wanted, in order, and how many there would be.
struct Listed {
  std::vector<CachedEntry> entries;  // without their values
  std::uint64_t matching = 0;
};

Result<Listed> Select(Client& client, const CacheOptions& options, std::uint64_t limit) {
  ICARUS_ASSIGN(const CacheSelection selection, CacheSelection::Parse(options));
  ICARUS_ASSIGN(const Order before, OrderOf(options.sort));
  Listed listed;
  ICARUS_TRY(selection.Visit(client, CacheRead::kNothing, [&](CachedEntry entry) -> Result<bool> {
    ++listed.matching;
    if (before != nullptr || listed.entries.size() < limit) listed.entries.push_back(std::move(entry));
    return true;
  }));
  const auto by = [before](const CachedEntry& a, const CachedEntry& b) { return before(a.item, b.item); };
  if (before != nullptr) std::stable_sort(listed.entries.begin(), listed.entries.end(), by);
  if (listed.entries.size() > limit) listed.entries.resize(limit);
  return listed;
}

}  // namespace

// As a table it is for programs: all, unless a limit was given.
Result<int> ListCached(Session& session, Client& client) {
  const CacheOptions& options = session.options().cache;
  std::uint64_t limit = options.limit.value_or(session.csv() ? 0 : kListed);
  if (limit == 0) limit = UINT64_MAX;
  ICARUS_ASSIGN(const Listed listed, Select(client, options, limit));
  const std::vector<CachedEntry>& entries = listed.entries;
  if (session.csv()) {
    ICARUS_TRY(CachedTable(session, client, entries).Print());
  } else if (session.json()) {
    Json list = Json::array();
    for (const CachedEntry& entry : entries) list.push_back(CachedEntryJson(entry, false));
    session.PrintJson(list);
  } else if (session.quiet()) {
    for (const CachedEntry& entry : entries) session.Print(entry.item.key.Hex() + "\n");
  } else {
    session.Print(CachedTableText(entries, ReadClocks().wall_ms, session.style()));
  }
  session.Note("showing " + std::to_string(entries.size()) + " of " + std::to_string(listed.matching));
  return kExitDone;
}

}  // namespace icarus::client
