// The core's part of the result cache: keys, what goes into it and out of it, and its counters.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/analysis/cache_key.h"
#include "common/analysis/validate.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kExpiriesPerTurn = 1000;
constexpr std::uint64_t kEstimateProbes = 20'000;  // tasks that are looked up for an estimate
constexpr std::uint32_t kMostForms = 1000;
constexpr std::uint64_t kMostValues = 100'000;

}  // namespace

Result<ContentHash> BrokerCore::KeyOf(const Job& job, TaskIndex index) const {
  ICARUS_ASSIGN(const std::string form, FormOf(job, index));
  return HashBytes(form);
}

// What the key of the task's result is the hash of.
Result<std::string> BrokerCore::FormOf(const Job& job, TaskIndex index) {
  return TaskForm(job.spec(), job.manifest(), job.identity, index);
}

void BrokerCore::HandleEstimate(const Caller& caller, Estimate request, std::uint64_t correlation, Now now,
                                Outbox& out) {
  Result<EstimateReply> reply = MakeEstimate(std::move(request), now);
  if (!reply) return ReplyError(caller, correlation, reply.error(), out);
  out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(*reply));
}

Result<EstimateReply> BrokerCore::MakeEstimate(Estimate request, Now now) {
  JobSpec& spec = request.spec;
  ICARUS_TRY(CanonicaliseSpec(catalogue_, spec));
  ICARUS_TRY(CheckCapacity(spec));
  EstimateReply reply;
  ICARUS_ASSIGN(reply.tasks, spec.sweep.Count());
  const Manifest& manifest = *catalogue_.Find(spec.analysis);
  const std::string identity = spec.solver_identity.empty() ? DefaultIdentity(spec.solver) : spec.solver_identity;
  request.forms = std::min(request.forms, kMostForms);
  const bool reads = IsCacheable(manifest, spec) && !spec.MustBeFresh() && !identity.empty();
  reply.probed = reads ? std::min<std::uint64_t>(reply.tasks, kEstimateProbes) : reply.tasks;
  const std::uint64_t looked_up = reads ? reply.probed : 0;
  const std::uint64_t shown = std::min<std::uint64_t>(request.forms, reply.tasks);
  for (std::uint64_t i = 0; i < std::max(looked_up, shown); ++i) {
    ICARUS_ASSIGN(std::string form, TaskForm(spec, manifest, identity, static_cast<TaskIndex>(i)));
    if (reads && cache_.Contains(HashBytes(form), now.wall_ms)) ++reply.hits;
    if (i < request.forms) reply.forms.push_back(std::move(form));
  }
  const std::uint32_t kind = classes_.Intern(spec, identity);
  if (predictor_.Known(kind)) {
    reply.typical_s = predictor_.Mean(kind);
    reply.long_s = predictor_.Upper(kind);
  }
  for (const auto& [instance, worker] : workers_.all()) {
    if (worker.lost || !worker.CanEverRun(classes_.Get(kind))) continue;
    reply.slots += worker.hello.slots / std::max(spec.resources.cpus, 1);
  }
  return reply;
}

void BrokerCore::StoreInCache(const Execution& execution, const ExecutionResult& result, const Body& body, Now now,
                              Outbox& out) {
  if (!execution.key || !body || !result.cacheable) return;
  CacheEntry entry = EntryOf(execution, result, body);
  entry.expires_at_ms = ExpiryOf(*jobs_.at(execution.leader().job), now);
  PutInCache(*execution.key, std::move(entry), body, out);
}

// Of a value that is put now; 0: never.
std::int64_t BrokerCore::ExpiryOf(const Job& job, Now now) const {
  std::int64_t ttl = job.spec().ttl_ms;
  const auto by_analysis = config_.cache_ttl_ms.find(job.spec().analysis);
  if (ttl == 0) ttl = by_analysis != config_.cache_ttl_ms.end() ? by_analysis->second : config_.cache_default_ttl_ms;
  return ttl > 0 ? now.wall_ms + ttl : 0;
}

