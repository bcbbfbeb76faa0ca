#include "client/cli/command_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "common/model/limits.h"
#include "tests/unit/client/temp_directory.h"

namespace icarus::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SubmitOptions Running(std::vector<std::string> command) {
  SubmitOptions options;
  options.command = std::move(command);
  return options;
}

std::vector<std::string> Names(const CommandSpec& command) {
  std::vector<std::string> names;
  for (const FileRef& input : command.inputs) names.push_back(input.name);
  return names;
}

TEST(CommandFiles, SmallInputsTravelInline) {
  const TempDirectory directory;
  SubmitOptions options = Running({"cat", "x"});
  options.inputs = {directory.Write("in.txt", "hello") + "=data/x"};
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_EQ(request->command.inputs.size(), 1U);
  const FileRef& input = request->command.inputs[0];
  EXPECT_EQ(input.name, "data/x");
  EXPECT_EQ(input.content, "hello");
  EXPECT_EQ(input.size, 5U);
  EXPECT_EQ(input.hash, HashBytes("hello"));
  EXPECT_THAT(request->pending, IsEmpty());
}

TEST(CommandFiles, LargeInputsArePending) {
  const TempDirectory directory;
  const std::string path = directory.Write("big", std::string(limits::kInlineFileBytes + 1, 'x'));
  SubmitOptions options = Running({"cat"});
  options.inputs = {directory.Write("small", "s"), path};
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_EQ(request->pending.size(), 1U);
  EXPECT_EQ(request->pending[0].input, 1U);
  EXPECT_EQ(request->pending[0].path, path);
  EXPECT_EQ(request->command.inputs[1].name, "big");
  EXPECT_FALSE(request->command.inputs[1].content.has_value());
}

TEST(CommandFiles, ADirectoryIsTakenWithItsContentInOrder) {
  const TempDirectory directory;
  directory.Write("case/b/two", "2");
  directory.Write("case/a", "1");
  SubmitOptions options = Running({"ls"});
  options.inputs = {directory.path() + "/case", directory.path() + "/case/=other"};
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(Names(request->command), ElementsAre("case/a", "case/b/two", "other/a", "other/b/two"));
}

TEST(CommandFiles, AProgramThatIsAFileHereIsSentAlong) {
  const TempDirectory directory;
  const std::string program = directory.Write("tool", "#!/bin/sh\n");
  ASSERT_EQ(::chmod(program.c_str(), 0755), 0);
  const auto request = ReadCommand(Running({program, "arg"}));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(request->command.argv, ElementsAre("./tool", "arg"));
  EXPECT_THAT(Names(request->command), ElementsAre("tool"));
  EXPECT_EQ(request->command.inputs[0].mode, 0755U);
}

TEST(CommandFiles, OtherProgramsAreLeftAsTheyAre) {
  EXPECT_THAT(ReadCommand(Running({"true"}))->command.argv, ElementsAre("true"));
  EXPECT_THAT(ReadCommand(Running({"/no/such/program"}))->command.argv, ElementsAre("/no/such/program"));
  EXPECT_THAT(Names(ReadCommand(Running({"/no/such/program"}))->command), IsEmpty());
}

TEST(CommandFiles, WithADirectoryToRunInTheProgramStaysWhereItIs) {
  const TempDirectory directory;
  SubmitOptions options = Running({directory.Write("tool", "x")});
  options.cwd = directory.path();
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->command.argv[0], directory.path() + "/tool");
  EXPECT_EQ(request->command.cwd, directory.path());
  EXPECT_THAT(Names(request->command), IsEmpty());
}

TEST(CommandFiles, StandardInputIsAnInputOfItsOwnName) {
  const TempDirectory directory;
  SubmitOptions options = Running({"cat"});
  options.inputs = {directory.Write("stdin", "other")};
  options.stdin_file = directory.Write("in", "text");
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(Names(request->command), ElementsAre("stdin", "stdin_"));
  EXPECT_EQ(request->command.stdin_name, "stdin_");
  EXPECT_EQ(request->command.inputs[1].content, "text");
}

TEST(CommandFiles, EnvironmentIsGivenOrTakenFromHere) {
  ASSERT_EQ(::setenv("ICARUS_TEST_HERE", "here", 1), 0);
  SubmitOptions options = Running({"env"});
  options.env = {"A=1=2", "ICARUS_TEST_HERE", "EMPTY="};
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->command.env.at("A"), "1=2");
  EXPECT_EQ(request->command.env.at("ICARUS_TEST_HERE"), "here");
  EXPECT_EQ(request->command.env.at("EMPTY"), "");
  options.env = {"ICARUS_TEST_NOWHERE"};
  EXPECT_FALSE(ReadCommand(options));
}

TEST(CommandFiles, AnOutputOfAnotherTaskIsAnInput) {
  SubmitOptions options = Running({"cat"});
  options.inputs = {"7.2:out/mesh.msh", "8.0:a=b.msh"};
  const auto request = ReadCommand(options);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(Names(request->command), ElementsAre("mesh.msh", "b.msh"));
  ASSERT_EQ(request->pending.size(), 2U);
  EXPECT_EQ(request->pending[0].task, (TaskRef{JobId(7), 2}));
  EXPECT_EQ(request->pending[0].path, "out/mesh.msh");
  EXPECT_EQ(request->pending[1].task, (TaskRef{JobId(8), 0}));
  EXPECT_EQ(request->pending[1].path, "a");
}

TEST(CommandFiles, WhatIsNotThereIsNamed) {
  SubmitOptions options = Running({"cat"});
  options.inputs = {"/no/such/file"};
  const auto missing = ReadCommand(options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUsage);
  EXPECT_THAT(missing.error().message, HasSubstr("/no/such/file"));
  options.inputs = {"x="};
  EXPECT_FALSE(ReadCommand(options));
  options.inputs = {};
  options.stdin_file = "/no/such/file";
  EXPECT_FALSE(ReadCommand(options));
}

TEST(CommandFiles, AFileWhoseNameHoldsAnEqualsIsTakenWhole) {
  const TempDirectory directory;
  const std::string path = directory.Write("a=b", "x");
  EXPECT_EQ(SplitInput(path)->source, path);
  EXPECT_EQ(SplitInput(path)->destination, "a=b");
  EXPECT_EQ(SplitInput(path + "=c")->source, path);
  EXPECT_EQ(SplitInput(path + "=c")->destination, "c");
}

}  // namespace
}  // namespace icarus::client
