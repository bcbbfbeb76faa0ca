// Commands that keep intermediate values: real programs, through guardian and launcher.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <map>

#include "common/base/files.h"
#include "tests/unit/worker/launcher/launcher_fixture.h"
#include "worker/telemetry/process_tree.h"

namespace icarus::worker {
namespace {

using ::testing::IsEmpty;

// What every program here begins with.
constexpr const char* kClient = R"(
import json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(os.environ["ICARUS_VALUES"])
lines = link.makefile("rw")
def say(**message):
    lines.write(json.dumps(message) + "\n")
    lines.flush()
def get(key, id=1):
    say(type="cache_get", id=id, key=key)
    return json.loads(lines.readline())
)";

class ValueAttemptTest : public LauncherTest {
 protected:
  AttemptSpec Python(const std::string& script) {
    AttemptSpec spec = Command({"/usr/bin/python3", "-c", kClient + script});
    spec.values_socket = SocketOf(spec);
    return spec;
  }
  std::string SocketOf(const AttemptSpec& spec) const { return directory_ / ("v" + std::to_string(spec.id)); }
  std::map<std::string, std::string> cache_{{R"({"a":1,"b":[2]})", R"({"x":1.0})"}};
};

TEST_F(ValueAttemptTest, AProgramAsksAndPuts) {
  known_values_ = [&](const std::string& key) {
    return cache_.contains(key) ? std::optional(cache_.at(key)) : std::nullopt;
  };
  const auto spec = Python(R"(
print(get({"b": [2.0], "a": 1}, id=5), get("other"))
say(type="cache_put", key={"n": 3}, value=[1, 2.50], compute_s=0.5)
)");
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message << StderrOf(finished);
  EXPECT_EQ(StdoutOf(finished),
            "{'type': 'cache_value', 'id': 5, 'value': {'x': 1.0}} {'type': 'cache_value', 'id': 1, 'value': None}\n");
  const auto offers = Offers(spec.id);
  ASSERT_EQ(offers.size(), 1u) << "although the program ended at once";
  EXPECT_EQ(offers[0].key, R"({"n":3})");
  EXPECT_EQ(offers[0].value, "[1,2.5]");
  EXPECT_EQ(offers[0].compute_s, 0.5);
  EXPECT_THAT(NamesIn(directory_.path()), IsEmpty()) << "the socket is gone";
}

TEST_F(ValueAttemptTest, ProcessesOfOneProgramAskAtOnce) {
  known_values_ = [](const std::string& key) { return "[" + key + "]"; };
  const auto finished = Run(Python(R"(
import multiprocessing
def rank(number):
    global link, lines
    link = socket.socket(socket.AF_UNIX)
    link.connect(os.environ["ICARUS_VALUES"])
    lines = link.makefile("rw")
    return all(get([number, i], id=i) == {"type": "cache_value", "id": i, "value": [[number, i]]} for i in range(50))
with multiprocessing.get_context("fork").Pool(8) as pool:
    print(pool.map(rank, range(16), 1) == [True] * 16)
)"));
  EXPECT_EQ(StdoutOf(finished), "True\n") << StderrOf(finished);
}

TEST_F(ValueAttemptTest, AWorkerThatIsSilentHasNoValue) {
  const auto finished = Run(Python("print(get(1)['value'])"));
  EXPECT_EQ(StdoutOf(finished), "None\n");
  EXPECT_GT(finished.run_s, 1.9);
  EXPECT_LT(finished.run_s, 10.0);
}

TEST_F(ValueAttemptTest, WithoutASocketTheProgramRunsWithoutTheVariable) {
  const auto finds = [&](const std::string& path) {
    auto spec = Shell("echo ${ICARUS_VALUES-none}");
    spec.values_socket = path;
    return StdoutOf(Run(spec));
  };
  EXPECT_EQ(finds(""), "none\n");
  EXPECT_EQ(finds(directory_ / std::string(100, 'x')), "none\n");
  EXPECT_EQ(finds("/nowhere/at/all"), "none\n");
  EXPECT_EQ(finds(directory_ / "here"), directory_ / "here\n");
}

TEST_F(ValueAttemptTest, AProgramThatFloodsIsStillWatchedAndEnded) {
  auto spec = Python(R"(
print("ready", flush=True)
while True: lines.write('{"type":"cache_get","id":1,"key":1}\nrubbish\n')
)");
  known_values_ = [](const std::string&) { return "\"" + std::string(100'000, 'v') + "\""; };
  spec.stream_output = true;
  spec.grace_ms = 0;
  StartIt(spec);
  ASSERT_TRUE(AwaitOutput(spec.id, "ready"));
  ASSERT_TRUE(launcher().Kill(spec.id));
  EXPECT_TRUE(Await(spec.id).killed);
  EXPECT_THAT(NamesIn(directory_.path()), IsEmpty());
}

TEST_F(ValueAttemptTest, TheSocketOfAKilledGuardianIsRemoved) {
  auto spec = Python("print('ready', flush=True)\nget(1)\nget(2)\nget(3)");
  spec.stream_output = true;
  StartIt(spec);
  ASSERT_TRUE(AwaitOutput(spec.id, "ready"));
  pid_t guardian = 0;
  const auto processes = ReadProcesses();
  const pid_t program = AwaitStarted(spec.id);
  for (const auto& entry : processes) {
    if (entry.pid == program) guardian = entry.parent;
  }
  ASSERT_GT(guardian, 0);
  ::kill(guardian, SIGKILL);
  EXPECT_EQ(Await(spec.id).error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_THAT(NamesIn(directory_.path()), IsEmpty());
}

TEST_F(ValueAttemptTest, OneGuardianGivesEachAttemptASocketOfItsOwn) {
  for (int i = 0; i < 3; ++i) {
    known_values_ = [i](const std::string&) { return std::to_string(i); };
    EXPECT_EQ(StdoutOf(Run(Python("print(get(1)['value'])"))), std::to_string(i) + "\n");
  }
}

}  // namespace
}  // namespace icarus::worker
