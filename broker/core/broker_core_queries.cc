// Questions: list, show, results, watches, cache statistics.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/analysis/key_step.h"
#include "common/analysis/validate.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

constexpr std::int64_t kPushIntervalMs = 100;
constexpr std::uint64_t kScanPerRequest = 200'000;  // indices that one request looks at
constexpr std::uint64_t kResultsPerPage = 100;

bool Allowed(const std::vector<TaskState>& states, TaskState state) {
  return states.empty() || std::find(states.begin(), states.end(), state) != states.end();
}

}  // namespace

JobSummary BrokerCore::Summarise(const Job& job) const {
  JobSummary summary;
  const JobSpec& spec = job.spec();
  summary.job = job.id();
  summary.name = spec.name;
  summary.analysis = spec.analysis;
  summary.solver = spec.solver;
  summary.solver_identity = job.identity;
  summary.state = job.state();
  summary.priority = spec.priority;
  summary.user = job.record().user;
  summary.tags = spec.tags;
  summary.submitted_at_ms = job.record().submitted_at_ms;
  summary.finished_at_ms = job.finished_at_ms;
  summary.total = job.total();
  summary.counts.assign(job.counts().begin(), job.counts().end());
  summary.cached = job.cached;
  summary.joined = job.joined;
  summary.incomplete = job.incomplete;
  summary.strict = spec.strict;
  double done = static_cast<double>(job.total() - job.Count(TaskState::kPending) - job.Count(TaskState::kWaiting) -
                                    job.Count(TaskState::kRunning));
  for (const TaskIndex index : job.active) {
    if (const TaskExtra* extra = job.FindExtra(index)) done += extra->progress;
  }
  summary.progress = done / static_cast<double>(job.total());
  return summary;
}

void BrokerCore::HandleList(const Caller& caller, const ListJobs& request, std::uint64_t correlation, Outbox& out) {
  ListJobsReply reply;
  const auto may_match = [&](const JobBrief& brief) {
    if (!caller.admin && *brief.user != caller.user) return false;
    if (!request.user.empty() && *brief.user != request.user) return false;
    if (request.active && brief.finished) return false;
    return Allowed(request.states, brief.state) && brief.submitted_at_ms >= request.since_wall_ms;
  };
  const auto matches = [&](const Job& job) {
    if (!request.name.empty() && !GlobMatch(request.name, job.spec().name)) return false;
    return std::all_of(request.tags.begin(), request.tags.end(), [&](const auto& wanted) {
      const auto tag = job.spec().tags.find(wanted.first);
      return tag != job.spec().tags.end() && GlobMatch(wanted.second, tag->second);
    });
  };
  const bool looks_inside = !request.name.empty() || !request.tags.empty();
  const auto take = [&](const JobSlot& slot) {
    if (!may_match(jobs_.BriefOf(slot))) return;
    const bool is_listed = reply.matching < std::min<std::uint64_t>(request.limit, 100'000);
    if (!looks_inside && !is_listed) {
      ++reply.matching;
      return;
    }
    jobs_.Peek(slot, [&](const Job& job) {
      if (!matches(job)) return;
      ++reply.matching;
      if (is_listed) reply.jobs.push_back(Summarise(job));
    });
  };
  if (!request.jobs.empty()) {
    for (const JobId id : request.jobs) {
      const auto it = jobs_.find(id);
      if (it == jobs_.end() || !MaySee(caller, *it->second)) {
        return ReplyError(caller, correlation, FindJob(caller, id).error(), out);
      }
      take(it->second);
    }
  } else {
    for (auto it = jobs_.slots().rbegin(); it != jobs_.slots().rend(); ++it) take(it->second);
  }
  // What a client is told is durable: a state that it is shown never goes back.
  out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(reply), /*promise=*/true);
}

