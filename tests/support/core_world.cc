#include "tests/support/core_world.h"

#include "common/base/check.h"
#include "common/base/overloaded.h"

namespace icarus::broker::testing {
CoreWorld::CoreWorld(CoreConfig config, const Catalogue& catalogue)
    : config_(std::move(config)), catalogue_(catalogue) {
  config_.unpacked_jobs = 0;  // every idle job is packed, every turn
  core_ = std::make_unique<BrokerCore>(catalogue_, config_, BrokerIdentity{"broker", "test", "lineage", epoch_}, 1);
  core_->FinishRecovery(now(), out_);
  Turn();
  AddClient("alice", "alice");
}

Now CoreWorld::now() const {
  Now now;
  now.monotonic = std::chrono::milliseconds(now_ms_);
  now.wall_ms = wall_offset_ms_ + now_ms_;
  return now;
}

void CoreWorld::AddClient(const std::string& name, const std::string& user, bool admin) {
  callers_[name] = Caller{name, user, admin};
  Hello hello;
  hello.instance = name;
  core_->OnHello(callers_[name], hello, 0, now(), out_);
  Turn();
}

void CoreWorld::AddWorker(const std::string& name, int slots, std::map<std::string, std::string> solvers,
                          std::vector<HeldExecution> held, const std::string& replaces) {
  callers_[name] = Caller{name, "root", true};
  if (solvers.empty()) solvers = {{"noop", "1+1"}, {"command", "1+1"}, {"panel", "1+1"}};
  Hello hello;
  hello.role = PeerRole::kWorker;
  hello.instance = name;
  hello.worker = WorkerHello{};
  hello.worker->name = name;
  hello.worker->slots = slots;
  hello.worker->solvers = std::move(solvers);
  hello.worker->held = std::move(held);
  hello.worker->replaces = replaces;
  core_->OnHello(callers_[name], hello, 0, now(), out_);
  Turn();
}

JobSpec CoreWorld::Noop(const std::string& axis, int priority) {
  JobSpec spec;
  spec.analysis = "noop";
  spec.priority = priority;
  if (!axis.empty()) spec.sweep.axes.push_back(Axis{{AxisColumn{"i", *ParseValues(axis)}}});
  return spec;
}

JobSpec CoreWorld::Polar(const std::string& reynolds, CachePolicy cache) {
  JobSpec spec;
  spec.analysis = "airfoil_polar";
  spec.solver = "panel";
  spec.sweep.targets.push_back({"naca2412", ""});
  spec.sweep.axes.push_back(Axis{{AxisColumn{"reynolds", *ParseValues(reynolds)}}});
  spec.cache = cache;
  return spec;
}

JobId CoreWorld::Submit(JobSpec spec, const std::string& client, const std::string& id) {
  icarus::Submit request;
  request.id = id.empty() ? "id-" + std::to_string(correlation_ + 1) : id;
  request.spec = std::move(spec);
  return Ask<SubmitReply>(client, std::move(request)).job;
}

std::optional<ErrorReply> CoreWorld::LastError(const std::string& client) {
  const auto it = answers_.find(client);
  if (it == answers_.end() || it->second.empty()) return std::nullopt;
  const auto* error = it->second.back().payload.get_if<ErrorReply>();
  return error == nullptr ? std::nullopt : std::optional<ErrorReply>(*error);
}

void CoreWorld::Deliver(const Caller& caller, Message message) {
  core_->OnMessage(caller, std::move(message), now(), out_);
  Turn();
}

void CoreWorld::Turn() {
  do {
    core_->EndTurn(now(), out_);
    for (Effect& effect : out_.Take()) Apply(std::move(effect));
  } while (core_->HasMoreWork() || !out_.empty());
  const std::string wrong = core_->CheckInvariants();
  if (!wrong.empty()) std::fprintf(stderr, "invariant: %s\n", wrong.c_str());
  ICARUS_CHECK(wrong.empty());
}

void CoreWorld::Store(const Record& record) {
  std::visit(Overloaded{
                 [&](const PutJob& put) {
                   jobs_[put.job.job] = put.job;
                   last_job_ = std::max(last_job_, put.job.job.value);
                 },
                 [&](const PutJobStatus& put) { statuses_[put.status.job] = put.status; },
                 [&](const DeleteJob& gone) { jobs_.erase(gone.job); },
                 [&](const PutTask& put) {
                   tasks[put.task] = put.record;
                   bodies[put.task] = put.body;
                   if (put.record.state == TaskState::kCompleted) ++completions_[put.task];
                 },
                 [&](const DeleteTask& gone) { tasks.erase(gone.task); },
                 [&](const PutDispatch& put) { dispatches[put.dispatch.id] = put.dispatch; },
                 [&](const DeleteDispatch& gone) { dispatches.erase(gone.id); },
                 [&](const PutSetting& put) { settings_[put.key] = put.value; },
                 [&](const DeleteSetting& gone) { settings_.erase(gone.key); },
                 [](const PutEvents&) {},
                 [](const DeleteEvents&) {},
                 [&](const PutCacheCounters& put) { cache_counters_ = put.counters; },
                 [](const KeepTime&) {},
             },
             record);
}

void CoreWorld::Apply(Effect effect) {
  std::visit(
      Overloaded{
          [&](SendMessage& send) {
            if (auto* dispatch = send.message.payload.get_if<Dispatch>()) {
              for (const DispatchGroup& group : dispatch->groups) {
                for (const DispatchTask& task : group.tasks) {
                  dispatched_[send.instance].push_back(
                      {group.job, task.index, task.execution, task.token, task.attempt, task.params, group.priority,
                       task.kept.value_or(std::vector<FileRef>()), group.cache.value_or(CachePolicy::kDefault)});
                }
              }
            } else if (auto* stop = send.message.payload.get_if<StopExecutions>()) {
              auto& stops = stop->recall ? recalls_[send.instance] : stops_[send.instance];
              stops.insert(stops.end(), stop->executions.begin(), stop->executions.end());
            } else if (auto* ack = send.message.payload.get_if<ResultsAck>()) {
              acknowledged.insert(ack->executions.begin(), ack->executions.end());
            } else {
              answers_[send.instance].push_back(std::move(send.message));
            }
          },
          [&](Persist& persist) { Store(persist.record); },
          [&](ReadCache& read) {
            const auto it = cache_.find(read.key);
            CacheReadEnd end = it == cache_.end() ? CacheReadEnd::kGone : CacheReadEnd::kFound;
            if (reads_end_ != CacheReadEnd::kFound) end = reads_end_;
            core_->OnCacheRead(read.key, end, end == CacheReadEnd::kFound ? it->second.second : nullptr, now(), out_);
          },
          [&](PutCache& put) {
            cache_[put.key] = {put.entry, put.body};
          },
          [&](UseCache& use) {
            if (const auto it = cache_.find(use.key); it != cache_.end()) it->second.first.last_used = use.last_used;
          },
          [&](SendAfterCache& after) { answers_[after.send.instance].push_back(std::move(after.send.message)); },
          [&](RemoveCache& remove) {
            for (const ContentHash& key : remove.keys) cache_.erase(key);
          },
          [&](ClearCache&) { cache_.clear(); },
          [&](ReleaseMemory& release) {
            if (release.clear) cache_.clear();
            core_->OnMemoryReleased(release.ticket, release.caches ? 3 : 0, 4096, out_);
          },
          [&](ReadTasks& read) {
            std::vector<std::optional<TaskRecord>> records;
            std::vector<Body> found;
            for (const TaskIndex index : read.indices) {
              const auto it = tasks.find({read.job, index});
              records.push_back(it == tasks.end() ? std::nullopt : std::optional<TaskRecord>(it->second));
              found.push_back(it == tasks.end() || !read.bodies ? nullptr : bodies[it->first]);
            }
            core_->OnTasksRead(read.ticket, records, std::move(found), now(), out_);
          },
          [&](SettingLearned& learned) { settings_[learned.key] = learned.value; },
          [](ForgetPeer&) {},
          [](Note&) {},
          [&](KeepEvent& kept) { happened.push_back(kept.event); },
      },
      effect);
}

std::vector<GivenTask> CoreWorld::TakeDispatched(const std::string& worker) {
  return std::exchange(dispatched_[worker], {});
}

std::vector<ExecutionId> CoreWorld::TakeRecalls(const std::string& worker) {
  return std::exchange(recalls_[worker], {});
}

std::vector<ExecutionId> CoreWorld::TakeStops(const std::string& worker) { return std::exchange(stops_[worker], {}); }

void CoreWorld::Start(const std::string& worker, const GivenTask& task) {
  TaskEvents events;
  events.started.push_back(task.execution);
  Deliver(callers_.at(worker), Message{0, events, {}});
}

ExecutionResult CoreWorld::MakeResult(const GivenTask& task, TaskState outcome) const {
  ExecutionResult result;
  result.execution = task.execution;
  result.token = task.token;
  result.outcome = outcome;
  result.finished_at_ms = now().wall_ms;
  return result;
}

void CoreWorld::SendResult(const std::string& worker, ExecutionResult result, const std::string& body) {
  Results results;
  std::vector<Body> sent;
  if (result.outcome == TaskState::kCompleted) {
    result.body = 0;
    sent.push_back(std::make_shared<const std::string>(body));
  }
  results.results.push_back(std::move(result));
  Deliver(callers_.at(worker), Message{0, results, sent});
}

void CoreWorld::Finish(const std::string& worker, const GivenTask& task, TaskState outcome, TaskErrorKind kind,
                       double run_s, const std::string& body) {
  ExecutionResult result = MakeResult(task, outcome);
  result.run_s = run_s;
  if (kind != TaskErrorKind::kNone) result.error = TaskError{kind, std::string(TaskErrorName(kind)), {}, {}};
  SendResult(worker, std::move(result), body);
}

void CoreWorld::FinishUncacheable(const std::string& worker, const GivenTask& task) {
  ExecutionResult result = MakeResult(task, TaskState::kCompleted);
  result.cacheable = false;
  SendResult(worker, std::move(result), "partial");
}

void CoreWorld::Stop(const std::string& worker, const GivenTask& task, TaskState outcome, std::vector<FileRef> kept) {
  ExecutionResult result = MakeResult(task, outcome);
  const bool timed_out = outcome == TaskState::kTimedOut;
  result.error = TaskError{timed_out ? TaskErrorKind::kTimedOut : TaskErrorKind::kCancelled, "stopped", {}, {}};
  result.kept = std::move(kept);
  SendResult(worker, std::move(result), "");
}

void CoreWorld::ReturnTask(const std::string& worker, const GivenTask& task) {
  TaskEvents events;
  events.returned.push_back({task.execution, task.token, false});
  Deliver(callers_.at(worker), Message{0, events, {}});
}

void CoreWorld::Beat(const std::string& worker) { Deliver(callers_.at(worker), Message{0, Heartbeat{}, {}}); }

void CoreWorld::Advance(std::int64_t ms) {
  now_ms_ += ms;
  Turn();
}

void CoreWorld::Restart() {
  ++epoch_;
  answers_.clear();
  dispatched_.clear();
  stops_.clear();
  recalls_.clear();
  CoreConfig config = config_;
  for (const auto& [key, value] : settings_) {
    const std::string prefix = "solvers.";
    if (key.rfind(prefix, 0) == 0)
      config.solver_default[key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size())] = value;
  }
  core_ = std::make_unique<BrokerCore>(catalogue_, config, BrokerIdentity{"broker", "test", "lineage", epoch_}, epoch_);
  for (const auto& [id, record] : jobs_) {
    ICARUS_CHECK(core_->RecoverJob(record).has_value());
    const auto status = statuses_.find(id);
    if (status != statuses_.end()) core_->RecoverStatus(status->second);
    for (const auto& [task, stored] : tasks) {
      if (task.job == id) core_->RecoverTask(task, stored);
    }
  }
  for (const auto& [id, record] : dispatches) core_->RecoverDispatch(record);
  for (const auto& [key, value] : cache_) core_->RecoverCacheEntry(key, value.first);
  core_->RecoverLastJob(last_job_);
  core_->RecoverCacheCounters(cache_counters_);
  core_->FinishRecovery(now(), out_);
  Turn();
  AddClient("alice", "alice");
}

void CoreWorld::Configure(CoreConfig config) {
  config_ = std::move(config);
  core_->OnConfigChanged(config_, now(), out_);
  Turn();
}

TaskState CoreWorld::StateOf(JobId job, TaskIndex index) {
  const Job& found = *core_->jobs().at(job);
  if (!found.tasks_released()) return found.StateOf(index);
  const auto it = tasks.find({job, index});
  return it == tasks.end() ? found.remainder().value_or(TaskState::kPending) : it->second.state;
}

int CoreWorld::completions(TaskRef task) const {
  const auto it = completions_.find(task);
  return it == completions_.end() ? 0 : it->second;
}

}  // namespace icarus::broker::testing
