// Which task runs next, and where: probes, joins, dispatch, deadlines.
#include <algorithm>
#include <cmath>
#include <limits>

#include "broker/core/broker_core.h"
#include "common/analysis/cache_key.h"
#include "common/analysis/command_template.h"
#include "common/analysis/validate.h"
#include "common/base/check.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

constexpr double kPrefetchBelowS = 0.2;  // only classes predicted to run shorter are queued ahead at a worker
constexpr double kPrefetchAheadS = 0.4;  // and at most this much of them
constexpr std::int64_t kTasksPerDispatch = 1024;
constexpr std::int64_t kForgetLostWorkerMs = 600'000;

std::string SecondsText(std::int64_t ms) { return FormatNumber(static_cast<double>(ms) / 1000.0); }

}  // namespace

void BrokerCore::Enqueue(Job& job) {
  schedule_needed_ = true;
  if (job.in_queue || job.identity.empty() || !job.HasReady()) return;
  ready_.Push(job.request_class, job.record().user, job.spec().priority, job.id(), job.enqueued_ms);
  job.in_queue = true;
}

void BrokerCore::Dequeue(Job& job) {
  if (!job.in_queue) return;
  ready_.Remove(job.request_class, job.record().user, job.spec().priority, job.id());
  job.in_queue = false;
}

// Tasks of the class that may wait at a worker beyond its slots, a slot: bounded by time, never for unknown or large
// classes.
std::int64_t BrokerCore::ExtraSlots(std::uint32_t request_class) const {
  const RequestClass& request = classes_.Get(request_class);
  if (request.resources.cpus != 1 || request.resources.memory_bytes != 0 || !request.resources.named.empty()) return 0;
  if (!predictor_.Known(request_class)) return 0;
  const double upper = predictor_.Upper(request_class);
  if (upper >= kPrefetchBelowS) return 0;
  const double count = kPrefetchAheadS / std::max(upper, kPrefetchAheadS / static_cast<double>(limits::kMaxPrefetch));
  return static_cast<std::int64_t>(std::floor(count));
}

// The worker with the most room, other than the one that is kept free for another; ties go by instance, which is random
// anyway.
WorkerState* BrokerCore::ChooseWorker(std::uint32_t request_class, bool may_queue_ahead, const std::string& reserved) {
  const RequestClass& request = classes_.Get(request_class);
  const std::int64_t extra = may_queue_ahead ? ExtraSlots(request_class) : 0;
  WorkerState* best = nullptr;
  std::int64_t best_room = 0;
  for (auto& [instance, worker] : workers_.all()) {
    if (instance == reserved) continue;
    const std::int64_t ahead = std::min<std::int64_t>(extra * worker.hello.slots, limits::kMaxPrefetch);
    const std::int64_t room = worker.RoomFor(request, ahead);
    if (room > best_room) {
      best = &worker;
      best_room = room;
    }
  }
  return best;
}

// The first in order has no room: the worker that will have it soonest gets nothing else until then, and gives back
// what it has not started. Empty: it is of a class that queues at workers itself, or no worker can run it.
std::string BrokerCore::ReserveWorker(const ReadyQueue::Level& level, Outbox& out) {
  const RequestClass& request = classes_.Get(level.request_class);
  WorkerState* best = nullptr;
  std::int64_t fewest = 0;
  for (auto& [instance, worker] : workers_.all()) {
    if (!worker.takes_work() || !worker.CanEverRun(request)) continue;
    const auto load = static_cast<std::int64_t>(worker.assigned.size()) - worker.hello.slots;
    if (best == nullptr || load < fewest) {
      best = &worker;
      fewest = load;
    }
  }
  if (best == nullptr) return "";
  StopExecutions recall;
  recall.recall = true;
  for (const ExecutionId id : best->assigned) {
    Execution* execution = executions_.Find(id);
    if (execution->state != ExecutionState::kDispatched || execution->recalled || execution->stop_as) continue;
    if (!GoesBefore(level, *execution)) continue;
    execution->recalled = true;
    recall.executions.push_back(id);
  }
  if (!recall.executions.empty()) {
    out.Reply(PeerRole::kWorker, best->instance, 0, std::move(recall), /*promise=*/true);
  }
  // A class that queues at workers finds room there soon enough by itself.
  return ExtraSlots(level.request_class) > 0 ? "" : best->instance;
}

