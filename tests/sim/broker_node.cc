#include "tests/sim/broker_node.h"

#include <algorithm>

#include "common/base/overloaded.h"
#include "common/model/limits.h"

namespace icarus::sim {
namespace {

constexpr const char* kLineage = "sim";
constexpr std::size_t kMessagesPerTurn = 16;  // few, so that turns interleave

}  // namespace

Now BrokerNode::Clock() const {
  Now now = clock.At(world_.scheduler.now());
  now.monotonic += clock_offset_;
  return now;
}

Time BrokerNode::Latency(Time usual) {
  if (world_.random.Below(100) == 0) return usual * 50;
  return usual / 2 + static_cast<Time>(world_.random.Below(static_cast<std::uint64_t>(usual)));
}

void BrokerNode::Start() {
  ++life_;
  instance_ = "broker-" + std::to_string(life_);
  paused_until_ = 0;
  ++world_.store.epoch;  // synced before anything else
  world_.oracle.OnRecovered(world_.store.sequence);
  clock_offset_ = Milliseconds(world_.store.clock_ms) - clock.At(world_.scheduler.now()).monotonic;
  world_.trace.Add(world_.scheduler.now(), "broker starts, epoch " + std::to_string(world_.store.epoch));
  Recover();
  for (const PeerRole role : {PeerRole::kClient, PeerRole::kWorker}) {
    world_.network.BrokerUp(role, [this, role](const std::string& routing_id, Message message) {
      OnArrival(role, routing_id, std::move(message));
    });
  }
  WakeAt(world_.scheduler.now());
}

void BrokerNode::Recover() {
  broker::CoreConfig config = config_;
  for (const auto& [key, value] : world_.store.settings) {
    const std::string prefix = "solvers.";
    if (key.rfind(prefix, 0) != 0) continue;
    config.solver_default[key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size())] = value;
  }
  const broker::BrokerIdentity identity{instance_, "sim", kLineage, world_.store.epoch};
  core_ = std::make_unique<broker::BrokerCore>(Catalogue::BuiltIn(), config, identity, world_.store.epoch);
  gate_.emplace(world_.store.sequence);
  core_->RecoverLastJob(world_.store.last_job);
  for (const auto& [id, job] : world_.store.jobs) {
    if (const Status done = core_->RecoverJob(job.record); !done) world_.oracle.Fail(done.error().message);
    if (job.status) core_->RecoverStatus(*job.status);
    if (job.status && job.status->finished_at_ms != 0) continue;
    for (const auto& [index, task] : job.tasks) core_->RecoverTask({id, index}, task);
  }
  for (const auto& [id, dispatch] : world_.store.dispatches) core_->RecoverDispatch(dispatch);
  for (const auto& [key, value] : cache_) core_->RecoverCacheEntry(key, value.entry);
  core_->FinishRecovery(Clock(), out_);
}

void BrokerNode::Crash() {
  if (!running()) return;
  world_.trace.Add(world_.scheduler.now(), "broker crashes");
  // The batch in flight is on disk, or it is not.
  if (writing_ && world_.random.Below(2) == 0) WriteBatch(*writing_);
  writing_.reset();
  // The cache is not synced: some of the last values are gone.
  const std::uint64_t lost_after = cache_order_ - std::min<std::uint64_t>(cache_order_, world_.random.Below(4));
  std::erase_if(cache_, [&](const auto& entry) { return entry.second.order > lost_after; });
  core_.reset();
  gate_.reset();
  for (auto& peers : peers_) peers = broker::PeerDirectory();
  inbox_.clear();
  completions_.clear();
  static_cast<void>(out_.Take());
  storage_reason_.clear();
  disk_fails_ = false;
  wake_at_.reset();
  ++life_;
  world_.network.BrokerDown();
}

void BrokerNode::Pause(Time for_ns) {
  paused_until_ = std::max(paused_until_, world_.scheduler.now() + for_ns);
  WakeAt(paused_until_);
}

void BrokerNode::Calm() {
  disk_full_until_ = 0;
  disk_fails_ = false;
}

