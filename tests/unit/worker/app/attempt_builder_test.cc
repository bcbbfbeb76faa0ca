#include "worker/attempt_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AttemptBuilderTest : public ::testing::Test {
 protected:
  AttemptBuilderTest() {
    group_.job = JobId(7);
    group_.analysis = "command";
    group_.command = CommandSpec{};
    group_.command->argv = {"run", "{n}", "{target}"};
    group_.axes = {"n"};
    group_.targets = {Target{"wing", "points"}};
    group_.resources.cpus = 4;
    group_.resources.memory_bytes = 1 << 20;
    task_.index = 2;
    task_.attempt = 3;
    task_.params.emplace("n", Value(5.0));
    task_.params.emplace("fixed", Value("x"));
    place_.scratch = "/s";
    place_.outbox = "/o";
    place_.blobs = "/b";
    place_.grace_ms = 1234;
    place_.configured = {{"LICENCE", "here"}};
  }
  Result<AttemptSpec> Build() {
    return BuildAttempt(StartAttempt{AttemptId(9), std::make_shared<const DispatchGroup>(group_), task_}, place_);
  }

  DispatchGroup group_;
  DispatchTask task_;
  AttemptPlace place_;
};

TEST_F(AttemptBuilderTest, ACommandGetsItsValuesAndPlace) {
  const auto spec = Build();
  ASSERT_TRUE(spec.has_value()) << spec.error().message;
  EXPECT_EQ(9u, spec->id);
  EXPECT_EQ(AttemptKind::kCommand, spec->kind);
  EXPECT_THAT(spec->command.argv, ElementsAre("run", "5", "wing"));
  EXPECT_EQ("/s/9", spec->scratch_dir);
  EXPECT_EQ("/o/9", spec->outbox_dir);
  EXPECT_EQ("/b", spec->blob_dir);
  EXPECT_EQ(1 << 20, spec->memory_limit_bytes);
  EXPECT_EQ(1234, spec->grace_ms);
  EXPECT_EQ("7.2", spec->environment.at("ICARUS_TASK"));
  EXPECT_EQ("3", spec->environment.at("ICARUS_ATTEMPT"));
  EXPECT_EQ("4", spec->environment.at("ICARUS_CPUS"));
  EXPECT_EQ("5", spec->environment.at("ICARUS_PARAM_N"));
  EXPECT_EQ("here", spec->environment.at("LICENCE"));
  EXPECT_FALSE(spec->environment.contains("ICARUS_PARAM_FIXED"));
}

TEST_F(AttemptBuilderTest, ASolverGetsItsParametersAndTarget) {
  group_.command.reset();
  group_.analysis = "airfoil_polar";
  group_.solver = "panel";
  const auto spec = Build();
  ASSERT_TRUE(spec.has_value());
  EXPECT_EQ(AttemptKind::kSolver, spec->kind);
  EXPECT_EQ("panel", spec->solver);
  EXPECT_EQ("airfoil_polar", spec->analysis);
  EXPECT_EQ(task_.params, spec->params);
  EXPECT_EQ("points", spec->target.content);
}

TEST_F(AttemptBuilderTest, WhatCannotBeRunIsAnError) {
  group_.command->argv = {"{nope}"};
  EXPECT_THAT(Build().error().message, HasSubstr("nope"));
  group_.command->argv = {"run"};
  task_.target = 1;
  EXPECT_EQ("target", Build().error().field);
}

TEST_F(AttemptBuilderTest, ThePrologueRunsInTheShellThatBecomesTheCommand) {
  place_.prologue = "module load xfoil";
  const auto spec = Build();
  ASSERT_TRUE(spec.has_value());
  EXPECT_THAT(spec->command.argv,
              ElementsAre("/bin/sh", "-c", "module load xfoil\nexec \"$@\"", "sh", "run", "5", "wing"));
}

TEST_F(AttemptBuilderTest, EachCommandHasASocketWhereThereIsAPlaceForThem) {
  EXPECT_EQ("", Build()->values_socket);
  place_.value_sockets = "/run/v12.";
  EXPECT_EQ("/run/v12.9", Build()->values_socket);
  EXPECT_FALSE(Build()->environment.contains("ICARUS_VALUES")) << "the guardian's to say, once it is there";
  group_.command.reset();
  EXPECT_EQ("", Build()->values_socket);
}

TEST_F(AttemptBuilderTest, WhatIsNearIsSharedByTasksOfOneJobThatRunTheSameProgram) {
  const auto space = [&] {
    return ValueSpaceOf(StartAttempt{AttemptId(9), std::make_shared<const DispatchGroup>(group_), task_});
  };
  const std::string first = space();
  task_.index = 5;
  task_.params["n"] = Value(6.0);
  EXPECT_EQ(first, space());
  group_.job = JobId(8);
  EXPECT_NE(first, space());
  group_.job = JobId(7);
  group_.command->argv[0] = "run{n}";
  const std::string sixth = space();
  task_.params["n"] = Value(7.0);
  EXPECT_NE(sixth, space());
  group_.command.reset();
  group_.solver = "panel";
  group_.job = JobId(9);
  EXPECT_EQ("command\npanel", space()) << "a solver is the same in every job";
}

}  // namespace
}  // namespace icarus::worker