// What waits at a worker, not started, makes room for a higher priority, and for a user who has nothing there at all;
// between users who are being served nothing is taken back.
bool BrokerCore::GoesBefore(const ReadyQueue::Level& level, const Execution& execution) const {
  const Job& job = *jobs_.at(execution.leader().job);
  if (level.priority != job.spec().priority) return level.priority > job.spec().priority;
  if (level.user == job.record().user)
    return ExtraSlots(level.request_class) == 0 && ExtraSlots(execution.request_class) > 0;
  const auto running = running_of_user_.find(level.user);
  return running == running_of_user_.end() || running->second == 0;
}

// Who comes back after a rest starts level with whoever was served least meanwhile, and just before: what was given
// to a user earlier is no debt, and what was not is no credit.
void BrokerCore::NoteActive(const std::string& user) {
  if (open_jobs_of_user_[user]++ > 0) return;
  std::optional<double> least;
  for (const auto& [other, open] : open_jobs_of_user_) {
    if (other == user || open == 0) continue;
    least = std::min(least.value_or(service_[other]), service_[other]);
  }
  constexpr double kJustBefore = 1e-6;
  service_[user] = least ? *least - kJustBefore : 0;
}

bool BrokerCore::UserHasRoom(const std::string& user) const {
  if (config_.max_concurrent == 0) return true;
  const auto running = running_of_user_.find(user);
  return running == running_of_user_.end() || running->second < config_.max_concurrent;
}

bool BrokerCore::JobHasRoom(const Job& job) const {
  if (job.ReadsCache() && reads_in_flight_ >= kMostReads) return false;  // its values would wait for the disk
  return job.spec().max_running == 0 || job.in_flight < static_cast<std::uint64_t>(job.spec().max_running);
}

bool BrokerCore::ResourcesFree(const RequestClass& request) const {
  for (const auto& [name, count] : request.resources.named) {
    const auto limit = config_.resources.find(name);
    if (limit == config_.resources.end()) continue;
    const auto used = cluster_used_.find(name);
    if ((used == cluster_used_.end() ? 0 : used->second) + count > limit->second) return false;
  }
  return true;
}

void BrokerCore::Schedule(Now now, Outbox& out) {
  schedule_needed_ = false;
  // Room only shrinks within this call: a class without room, or a level without an allowed job, need not be looked at
  // again.
  std::set<std::uint32_t> full_classes;
  std::set<const ReadyQueue::Level*> blocked;
  // Of which a better level waits for a free slot, as its job may not queue ahead yet: if others did, none would ever
  // be free.
  std::set<std::uint32_t> wants_slots;
  std::string reserved;
  const ReadyQueue::TieBreakers ties{[this](const std::string& user) {
                                       const auto it = service_.find(user);
                                       return it == service_.end() ? 0.0 : it->second;
                                     },
                                     [this](std::uint32_t request_class) {
                                       return predictor_.Known(request_class) ? predictor_.Mean(request_class)
                                                                              : std::numeric_limits<double>::infinity();
                                     }};
  const auto may_run = [&](const ReadyQueue::Level& level) {
    return MayStart(level.priority) && !full_classes.contains(level.request_class) && !blocked.contains(&level) &&
           UserHasRoom(level.user) && ResourcesFree(classes_.Get(level.request_class));
  };
  for (int rounds = 0; rounds < 256; ++rounds) {
    ReadyQueue::Level* level = ready_.Best(config_.aging_ms, ties, may_run);
    if (level == nullptr) return;
    const bool may_queue_ahead = !wants_slots.contains(level->request_class);
    WorkerState* worker = ChooseWorker(level->request_class, may_queue_ahead, reserved);
    if (worker == nullptr) {
      full_classes.insert(level->request_class);
      if (reserved.empty()) reserved = ReserveWorker(*level, out);
    } else {
      const std::uint32_t request_class = level->request_class;
      const Served served = DispatchFrom(*level, *worker, may_queue_ahead, now, out);
      // Another worker may have a slot that is free now: the same level is looked at again.
      const bool may_be_elsewhere = served == Served::kNoRoom && may_queue_ahead;
      if (may_be_elsewhere) wants_slots.insert(request_class);
      if (served != Served::kSome && !may_be_elsewhere) blocked.insert(level);
    }
  }
  schedule_needed_ = true;
  more_work_ = true;
}