void BrokerNode::WakeAt(Time time) {
  if (!running()) return;
  time = std::max({time, world_.scheduler.now(), paused_until_});
  if (wake_at_ && *wake_at_ <= time) return;
  wake_at_ = time;
  world_.scheduler.At(time, [this, life = life_, time] {
    if (life != life_ || !wake_at_ || *wake_at_ != time) return;
    wake_at_.reset();
    if (paused_until_ > world_.scheduler.now()) return WakeAt(paused_until_);
    Turn();
  });
}

void BrokerNode::Later(Time delay, std::function<void()> action) {
  world_.scheduler.After(delay, [this, life = life_, action = std::move(action)] {
    if (life != life_) return;
    completions_.push_back(action);
    WakeAt(world_.scheduler.now());
  });
}

void BrokerNode::OnArrival(PeerRole role, const std::string& routing_id, Message message) {
  inbox_.push_back({role, routing_id, std::move(message)});
  WakeAt(world_.scheduler.now() + 5 * kMicrosecond);
}

void BrokerNode::SayUnknown(const std::string& routing_id, MessageStamp about) {
  world_.network.SendToPeer(routing_id, Message{0, HeartbeatReply{false, false}, {}, about});
}

void BrokerNode::Handle(Received received) {
  broker::PeerDirectory& peers = peers_[static_cast<int>(received.role)];
  const std::string process = received.routing_id.substr(0, received.routing_id.find(':'));
  broker::Caller caller{"", process, process == "admin"};
  if (const auto* hello = received.message.payload.get_if<Hello>()) {
    if (!peers.OnHello(received.routing_id, hello->instance, received.message.stamp)) return;
    caller.instance = hello->instance;
    core_->OnHello(caller, *hello, received.message.correlation, Clock(), out_);
    return;
  }
  const auto sender = peers.OnMessage(received.routing_id, received.message.stamp);
  if (sender.kind == broker::PeerDirectory::Sender::Kind::kUnknown) {
    SayUnknown(received.routing_id, {received.message.stamp.session, 0});
  }
  if (sender.kind != broker::PeerDirectory::Sender::Kind::kKnown) return;
  caller.instance = sender.instance;
  const auto* results = received.message.payload.get_if<Results>();
  if (results != nullptr) taken_results_.insert(taken_results_.end(), results->results.begin(), results->results.end());
  if (!core_->OnMessage(caller, std::move(received.message), Clock(), out_)) {
    SayUnknown(received.routing_id, peers.SessionStamp(caller.instance));
    taken_results_.clear();
  }
  if (results != nullptr) CheckFencing();
}

// What the core made of the results that it was just given. Its effects stay where they are.
void BrokerNode::CheckFencing() {
  std::vector<broker::Effect> effects = out_.Take();
  std::set<std::string> refused;
  for (const broker::Effect& effect : effects) {
    const auto* note = std::get_if<broker::Note>(&effect);
    if (note == nullptr || note->event != "stale result refused") continue;
    for (const auto& [key, value] : note->fields) {
      if (key == "execution") refused.insert(value);
    }
  }
  for (const ExecutionResult& result : std::exchange(taken_results_, {})) {
    world_.oracle.OnResultTaken(result, refused.contains(std::to_string(result.execution.value)));
  }
  for (broker::Effect& effect : effects) {
    if (const auto* persist = std::get_if<broker::Persist>(&effect)) {
      if (const auto* put = std::get_if<broker::PutDispatch>(&persist->record)) {
        world_.oracle.OnDispatchDecided(put->dispatch, Clock().monotonic_ms());
      }
    }
    out_.Push(std::move(effect));
  }
}

// As the program takes it: workers' messages before clients', then what came back, then deadlines, then effects.
void BrokerNode::Turn() {
  bool more = false;
  std::stable_sort(inbox_.begin(), inbox_.end(), [](const Received& a, const Received& b) { return a.role > b.role; });
  for (std::size_t i = 0; i < kMessagesPerTurn && !inbox_.empty(); ++i) {
    Received received = std::move(inbox_.front());
    inbox_.pop_front();
    Handle(std::move(received));
  }
  more = !inbox_.empty();
  for (auto& completion : std::exchange(completions_, {})) completion();
  if (!running()) return;
  core_->OnStorageState(storage_reason_);
  core_->EndTurn(Clock(), out_);
  std::vector<broker::Effect> effects = out_.Take();
  for (const broker::Effect& effect : effects) {
    const auto* persist = std::get_if<broker::Persist>(&effect);
    const auto* put = persist == nullptr ? nullptr : std::get_if<broker::PutDispatch>(&persist->record);
    if (put != nullptr) world_.oracle.OnDispatchDecided(put->dispatch, Clock().monotonic_ms());
  }
  Perform(gate_->Add(std::move(effects)));
  Pump();
  if (const std::string wrong = core_->CheckInvariants(); !wrong.empty()) world_.oracle.Fail("invariant: " + wrong);
  if (more || core_->HasMoreWork() || !completions_.empty()) return WakeAt(world_.scheduler.now() + kMicrosecond);
  if (const auto due = core_->NextDeadlineMs()) {
    WakeAt(clock.WhenShows(Milliseconds(*due) - clock_offset_));
  }
}

