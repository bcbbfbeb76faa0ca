// What a command sees, and what comes back of it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/model/limits.h"
#include "tests/unit/worker/launcher/launcher_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CommandTest : public LauncherTest {
 protected:
  static FileRef Input(const std::string& name, const std::string& content, std::uint32_t mode = 0644) {
    FileRef file;
    file.name = name;
    file.content = content;
    file.mode = mode;
    return file;
  }
  FileRef BlobInput(const std::string& name, const std::string& content) {
    FileRef file = Input(name, content);
    file.hash = HashBytes(content);
    file.size = content.size();
    file.content.reset();
    WriteTextFile(directory_ / ("blobs/" + file.hash.Hex()), content);
    return file;
  }
  static std::vector<std::string> Names(const ResultBody& body) {
    std::vector<std::string> names;
    for (const auto& file : body.files) names.push_back(file.name);
    return names;
  }
};

TEST_F(CommandTest, SuccessBringsBothStreamsAndTheExitCode) {
  const auto spec = Shell("echo out; echo err >&2");
  StartIt(spec);
  EXPECT_GT(AwaitStarted(spec.id), 0);
  const auto finished = Await(spec.id);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message;
  EXPECT_FALSE(finished.killed);
  EXPECT_GT(finished.run_s, 0.0);
  EXPECT_GT(finished.max_rss_bytes, 0u);
  EXPECT_EQ(StdoutOf(finished), "out\n");
  EXPECT_EQ(StderrOf(finished), "err\n");
  const ResultBody body = BodyOf(finished);
  EXPECT_EQ(body.stdout_file->name, "stdout");
  EXPECT_EQ(body.stdout_file->size, 4u);
  EXPECT_EQ(body.stdout_file->hash, HashBytes("out\n"));
  EXPECT_EQ(body.summary.at("exit_code"), Value(0.0));
}

TEST_F(CommandTest, SilentCommandHasNoStreams) {
  const ResultBody body = BodyOf(Run(Command({"true"})));
  EXPECT_FALSE(body.stdout_file.has_value());
  EXPECT_FALSE(body.stderr_file.has_value());
}

TEST_F(CommandTest, NothingIsLeftInTheScratchDirectory) {
  Run(Shell("mkdir -p a/b; echo x > a/b/c; echo y > $TMPDIR/t; chmod 500 a/b; chmod 0 a"));
  EXPECT_THAT(NamesIn(directory_.path()), IsEmpty());
}