// One batch from the first job of the level that may run, to this worker. kNoJob: none of the level's jobs may;
// kNoRoom: there is no room for what this one may queue ahead.
BrokerCore::Served BrokerCore::DispatchFrom(ReadyQueue::Level& level, WorkerState& worker, bool may_queue_ahead,
                                            Now now, Outbox& out) {
  Job* job = nullptr;
  for (const auto& entry : level.jobs) {
    Job& candidate = *jobs_.at(entry.job);
    if (JobHasRoom(candidate)) {
      job = &candidate;
      break;
    }
  }
  if (job == nullptr) return Served::kNoJob;
  const RequestClass& request = classes_.Get(level.request_class);
  const std::int64_t extra = may_queue_ahead ? ExtraSlots(level.request_class) : 0;
  std::int64_t ahead = std::min<std::int64_t>(extra * worker.hello.slots, limits::kMaxPrefetch);
  // What is known of the class need not hold for this job: it queues ahead as much as it has shown, and doubles.
  if (job->total() > 1) ahead = std::min(ahead, 2 * static_cast<std::int64_t>(job->computed));

  DispatchGroup group;
  DispatchRecord record;
  record.worker_instance = worker.instance;
  record.worker_name = worker.hello.name;
  std::map<std::uint32_t, std::uint32_t> targets;
  // Hits and joins need no room; their number a call is bounded like that of dispatches.
  std::int64_t handled = 0;
  for (; handled < kTasksPerDispatch; ++handled) {
    if (job->tasks_released() || !JobHasRoom(*job) || !UserHasRoom(job->record().user)) break;
    if (worker.RoomFor(request, ahead) == 0 || !ResourcesFree(request)) break;
    const std::optional<TaskIndex> index = job->NextReady();
    if (!index) break;
    level.last_served_ms = now.monotonic_ms();
    TakeTask(*job, *index, worker, group, record, targets, now, out);
  }
  if (!group.tasks.empty()) {
    const JobSpec& spec = job->spec();
    group.job = job->id();
    group.analysis = spec.analysis;
    group.solver = spec.solver;
    group.priority = spec.priority;
    group.timeout_ms = spec.timeout_ms;
    group.resources = spec.resources;
    group.command = spec.command;
    group.axes = spec.sweep.AxisNames();
    if (spec.cache != CachePolicy::kDefault) group.cache = spec.cache;
    if (spec.command) {
      for (const auto& [name, value] : spec.sweep.base) group.axes.push_back(name);
    }
    record.id = record.tasks.front().token.value;
    for (const DispatchedTask& task : record.tasks) executions_.Find(task.execution)->dispatch_record = record.id;
    executions_.AddToRecord(record.id, static_cast<std::uint32_t>(record.tasks.size()));
    out.Write(PutDispatch{std::move(record)});
    Dispatch dispatch;
    dispatch.groups.push_back(std::move(group));
    out.Reply(PeerRole::kWorker, worker.instance, 0, std::move(dispatch), /*promise=*/true);
  }
  if (!job->tasks_released() && job->HasReady()) return handled > 0 ? Served::kSome : Served::kNoRoom;
  if (!job->tasks_released()) Dequeue(*job);
  return Served::kSome;
}

void BrokerCore::StartRead(Job& job, TaskIndex index, const ContentHash& key, const CacheEntry& entry, Outbox& out) {
  job.SetBusy(index, true);
  job.Extra(index).reading = true;
  WaitForRead(key, entry, out).tasks.push_back({job.id(), index});
}

// The value is being read for somebody, or will be.
BrokerCore::CacheWaiter& BrokerCore::WaitForRead(const ContentHash& key, const CacheEntry& entry, Outbox& out) {
  out.Push(UseCache{key, entry.last_used});
  const auto [found, is_new] = cache_waiters_.try_emplace(key);
  if (is_new) {
    found->second.entry = entry;
    ++reads_in_flight_;
    out.Push(ReadCache{key, entry.blobs.value_or(std::vector<ContentHash>())});
  }
  return found->second;
}

