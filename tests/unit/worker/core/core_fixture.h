// A WorkerCore with a clock in the test's hands and a record of the effects of the last turn.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "worker/core/worker_core.h"

namespace icarus::worker {

CoreOptions TestOptions(std::int32_t slots = 2);
DispatchTask MakeTask(std::uint64_t execution, std::uint64_t token = 0);  // token 0: 1000 + execution
DispatchGroup MakeGroup(const std::string& analysis, std::vector<std::uint64_t> executions);

class CoreTest : public ::testing::Test {
 protected:
  void Make(CoreOptions options);
  void Connect();  // connected and welcomed

  // A turn of the program: the deadline events, then the effects, which replace those of the turn before.
  void Turn();
  void After(std::int64_t ms);  // lets time pass, then a turn

  void DispatchGroups(std::vector<DispatchGroup> groups);
  void DispatchCommands(std::vector<std::uint64_t> executions, std::int64_t timeout_ms = 0, std::int32_t cpus = 1,
                        std::int32_t priority = 0);
  void DispatchSleeps(std::vector<std::uint64_t> executions, double sleep_s, std::int64_t timeout_ms = 0);
  void StopExecution(std::uint64_t execution, bool recall = false);
  void Ack(std::vector<std::uint64_t> executions);
  void Finish(std::uint64_t execution, AttemptEnd end = {});
  AttemptId AttemptOf(std::uint64_t execution);  // the one of the last StartAttempt
  static AttemptEnd Killed();
  static AttemptEnd Failed(TaskErrorKind kind, const std::string& message);

  // Of the last turn.
  template <class T>
  std::vector<T> Did() const {
    std::vector<T> found;
    for (const Effect& effect : effects_) {
      if (const T* match = std::get_if<T>(&effect)) found.push_back(*match);
    }
    return found;
  }
  template <class T>
  std::vector<T> Sent() const {
    std::vector<T> found;
    for (const SendToBroker& send : Did<SendToBroker>()) {
      if (const T* match = send.payload.get_if<T>()) found.push_back(*match);
    }
    return found;
  }
  std::vector<std::uint64_t> StartedNow() const;   // executions handed to the launcher
  std::vector<std::uint64_t> ToldStarted() const;  // in TaskEvents
  std::vector<std::uint64_t> Returned() const;
  std::vector<ExecutionResult> ResultsNow() const;

  std::unique_ptr<WorkerCore> core_;
  Now now_{Milliseconds(1'000'000), 1'700'000'000'000};
  std::vector<Effect> effects_;
  std::map<std::uint64_t, AttemptId> last_attempt_;
};

}  // namespace icarus::worker