// Only what the solver itself decided, from its input alone: a crash, a timeout or a lost worker may be the machine's.
bool BrokerCore::FailsForCertain(const Execution& execution, const ExecutionResult& result) const {
  if (!execution.key || execution.stop_as || !result.error || !result.cacheable) return false;
  if (jobs_.at(execution.leader().job)->spec().command) return false;
  return result.error->kind == TaskErrorKind::kInvalidInput || result.error->kind == TaskErrorKind::kNoConvergence;
}

void BrokerCore::StoreFailure(const Execution& execution, const ExecutionResult& result, const Body& body, Now now,
                              Outbox& out) {
  if (config_.cache_failure_ttl_ms <= 0 || !FailsForCertain(execution, result)) return;
  const Body kept = body ? body : std::make_shared<const std::string>();
  CacheEntry entry = EntryOf(execution, result, kept);
  entry.error = result.error;
  entry.size_bytes += result.error->message.size();
  entry.expires_at_ms = now.wall_ms + config_.cache_failure_ttl_ms;
  PutInCache(*execution.key, std::move(entry), kept, out);
}

// Who asks for it again does not believe it.
void BrokerCore::ForgetFailure(const Job& job, TaskIndex index, Outbox& out) {
  if (!job.cacheable || job.identity.empty()) return;
  const auto key = KeyOf(job, index);
  const CacheEntry* entry = key ? cache_.Find(*key) : nullptr;
  if (entry == nullptr || !entry->error) return;
  cache_.Remove(*key);
  RemoveFromStore({*key}, out);
}

// Without an expiry.
CacheEntry BrokerCore::EntryOf(const Execution& execution, const ExecutionResult& result, const Body& body) {
  const Job& job = *jobs_.at(execution.leader().job);
  const WorkerState* worker = workers_.Find(execution.instance);
  CacheEntry entry;
  entry.analysis = job.spec().analysis;
  entry.solver = job.spec().solver;
  entry.identity = job.identity;
  entry.host = worker != nullptr ? worker->host : "";
  entry.computed_at_ms = result.finished_at_ms;
  entry.compute_s = result.run_s;
  entry.size_bytes = body->size() + result.blob_bytes.value_or(0);
  entry.incomplete = result.incomplete;
  entry.blobs = result.blobs;
  const TaskRef leader = execution.leader();
  if (Result<std::string> form = FormOf(job, leader.index)) entry.form = std::move(*form);
  const Sweep& sweep = job.spec().sweep;
  if (!sweep.targets.empty()) entry.target = sweep.targets[sweep.At(leader.index).target].name;
  return entry;
}

void BrokerCore::SetCacheLimits() {
  cache_.SetLimits(config_.cache_max_bytes, config_.cache_max_entries);
  values_.SetLimits(config_.cache_value_bytes, kMostValues);
}

CacheIndex& BrokerCore::IndexFor(const CacheEntry& entry) {
  return entry.origin == CacheOrigin::kIntermediate ? values_ : cache_;
}

// Of what kind it is does not matter: no key is in both.
bool BrokerCore::ForgetCached(const ContentHash& key) { return cache_.Remove(key) || values_.Remove(key); }

CacheRoom BrokerCore::cache_room() const {
  return {cache_.bytes() + values_.bytes(), cache_.max_bytes() + values_.max_bytes()};
}

void BrokerCore::PutInCache(const ContentHash& key, CacheEntry entry, Body body, Outbox& out) {
  std::vector<ContentHash> removed;
  CacheIndex& index = IndexFor(entry);
  const bool replaces = index.Find(key) != nullptr;
  if (index.Put(key, entry, removed)) out.Push(PutCache{key, std::move(entry), std::move(body), replaces});
  RemoveFromStore(std::move(removed), out);
}

// What the index has dropped.
void BrokerCore::RemoveFromStore(std::vector<ContentHash> keys, Outbox& out) {
  if (!keys.empty()) out.Push(RemoveCache{std::move(keys)});
}

Status BrokerCore::ImportCached(const ContentHash& key, CacheEntry entry, Body body, Outbox& out) {
  if (is_read_only()) return ReadOnlyError(ErrorCode::kRefused);
  if (entry.size_bytes > cache_.max_bytes()) {
    return Error::Make(ErrorCode::kRefused, "it is larger than this cache may be");
  }
  PutInCache(key, std::move(entry), std::move(body), out);
  return {};
}