// Takes a ready task out of the queue without a slot: its value is being read from the cache, or an equal task is under
// way.
BrokerCore::Probed BrokerCore::ProbeTask(Job& job, TaskIndex index, Now now, Outbox& out) {
  if (!job.IsReady(index)) return Probed::kNothing;
  const TaskExtra* extra = job.FindExtra(index);
  if (extra != nullptr && extra->execution) return Probed::kNothing;
  const auto key = KeyOf(job, index);
  if (!key) return Probed::kNothing;
  const bool refresh = job.spec().MustBeFresh();
  if (!refresh && (extra == nullptr || !extra->no_hit)) {
    std::vector<ContentHash> expired;
    const CacheEntry* entry = cache_.Lookup(*key, now.wall_ms, expired);
    RemoveFromStore(std::move(expired), out);
    if (entry != nullptr) {
      StartRead(job, index, *key, *entry, out);
      return Probed::kHit;
    }
  }
  Execution* shared = executions_.FindByKey(*key);
  if (shared == nullptr || shared->stop_as) return Probed::kNothing;
  // What began before a --refresh was asked for is not fresh.
  if (refresh && shared->state != ExecutionState::kQueued) return Probed::kNothing;
  Join(job, index, *shared, now, out);
  return Probed::kJoined;
}

void BrokerCore::Join(Job& job, TaskIndex index, Execution& execution, Now now, Outbox& out) {
  execution.subscribers.push_back({job.id(), index});
  job.SetBusy(index, true);
  job.Extra(index).execution = execution.id;
  if (execution.state == ExecutionState::kStarted) job.SetState(index, TaskState::kRunning);
  ++job.joined;
  ++cache_.counters.joined;
  Touch(job);
  if (execution.state == ExecutionState::kQueued) LeadByPriority(execution, now, out);
}

// The first of those with the highest priority.
std::vector<TaskRef>::iterator BrokerCore::HighestPriority(Execution& execution) {
  const auto priority = [this](TaskRef task) { return jobs_.at(task.job)->spec().priority; };
  return std::max_element(execution.subscribers.begin(), execution.subscribers.end(),
                          [&](TaskRef a, TaskRef b) { return priority(a) < priority(b); });
}

// What waits in the queue waits for the subscriber with the highest priority.
void BrokerCore::LeadByPriority(Execution& execution, Now now, Outbox& out) {
  const TaskRef leader = execution.leader();
  const auto highest = HighestPriority(execution);
  if (*highest == leader) return;
  Job& old_job = *jobs_.at(leader.job);
  TaskExtra& old_extra = old_job.Extra(leader.index);
  const std::int64_t not_before_ms = std::exchange(old_extra.not_before_ms, 0);
  old_job.SetBusy(leader.index, true);
  if (!old_job.HasReady()) Dequeue(old_job);
  std::iter_swap(execution.subscribers.begin(), highest);
  const TaskRef now_leads = execution.leader();
  if (not_before_ms == 0) return GiveBack(now_leads, now, out);
  backoffs_.erase({not_before_ms, leader});
  jobs_.at(now_leads.job)->Extra(now_leads.index).not_before_ms = not_before_ms;
  backoffs_.insert({not_before_ms, now_leads});
}

void BrokerCore::ProbeAhead(Now now, Outbox& out) {
  std::size_t left = limits::kProbesPerTurn;
  // With nothing in the cache and nothing under way there is nothing to find; dispatch looks again anyway.
  if (cache_.entries() == 0 && !executions_.any_keyed()) probing_.clear();
  while (!probing_.empty() && left > 0 && reads_in_flight_ < limits::kReadsInFlight) {
    Job& job = *jobs_.at(*probing_.begin());
    if (job.tasks_released() || job.held() || job.remainder() || job.probe_next >= job.total()) {
      probing_.erase(probing_.begin());
      --left;
      continue;
    }
    ProbeTask(job, job.probe_next++, now, out);
    --left;
    if (!job.HasReady()) Dequeue(job);
  }
  if (!probing_.empty() && reads_in_flight_ < limits::kReadsInFlight) more_work_ = true;
}

