// The gate of a machine, and what the broker makes of it.
#include "broker/core/host_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Telemetry Sample(double memory_percent, double disk_percent = 10) {
  Telemetry sample;
  sample.memory_percent = memory_percent;
  sample.disk_percent = disk_percent;
  return sample;
}

TEST(HostGate, ClosesAtALimitAndOpensWellBelowIt) {
  HostGate gate;
  const HostLimits limits;
  EXPECT_FALSE(gate.OnSample(Sample(84.9), limits, 0));
  EXPECT_TRUE(gate.OnSample(Sample(85), limits, 1'000));
  EXPECT_THAT(gate.held_reason(), HasSubstr("85 % in use"));
  EXPECT_THAT(gate.held_reason(), HasSubstr("throttle.memory_percent"));
  EXPECT_FALSE(gate.OnSample(Sample(76), limits, 60'000)) << "not far enough below";
  EXPECT_THAT(gate.held_reason(), HasSubstr("76 %"));
  EXPECT_TRUE(gate.OnSample(Sample(74), limits, 61'000));
  EXPECT_THAT(gate.held_reason(), IsEmpty());
}

TEST(HostGate, KeepsItsMindForAWhile) {
  HostGate gate;
  const HostLimits limits;
  EXPECT_TRUE(gate.OnSample(Sample(99), limits, 0));
  EXPECT_FALSE(gate.OnSample(Sample(10), limits, 9'999));
  EXPECT_FALSE(gate.held_reason().empty());
  EXPECT_TRUE(gate.OnSample(Sample(10), limits, 10'000));
  EXPECT_FALSE(gate.OnSample(Sample(99), limits, 15'000));
}

TEST(HostGate, AFullDiskHoldsToo) {
  HostGate gate;
  EXPECT_TRUE(gate.OnSample(Sample(10, 95), HostLimits{}, 0));
  EXPECT_THAT(gate.held_reason(), HasSubstr("throttle.disk_percent"));
}

TEST(HostGate, SwitchedOffItOpensAtOnce) {
  HostGate gate;
  HostLimits limits;
  EXPECT_TRUE(gate.OnSample(Sample(99), limits, 0));
  limits.enabled = false;
  EXPECT_TRUE(gate.OnSample(Sample(99), limits, 1'000));
  EXPECT_THAT(gate.held_reason(), IsEmpty());
}

class HeldWorker : public ::testing::Test {
 protected:
  void Say(const std::string& worker, const Telemetry& sample) {
    Heartbeat beat;
    beat.telemetry = sample;
    world_.SendFromWorker(worker, beat);
  }
  ExplainReply Why(JobId job) { return world_.Ask<ExplainReply>("alice", Explain{job, 0}); }

  CoreWorld world_;
};

TEST_F(HeldWorker, GetsNothingSaysWhyAndIsResumed) {
  world_.AddWorker("w", 2);
  Say("w", Sample(97));
  const JobId job = world_.Submit(CoreWorld::Noop());
  EXPECT_THAT(world_.TakeDispatched("w"), IsEmpty());
  EXPECT_EQ(Why(job).kind, "held");
  EXPECT_THAT(Why(job).text, HasSubstr("97 % in use, the limit is 85 % (throttle.memory_percent)"));
  const auto workers = world_.Ask<ListWorkersReply>("alice", ListWorkers{});
  ASSERT_THAT(workers.workers, SizeIs(1));
  EXPECT_EQ(workers.workers[0].state, "held");
  EXPECT_THAT(workers.workers[0].held_reason, HasSubstr("97 %"));
  world_.Advance(11'000);
  Say("w", Sample(20));
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(1));
}

TEST_F(HeldWorker, AnotherOnTheSameMachineIsJudgedByWhatItSaysItself) {
  world_.AddWorker("w", 1);
  world_.AddWorker("v", 1);
  Say("w", Sample(20, 97));
  Say("v", Sample(20, 20));
  world_.Submit(CoreWorld::Noop("0:1:1"));
  EXPECT_THAT(world_.TakeDispatched("w"), IsEmpty()) << "its scratch directory is full";
  EXPECT_THAT(world_.TakeDispatched("v"), SizeIs(1));
}

}  // namespace
}  // namespace icarus::broker::testing
