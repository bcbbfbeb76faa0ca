#include "tests/unit/worker/launcher/launcher_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/files.h"
#include "common/base/random.h"
#include "common/protocol/map_codec.h"
#include "worker/telemetry/process_tree.h"

namespace icarus::worker {
namespace fs = std::filesystem;

TestDirectory::TestDirectory() {
  std::string name = (fs::temp_directory_path() / "icarus-launcher-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TestDirectory::~TestDirectory() { EXPECT_TRUE(RemoveTree(path_)); }

void WriteTextFile(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string ReadTextFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ec;
  for (fs::directory_iterator it(directory, ec), end; !ec && it != end; it.increment(ec)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

bool IsRunning(pid_t pid) {
  for (const auto& entry : ReadProcesses()) {
    if (entry.pid == pid) return entry.state != 'Z';
  }
  return false;
}

std::size_t CountMarked(const std::string& mark) {
  std::size_t count = 0;
  for (const auto& entry : ReadProcesses()) {
    const std::string environment = ReadTextFile("/proc/" + std::to_string(entry.pid) + "/environ");
    if (environment.find("MARK=" + mark) != std::string::npos) ++count;
  }
  return count;
}

// --- fake solvers ---

namespace {

ResultBody BodyWithPid() {
  ResultBody body;
  body.summary.emplace("pid", Value(static_cast<double>(::getpid())));
  return body;
}

pid_t LeaveProcessBehind() {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::setsid();
  ::signal(SIGTERM, SIG_IGN);
  while (true) ::pause();
}

SolverOutcome WriteFiles(const SolverInput& input) {
  WriteTextFile(input.scratch_dir + "/small.txt", "small");
  WriteTextFile(input.scratch_dir + "/deep/large.bin", std::string(100'000, 'L'));
  SolverOutcome outcome{BodyWithPid(), {}};
  for (const char* name : {"small.txt", "deep/large.bin", "missing.txt", "../outside"}) {
    FileRef file;
    file.name = name;
    outcome.body.files.push_back(file);
  }
  FileRef said;
  said.name = "stdout";
  said.content = std::string(50'000, 'S');
  outcome.body.stdout_file = said;
  return outcome;
}

[[noreturn]] void LoopForEver() {
  ::signal(SIGTERM, SIG_IGN);
  volatile std::uint64_t turns = 0;
  while (true) turns = turns + 1;
}

}  // namespace

SolverOutcome FakeSolver(const std::string& solver, const SolverInput& input, ProgressSink& progress) {
  SolverOutcome outcome{BodyWithPid(), {}};
  if (solver == "abort") std::abort();
  if (solver == "exit") ::_exit(3);
  if (solver == "throw") throw std::runtime_error("matrix is singular");
  if (solver == "loop") LoopForEver();
  if (solver == "huge") outcome.body.summary.emplace("text", Value(std::string(9u << 20, 'h')));
  if (solver == "table") {
    outcome.body.columns = {"n"};
    for (int i = 0; i < 1'000'000; ++i) outcome.body.rows.push_back({Value(i + 0.5)});
  }
  if (solver == "files") return WriteFiles(input);
  if (solver == "leave") outcome.body.summary.emplace("left", Value(static_cast<double>(LeaveProcessBehind())));
  if (solver == "fail") outcome.body.missing.push_back({{{"aoa", Value(14.0)}}, "did not converge"});
  if (solver == "fail") outcome.error = {TaskErrorKind::kNoConvergence, "no angle converged", {}, {}};
  if (solver == "progress") {
    for (int i = 0; i < 50; ++i) progress.OnProgress(0.25, "a quarter");
  }
  if (solver == "echo") {
    outcome.body.columns = {"analysis", "target", "content", "x", "here", "empty"};
    outcome.body.rows = {{Value(input.analysis), Value(input.target.name), Value(input.target.content),
                          input.params.at("x"), Value(fs::current_path() == input.scratch_dir),
                          Value(fs::is_empty(input.scratch_dir))}};
  }
  return outcome;
}

// --- the fixture ---

LauncherTest::LauncherTest() : mark_(RandomHex(8)), options_{.run_solver = FakeSolver} {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

LauncherTest::~LauncherTest() {
  if (launcher_) {
    EXPECT_TRUE(launcher_->Shutdown());
  }
  EXPECT_TRUE(NoProcessLeft());
  EXPECT_EQ(CountMarked(mark_), 0u);
}

Launcher& LauncherTest::launcher() {
  if (!launcher_) {
    auto started = Launcher::Start(options_);
    EXPECT_TRUE(started);
    launcher_.emplace(std::move(*started));
  }
  return *launcher_;
}

AttemptSpec LauncherTest::Command(std::vector<std::string> argv) {
  AttemptSpec spec;
  spec.id = next_id_++;
  spec.scratch_dir = directory_ / ("scratch-" + std::to_string(spec.id));
  spec.outbox_dir = directory_ / "outbox";
  spec.blob_dir = directory_ / "blobs";
  spec.command.argv = std::move(argv);
  spec.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"MARK", mark_}};
  return spec;
}

AttemptSpec LauncherTest::Solver(const std::string& solver, ValueMap params) {
  AttemptSpec spec = Command({});
  spec.kind = AttemptKind::kSolver;
  spec.solver = solver;
  spec.analysis = "airfoil_polar";
  spec.params = std::move(params);
  return spec;
}

void LauncherTest::StartIt(const AttemptSpec& spec) { ASSERT_TRUE(launcher().StartAttempt(spec)); }

AttemptFinished LauncherTest::Run(const AttemptSpec& spec) {
  StartIt(spec);
  return Await(spec.id);
}

bool LauncherTest::TakeEventsUntil(const std::function<bool()>& enough) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!enough()) {
    pollfd item{launcher().fd(), static_cast<short>(POLLIN | (launcher().WantsWrite() ? POLLOUT : 0)), 0};
    ::poll(&item, 1, 100);
    auto events = launcher().Drain();
    if (!events || std::chrono::steady_clock::now() > deadline) return false;
    events_.insert(events_.end(), events->begin(), events->end());
    for (const LauncherEvent& event : *events) {
      if (const auto* ask = std::get_if<ValueAsk>(&event); ask != nullptr && known_values_) AnswerValues(*ask);
    }
  }
  return true;
}

void LauncherTest::AnswerValues(const ValueAsk& ask) {
  ValueAnswer answer{ask.id, {}, {}, ask.number};
  for (const std::string& key : ask.keys) {
    const auto value = known_values_(key);
    answer.at.push_back(value ? static_cast<std::int32_t>(answer.values.size()) : -1);
    if (value) answer.values.push_back(*value);
  }
  EXPECT_TRUE(launcher().Answer(answer));
}

std::vector<ValueOffer> LauncherTest::Offers(std::uint64_t id) const {
  std::vector<ValueOffer> offers;
  for (const auto& event : events_) {
    const auto* offer = std::get_if<ValueOffer>(&event);
    if (offer != nullptr && offer->id == id) offers.push_back(*offer);
  }
  return offers;
}

std::optional<AttemptFinished> LauncherTest::Finished(std::uint64_t id) const {
  for (const auto& event : events_) {
    const auto* finished = std::get_if<AttemptFinished>(&event);
    if (finished != nullptr && finished->id == id) return *finished;
  }
  return std::nullopt;
}

std::optional<AttemptSaved> LauncherTest::Saved(std::uint64_t save) const {
  for (const auto& event : events_) {
    const auto* saved = std::get_if<AttemptSaved>(&event);
    if (saved != nullptr && saved->id == save) return *saved;
  }
  return std::nullopt;
}

AttemptFinished LauncherTest::Await(std::uint64_t id) {
  EXPECT_TRUE(TakeEventsUntil([&] { return Finished(id).has_value(); })) << "attempt " << id << " did not end";
  const auto finished = Finished(id);
  return finished ? *finished : AttemptFinished{};
}

std::string LauncherTest::LiveOutput(std::uint64_t id) const {
  std::string text;
  for (const auto& event : events_) {
    const auto* piece = std::get_if<OutputPiece>(&event);
    if (piece != nullptr && piece->id == id && piece->stream == OutputStream::kStdout) text += piece->bytes;
  }
  return text;
}

std::vector<AttemptProgress> LauncherTest::Progress(std::uint64_t id) const {
  std::vector<AttemptProgress> all;
  for (const auto& event : events_) {
    const auto* progress = std::get_if<AttemptProgress>(&event);
    if (progress != nullptr && progress->id == id) all.push_back(*progress);
  }
  return all;
}

bool LauncherTest::AwaitOutput(std::uint64_t id, const std::string& text) {
  return TakeEventsUntil([&] { return LiveOutput(id).find(text) != std::string::npos; });
}

pid_t LauncherTest::AwaitStarted(std::uint64_t id) {
  pid_t pid = -1;
  EXPECT_TRUE(TakeEventsUntil([&] {
    for (const auto& event : events_) {
      const auto* started = std::get_if<AttemptStarted>(&event);
      if (started != nullptr && started->id == id) pid = static_cast<pid_t>(started->pid);
    }
    return pid > 0;
  }));
  return pid;
}

bool LauncherTest::NoProcessLeft() {
  return Eventually([] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
  });
}

ResultBody BodyOf(const AttemptFinished& finished) {
  auto body = codec::DecodeMap<ResultBody>(finished.body);
  EXPECT_TRUE(body) << (body ? "" : body.error().message);
  return body ? std::move(*body) : ResultBody{};
}

std::string StdoutOf(const AttemptFinished& finished) {
  const ResultBody body = BodyOf(finished);
  return body.stdout_file ? body.stdout_file->content.value_or("") : "";
}

std::string StderrOf(const AttemptFinished& finished) {
  const ResultBody body = BodyOf(finished);
  return body.stderr_file ? body.stderr_file->content.value_or("") : "";
}

}  // namespace icarus::worker
