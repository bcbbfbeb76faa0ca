// Finding XFOIL on this machine and telling whether it works here.
#include <stdlib.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

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
    const std::string candidate = directory + "/" + name;
    if (!directory.empty() && IsProgram(candidate)) return candidate;
  }
  return "";
}

std::string FindShim() {
  if (const std::string named = Environment("ICARUS_NOFPE"); !named.empty()) return named;
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

}  // namespace

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
  info.identity = version + "+" + HashBytes(*bytes).Hex().substr(0, 8);
  info.detail = program->path;
  info.remedy.clear();
  return info;
}

}  // namespace icarus::worker
