// Random histories: whatever happens in whatever order, slots are never exceeded and every dispatch ends exactly once.
#include <rapidcheck.h>

#include <map>

#include "tests/unit/worker/core/core_fixture.h"

namespace icarus::worker {
namespace {

constexpr std::int32_t kSlots = 3;

// The world around the core: a broker that remembers what it dispatched, and a launcher that runs it.
class World {
 public:
  World() : core_(TestOptions(kSlots)) {
    core_.Start(now_);
    Settle();
  }

  void Step() {
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
      case 1:
      case 2: DispatchSome(); break;
      case 3: FinishOne(false); break;
      case 4: FinishOne(true); break;
      case 5: StopOne(*rc::gen::arbitrary<bool>()); break;
      case 6: AckSome(); break;
      case 7: core_.OnDisconnected(now_); break;
      case 8: BeatBack(); break;
      case 9: TransferOne(); break;
      default: now_.monotonic += Milliseconds(*rc::gen::inRange(0, 4000)); break;
    }
    Settle();
  }

  // Everything that runs is let end, everything is acknowledged: nothing may be left then.
  void RunToTheEnd() {
    for (int turn = 0; turn < 500 && (core_.held() > 0 || !core_.is_up()); ++turn) {
      while (!running_.empty()) FinishOne(false);
      while (!fetching_.empty() || !uploading_.empty()) TransferOne();
      AckSome();
      now_.monotonic += Milliseconds(1000);
      Settle();
    }
    RC_ASSERT(core_.held() == 0u);
    for (const auto& [key, ends] : ends_) RC_ASSERT(ends == 1);
  }

 private:
  using Key = std::pair<ExecutionId, Token>;

  void BeatBack() {
    const bool known = *rc::gen::arbitrary<bool>();
    draining_ = *rc::gen::inRange(0, 8) == 0;
    core_.OnHeartbeatReply(HeartbeatReply{known, draining_}, now_);
  }

  void DispatchSome() {
    if (!core_.is_up()) return;
    const bool noop = *rc::gen::arbitrary<bool>();
    DispatchGroup group = MakeGroup(noop ? "noop" : "command", {});
    group.priority = *rc::gen::inRange(-2, 3);
    group.resources.cpus = *rc::gen::inRange(1, kSlots + 1);
    group.timeout_ms = *rc::gen::element(0, 500, 5000);
    if (!noop && *rc::gen::inRange(0, 3) == 0) {
      group.command->inputs = {FileRef{"in", HashBytes("in"), 3, 0644, {}}};
    }
    const int count = *rc::gen::inRange(1, 5);
    for (int i = 0; i < count; ++i) {
      // Now and then an execution that was there before, under a newer token.
      const std::uint64_t execution = last_execution_ > 0 && *rc::gen::inRange(0, 4) == 0
                                          ? *rc::gen::inRange<std::uint64_t>(1, last_execution_ + 1)
                                          : ++last_execution_;
      DispatchTask task = MakeTask(execution, ++last_token_);
      if (noop) task.params.emplace("sleep_s", Value(*rc::gen::element(0.0, 0.3, 3.0)));
      const auto older = newest_.find(task.execution);
      if (older != newest_.end()) EndOnce({task.execution, older->second}, true);
      newest_[task.execution] = task.token;
      ends_[{task.execution, task.token}] = 0;
      group.tasks.push_back(std::move(task));
    }
    core_.OnDispatch(Dispatch{{group}}, now_);
    // A worker that drains keeps nothing to know a repetition by.
    if (!draining_ && *rc::gen::inRange(0, 4) == 0) core_.OnDispatch(Dispatch{{group}}, now_);
  }

  // An execution that was dispatched anew is over under its older token, whatever the worker still said of it.
  void EndOnce(const Key& key, bool replaced = false) {
    int& ends = ends_.at(key);
    if (replaced && ends == 1) return;
    RC_ASSERT(ends == 0);
    ends = 1;
  }

  void FinishOne(bool by_itself) {
    if (running_.empty()) return;
    const auto count = static_cast<std::ptrdiff_t>(running_.size());
    const auto at = std::next(running_.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, count));
    AttemptEnd end;
    end.killed = at->second && !by_itself;
    if (end.killed) end.error.kind = TaskErrorKind::kCancelled;
    if (*rc::gen::inRange(0, 4) == 0) end.blobs = {OutputBlob{HashBytes("out"), 3, "/out"}};
    const AttemptId id = at->first;
    running_.erase(at);
    core_.OnAttemptFinished(id, std::move(end), now_);
  }

