#include "common/analysis/program_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icarus {
namespace {

using ::testing::MatchesRegex;

CommandSpec Command(std::vector<std::string> argv, const std::map<std::string, std::string>& inputs = {}) {
  CommandSpec command;
  command.argv = std::move(argv);
  for (const auto& [name, content] : inputs) {
    command.inputs.push_back({name, HashBytes(content), content.size(), 0644, content});
  }
  return command;
}

std::string Of(const CommandSpec& command, const std::string& user = "alice") {
  return ProgramIdentity(user, command, {}, 0, "").value();
}

TEST(ProgramIdentityTest, AProgramThatWasSentIsKnownByItsContent) {
  const std::string first = Of(Command({"./march", "1"}, {{"march", "one"}, {"data", "x"}}));
  EXPECT_THAT(first, MatchesRegex("alice:march\\+[0-9a-f]{16}"));
  EXPECT_EQ(first, Of(Command({"./march", "2"}, {{"march", "one"}, {"data", "y"}}))) << "what it works on is its own";
  EXPECT_NE(first, Of(Command({"./march", "1"}, {{"march", "two"}})));
  EXPECT_NE(first, Of(Command({"./march", "1"}, {{"march", "one"}}), "bob"));
}

TEST(ProgramIdentityTest, OneThatWasNotIsKnownByItsName) {
  EXPECT_EQ(Of(Command({"/opt/bin/solve", "deck"}, {{"deck", "a"}})),
            Of(Command({"/opt/bin/solve", "deck"}, {{"deck", "b"}})));
  EXPECT_NE(Of(Command({"/opt/bin/solve"})), Of(Command({"/usr/bin/solve"})));
  EXPECT_THAT(Of(Command({"/opt/bin/solve"})), MatchesRegex("alice:solve\\+.*"));
}

TEST(ProgramIdentityTest, OfWhatRunsAnotherProgramThatOneCounts) {
  for (const std::vector<std::string>& runner : std::vector<std::vector<std::string>>{{"python3", "-u"},
                                                                                      {"/usr/bin/python3.11"},
                                                                                      {"mpirun", "-n", "4", "python3"},
                                                                                      {"env", "X=1"},
                                                                                      {"Rscript"},
                                                                                      {"sh"}}) {
    std::vector<std::string> words = runner;
    words.insert(words.end(), {"./code/march.py", "data"});
    const std::string first = Of(Command(words, {{"code/march.py", "one"}, {"data", "x"}}));
    EXPECT_THAT(first, MatchesRegex("alice:march.py\\+.*")) << runner[0];
    EXPECT_NE(first, Of(Command(words, {{"code/march.py", "two"}, {"data", "x"}}))) << runner[0];
    EXPECT_EQ(first, Of(Command(words, {{"code/march.py", "one"}, {"data", "y"}}))) << runner[0];
  }
  EXPECT_THAT(Of(Command({"python3", "-c", "print(1)"}, {{"data", "x"}})), MatchesRegex("alice:python3\\+.*"));
}

TEST(ProgramIdentityTest, PlaceholdersAreThoseOfTheTask) {
  const CommandSpec command = Command({"./solve{n}"}, {{"solve1", "one"}, {"solve2", "two"}});
  const auto of = [&](double n) { return ProgramIdentity("alice", command, {{"n", Value(n)}}, 0, "").value(); };
  EXPECT_THAT(of(1), MatchesRegex("alice:solve1\\+.*"));
  EXPECT_NE(of(1), of(2));
  EXPECT_FALSE(ProgramIdentity("alice", command, {{"m", Value(1.0)}}, 0, ""));
  EXPECT_FALSE(ProgramIdentity("alice", Command({}), {}, 0, ""));
}

}  // namespace
}  // namespace icarus