void BrokerCore::HandleShow(const Caller& caller, const ShowJob& request, std::uint64_t correlation, Outbox& out) {
  auto found = FindJob(caller, request.job);
  if (!found) return ReplyError(caller, correlation, found.error(), out);
  const Job& job = **found;
  PendingRead read{PendingRead::Kind::kShow, correlation, caller, job.id()};
  read.states = request.states;
  read.limit = std::min<std::uint64_t>(request.limit, limits::kPageTasks);
  std::uint64_t index = request.first;
  const std::uint64_t end = std::min<std::uint64_t>(job.total(), request.first + kScanPerRequest);
  // A finished job's states are in the store: its pages are read whole and filtered then.
  for (; index < end && read.indices.size() < std::max<std::uint64_t>(read.limit, 1); ++index) {
    if (read.limit == 0) break;
    const auto at = static_cast<TaskIndex>(index);
    if (!job.tasks_released() && !Allowed(request.states, job.StateOf(at))) continue;
    read.indices.push_back(at);
  }
  read.next = index;
  StartPage(std::move(read), out);
}

void BrokerCore::HandleFetch(const Caller& caller, const FetchResults& request, std::uint64_t correlation,
                             Outbox& out) {
  auto found = FindJob(caller, request.job);
  if (!found) return ReplyError(caller, correlation, found.error(), out);
  const Job& job = **found;
  PendingRead read{PendingRead::Kind::kResults, correlation, caller, job.id()};
  const std::uint64_t limit = request.limit == 0 ? kResultsPerPage : std::min(request.limit, kResultsPerPage);
  const std::uint64_t end = std::min<std::uint64_t>(job.total(), request.first + limit);
  for (std::uint64_t index = request.first; index < end; ++index) {
    const auto at = static_cast<TaskIndex>(index);
    read.indices.push_back(at);
  }
  read.next = std::max(end, request.first);
  StartPage(std::move(read), out);
}

// Those of the page that have ended: what is known of them is in the store.
std::vector<TaskIndex> BrokerCore::EndedOf(const Job& job, const std::vector<TaskIndex>& indices) {
  std::vector<TaskIndex> ended;
  for (const TaskIndex index : indices) {
    if (job.tasks_released() || IsFinal(job.StateOf(index))) ended.push_back(index);
  }
  return ended;
}

void BrokerCore::StartPage(PendingRead read, Outbox& out) {
  const Job& job = *jobs_.at(read.job);
  read.asked = EndedOf(job, read.indices);
  read.job_retries = job.retries;
  if (read.asked.empty()) return AnswerPage(read, {}, {}, out);
  AskStore(std::move(read), out);
}

// Answered by OnTasksRead.
void BrokerCore::AskStore(PendingRead read, Outbox& out) {
  out.Push(ReadTasks{++last_ticket_, read.job, read.asked,
                     read.kind == PendingRead::Kind::kResults || read.kind == PendingRead::Kind::kInput});
  pending_reads_[last_ticket_] = std::move(read);
}

void BrokerCore::OnTasksRead(std::uint64_t ticket, const std::vector<std::optional<TaskRecord>>& records,
                             std::vector<Body> bodies, Now now, Outbox& out) {
  const auto it = pending_reads_.find(ticket);
  if (it == pending_reads_.end()) return;
  PendingRead read = std::move(it->second);
  pending_reads_.erase(it);
  if (is_read_only() && read.Changes()) return;
  if (records.size() != read.asked.size()) {
    if (read.kind == PendingRead::Kind::kReopen) return;
    if (read.kind == PendingRead::Kind::kInput) return TakeInput(read, std::nullopt, nullptr, now, out);
    return ReplyError(read.caller, read.correlation,
                      Error::Make(ErrorCode::kIo, "the results could not be read; the broker's log says why"), out);
  }
  if (read.kind == PendingRead::Kind::kRetry) return AnswerRetry(read, records, now, out);
  if (read.kind == PendingRead::Kind::kExplain) return AnswerExplain(read, records.front(), out);
  if (read.kind == PendingRead::Kind::kInput) return TakeInput(read, records.front(), bodies.front(), now, out);
  if (read.kind == PendingRead::Kind::kReopen) return ReopenHeldJob(read, records, now, out);
  AnswerPage(read, records, std::move(bodies), out);
}