  void StopOne(bool recall) {
    if (!core_.is_up() || last_execution_ == 0) return;
    const ExecutionId execution(*rc::gen::inRange<std::uint64_t>(1, last_execution_ + 1));
    core_.OnStopExecutions(StopExecutions{{execution}, recall}, now_);
  }

  void AckSome() {
    ResultsAck ack;
    for (const Key& key : std::exchange(arrived_, {})) {
      if (newest_.at(key.first) == key.second) ack.executions.push_back(key.first);
    }
    core_.OnResultsAck(ack);
  }

  void TransferOne() {
    if (!fetching_.empty()) {
      core_.OnBlobFetched(*fetching_.begin(), std::nullopt, now_);
      fetching_.erase(fetching_.begin());
    } else if (!uploading_.empty()) {
      core_.OnBlobUploaded(uploading_.back(), std::nullopt, now_);
      uploading_.pop_back();
    }
  }

  void Settle() {
    core_.OnHeard(now_);
    core_.OnTick(now_);
    for (auto effects = core_.TakeEffects(now_); !effects.empty(); effects = core_.TakeEffects(now_)) {
      for (Effect& effect : effects) std::visit([&](auto& one) { Carry(one); }, effect);
    }
    RC_ASSERT(core_.Broken() == "");
    RC_ASSERT(core_.attempts().slots_used() <= kSlots);
  }

  void Carry(Connect&) { core_.OnConnected(now_); }
  void Carry(StartAttempt& start) { RC_ASSERT(running_.emplace(start.attempt, false).second); }
  void Carry(KillAttempt& kill) {
    RC_ASSERT(running_.contains(kill.attempt));
    running_[kill.attempt] = true;
  }
  void Carry(FetchBlob& fetch) { RC_ASSERT(fetching_.insert(fetch.hash).second); }
  void Carry(UploadBlob& upload) { uploading_.push_back(upload.attempt); }
  void Carry(SendToBroker& send) {
    if (send.payload.is<Hello>()) return Greet(send.payload.get<Hello>());
    RC_ASSERT(core_.is_up());
    if (auto* results = send.payload.get_if<Results>()) TakeResults(*results);
    if (auto* events = send.payload.get_if<TaskEvents>()) TakeEvents(*events);
  }
  template <class T>
  void Carry(T&) {}

  // The broker does not know some of what the worker holds.
  void Greet(const Hello& hello) {
    Welcome welcome;
    std::map<Key, int> held;
    for (const HeldExecution& one : hello.worker->held) {
      const Key key{one.execution, one.token};
      RC_ASSERT(++held[key] == 1);
      if (newest_.at(one.execution) != one.token || *rc::gen::inRange(0, 6) > 0) continue;
      welcome.unknown.push_back(one.execution);
      if (!seen_.contains(key)) EndOnce(key);
      dropped_.insert(key);
    }
    core_.OnWelcome(welcome, now_);
  }

  void TakeResults(const Results& results) {
    for (const ExecutionResult& result : results.results) {
      const Key key{result.execution, result.token};
      RC_ASSERT(newest_.at(result.execution) == result.token);
      RC_ASSERT(!dropped_.contains(key));
      if (seen_.insert(key).second) EndOnce(key);
      arrived_.insert(key);
    }
  }

  void TakeEvents(const TaskEvents& events) {
    for (const HeldExecution& one : events.returned) {
      const Key key{one.execution, one.token};
      if (newest_.at(one.execution) == one.token) EndOnce(key);
    }
  }

  Now now_{Milliseconds(1'000'000), 0};
  WorkerCore core_;
  bool draining_ = false;
  std::uint64_t last_execution_ = 0;
  std::uint64_t last_token_ = 0;
  std::map<ExecutionId, Token> newest_;
  std::map<Key, int> ends_;  // how often each dispatch has ended
  std::set<Key> seen_;       // results that came at least once
  std::set<Key> dropped_;
  std::set<Key> arrived_;              // not acknowledged
  std::map<AttemptId, bool> running_;  // true: a kill was asked for
  std::set<ContentHash> fetching_;
  std::vector<AttemptId> uploading_;
};

TEST(WorkerInvariants, EveryDispatchEndsOnceAndSlotsAreNeverExceeded) {
  const bool ok = rc::check("random histories of a worker", [] {
    World world;
    const int steps = *rc::gen::inRange(1, 80);
    for (int i = 0; i < steps; ++i) world.Step();
    world.RunToTheEnd();
  });
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace icarus::worker
