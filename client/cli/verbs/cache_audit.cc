// `icarus cache audit`: some entries are computed anew, past the cache, and compared with what is in it.
#include <algorithm>

#include "client/cli/cache_selection.h"
#include "client/cli/exit_codes.h"
#include "client/cli/verbs/cache_actions.h"
#include "client/output/derived.h"
#include "common/analysis/catalogue.h"
#include "common/analysis/validate.h"
#include "common/base/random.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr std::uint64_t kAudited = 5;
// How long a broker that has no room for the jobs is asked again.
constexpr std::chrono::minutes kRoomPatience{10};

struct Audited {
  CachedEntry entry;
  JobId job;
};

// The job that computes the entry again; nothing when what went into it is not in its key's form: files, commands, and
// parameters that the key rounds.
std::optional<JobSpec> SpecOf(const CachedEntry& entry) {
  const Json form = Json::parse(entry.item.form, nullptr, false);
  if (!form.is_object() || form.contains("command") || form.contains("key_step") || !form.contains("target"))
    return std::nullopt;
  if (!form["target"].is_null() && !form["target"].is_string()) return std::nullopt;
  JobSpec spec;
  spec.analysis = entry.item.analysis;
  spec.solver = entry.item.solver;
  spec.solver_identity = entry.item.identity;
  spec.sweep.base = entry.params;
  if (form["target"].is_string()) spec.sweep.targets.push_back({form["target"].get<std::string>(), ""});
  spec.cache = CachePolicy::kNone;
  spec.name = "audit of " + entry.item.key.Hex().substr(0, 12);
  std::erase_if(spec.sweep.base, [](const auto& param) { return param.second.is_null(); });
  if (!CanonicaliseSpec(Catalogue::BuiltIn(), spec)) return std::nullopt;
  return spec;
}

bool SamePoints(const std::vector<MissingPoint>& a, const std::vector<MissingPoint>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const MissingPoint& one, const MissingPoint& other) { return one.at == other.at; });
}

// How the two differ; empty: not at all.
std::string DifferenceOf(const ResultBody& cached, const ResultBody& fresh) {
  if (cached.columns != fresh.columns) return "other columns";
  if (cached.rows.size() != fresh.rows.size()) {
    return std::to_string(cached.rows.size()) + " rows in the cache, " + std::to_string(fresh.rows.size()) + " now";
  }
  for (std::size_t row = 0; row < cached.rows.size(); ++row) {
    for (std::size_t column = 0; column < cached.rows[row].size(); ++column) {
      const Value& ours = cached.rows[row][column];
      if (column < fresh.rows[row].size() && ours == fresh.rows[row][column]) continue;
      const std::string now = column < fresh.rows[row].size() ? FormatValue(fresh.rows[row][column]) : "nothing";
      return cached.columns[column] + " of row " + std::to_string(row) + ": " + FormatValue(ours) + " in the cache, " +
             now + " now";
    }
  }
  if (!SamePoints(cached.missing, fresh.missing)) return "other points are missing";
  for (const auto& [name, value] : cached.summary) {
    const auto now = fresh.summary.find(name);
    if (now == fresh.summary.end() || !(now->second == value)) return "another " + name + " in the summary";
  }
  return fresh.summary.size() == cached.summary.size() ? "" : "more in the summary now";
}

// So many of them, each as likely as any other.
std::vector<CachedEntry> Sample(std::vector<CachedEntry> entries, std::uint64_t count) {
  Random random(Checksum(RandomHex(8)));
  for (std::size_t i = 0; i < std::min<std::size_t>(count, entries.size()); ++i) {
    std::swap(entries[i], entries[i + random.Below(entries.size() - i)]);
  }
  if (entries.size() > count) entries.resize(count);
  return entries;
}

Result<std::vector<Audited>> SubmitAll(Client& client, const std::vector<CachedEntry>& sample) {
  std::vector<Audited> audited;
  for (const CachedEntry& entry : sample) {
    ICARUS_ASSIGN(CachedEntry whole, FindCached(client, entry.item.key.Hex()));
    ICARUS_TRY(client.LoadTable(whole.body));
    ICARUS_ASSIGN(const SubmitReply reply, client.SubmitJob({RandomHex(16), *SpecOf(entry)}, kRoomPatience));
    audited.push_back({whole, reply.job});
  }
  return audited;
}

// Adds what came of one to the document.
Status Compare(Client& client, const Audited& one, Json& differ, Json& failed) {
  return client.FetchResults(one.job, 0, 1, [&](const ResultItem& item, const ResultBody& body) -> Status {
    const std::string key = one.entry.item.key.Hex();
    if (item.task.state != TaskState::kCompleted) {
      failed.push_back({{"key", key}, {"reason", item.task.error ? item.task.error->message : "did not complete"}});
    } else if (const std::string what = DifferenceOf(one.entry.body, body); !what.empty()) {
      differ.push_back({{"key", key}, {"reason", what}});
    }
    return {};
  });
}

}  // namespace

Result<int> AuditCache(Session& session, Client& client) {
  const CacheOptions& options = session.options().cache;
  ICARUS_ASSIGN(const CacheSelection selection, CacheSelection::Parse(options));
  std::vector<CachedEntry> candidates;
  std::uint64_t skipped = 0;
  ICARUS_TRY(selection.Visit(client, CacheRead::kNothing, [&](CachedEntry entry) -> Result<bool> {
    const bool can = !entry.item.error && SpecOf(entry).has_value();
    can ? candidates.push_back(std::move(entry)) : static_cast<void>(++skipped);
    return true;
  }));
  ICARUS_ASSIGN(const std::vector<Audited> audited,
                SubmitAll(client, Sample(std::move(candidates), options.count.value_or(kAudited))));
  std::vector<JobId> jobs;
  jobs.reserve(audited.size());
  for (const Audited& one : audited) jobs.push_back(one.job);
  if (!jobs.empty()) {
    ICARUS_ASSIGN(const Client::WaitOutcome ended, client.Wait(jobs));
    if (ended.end == RunEnd::kInterrupted) return kExitInterrupted;
  }
  Json differ = Json::array(), failed = Json::array();
  for (const Audited& one : audited) ICARUS_TRY(Compare(client, one, differ, failed));
  for (const Json* list : {&differ, &failed}) {
    for (const Json& item : *list) {
      session.Note(item["key"].get<std::string>() + ": " + item["reason"].get<std::string>());
    }
  }
  session.Note("computed " + EntriesText(audited.size()) + " again: " + std::to_string(differ.size()) + " differ, " +
               std::to_string(failed.size()) + " failed; " + std::to_string(skipped) +
               " cannot be, as their keys do not say all that went into them");
  const bool clean = differ.empty() && failed.empty();
  if (!session.text()) {
    session.PrintDocument({{"audited", audited.size()}, {"differ", differ}, {"failed", failed}, {"skipped", skipped}});
  }
  return clean ? kExitDone : kExitIncomplete;
}

}  // namespace icarus::client