// `records` and `bodies` in the positions of read.asked; both empty when nothing was asked for.
void BrokerCore::AnswerPage(PendingRead& read, const std::vector<std::optional<TaskRecord>>& records,
                            std::vector<Body> bodies, Outbox& out) {
  const auto found = jobs_.find(read.job);
  if (found == jobs_.end())
    return ReplyError(read.caller, read.correlation, FindJob(read.caller, read.job).error(), out);
  const Job& job = *found->second;
  // Some have ended, or were retried, while the store was being read.
  const bool stale = job.retries != read.job_retries || EndedOf(job, read.indices) != read.asked;
  if (stale) return StartPage(std::move(read), out);
  ShowJobReply show;
  ResultPage page;
  std::vector<Body> sent;
  std::size_t bytes = 0;
  std::size_t at = 0;
  page.next = show.next = read.next;
  for (const TaskIndex index : read.indices) {
    const bool asked = at < read.asked.size() && read.asked[at] == index;
    const TaskRecord* record = asked && at < records.size() && records[at] ? &*records[at] : nullptr;
    Body body = asked && at < bodies.size() ? bodies[at] : nullptr;
    if (asked) ++at;
    ResultItem item = MakeItem(job, index, record);
    if (read.kind == PendingRead::Kind::kResults) item.task.history.clear();
    if (read.kind == PendingRead::Kind::kShow) {
      if (Allowed(read.states, item.task.state)) show.items.push_back(std::move(item.task));
      continue;
    }
    if (body) {
      if (bytes > 0 && bytes + body->size() > limits::kPageBytes) {
        page.next = index;
        break;
      }
      bytes += body->size();
      item.body = static_cast<std::int32_t>(sent.size());
      sent.push_back(std::move(body));
    }
    page.items.push_back(std::move(item));
  }
  if (read.kind == PendingRead::Kind::kShow) {
    show.job = Summarise(job);
    show.failures = job.failures;
    out.Reply(PeerRole::kClient, read.caller.instance, read.correlation, std::move(show), /*promise=*/true);
  } else {
    page.total = job.total();
    out.Reply(PeerRole::kClient, read.caller.instance, read.correlation, std::move(page), /*promise=*/true,
              std::move(sent));
  }
}

// From the stored record when there is one, from the live state otherwise, else from what ended the job as a whole.
ResultItem BrokerCore::MakeItem(const Job& job, TaskIndex index, const TaskRecord* record) const {
  ResultItem item;
  TaskSummary& task = item.task;
  const JobSpec& spec = job.spec();
  TaskPoint point = spec.sweep.At(index);
  task.index = index;
  if (!spec.sweep.targets.empty()) task.target = spec.sweep.targets[point.target].name;
  if (auto params = TaskParams(job.manifest(), point.params)) task.params = std::move(*params);
  item.solver = spec.solver;
  item.identity = job.identity;
  // A record that is not final tells of earlier attempts only.
  if (record != nullptr && IsFinal(record->state)) {
    task.state = record->state;
    task.attempt = record->attempt;
    task.worker = record->worker;
    task.cached = IsFromCache(record->via);
    task.progress = record->state == TaskState::kCompleted ? 1 : 0;
    task.queue_wait_s = record->queue_wait_s;
    task.run_s = record->run_s;
    task.error = record->error;
    if (record->history) task.history = *record->history;
    if (record->key) {
      item.key = record->key->Hex();
      if (ValueMap rounded = RoundedParams(job.manifest(), task.params); !rounded.empty()) item.key_params = rounded;
    }
    if (!record->identity.empty()) item.identity = record->identity;
    item.host = record->host;
    item.computed_at_ms = record->computed_at_ms;
    item.compute_s = record->compute_s;
    item.via = record->via;
    return item;
  }
  if (job.tasks_released() || job.InRemainder(index)) {
    task.state = job.remainder().value_or(job.state());
    task.error = job.remainder_error();
    return item;
  }
  task.state = job.StateOf(index);
  if (const TaskExtra* extra = job.FindExtra(index)) {
    task.attempt = extra->attempt;
    task.progress = extra->progress;
    task.error = extra->last_error;
    task.history = extra->history;
    if (const Execution* execution = executions_.Find(extra->execution);
        execution != nullptr && execution->at_worker()) {
      task.worker = execution->worker_name;
      task.queue_wait_s = static_cast<double>(execution->dispatched_ms - job.enqueued_ms) / 1000.0;
    }
  }
  return item;
}

std::size_t BrokerCore::WatchedBy(const std::string& instance) const {
  const auto session = clients_.find(instance);
  if (session == clients_.end()) return 0;
  std::size_t jobs = 0;
  for (const std::uint64_t correlation : session->second.watches) {
    const auto watch = watches_.find({instance, correlation});
    // An empty one costs too.
    if (watch != watches_.end()) jobs += std::max<std::size_t>(watch->second.jobs.size(), 1);
  }
  return jobs;
}

