// What a command keeps for its next attempt, and the notice that it gets.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/unit/worker/launcher/launcher_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> NamesOf(const std::vector<FileRef>& files) {
  std::vector<std::string> names;
  for (const FileRef& file : files) names.push_back(file.name);
  return names;
}

class KeepTest : public LauncherTest {
 protected:
  AttemptSpec Keeping(const std::string& script, std::vector<std::string> patterns) {
    AttemptSpec spec = Shell(script);
    spec.stream_output = true;
    spec.command.keep.emplace();
    spec.command.keep->files = std::move(patterns);
    return spec;
  }
  void StartReady(const AttemptSpec& spec) {
    StartIt(spec);
    ASSERT_TRUE(AwaitOutput(spec.id, "ready"));
  }
  std::string ContentOf(const AttemptFinished& finished, const FileRef& file) {
    for (const BlobFile& blob : finished.blobs) {
      if (blob.hash == file.hash) return ReadTextFile(blob.path);
    }
    return "(none)";
  }
};

TEST_F(KeepTest, AStoppedCommandLeavesItsFilesAndAnEndedOneDoesNot) {
  auto spec = Keeping("mkdir sub; echo 7 > state; echo x > sub/more; echo no > other; echo ready; sleep 60",
                      {"state", "sub", "absent*"});
  StartReady(spec);
  ASSERT_TRUE(launcher().Kill(spec.id));
  const AttemptFinished stopped = Await(spec.id);
  EXPECT_THAT(NamesOf(stopped.kept), ElementsAre("state", "sub/more"));
  EXPECT_EQ("7\n", ContentOf(stopped, stopped.kept.at(0)));
  const AttemptFinished ended = Run(Keeping("echo 7 > state", {"state"}));
  EXPECT_THAT(ended.kept, IsEmpty());
  EXPECT_THAT(ended.blobs, IsEmpty());
  EXPECT_THAT(Run(Keeping("echo 7 > state; exit 3", {"state"})).kept, IsEmpty()) << "it failed by itself";
}

TEST_F(KeepTest, TheNoticeGoesToTheCommandAloneAndWhatItThenLeavesIsKept) {
  auto spec = Keeping(
      "trap 'echo told; exit 3' USR1; echo 7 > state; (sleep 60 & wait $!; echo child ended $?) & "
      "echo ready; while :; do sleep 0.05; done",
      {"state"});
  StartReady(spec);
  ASSERT_TRUE(launcher().Signal(spec.id, SIGUSR1));
  const AttemptFinished finished = Await(spec.id);
  EXPECT_EQ(TaskErrorKind::kNonzeroExit, finished.error.kind);
  EXPECT_FALSE(finished.killed);
  EXPECT_THAT(NamesOf(finished.kept), ElementsAre("state"));
  EXPECT_EQ("ready\ntold\n", StdoutOf(finished));
}

TEST_F(KeepTest, ASaveIsACopyAndTheCommandGoesOn) {
  auto spec = Keeping("echo 7 > state; echo ready; while [ ! -e go ]; do sleep 0.05; done; cat state", {"state", "g*"});
  StartReady(spec);
  ASSERT_TRUE(launcher().Save({spec.id, 900, directory_ / "saves"}));
  ASSERT_TRUE(TakeEventsUntil([&] { return Saved(900).has_value(); }));
  const AttemptSaved saved = *Saved(900);
  EXPECT_THAT(NamesOf(saved.files), ElementsAre("state"));
  ASSERT_THAT(saved.blobs, SizeIs(1));
  EXPECT_EQ("7\n", ReadTextFile(saved.blobs[0].path));
  WriteTextFile(WorkDirectory(spec.scratch_dir) + "/go", "");
  EXPECT_EQ("ready\n7\n", StdoutOf(Await(spec.id)));
}

TEST_F(KeepTest, WhatWasKeptTakesThePlaceOfAnInput) {
  WriteTextFile(directory_ / HashBytes("9").Hex(), "9");
  AttemptSpec spec = Keeping("cat state other", {"state"});
  spec.blob_dir = directory_.path();
  for (const char* name : {"state", "other"}) {
    FileRef input;
    input.name = name;
    input.content = "fresh ";
    input.size = 6;
    spec.command.inputs.push_back(input);
  }
  FileRef kept;
  kept.name = "state";
  kept.hash = HashBytes("9");
  kept.size = 1;
  spec.kept = {kept};
  EXPECT_EQ("9fresh ", StdoutOf(Run(spec)));
}

TEST_F(KeepTest, WhatWasKeptTakesThePlaceOfADirectoryOfInputsAndTheOtherWayRound) {
  WriteTextFile(directory_ / HashBytes("9").Hex(), "9");
  AttemptSpec spec = Keeping("cat d e/x", {"d", "e"});
  spec.blob_dir = directory_.path();
  for (const char* name : {"d/x", "e"}) {
    FileRef input;
    input.name = name;
    input.content = "fresh";
    input.size = 5;
    spec.command.inputs.push_back(input);
  }
  for (const char* name : {"d", "e/x"}) {
    FileRef kept;
    kept.name = name;
    kept.hash = HashBytes("9");
    kept.size = 1;
    spec.kept.push_back(kept);
  }
  EXPECT_EQ("99", StdoutOf(Run(spec)));
}

TEST_F(KeepTest, ASaveThatTakesLongHoldsUpNothing) {
  auto spec = Keeping("truncate -s 300M a b c; echo ready; sleep 60", {"a", "b", "c"});
  spec.grace_ms = 100;
  StartReady(spec);
  ASSERT_TRUE(launcher().Save({spec.id, 900, directory_ / "saves"}));
  ASSERT_TRUE(Eventually([&] { return !NamesIn(directory_ / "saves").empty(); })) << "it has begun";
  ASSERT_TRUE(launcher().Kill(spec.id));
  ASSERT_TRUE(Eventually([&] { return CountMarked(mark_) == 0; })) << "the command is gone";
  Await(spec.id);
  EXPECT_FALSE(Saved(900)) << "the kill waited for the save";
}

}  // namespace
}  // namespace icarus::worker