void BrokerNode::Pump() {
  if (writing_) return;
  writing_ = gate_->Seal(Clock().monotonic_ms());
  if (!writing_) return;
  if (disk_fails_ || disk_full_until_ > world_.scheduler.now()) storage_reason_ = "the disk is full";
  world_.scheduler.After(Latency(400 * kMicrosecond), [this, life = life_] {
    if (life == life_) OnWritten();
  });
}

namespace {

std::string Describe(const broker::Record& record) {
  const auto text = [](std::uint64_t value) { return std::to_string(value); };
  const auto describe = Overloaded{
      [&](const broker::PutTask& put) {
        return "task " + FormatTask(put.task) + " " + std::string(StateName(put.record.state)) + " attempt " +
               text(put.record.attempt) + " generation " + text(put.record.generation);
      },
      [&](const broker::PutJobStatus& put) {
        const auto& remainder = put.status.remainder;
        return "status " + text(put.status.job.value) + " remainder " +
               (remainder ? std::string(StateName(*remainder)) : "none") + (put.status.closed ? " closed" : "") +
               (put.status.finished_at_ms != 0 ? " finished" : "");
      },
      [&](const broker::PutDispatch& put) {
        std::string line = "dispatch " + text(put.dispatch.id >> 40) + "/" + text(put.dispatch.id & 0xffffff) + " to " +
                           put.dispatch.worker_instance + ":";
        for (const auto& task : put.dispatch.tasks) line += " " + FormatTask({task.job, task.index});
        return line;
      },
      [&](const broker::DeleteDispatch& gone) {
        return "dispatch " + text(gone.id >> 40) + "/" + text(gone.id & 0xffffff) + " gone";
      },
      [&](const broker::PutJob& put) { return "job " + text(put.job.job.value); },
      [](const auto&) { return std::string(); },
  };
  return std::visit(describe, record);
}

}  // namespace

void BrokerNode::WriteBatch(const broker::RecordBatch& batch) {
  if (world_.trace.keeps()) {
    for (const broker::Record& record : batch.records) {
      if (const std::string line = Describe(record); !line.empty()) {
        world_.trace.Say(world_.scheduler.now(), "  disk " + std::to_string(batch.sequence) + ": " + line);
      }
    }
  }
  world_.oracle.BeforeBatch(batch);
  world_.store.Apply(batch);
  world_.oracle.AfterBatch();
}

void BrokerNode::OnWritten() {
  if (disk_fails_) {  // the state of the disk is unknown: the process ends, and another begins from what is there
    world_.trace.Add(world_.scheduler.now(), "broker ends: disk error");
    Crash();
    world_.scheduler.After(kSecond, [this] {
      if (!running()) Start();
    });
    return;
  }
  if (disk_full_until_ > world_.scheduler.now()) {  // the same batch is tried again
    storage_reason_ = "the disk is full";
    world_.scheduler.After(kSecond, [this, life = life_] {
      if (life == life_) OnWritten();
    });
    WakeAt(world_.scheduler.now());
    return;
  }
  storage_reason_.clear();
  WriteBatch(*writing_);
  const std::uint64_t sequence = std::exchange(writing_, std::nullopt)->sequence;
  completions_.push_back([this, sequence] {
    Perform(gate_->OnDurable(sequence));
    Pump();
  });
  WakeAt(world_.scheduler.now());
}

