// Commands whose input is another task's output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/protocol/result_codec.h"
#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

JobSpec Command() {
  JobSpec spec;
  spec.analysis = "command";
  spec.command = CommandSpec{};
  spec.command->argv = {"cat", "mesh"};
  return spec;
}

JobSpec WithInput(JobId job, TaskIndex index, const std::string& path) {
  JobSpec spec = Command();
  FileRef input;
  input.name = "mesh";
  spec.command->inputs = {input};
  spec.command->awaited = {{0, job, index, path}};
  return spec;
}

std::string ResultWith(const std::string& name) {
  ResultBody body;
  FileRef file;
  file.name = name;
  file.content = "nodes";
  file.size = 5;
  file.hash = HashBytes("nodes");
  body.files = {file};
  return EncodeResultBody(body);
}

class AwaitedInputs : public ::testing::Test {
 protected:
  void SetUp() override { world_.AddWorker("w", 4); }
  void Complete(const GivenTask& task, const std::string& body) {
    world_.Finish("w", task, TaskState::kCompleted, TaskErrorKind::kNone, 0.5, body);
  }
  std::string FailureOf(JobId job) {
    const auto& failures = world_.job(job).failures;
    return failures.empty() ? "" : failures.front().message;
  }
  CoreWorld world_;
};

TEST_F(AwaitedInputs, TheJobWaitsForThatTaskAndTakesItsFile) {
  const JobId first = world_.Submit(CoreWorld::Noop("0:1:1"));
  const JobId second = world_.Submit(WithInput(first, 0, "out/mesh.msh"));
  EXPECT_EQ(world_.job(second).state(), TaskState::kWaiting);
  const auto given = world_.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2));
  Complete(given[1], ResultWith("out/mesh.msh"));
  EXPECT_EQ(world_.job(second).state(), TaskState::kWaiting) << "it is the other task's";
  Complete(given[0], ResultWith("out/mesh.msh"));
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(1));
  const FileRef& input = world_.job(second).spec().command->inputs.at(0);
  EXPECT_EQ(input.name, "mesh");
  EXPECT_EQ(input.hash, HashBytes("nodes"));
}

TEST_F(AwaitedInputs, TheFileIsKnownAfterARestart) {
  const JobId first = world_.Submit(CoreWorld::Noop());
  const JobId second = world_.Submit(WithInput(first, 0, "mesh"), "alice", "second");
  world_.Restart();
  world_.AddWorker("w", 4);
  Complete(world_.TakeDispatched("w").at(0), ResultWith("mesh"));
  world_.Restart();
  EXPECT_EQ(world_.job(second).spec().command->inputs.at(0).hash, HashBytes("nodes"));
  world_.AddClient("alice", "alice");
  const auto same = world_.Ask<SubmitReply>("alice", Submit{"second", WithInput(first, 0, "mesh")});
  EXPECT_TRUE(same.existing) << "the same request, though its input has come meanwhile";
  EXPECT_EQ(same.job, second);
}

TEST_F(AwaitedInputs, ItFailsWithTheTaskOrWithoutTheFileAndComesBackWithTheRetry) {
  const JobId first = world_.Submit(CoreWorld::Noop());
  const JobId second = world_.Submit(WithInput(first, 0, "mesh"));
  world_.Finish("w", world_.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  EXPECT_EQ(world_.job(second).state(), TaskState::kFailed);
  EXPECT_THAT(FailureOf(second), HasSubstr("task 1.0"));
  EXPECT_EQ(world_.Ask<RetryReply>("alice", Retry{first, {}}).retried, 1u);
  EXPECT_EQ(world_.job(second).state(), TaskState::kWaiting);
  Complete(world_.TakeDispatched("w").at(0), ResultWith("another"));
  EXPECT_EQ(world_.job(second).state(), TaskState::kFailed);
  EXPECT_THAT(FailureOf(second), HasSubstr("no such output file"));
}

TEST_F(AwaitedInputs, WhatIsNotThereIsRefusedAtOnce) {
  const JobId first = world_.Submit(CoreWorld::Noop());
  world_.Ask<SubmitReply>("alice", Submit{"a", WithInput(first, 7, "mesh")});
  ASSERT_TRUE(world_.LastError("alice"));
  EXPECT_EQ(world_.LastError("alice")->field, "input");
  world_.AddClient("bob", "bob");
  world_.Ask<SubmitReply>("bob", Submit{"b", WithInput(first, 0, "mesh")});
  ASSERT_TRUE(world_.LastError("bob")) << "the task of another";
}

}  // namespace
}  // namespace icarus::broker::testing
