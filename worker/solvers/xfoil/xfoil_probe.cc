// Finding XFOIL on this machine and telling whether it works here.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/base/files.h"
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/model/content_hash.h"
#include "worker/solvers/xfoil/xfoil_solver.h"

namespace icarus::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxProgramBytes = 256u << 20;
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr const char* kRemedy =
    "install the Debian package xfoil (apt-get install xfoil), or name the program in "
    "ICARUS_XFOIL";

// The self-test: NACA 0012 at 2 degrees, Re 1e6.
constexpr double kKnownCl = 0.2142;
constexpr double kKnownClTolerance = 0.002;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool IsProgram(const std::string& path) {
  std::error_code ec;
  return fs::is_regular_file(path, ec) && ::access(path.c_str(), X_OK) == 0;
}

std::string FindOnPath(const std::string& name) {
  const std::string path = Environment("PATH");
  for (const std::string& directory : Split(path.empty() ? kDefaultPath : path, ':')) {
    std::string candidate = directory;
    candidate.append("/").append(name);
    if (!directory.empty() && IsProgram(candidate)) return candidate;
  }
  return "";
}

std::string FindShim() {
  if (std::string named = Environment("ICARUS_NOFPE"); !named.empty()) return named;
  std::error_code ec;
  const fs::path directory = fs::read_symlink("/proc/self/exe", ec).parent_path();
  if (ec) return "";
  for (const fs::path& candidate :
       {directory.parent_path() / "lib" / "icarus-nofpe.so", directory / "icarus-nofpe.so"}) {
    if (fs::exists(candidate, ec)) return candidate.string();
  }
  return "";
}

// A private directory under the temporary directory, removed with its content.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::error_code ec;
    const fs::path parent = fs::temp_directory_path(ec);
    path_ = ((ec ? fs::path("/tmp") : parent) / ("icarus-probe-" + RandomHex(8))).string();
  }
  ~TemporaryDirectory() { static_cast<void>(RemoveTree(path_).has_value()); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct SelfTest {
  std::string version;
  std::string failure;  // empty: it works
};

SelfTest RunSelfTest(const XfoilProgram& program) {
  XfoilSetup setup;
  setup.naca = "0012";
  setup.reynolds = 1e6;
  XfoilLimits limits;
  limits.watchdog = {std::chrono::milliseconds(2000), std::chrono::milliseconds(5000)};
  const TemporaryDirectory scratch;
  XfoilSession session(program, setup, limits, scratch.path());
  const RunReport report = session.Run({"ALFA 2"}, 1, [](std::size_t) {});
  SelfTest test{session.version(), ""};
  if (report.end != RunReport::End::kFinished) {
    test.failure = report.reason;
  } else if (report.points.empty() || !report.points.front()) {
    test.failure = "NACA 0012 at 2 degrees did not converge";
  } else if (std::abs(report.points.front()->cl - kKnownCl) > kKnownClTolerance) {
    test.failure = "NACA 0012 at 2 degrees has cl " + FormatNumber(report.points.front()->cl) + ", not 0.2142";
  }
  return test;
}

// What changes with a file's content, and costs nothing to look at (stat(2)).
struct FileStamp {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t written_ns = 0, changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

std::optional<FileStamp> StampOf(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  const auto ns = [](const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return FileStamp{path, status.st_dev, status.st_ino, status.st_size, ns(status.st_mtim), ns(status.st_ctim)};
}

std::string BuildOf(const std::string& content) { return HashBytes(content).Hex().substr(0, 8); }

// Of the file as it is; read again when its stamp is another one. Empty: it cannot be read.
std::string CurrentBuild(const std::string& path) {
  static std::optional<FileStamp> last;
  static std::string build;
  const std::optional<FileStamp> stamp = StampOf(path);
  if (stamp && stamp == last) return build;
  const auto content = ReadFile(path, kMaxProgramBytes);
  last = stamp;
  build = content ? BuildOf(*content) : "";
  return build;
}

}  // namespace

bool IsXfoilStill(const std::string& identity) {
  const auto program = FindXfoil();
  const std::size_t plus = identity.rfind('+');
  return program && plus != std::string::npos && CurrentBuild(program->path) == identity.substr(plus + 1);
}

Result<XfoilProgram> FindXfoil() {
  XfoilProgram program;
  if (const std::string named = Environment("ICARUS_XFOIL"); !named.empty()) {
    if (!IsProgram(named)) return UsageError("ICARUS_XFOIL names " + named + ", which is not a program");
    program.path = named;
  } else {
    program.path = FindOnPath("xfoil");
    if (program.path.empty()) return UsageError("xfoil is not on PATH");
  }
  ICARUS_ASSIGN(program.path, AbsolutePath(program.path));
  program.shim = FindShim();
  if (!program.shim.empty()) {
    ICARUS_ASSIGN(program.shim, AbsolutePath(program.shim));
  }
  return program;
}

SolverInfo ProbeXfoil() {
  SolverInfo info{kXfoilSolver, {"airfoil_polar"}, "", "", kRemedy};
  const auto program = FindXfoil();
  if (!program) {
    info.detail = program.error().message;
    return info;
  }
  const auto bytes = ReadFile(program->path, kMaxProgramBytes);
  if (!bytes) {
    info.detail = bytes.error().message;
    return info;
  }
  const SelfTest test = RunSelfTest(*program);
  if (!test.failure.empty()) {
    info.detail = program->path + " does not work here: " + test.failure;
    if (program->shim.empty()) {
      info.detail += "; the library icarus-nofpe.so was not found beside the programs";
      info.remedy = "install icarus-nofpe.so in lib/ beside the directory of the programs (it is built with them)";
    }
    return info;
  }
  const std::string version = test.version.empty() ? "unknown" : test.version;
  info.identity = version + "+" + BuildOf(*bytes);
  info.detail = program->path;
  info.remedy.clear();
  return info;
}

}  // namespace icarus::worker