void BrokerCore::TakeTask(Job& job, TaskIndex index, WorkerState& worker, DispatchGroup& group, DispatchRecord& record,
                          std::map<std::uint32_t, std::uint32_t>& targets, Now now, Outbox& out) {
  const TaskRef task{job.id(), index};
  const JobSpec& spec = job.spec();
  Execution* execution = nullptr;
  if (const TaskExtra* extra = job.FindExtra(index); extra != nullptr && extra->execution) {
    execution = executions_.Find(extra->execution);
  }
  TaskPoint point = spec.sweep.At(index);
  const std::uint32_t target_index = point.target;
  auto params = TaskParams(job.manifest(), std::move(point.params));
  if (!params) {
    TaskRecord bad;
    TaskError error;
    error.kind = TaskErrorKind::kInvalidInput;
    error.message = params.error().message;
    bad.error = std::move(error);
    EndTask(job, index, TaskState::kFailed, std::move(bad), nullptr, now, out);
    return;
  }
  if (execution == nullptr && job.cacheable) {
    if (ProbeTask(job, index, now, out) != Probed::kNothing) return;
    const auto key = KeyOf(job, index);
    ++cache_.counters.misses;
    execution = &executions_.Create(task, key ? std::optional<ContentHash>(*key) : std::nullopt);
  } else if (execution == nullptr) {
    execution = &executions_.Create(task, std::nullopt);
  }
  execution->token = executions_.NextToken();
  execution->state = ExecutionState::kDispatched;
  execution->instance = worker.instance;
  execution->worker_name = worker.hello.name;
  execution->request_class = job.request_class;
  execution->cpus = spec.resources.cpus;
  execution->dispatched_ms = now.monotonic_ms();
  worker.assigned.insert(execution->id);
  const RequestClass& request = classes_.Get(job.request_class);
  worker.Take(request);
  for (const auto& [name, count] : request.resources.named) cluster_used_[name] += count;
  ++job.in_flight;
  ++running_of_user_[job.record().user];
  job.SetBusy(index, true);
  TaskExtra& extra = job.Extra(index);
  extra.execution = execution->id;
  extra.not_before_ms = 0;
  extra.queue_due_ms = 0;
  ++extra.attempt;

  DispatchTask dispatched{execution->id, execution->token, index, extra.attempt, 0, std::move(*params), extra.kept};
  if (!spec.sweep.targets.empty()) {
    const auto [at, fresh] = targets.emplace(target_index, static_cast<std::uint32_t>(group.targets.size()));
    if (fresh) group.targets.push_back(spec.sweep.targets[target_index]);
    dispatched.target = at->second;
  }
  group.tasks.push_back(std::move(dispatched));
  record.tasks.push_back({execution->id, execution->token, job.id(), index});
}

void BrokerCore::OnCacheRead(const ContentHash& key, CacheReadEnd end, Body body, Now now, Outbox& out) {
  if (is_read_only()) return;
  const auto it = cache_waiters_.find(key);
  if (it == cache_waiters_.end()) return;
  const CacheWaiter waiter = std::move(it->second);
  cache_waiters_.erase(it);
  if (reads_in_flight_-- == kMostReads) schedule_needed_ = true;
  if (end == CacheReadEnd::kGone || end == CacheReadEnd::kDamaged) {
    ForgetCached(key);
    DropUnusable(key, end == CacheReadEnd::kDamaged, out);
  } else if (end == CacheReadEnd::kFailed) {
    out.Log("cached value not read", {{"key", key.Hex()}}, true);
  }
  for (const ValueWaiter& value : waiter.values) TakeValue(value, body, out);
  for (const TaskRef task : waiter.tasks) {
    const auto found = jobs_.find(task.job);
    if (found == jobs_.end() || found->second->tasks_released()) continue;
    Job& job = *found->second;
    const TaskExtra* extra = job.FindExtra(task.index);
    if (extra == nullptr || !extra->reading || IsFinal(job.StateOf(task.index))) continue;
    job.Extra(task.index).reading = false;
    if (!body) {
      job.Extra(task.index).no_hit = true;
      GiveBack(task, now, out);
      continue;
    }
    ++job.cached;
    ++cache_.counters.hits;
    TaskRecord record;
    record.host = waiter.entry.host;
    record.identity = waiter.entry.identity;
    record.key = key;
    record.computed_at_ms = waiter.entry.computed_at_ms;
    record.compute_s = waiter.entry.compute_s;
    const bool imported = waiter.entry.origin == CacheOrigin::kImport;
    record.via = imported ? ResultVia::kImport : ResultVia::kCache;
    record.blobs = waiter.entry.blobs;
    record.error = waiter.entry.error;
    record.incomplete = waiter.entry.incomplete && !record.error;
    const TaskState state = record.error ? TaskState::kFailed : TaskState::kCompleted;
    EndTask(job, task.index, state, std::move(record), body->empty() ? nullptr : body, now, out);
  }
}