void BrokerCore::EndWatch(const WatchKey& key) {
  const auto watch = watches_.find(key);
  if (watch == watches_.end()) return;
  for (const JobId id : watch->second.jobs) {
    const auto watchers = watchers_of_.find(id);
    if (watchers == watchers_of_.end()) continue;  // the job is gone
    watchers->second.erase(key);
    if (watchers->second.empty()) watchers_of_.erase(watchers);
  }
  watches_.erase(watch);
  if (const auto session = clients_.find(key.first); session != clients_.end())
    session->second.watches.erase(key.second);
}

void BrokerCore::HandleWatch(const Caller& caller, const Watch& request, std::uint64_t correlation, Now now,
                             Outbox& out) {
  const WatchKey key{caller.instance, correlation};
  EndWatch(key);
  if (request.jobs.empty()) return;
  const std::set<JobId> wanted(request.jobs.begin(), request.jobs.end());
  if (wanted.size() + WatchedBy(caller.instance) > limits::kWatchedJobs) {
    Error error = Error::Make(ErrorCode::kRefused, "a client watches at most " + std::to_string(limits::kWatchedJobs) +
                                                       " jobs at a time (limits.watched_jobs); watch fewer");
    return ReplyError(caller, correlation, error, out);
  }
  for (const JobId id : wanted) {
    if (auto found = FindJob(caller, id); !found) return ReplyError(caller, correlation, found.error(), out);
  }
  WatchState watch;
  watch.instance = caller.instance;
  watch.correlation = correlation;
  for (const JobId id : request.jobs) {  // in the order asked, each once
    if (watchers_of_[id].insert(key).second) watch.jobs.push_back(id);
  }
  watch.urgent = true;
  watch.last_sent_ms = now.monotonic_ms() - kPushIntervalMs;
  clients_[caller.instance].watches.insert(correlation);
  watches_[key] = std::move(watch);
}

void BrokerCore::HandleUpdateAck(const Caller& caller, const UpdateAck& ack, std::uint64_t correlation) {
  const auto it = watches_.find({caller.instance, correlation});
  if (it != watches_.end() && it->second.sequence == ack.sequence) it->second.acknowledged = true;
}

void BrokerCore::Touch(const Job& job, bool finished) {
  const auto watchers = watchers_of_.find(job.id());
  if (watchers == watchers_of_.end()) return;
  for (const WatchKey& key : watchers->second) {
    WatchState& watch = watches_.at(key);
    watch.dirty = true;
    watch.urgent = watch.urgent || finished;
  }
}

// One unacknowledged update a watch at a time: a slow client gets fewer, later ones, and never holds the broker up.
void BrokerCore::PushUpdates(Now now, Outbox& out) {
  watch_deadline_ms_ = -1;
  for (auto& [key, watch] : watches_) {
    if (!watch.dirty || !watch.acknowledged) continue;
    const std::int64_t due = watch.last_sent_ms + kPushIntervalMs;
    if (!watch.urgent && due > now.monotonic_ms()) {
      if (watch_deadline_ms_ < 0 || due < watch_deadline_ms_) watch_deadline_ms_ = due;
      continue;
    }
    JobUpdate update;
    update.sequence = ++watch.sequence;
    for (const JobId id : watch.jobs) {
      if (const auto it = jobs_.find(id); it != jobs_.end()) update.jobs.push_back(Summarise(*it->second));
    }
    watch.dirty = false;
    watch.urgent = false;
    watch.acknowledged = false;
    watch.last_sent_ms = now.monotonic_ms();
    out.Reply(PeerRole::kClient, watch.instance, watch.correlation, std::move(update), /*promise=*/true);
  }
}

void BrokerCore::DropSession(const std::string& instance, Outbox& out) {
  const auto session = clients_.find(instance);
  if (session == clients_.end()) return;
  for (const std::uint64_t correlation : std::set<std::uint64_t>(session->second.watches)) {
    EndWatch({instance, correlation});
  }
  clients_.erase(session);
  out.Push(ForgetPeer{PeerRole::kClient, instance});
  std::erase_if(pending_cancels_, [&](const PendingCancel& cancel) { return cancel.instance == instance; });
}

}  // namespace icarus::broker