void BrokerCore::OnCachePutsLost(const std::vector<ContentHash>& keys) {
  for (const ContentHash& key : keys) {
    if (cache_.Remove(key)) {
      ++cache_.counters.refused;
    } else {
      values_.Remove(key);
    }
  }
}

void BrokerCore::OnCacheState(const std::string& why, Now now, Outbox& out) {
  if (why == cache_paused_) return;
  cache_paused_ = why;
  TellCache(why.empty() ? "cache_resumed" : "cache_paused", why, now, out);
  out.Log(why.empty() ? "results are cached again" : "results are not cached for now", {{"why", why}}, !why.empty());
}

void BrokerCore::OnCacheDamage(const ContentHash& key, Outbox& out) {
  if (is_read_only()) return;
  if (!ForgetCached(key)) return;
  ++cache_generation_;
  DropUnusable(key, /*damaged=*/true, out);
}

// The value of a removed entry, which was read and is not there or not what was written.
void BrokerCore::DropUnusable(const ContentHash& key, bool damaged, Outbox& out) {
  if (damaged) ++cache_.counters.damaged;
  RemoveFromStore({key}, out);
  out.Log("cached value unusable", {{"key", key.Hex()}, {"why", damaged ? "damaged" : "gone"}}, true);
}

// What has expired goes, and what was counted is kept.
void BrokerCore::TendCache(Now now, Outbox& out) {
  for (CacheIndex* index : {&cache_, &values_}) {
    std::vector<ContentHash> expired = index->TakeExpired(now.wall_ms, kExpiriesPerTurn);
    if (expired.size() == kExpiriesPerTurn) more_work_ = true;
    RemoveFromStore(std::move(expired), out);
  }
  if (cache_.counters == written_counters_) return;
  written_counters_ = cache_.counters;
  out.Write(PutCacheCounters{written_counters_});
}

void BrokerCore::HandleCache(const Caller& caller, const CacheQuery& request, std::uint64_t correlation, Outbox& out) {
  CacheReply reply;
  if (request.clear) {
    if (!caller.admin) return ReplyError(caller, correlation, OnlyAnAdminMay("clear the cache"), out);
    reply.cleared = cache_.Clear();
    values_.Clear();
    ++cache_generation_;
    out.Push(ClearCache{});
  }
  reply.paused = cache_paused_;
  reply.entries = cache_.entries();
  reply.bytes = cache_.bytes();
  reply.max_bytes = cache_.max_bytes();
  reply.max_entries = cache_.max_entries();
  reply.hits = cache_.counters.hits;
  reply.misses = cache_.counters.misses;
  reply.joined = cache_.counters.joined;
  reply.evictions = cache_.counters.evictions;
  reply.expirations = cache_.counters.expirations;
  reply.damaged = cache_.counters.damaged;
  reply.dropped_puts = cache_.counters.refused;
  reply.value_hits = cache_.counters.value_hits.value_or(0);
  reply.value_misses = cache_.counters.value_misses.value_or(0);
  if (!request.clear) return out.Reply(PeerRole::kClient, caller.instance, correlation, reply);
  ReplyAfterCache(caller, correlation, reply, out);
}

// What was removed must not come back after a restart, so it is gone from the store before anyone is told.
void BrokerCore::ReplyAfterCache(const Caller& caller, std::uint64_t correlation, AnyMessage reply, Outbox& out) {
  out.Push(SendAfterCache{{PeerRole::kClient, caller.instance, Message{correlation, std::move(reply), {}}}});
}

void BrokerCore::HandleRemoveCached(const Caller& caller, const RemoveCached& request, std::uint64_t correlation,
                                    Outbox& out) {
  if (!caller.admin) return ReplyError(caller, correlation, OnlyAnAdminMay("remove what is cached"), out);
  std::vector<ContentHash> removed;
  RemoveCachedReply reply;
  for (const ContentHash& key : request.keys) {
    if (cache_.Remove(key)) {
      ++reply.removed;
    } else if (values_.Remove(key)) {
      ++reply.values;
    } else {
      continue;
    }
    removed.push_back(key);
  }
  ++cache_generation_;
  RemoveFromStore(std::move(removed), out);
  ReplyAfterCache(caller, correlation, reply, out);
}

}  // namespace icarus::broker