void BrokerCore::StopExecution(Execution& execution, Outbox& out) {
  StopExecutions stop;
  stop.executions.push_back(execution.id);
  // Held like the dispatch itself, so that it cannot overtake it.
  out.Reply(PeerRole::kWorker, execution.instance, 0, std::move(stop), /*promise=*/true);
}

void BrokerCore::FireDeadlines(Now now, Outbox& out) {
  const std::int64_t time = now.monotonic_ms();
  std::vector<std::string> forget;
  for (auto& [instance, worker] : workers_.all()) {
    const std::int64_t silent = time - worker.last_heard_ms;
    if (!worker.lost && silent >= config_.worker_lost_after_ms)
      LoseWorker(worker, "was silent for too long", true, now, out);
    if (worker.lost && silent >= kForgetLostWorkerMs) forget.push_back(instance);
  }
  for (const std::string& instance : forget) {
    workers_.Erase(instance);
    out.Push(ForgetPeer{PeerRole::kWorker, instance});
  }
  if (orphans_until_ms_ && *orphans_until_ms_ <= time) {
    orphans_until_ms_.reset();
    while (!orphans_.empty()) ReturnOrphans(std::string(orphans_.begin()->first), /*counts=*/true, now, out);
  }
  while (!backoffs_.empty() && backoffs_.begin()->first <= time) {
    const TaskRef task = backoffs_.begin()->second;
    backoffs_.erase(backoffs_.begin());
    Job& job = *jobs_.at(task.job);
    job.Extra(task.index).not_before_ms = 0;
    GiveBack(task, now, out);
  }
  FireQueueTimeouts(now, out);
  FireJobDeadlines(now, out);
  std::vector<std::string> silent_clients;
  for (const auto& [instance, session] : clients_) {
    if (time - session.last_heard_ms >= config_.client_session_ms) silent_clients.push_back(instance);
  }
  for (const std::string& instance : silent_clients) DropSession(std::string(instance), out);
}

void BrokerCore::FireQueueTimeouts(Now now, Outbox& out) {
  const std::int64_t time = now.monotonic_ms();
  const auto error_of = [](const Job& job) {
    TaskError error;
    error.kind = TaskErrorKind::kTimedOut;
    error.message = "waited longer than " + SecondsText(job.spec().queue_timeout_ms) + " s (--queue-timeout)";
    return error;
  };
  while (!queue_timeouts_.empty() && queue_timeouts_.begin()->first <= time) {
    Job& job = *jobs_.at(queue_timeouts_.begin()->second);
    queue_timeouts_.erase(queue_timeouts_.begin());
    // What has been taken may still come back: it has its own time then.
    EndUntaken(job, TaskState::kTimedOut, error_of(job), /*closed=*/false, now, out);
  }
  while (!task_queue_timeouts_.empty() && task_queue_timeouts_.begin()->first <= time) {
    const auto [due, task] = *task_queue_timeouts_.begin();
    task_queue_timeouts_.erase(task_queue_timeouts_.begin());
    const auto job = jobs_.find(task.job);
    if (job == jobs_.end() || job->second->tasks_released() || !job->second->IsReady(task.index)) continue;
    const TaskExtra* extra = job->second->FindExtra(task.index);
    if (extra == nullptr || extra->queue_due_ms != due) continue;
    std::set<ExecutionId> open;
    EndTaskEarly(*job->second, task.index, TaskState::kTimedOut, error_of(*job->second), open, now, out);
    if (!job->second->tasks_released() && !job->second->HasReady()) Dequeue(*job->second);
  }
}

void BrokerCore::FireJobDeadlines(Now now, Outbox& out) {
  const std::int64_t time = now.monotonic_ms();
  TaskError error;
  error.kind = TaskErrorKind::kTimedOut;
  while (!job_deadlines_.empty() && job_deadlines_.begin()->first <= time) {
    Job& job = *jobs_.at(job_deadlines_.begin()->second);
    job_deadlines_.erase(job_deadlines_.begin());
    error.message = "not done " + SecondsText(job.spec().deadline_ms) + " s after submission (--deadline)";
    std::set<ExecutionId> open;
    for (const TaskIndex index : job.Taken()) {
      if (!job.tasks_released() && !IsFinal(job.StateOf(index)))
        EndTaskEarly(job, index, TaskState::kTimedOut, error, open, now, out);
    }
    if (!job.tasks_released()) EndReady(job, TaskState::kTimedOut, error, now, out);
  }
}

}  // namespace icarus::broker
