#include "client/cli/cache_selection.h"
#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/cli/verbs/cache_actions.h"
#include "client/output/json.h"
#include "client/output/service_text.h"
#include "common/base/clock.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr std::size_t kKeysAtOnce = 1000;  // of one request to remove

Result<int> Stats(Session& session, Client& client) {
  ICARUS_ASSIGN(const CacheReply reply, client.Ask<CacheReply>(CacheQuery{}));
  if (!session.text()) {
    session.PrintDocument(CacheJson(reply));
  } else if (!session.quiet()) {
    session.Print(CacheText(reply));
  }
  return kExitDone;
}

Result<int> Clear(Session& session, Client& client) {
  ICARUS_ASSIGN(const CacheReply reply, client.Ask<CacheReply>(CacheQuery{true}));
  if (!session.text()) session.PrintDocument({{"cleared", reply.cleared}});
  session.Note("removed " + EntriesText(reply.cleared));
  return kExitDone;
}

Result<int> Get(Session& session, Client& client) {
  const CacheOptions& options = session.options().cache;
  if (options.operands.size() != 1) return UsageError("cache get takes one key", "key");
  ICARUS_ASSIGN(CachedEntry entry, FindCached(client, options.operands[0]));
  ICARUS_TRY(client.LoadTable(entry.body));
  if (session.csv()) {
    session.Print(CachedCsv({entry}));
  } else if (session.json()) {
    session.PrintJson(CachedEntryJson(entry, true));
  } else {
    const bool is_result = entry.item.origin != CacheOrigin::kIntermediate;
    session.Print(CachedTableText({entry}, ReadClocks().wall_ms, session.style()) + "\n" +
                  (is_result ? CachedCsv({entry}) : DumpJson(IntermediateJson(entry)) + "\n"));
  }
  return kExitDone;
}

Result<std::vector<ContentHash>> KeysToRemove(const CacheOptions& options, Client& client) {
  std::vector<ContentHash> keys;
  for (const std::string& text : options.operands) {
    ICARUS_ASSIGN(const CachedEntry entry, FindCached(client, text));
    keys.push_back(entry.item.key);
  }
  if (!keys.empty()) return keys;
  if (!CacheSelection::HasFilters(options)) {
    return UsageError("cache remove takes keys, or filters that say which; `icarus cache clear` removes all", "key");
  }
  ICARUS_ASSIGN(const CacheSelection selection, CacheSelection::Parse(options));
  ICARUS_TRY(selection.Visit(
      client, CacheRead::kNothing,
      [&](const CachedEntry& entry) -> Result<bool> {
        keys.push_back(entry.item.key);
        return true;
      },
      CacheSelection::Which::kAll));
  return keys;
}

Result<int> Remove(Session& session, Client& client) {
  ICARUS_ASSIGN(const std::vector<ContentHash> keys, KeysToRemove(session.options().cache, client));
  std::uint64_t removed = 0, values = 0;
  for (std::size_t at = 0; at < keys.size(); at += kKeysAtOnce) {
    const auto first = keys.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last = keys.begin() + static_cast<std::ptrdiff_t>(std::min(at + kKeysAtOnce, keys.size()));
    ICARUS_ASSIGN(const RemoveCachedReply reply, client.Ask<RemoveCachedReply>(RemoveCached{{first, last}}));
    removed += reply.removed;
    values += reply.values;
  }
  if (!session.text()) session.PrintDocument({{"removed", removed}, {"intermediates", values}});
  session.Note("removed " + EntriesText(removed) +
               (values > 0 ? " and " + Counted(values, "intermediate value") : std::string()));
  return kExitDone;
}

// Reads every value; what is damaged is removed by the broker, and computed anew when it is asked for.
Result<int> Verify(Session& session, Client& client) {
  ICARUS_ASSIGN(const CacheSelection selection, CacheSelection::Parse(session.options().cache));
  std::uint64_t checked = 0;
  Json damaged = Json::array();
  ICARUS_TRY(selection.Visit(
      client, CacheRead::kCheck,
      [&](const CachedEntry& entry) -> Result<bool> {
        if (entry.item.origin != CacheOrigin::kIntermediate || entry.item.damaged) ++checked;
        if (entry.item.damaged) damaged.push_back(entry.item.key.Hex());
        return true;
      },
      CacheSelection::Which::kAll));
  const std::size_t bad = damaged.size();
  if (!session.text()) session.PrintDocument({{"checked", checked}, {"damaged", damaged}});
  session.Note("read " + EntriesText(checked) + ", " + std::to_string(bad) + " damaged" +
               (bad > 0 ? " and removed" : ""));
  return bad == 0 ? kExitDone : kExitIncomplete;
}

struct Action {
  const char* name;
  Result<int> (*run)(Session&, Client&);
  bool takes_filters = false;
  std::size_t most_operands = 0;
};

constexpr Action kActions[] = {
    {"stats", Stats},
    {"list", ListCached, true},
    {"get", Get, false, 1},
    {"remove", Remove, true, SIZE_MAX},
    {"clear", Clear},
    {"export", ExportCache, true, 1},
    {"import", ImportIntoCache, false, 1},
    {"verify", Verify, true},
    {"audit", AuditCache, true},
};

const Action* FindAction(const std::string& name) {
  for (const Action& action : kActions) {
    if (action.name == name) return &action;
  }
  return nullptr;
}

// Nothing that was said is passed over: what an action does not look at, it refuses.
Status CheckUse(const Action& action, const CacheOptions& options) {
  const std::string name = std::string("cache ") + action.name;
  if (options.operands.size() > action.most_operands) {
    return UsageError(name + " takes " + (action.most_operands == 0 ? "no key and no file" : "one key or file") +
                          "; '" + options.operands.back() + "' is too many",
                      "key");
  }
  const bool filtered = CacheSelection::HasFilters(options);
  if (filtered && !action.takes_filters) {
    return UsageError(name + " takes no filters; list, remove, export, verify and audit do", "action");
  }
  if (filtered && !options.operands.empty() && action.run == Remove) {
    return UsageError("cache remove takes keys or filters, not both", "key");
  }
  const auto only = [&](bool given, const char* option, auto run) -> Status {
    if (!given || action.run == run) return {};
    return UsageError(name + " takes no " + option, "action");
  };
  ICARUS_TRY(only(options.limit.has_value(), "--limit", ListCached));
  ICARUS_TRY(only(!options.sort.empty(), "--sort", ListCached));
  ICARUS_TRY(only(options.count.has_value(), "--count", AuditCache));
  return only(options.replace, "--replace", ImportIntoCache);
}

}  // namespace

Result<int> RunCache(Session& session) {
  const CacheOptions& options = session.options().cache;
  const std::string name = options.action.empty() ? "stats" : options.action;
  const Action* action = FindAction(name);
  if (action == nullptr) {
    return UsageError("'" + name +
                          "' is no action of `icarus cache`; there are stats, list, get, remove, clear, export, "
                          "import, verify and audit",
                      "action");
  }
  ICARUS_TRY(CheckUse(*action, options));
  ICARUS_ASSIGN(Client * client, session.Broker());
  return action->run(session, *client);
}

}  // namespace icarus::client
