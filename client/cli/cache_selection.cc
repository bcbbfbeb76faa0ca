#include "client/cli/cache_selection.h"

#include <algorithm>

#include "client/cli/assignments.h"
#include "client/cli/since.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/model/sweep.h"
#include "common/protocol/result_codec.h"

namespace icarus::client {
namespace {

constexpr std::size_t kLeastOfKey = 4;  // hexadecimal digits by which an entry may be named

Result<CachedEntry> Open(const CachedItem& item, const std::vector<Body>& bodies) {
  CachedEntry entry;
  entry.item = item;
  // One that cannot be read has no parameters to show or select by; it can still be removed by its key.
  if (Result<ValueMap> params = ParamsOfForm(item.form)) entry.params = std::move(*params);
  if (item.body < 0) return entry;
  if (static_cast<std::size_t>(item.body) >= bodies.size()) return ProtocolError("a cached value is missing");
  entry.encoded = bodies[static_cast<std::size_t>(item.body)];
  if (entry.encoded->empty() || item.origin == CacheOrigin::kIntermediate) return entry;  // no result
  ICARUS_ASSIGN(entry.body, DecodeResultBody(*entry.encoded));
  return entry;
}

struct Page {
  ListCacheReply reply;
  std::vector<Body> bodies;
};

Result<Page> AskForPage(Client& client, const ListCache& request) {
  ICARUS_ASSIGN(Message answer, client.Call(ListCache(request)));
  auto* reply = answer.payload.get_if<ListCacheReply>();
  if (reply == nullptr) return ProtocolError("the broker gave an answer of another kind");
  return Page{std::move(*reply), std::move(answer.bodies)};
}

Result<double> Number(const std::string& text) {
  const auto value = ParseValue(text);
  if (!value || !value->is_number()) return UsageError("'" + text + "' is no number");
  return value->number();
}

Result<double> Seconds(const std::string& text) {
  ICARUS_ASSIGN(const std::int64_t ms, ParseDurationMs(text));
  return static_cast<double>(ms) / 1000;
}

Result<double> Bytes(const std::string& text) {
  ICARUS_ASSIGN(const std::int64_t bytes, ParseSizeBytes(text));
  return static_cast<double>(bytes);
}

}  // namespace

Result<Range> ParseRange(const std::string& option, const std::string& text,
                         const std::function<Result<double>(const std::string&)>& number) {
  Range range;
  if (text.empty()) return range;
  const auto fail = [&](const std::string& why) {
    return UsageError("--" + option + " '" + text + "': " + why, option);
  };
  const auto colon = text.find(':');
  if (colon == std::string::npos || text == ":" || text.find(':', colon + 1) != std::string::npos) {
    return fail("a range is FIRST:LAST, of which one may be left out");
  }
  const auto read = [&](const std::string& end, std::optional<double>& into) -> Status {
    if (end.empty()) return {};
    const Result<double> value = number(end);
    if (!value) return fail("a range is FIRST:LAST, of which one may be left out; " + value.error().message);
    into = *value;
    return {};
  };
  ICARUS_TRY(read(text.substr(0, colon), range.first));
  ICARUS_TRY(read(text.substr(colon + 1), range.last));
  if (range.first && range.last && *range.first > *range.last) return fail("it ends before it begins");
  return range;
}

Result<Condition> ParseCondition(const std::string& text) {
  ICARUS_ASSIGN(const auto assignment, SplitAssignment(text, "where"));
  Condition condition;
  condition.name = assignment.first;
  const std::string& values = assignment.second;
  const auto colon = values.find(':');
  if (colon != std::string::npos && values.find(':', colon + 1) == std::string::npos) {
    ICARUS_ASSIGN(condition.range, ParseRange("where", values, Number));
    return condition;
  }
  ICARUS_ASSIGN(const ValueSource source, ParseValues(values));
  for (std::uint32_t i = 0; i < source.size(); ++i) condition.any_of.push_back(source.At(i));
  return condition;
}

bool Condition::Holds(const ValueMap& params) const {
  const auto found = params.find(name);
  if (found == params.end()) return false;
  const auto holds = [this](const Value& value) {
    if (!any_of.empty()) return std::find(any_of.begin(), any_of.end(), value) != any_of.end();
    if (!value.is_number()) return false;
    return range.Holds(value.number());
  };
  const Value& value = found->second;
  if (holds(value)) return true;
  return value.is_list() && std::any_of(value.list().begin(), value.list().end(), holds);
}

Result<CacheSelection> CacheSelection::Parse(const CacheOptions& options) {
  CacheSelection selection;
  ListCache& request = selection.request_;
  request.analysis = options.analysis;
  const auto at = options.solver.find('@');
  request.solver = options.solver.substr(0, at);
  if (at != std::string::npos) request.identity = options.solver.substr(at + 1);
  if (!options.solver.empty() && (request.solver.empty() || (at != std::string::npos && request.identity.empty()))) {
    return UsageError("--solver '" + options.solver + "': SOLVER or SOLVER@IDENTITY, neither of them empty", "solver");
  }
  ICARUS_ASSIGN(request.since_wall_ms, ParseSince(options.since));
  if (options.origin == "computed") request.origin = CacheOrigin::kComputed;
  if (options.origin == "import") request.origin = CacheOrigin::kImport;
  if (options.origin == "intermediate") request.origin = CacheOrigin::kIntermediate;
  if (!options.origin.empty() && !request.origin) {
    return UsageError("--origin '" + options.origin + "' is none of computed, import and intermediate", "origin");
  }
  for (const std::string& text : options.where) {
    ICARUS_ASSIGN(Condition condition, ParseCondition(text));
    selection.where_.push_back(std::move(condition));
  }
  ICARUS_ASSIGN(selection.age_s_, ParseRange("age", options.age, Seconds));
  ICARUS_ASSIGN(selection.size_bytes_, ParseRange("size", options.size, Bytes));
  ICARUS_ASSIGN(selection.cost_s_, ParseRange("cost", options.cost, Seconds));
  selection.now_wall_ms_ = ReadClocks().wall_ms;
  return selection;
}

bool CacheSelection::HasFilters(const CacheOptions& options) {
  const auto given = {&options.analysis, &options.solver, &options.since, &options.origin,
                      &options.age,      &options.size,   &options.cost};
  return !options.where.empty() ||
         std::any_of(given.begin(), given.end(), [](const std::string* filter) { return !filter->empty(); });
}

bool CacheSelection::Wants(const CachedEntry& entry) const {
  const CachedItem& item = entry.item;
  return age_s_.Holds(static_cast<double>(now_wall_ms_ - item.computed_at_ms) / 1000) &&
         size_bytes_.Holds(static_cast<double>(item.size_bytes)) && cost_s_.Holds(item.compute_s) &&
         std::all_of(where_.begin(), where_.end(),
                     [&](const Condition& condition) { return condition.Holds(entry.params); });
}

Status CacheSelection::Visit(Client& client, CacheRead read, const std::function<Result<bool>(CachedEntry)>& take,
                             Which which) const {
  ListCache request = request_;
  request.intermediates = which == Which::kAll;
  request.read = read;
  do {
    ICARUS_ASSIGN(const Page page, AskForPage(client, request));
    for (const CachedItem& item : page.reply.items) {
      ICARUS_ASSIGN(CachedEntry entry, Open(item, page.bodies));
      if (!Wants(entry)) continue;
      ICARUS_ASSIGN(const bool more, take(std::move(entry)));
      if (!more) return {};
    }
    request.after = page.reply.next;
  } while (request.after);
  return {};
}

Result<std::vector<CachedEntry>> FetchCached(Client& client, std::vector<ContentHash> keys) {
  ListCache request;
  request.limit = keys.size();
  request.intermediates = true;
  request.keys = std::move(keys);
  request.read = CacheRead::kSend;
  ICARUS_ASSIGN(const Page page, AskForPage(client, request));
  std::vector<CachedEntry> entries;
  for (const CachedItem& item : page.reply.items) {
    if (item.damaged) continue;
    ICARUS_ASSIGN(CachedEntry entry, Open(item, page.bodies));
    entries.push_back(std::move(entry));
  }
  return entries;
}

namespace {

// The greatest key that is less than all that begin with `digits`; nothing: there is none.
std::optional<ContentHash> KeyBefore(const std::string& digits) {
  ContentHash key = *ContentHash::FromHex(digits + std::string(64 - digits.size(), '0'));
  for (auto byte = key.bytes.rbegin(); byte != key.bytes.rend(); ++byte) {
    if ((*byte)-- != 0) return key;
  }
  return std::nullopt;
}

}  // namespace

Result<CachedEntry> FindCached(Client& client, const std::string& text) {
  const bool is_hex = !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hex || text.size() < kLeastOfKey || text.size() > 64) {
    return UsageError("'" + text + "' is no key of the cache: at least " + std::to_string(kLeastOfKey) +
                          " hexadecimal digits, as `icarus cache list` shows them",
                      "key");
  }
  ListCache request;
  request.read = CacheRead::kSend;
  request.intermediates = true;
  if (text.size() == 64) {
    request.keys = {*ContentHash::FromHex(text)};
  } else {
    request.after = KeyBefore(text);
    request.limit = 2;
  }
  ICARUS_ASSIGN(Page page, AskForPage(client, request));
  std::vector<CachedItem>& found = page.reply.items;
  std::erase_if(found, [&](const CachedItem& item) { return item.key.Hex().compare(0, text.size(), text) != 0; });
  if (found.empty()) return Error::Make(ErrorCode::kNotFound, "nothing is cached under a key that begins with " + text);
  if (found.size() > 1) return UsageError("several keys begin with " + text + "; write more of it", "key");
  if (found[0].damaged) return CorruptionError("the cached value is damaged; it has been removed");
  return Open(found[0], page.bodies);
}

}  // namespace icarus::client