TEST_F(CommandTest, NonzeroExitTellsTheCodeAndTheLastLine) {
  const auto finished = Run(Shell("echo first >&2; printf 'bad \\377 mesh\\n\\n' >&2; exit 7"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNonzeroExit);
  EXPECT_EQ(finished.error.exit_code, 7);
  EXPECT_THAT(finished.error.message, HasSubstr("exit code 7: bad ? mesh"));
  EXPECT_EQ(BodyOf(finished).summary.at("exit_code"), Value(7.0));
}

TEST_F(CommandTest, DeathBySignalIsACrash) {
  const auto finished = Run(Shell("kill -SEGV $$"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(finished.error.signal, 11);
  EXPECT_FALSE(finished.error.exit_code.has_value());
}

TEST_F(CommandTest, ProgramThatDoesNotExistIs127) {
  for (const char* program : {"no-such-program", "./no-such-file", "/usr/bin/no-such-file"}) {
    const auto finished = Run(Command({program}));
    EXPECT_EQ(finished.error.kind, TaskErrorKind::kInvalidInput);
    EXPECT_EQ(finished.error.exit_code, 127);
    EXPECT_THAT(finished.error.message, HasSubstr(program));
  }
}

TEST_F(CommandTest, FileThatIsNoProgramIs126) {
  auto spec = Command({"./tool"});
  spec.command.inputs = {Input("tool", "echo hi", 0644)};
  EXPECT_EQ(Run(spec).error.exit_code, 126);
  EXPECT_EQ(Run(Command({"/tmp"})).error.exit_code, 126);
  auto broken = Command({"./tool"});
  broken.command.inputs = {Input("tool", "#!/no/such/interpreter\n", 0755)};
  const auto finished = Run(broken);
  EXPECT_EQ(finished.error.exit_code, 126);
  EXPECT_THAT(finished.error.message, HasSubstr("interpreter"));
}

TEST_F(CommandTest, ScriptWithoutInterpreterLineRunsInTheShell) {
  auto spec = Command({"./tool", "one two"});
  spec.command.inputs = {Input("tool", "echo \"[$1]\"", 0755)};
  EXPECT_EQ(StdoutOf(Run(spec)), "[one two]\n");
}

TEST_F(CommandTest, ProgramIsFoundAlongThePathOfTheTask) {
  auto spec = Command({"tool"});
  spec.command.inputs = {Input("programs/tool", "#!/bin/sh\necho found", 0755)};
  spec.environment["PATH"] = "/nowhere:programs";
  EXPECT_EQ(StdoutOf(Run(spec)), "found\n");
}

TEST_F(CommandTest, SeesExactlyItsEnvironment) {
  ::setenv("ICARUS_TEST_SECRET", "visible", 1);
  auto spec = Command({"/usr/bin/env"});
  spec.environment = {{"MARK", mark_}, {"A", "1 2"}, {"B", ""}};
  EXPECT_EQ(StdoutOf(Run(spec)), "A=1 2\nB=\nMARK=" + mark_ + "\n");
}

TEST_F(CommandTest, RunsInAnEmptyDirectoryOfItsOwn) {
  auto spec = Shell("pwd; ls -A; ls -dA \"$TMPDIR\"; umask >/dev/null");
  spec.environment["TMPDIR"] = TemporaryDirectory(spec.scratch_dir);
  EXPECT_EQ(StdoutOf(Run(spec)), WorkDirectory(spec.scratch_dir) + "\n" + TemporaryDirectory(spec.scratch_dir) + "\n");
}

TEST_F(CommandTest, StartsWithCleanSignalsDescriptorsAndNoCoreFiles) {
  const int held_open = ::open("/", O_RDONLY);  // without close-on-exec, as a careless library would
  const auto finished = Run(Shell("ulimit -c; ls /proc/$$/fd"));
  ::close(held_open);
  EXPECT_EQ(StdoutOf(finished), "0\n0\n1\n2\n");
  // Not through a shell, which would clear the mask itself.
  EXPECT_EQ(StdoutOf(Run(Command({"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}))),
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(CommandTest, IsTheLeaderOfItsOwnProcessGroup) {
  EXPECT_EQ(StdoutOf(Run(Shell("test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own"))), "own\n");
}

TEST_F(CommandTest, InputsAreThereWithTheirModes) {
  auto spec = Shell("cat deck.inp mesh/fine.msh; stat -c %a deck.inp run.sh; ./run.sh");
  spec.command.inputs = {Input("deck.inp", "deck\n", 0440), BlobInput("mesh/fine.msh", "mesh\n"),
                         Input("run.sh", "#!/bin/sh\necho ran\n", 04755)};
  EXPECT_EQ(StdoutOf(Run(spec)), "deck\nmesh\n440\n755\nran\n");
}

TEST_F(CommandTest, InputsAreCopiesOfTheStoredFiles) {
  auto spec = Shell("echo changed > mesh");
  const FileRef blob = BlobInput("mesh", std::string(300'000, 'm'));
  spec.command.inputs = {blob};
  EXPECT_EQ(Run(spec).error.kind, TaskErrorKind::kNone);
  EXPECT_EQ(ReadTextFile(directory_ / ("blobs/" + blob.hash.Hex())), std::string(300'000, 'm'));
}

TEST_F(CommandTest, InputsMayNotLeaveTheScratchDirectory) {
  for (const char* name : {"../escape", "/tmp/icarus-escape", "a/../../escape", "", "."}) {
    auto spec = Command({"true"});
    spec.command.inputs = {Input(name, "x")};
    EXPECT_EQ(Run(spec).error.kind, TaskErrorKind::kInvalidInput) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(directory_ / "escape"));
}

TEST_F(CommandTest, TwoInputsOfOneNameAreRefused) {
  auto spec = Command({"true"});
  spec.command.inputs = {Input("a", "1"), Input("a", "2")};
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kInvalidInput);
  EXPECT_THAT(finished.error.message, HasSubstr("'a'"));
}

TEST_F(CommandTest, MissingStoredFileIsOurFault) {
  auto spec = Command({"true"});
  FileRef lost;
  lost.name = "mesh";
  lost.hash = HashBytes("lost");
  spec.command.inputs = {lost};
  EXPECT_EQ(Run(spec).error.kind, TaskErrorKind::kInternal);
}

TEST_F(CommandTest, StandardInputIsAnInputOrEmpty) {
  auto spec = Command({"cat"});
  spec.command.inputs = {Input("commands.txt", "oper\nvisc 1e6\n")};
  spec.command.stdin_name = "commands.txt";
  EXPECT_EQ(StdoutOf(Run(spec)), "oper\nvisc 1e6\n");
  const auto empty = Run(Command({"cat"}));
  EXPECT_EQ(empty.error.kind, TaskErrorKind::kNone);
  auto missing = Command({"cat"});
  missing.command.stdin_name = "nothing";
  EXPECT_EQ(Run(missing).error.kind, TaskErrorKind::kInvalidInput);
}

TEST_F(CommandTest, OutputsComeSortedWithDirectoriesAndLinkedFiles) {
  auto spec = Shell(
      "mkdir -p res/deep; echo b > res/b; echo d > res/deep/d; echo 2 > s2.dat; echo 1 > s1.dat; echo n > no;"
      "ln -s s1.dat link.dat; ln -s . res/loop; chmod 640 s1.dat");
  spec.command.outputs = {"*.dat", "res", "./res/b"};
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message;
  const ResultBody body = BodyOf(finished);
  EXPECT_THAT(Names(body), ElementsAre("link.dat", "res/b", "res/deep/d", "s1.dat", "s2.dat"));
  EXPECT_EQ(body.files[0].content, "1\n");
  EXPECT_EQ(body.files[3].content, "1\n");
  EXPECT_EQ(body.files[3].mode, 0640u);
  EXPECT_EQ(body.files[3].hash, HashBytes("1\n"));
}

TEST_F(CommandTest, LargeOutputsGoToTheOutboxByTheirHash) {
  auto spec =
      Shell("head -c 100000 /dev/zero > zero.bin; cp zero.bin same.bin; ln zero.bin hard.bin; head -c 20000 /dev/zero");
  spec.command.outputs = {"*.bin"};
  const auto finished = Run(spec);
  const ResultBody body = BodyOf(finished);
  EXPECT_THAT(Names(body), ElementsAre("hard.bin", "same.bin", "zero.bin"));
  const std::string zeros(100'000, '\0');
  for (const auto& file : body.files) {
    EXPECT_EQ(file.hash, HashBytes(zeros));
    EXPECT_EQ(file.size, zeros.size());
    EXPECT_FALSE(file.content.has_value());
  }
  ASSERT_EQ(finished.blobs.size(), 2u);  // the three files have one content; stdout is the other
  const std::string hash = HashBytes(zeros).Hex();
  EXPECT_EQ(ReadTextFile(directory_ / ("outbox/" + hash)), zeros);
  const std::string said(20'000, '\0');
  EXPECT_EQ(body.stdout_file->hash, HashBytes(said));
  EXPECT_FALSE(body.stdout_file->content.has_value());
  EXPECT_EQ(ReadTextFile(directory_ / ("outbox/" + HashBytes(said).Hex())), said);
  EXPECT_EQ(NamesIn(directory_ / "outbox").size(), 2u);
  for (const auto& blob : finished.blobs) EXPECT_EQ(blob.path, directory_ / ("outbox/" + blob.hash.Hex()));
}

TEST_F(CommandTest, AnOutputThatHasAnotherNameElsewhereIsCopied) {
  auto spec = Shell("head -c 100000 /dev/zero > field.bin; ln field.bin ../../mine.bin");
  spec.command.outputs = {"field.bin"};
  const auto finished = Run(spec);
  ASSERT_EQ(finished.blobs.size(), 1u);
  WriteTextFile(directory_ / "mine.bin", "changed afterwards");
  EXPECT_EQ(ReadTextFile(finished.blobs[0].path), std::string(100'000, '\0'));
}

TEST_F(CommandTest, ManySmallOutputsDoNotSwellTheResult) {
  auto spec = Shell("i=0; while [ $i -lt 300 ]; do head -c 16000 /dev/zero > f$i; echo $i >> f$i; i=$((i+1)); done");
  spec.command.outputs = {"f*"};
  const auto finished = Run(spec);
  EXPECT_EQ(BodyOf(finished).files.size(), 300u);
  EXPECT_LT(finished.body.size(), 4u << 20);
  EXPECT_GT(finished.blobs.size(), 100u);
}

TEST_F(CommandTest, OutputWithoutAMatchIsMissing) {
  auto spec = Shell("echo 1 > a.dat");
  spec.command.outputs = {"*.dat", "*.vtk"};
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kOutputMissing);
  EXPECT_THAT(finished.error.message, HasSubstr("'*.vtk'"));
  EXPECT_THAT(Names(BodyOf(finished)), ElementsAre("a.dat"));
}

TEST_F(CommandTest, FailedCommandStillBringsItsOutputs) {
  auto spec = Shell("echo log > run.log; exit 1");
  spec.command.outputs = {"*.log", "*.vtk"};
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNonzeroExit);
  EXPECT_THAT(Names(BodyOf(finished)), ElementsAre("run.log"));
}

TEST_F(CommandTest, OutputPatternsMayNotLeaveTheScratchDirectory) {
  for (const char* pattern : {"../*", "/etc/passwd", "a/../../b"}) {
    auto spec = Command({"true"});
    spec.command.outputs = {pattern};
    EXPECT_EQ(Run(spec).error.kind, TaskErrorKind::kInvalidInput) << pattern;
  }
}

TEST_F(CommandTest, WithCwdItRunsThereAndTheUsersFilesStay) {
  std::filesystem::create_directory(directory_ / "case");
  auto spec = Shell("pwd; head -c 50000 /dev/zero > field.bin");
  spec.command.cwd = directory_ / "case";
  spec.command.outputs = {"*.bin"};
  const auto finished = Run(spec);
  EXPECT_EQ(StdoutOf(finished), directory_ / "case" + "\n");
  EXPECT_EQ(finished.blobs.size(), 1u);
  EXPECT_THAT(NamesIn(directory_ / "case"), ElementsAre("field.bin"));
  auto nowhere = Command({"/bin/true"});
  nowhere.command.cwd = directory_ / "nowhere";
  EXPECT_EQ(Run(nowhere).error.kind, TaskErrorKind::kInvalidInput);
}

TEST_F(CommandTest, StreamsItsOutputWhileItRuns) {
  auto spec = Shell("echo ready; while [ ! -e ../go ]; do sleep 0.01; done; echo done");
  spec.stream_output = true;
  StartIt(spec);
  ASSERT_TRUE(AwaitOutput(spec.id, "ready\n"));
  EXPECT_FALSE(Finished(spec.id).has_value());
  WriteTextFile(spec.scratch_dir + "/go", "");
  const auto finished = Await(spec.id);
  EXPECT_EQ(LiveOutput(spec.id), "ready\ndone\n");
  EXPECT_EQ(StdoutOf(finished), "ready\ndone\n");
}

TEST_F(CommandTest, OutputIsCappedAndSaysSo) {
  options().max_output_bytes = 100'000;
  const auto finished = Run(Shell("head -c 5000000 /dev/zero; echo end >&2"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone);
  EXPECT_EQ(StderrOf(finished), "end\n");
  const auto file = BodyOf(finished).stdout_file;
  const std::string kept = ReadTextFile(directory_ / ("outbox/" + file->hash.Hex()));
  EXPECT_EQ(kept.substr(0, 100'000), std::string(100'000, '\0'));
  EXPECT_EQ(kept.size(), 100'000u) << "nothing of ours among the data";
  EXPECT_THAT(BodyOf(finished).warnings,
              ElementsAre("stdout: output capped at 100000 bytes; 4900000 more were discarded"));
  EXPECT_EQ(file->size, kept.size());
  EXPECT_EQ(file->hash, HashBytes(kept));
}

TEST_F(CommandTest, FilesBehindALinkToElsewhereAreCopiedAndStay) {
  const std::string elsewhere = directory_ / "elsewhere";
  std::filesystem::create_directory(elsewhere);
  const std::string precious(2'000'000, 'p');
  WriteTextFile(elsewhere + "/precious", precious);
  std::filesystem::permissions(elsewhere + "/precious", std::filesystem::perms::owner_read);
  auto spec = Shell("ln -s " + elsewhere + " d; mkdir own; head -c 2000000 /dev/zero > own/f; ln -s own e");
  spec.command.outputs = {"d/*", "d", "e/*"};
  const auto finished = Run(spec);
  EXPECT_THAT(Names(BodyOf(finished)), ElementsAre("d/precious", "e/f"));
  EXPECT_THAT(BodyOf(finished).warnings, ElementsAre(HasSubstr("'d' is a link to a directory")));
  EXPECT_EQ(ReadTextFile(elsewhere + "/precious"), precious);
  EXPECT_EQ(std::filesystem::status(elsewhere + "/precious").permissions(), std::filesystem::perms::owner_read);
}

TEST_F(CommandTest, ScratchThatExistsIsRefusedAndLeftAlone) {
  const auto spec = Command({"true"});
  WriteTextFile(spec.scratch_dir + "/precious", "data");
  EXPECT_EQ(Run(spec).error.kind, TaskErrorKind::kInternal);
  EXPECT_EQ(ReadTextFile(spec.scratch_dir + "/precious"), "data");
}

TEST_F(CommandTest, RelativeDirectoriesAreRefusedAtOnce) {
  auto spec = Command({"true"});
  spec.scratch_dir = "scratch";
  const auto refused = launcher().StartAttempt(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

TEST_F(CommandTest, ManyAtOnceAllEnd) {
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 40; ++i) {
    const auto spec = Shell("echo " + std::to_string(i));
    StartIt(spec);
    ids.push_back(spec.id);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(StdoutOf(Await(ids[i])), std::to_string(i) + "\n");
}

TEST_F(CommandTest, CpuTimeOfTheWholeTreeIsCounted) {
  const auto finished =
      Run(Shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; "
                "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'"));
  EXPECT_GT(finished.cpu_s, 0.02);
  EXPECT_LT(finished.cpu_s, finished.run_s * 1.5 + 0.1);
}

}  // namespace
}  // namespace icarus::worker
