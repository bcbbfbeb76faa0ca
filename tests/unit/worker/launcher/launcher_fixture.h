// A launcher with fake solvers, a directory of its own, and ways to wait for what it reports and to look for what it
// left.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "worker/launcher/launcher.h"

namespace icarus::worker {

inline constexpr std::chrono::seconds kPatience{30};  // a test fails after waiting for so long

// A directory that is removed with everything in it.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void WriteTextFile(const std::string& path, const std::string& text);
std::string ReadTextFile(const std::string& path);
// The names in a directory, sorted; empty when there is none.
std::vector<std::string> NamesIn(const std::string& directory);

// True as soon as `holds` is; false after kPatience.
bool Eventually(const std::function<bool()>& holds);

bool IsRunning(pid_t pid);  // exists and is no zombie
// How many processes have MARK=`mark` in the environment they were started with.
std::size_t CountMarked(const std::string& mark);

// Solvers by name; see launcher_fixture.cc.
SolverOutcome FakeSolver(const std::string& solver, const SolverInput& input, ProgressSink& progress);

class LauncherTest : public ::testing::Test {
 protected:
  LauncherTest();
  ~LauncherTest() override;

  // Every setting but the fake solvers at its default, unless a test changes it before the first attempt.
  LauncherOptions& options() { return options_; }
  Launcher& launcher();

  AttemptSpec Command(std::vector<std::string> argv);
  AttemptSpec Shell(const std::string& script) { return Command({"/bin/sh", "-c", script}); }
  AttemptSpec Solver(const std::string& solver, ValueMap params = {});

  AttemptFinished Run(const AttemptSpec& spec);
  void StartIt(const AttemptSpec& spec);
  // Waits for the end of the attempt.
  AttemptFinished Await(std::uint64_t id);
  // Takes events until `enough` or the patience ends.
  bool TakeEventsUntil(const std::function<bool()>& enough);
  // Waits until the command has written `text` to stdout; needs stream_output.
  bool AwaitOutput(std::uint64_t id, const std::string& text);
  pid_t AwaitStarted(std::uint64_t id);

  std::optional<AttemptFinished> Finished(std::uint64_t id) const;
  std::optional<AttemptSaved> Saved(std::uint64_t save) const;
  std::string LiveOutput(std::uint64_t id) const;
  std::vector<AttemptProgress> Progress(std::uint64_t id) const;
  std::vector<ValueOffer> Offers(std::uint64_t id) const;
  // How questions for intermediate values are answered, by their keys; none: they are not.
  std::function<std::optional<std::string>(const std::string& key)> known_values_;

  // No child is left and none ended unwaited for. The test process is a subreaper, so orphans count, too.
  static bool NoProcessLeft();

  TestDirectory directory_;
  std::string mark_;  // of this test's commands

 private:
  LauncherOptions options_;
  std::optional<Launcher> launcher_;
  std::uint64_t next_id_ = 1;
  void AnswerValues(const ValueAsk& ask);
  std::vector<LauncherEvent> events_;
};

ResultBody BodyOf(const AttemptFinished& finished);
std::string StdoutOf(const AttemptFinished& finished);  // inline content; empty when there is none
std::string StderrOf(const AttemptFinished& finished);

}  // namespace icarus::worker