void BrokerNode::Send(PeerRole role, const std::string& instance, Message message) {
  broker::PeerDirectory& peers = peers_[static_cast<int>(role)];
  const std::string* routing_id = peers.RoutingIdOf(instance);
  if (routing_id == nullptr) return;
  message.stamp = peers.NextStamp(instance);
  if (!world_.network.SendToPeer(*routing_id, std::move(message))) peers.Forget(std::string(instance));
}

void BrokerNode::Perform(std::vector<broker::Effect> effects) {
  const auto perform = Overloaded{
      [&](broker::SendMessage& send) { Send(send.role, send.instance, std::move(send.message)); },
      [&](broker::ReadTasks& read) { ReadTasks(read); },
      [&](broker::ReadCache& read) { ReadCache(read.key); },
      [&](broker::PutCache& put) {
        // Now and then the disk is full, or the cache has too much to do.
        if (world_.random.Below(50) == 0) return LosePut(put);
        cache_[put.key] = {put.entry, put.body, ++cache_order_};
      },
      [&](broker::UseCache& use) {
        if (const auto found = cache_.find(use.key); found != cache_.end())
          found->second.entry.last_used = use.last_used;
      },
      [&](broker::SendAfterCache& after) { Send(after.send.role, after.send.instance, std::move(after.send.message)); },
      [&](broker::RemoveCache& remove) {
        for (const ContentHash& key : remove.keys) cache_.erase(key);
      },
      [&](broker::ClearCache&) { cache_.clear(); },
      [&](broker::ReleaseMemory& release) {
        if (release.clear) cache_.clear();
        Later(Latency(100 * kMicrosecond),
              [this, ticket = release.ticket] { core_->OnMemoryReleased(ticket, 0, 0, out_); });
      },
      [&](broker::ForgetPeer& peer) { peers_[static_cast<int>(peer.role)].Forget(peer.instance); },
      [](broker::KeepEvent&) {},
      [&](broker::Note& note) {
        if (world_.trace.keeps()) {
          std::string text = "broker: " + note.event;
          for (const auto& [key, value] : note.fields) text += " " + key + "=" + value;
          world_.trace.Say(world_.scheduler.now(), text);
        }
        if (note.event != "stale result refused") return;
        for (const auto& [key, value] : note.fields) {
          if (key == "execution") world_.oracle.OnRefused(ExecutionId(std::stoull(value)));
        }
      },
      [](auto&) {},
  };
  for (broker::Effect& effect : effects) std::visit(perform, effect);
}

void BrokerNode::ReadTasks(const broker::ReadTasks& read) {
  Later(Latency(100 * kMicrosecond), [this, read] {
    std::vector<std::optional<broker::TaskRecord>> records;
    std::vector<Body> bodies;
    const auto job = world_.store.jobs.find(read.job);
    for (const TaskIndex index : read.indices) {
      const bool there = job != world_.store.jobs.end() && job->second.tasks.contains(index);
      records.push_back(there ? std::optional(job->second.tasks.at(index)) : std::nullopt);
      const bool with_body = there && read.bodies && records.back()->has_body;
      bodies.push_back(with_body ? job->second.bodies.at(index) : nullptr);
    }
    core_->OnTasksRead(read.ticket, records, std::move(bodies), Clock(), out_);
  });
}

void BrokerNode::LosePut(const broker::PutCache& put) {
  if (put.replaces) cache_.erase(put.key);
  Later(Latency(100 * kMicrosecond), [this, key = put.key] { core_->OnCachePutsLost({key}); });
}

void BrokerNode::ReadCache(const ContentHash& key) {
  Later(Latency(100 * kMicrosecond), [this, key] {
    const auto found = cache_.find(key);
    const bool broken = world_.plan.Has(Fault::kCacheDamage) && world_.random.Below(5) == 0;
    broker::CacheReadEnd end = broker::CacheReadEnd::kFound;
    if (found == cache_.end()) end = broker::CacheReadEnd::kGone;
    constexpr std::array kBroken{broker::CacheReadEnd::kGone, broker::CacheReadEnd::kDamaged,
                                 broker::CacheReadEnd::kFailed};
    if (broken) end = kBroken.at(world_.random.Below(kBroken.size()));
    const Body body = end == broker::CacheReadEnd::kFound ? found->second.body : nullptr;
    core_->OnCacheRead(key, end, body, Clock(), out_);
  });
}

}  // namespace icarus::sim
