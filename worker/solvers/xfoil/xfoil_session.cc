#include "worker/solvers/xfoil/xfoil_session.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus::worker {
namespace {

// Short names without a directory: XFOIL cuts names at 64 characters and ends them at a blank.
constexpr const char* kScriptFile = "in.txt";
constexpr const char* kShimFile = "nofpe.so";
constexpr const char* kCoordinateFile = "foil.dat";
constexpr const char* kPolarFile = "polar.txt";
constexpr std::uint64_t kMaxPolarBytes = 1u << 20;
constexpr int kDefaultPanels = 160;

std::string SectionCommands(const XfoilSetup& setup) {
  std::string text = setup.naca.empty() ? std::string("LOAD ") + kCoordinateFile + "\n" : "NACA " + setup.naca + "\n";
  if (setup.panels != kDefaultPanels) text += "PPAR\nN " + std::to_string(setup.panels) + "\n\n\n";
  return text + "PANE\n";
}

std::string FlowCommands(const XfoilSetup& setup) {
  std::string text;
  if (setup.reynolds) text += "VISC " + FormatNumber(*setup.reynolds) + "\n";
  text += "MACH " + FormatNumber(setup.mach) + "\nITER " + std::to_string(setup.iter) + "\nVPAR\nN " +
          FormatNumber(setup.ncrit) + "\nXTR " + FormatNumber(setup.xtr_top) + " " + FormatNumber(setup.xtr_bottom) +
          "\n\n";
  return text;
}

std::string SignalText(int number) {
  const char* name = ::sigabbrev_np(number);
  return "signal " + std::to_string(number) + (name != nullptr ? std::string(" (SIG") + name + ")" : std::string());
}

}  // namespace

std::string XfoilScript(const XfoilSetup& setup, const std::vector<std::string>& commands) {
  std::string text = "PLOP\nG F\n\n" + SectionCommands(setup) + "OPER\n" + FlowCommands(setup);
  text += std::string("PACC\n") + kPolarFile + "\n\n";  // the empty line: no dump file
  for (const std::string& command : commands) text += command + "\n";
  return text + "PACC\n\nQUIT\n";
}

XfoilSession::XfoilSession(XfoilProgram program, XfoilSetup setup, XfoilLimits limits, std::string scratch_dir)
    : program_(std::move(program)), setup_(std::move(setup)), limits_(limits), scratch_dir_(std::move(scratch_dir)) {}

Status XfoilSession::Prepare(const std::string& directory, const std::vector<std::string>& commands) const {
  // A polar file that exists would be appended to: every run has a fresh directory.
  ICARUS_TRY(RemoveTree(directory));
  ICARUS_TRY(MakeDirectories(directory, 0700));
  ICARUS_TRY(WriteFileAtomically(directory + "/" + kScriptFile, XfoilScript(setup_, commands), 0600));
  if (setup_.naca.empty()) {
    // A first line that is a name; without one XFOIL would take the next command for it.
    ICARUS_TRY(WriteFileAtomically(directory + "/" + kCoordinateFile, "AIRFOIL\n" + setup_.coordinates, 0600));
  }
  if (program_.shim.empty()) return {};
  // The loader splits its list of libraries at blanks and colons, which the real path may contain.
  if (::symlink(program_.shim.c_str(), (directory + "/" + kShimFile).c_str()) == 0) return {};
  return ErrnoError("cannot link " + program_.shim, errno);
}

void XfoilSession::Remember(std::string_view bytes) {
  transcript_.append(bytes);
  // Cut rarely: each cut moves the rest.
  if (transcript_.size() <= 4 * kMaxTranscript) return;
  transcript_.erase(0, transcript_.size() - kMaxTranscript);
  transcript_cut_ = true;
}

std::string XfoilSession::Transcript() const {
  const bool cut = transcript_cut_ || transcript_.size() > kMaxTranscript;
  const std::string tail =
      transcript_.size() > kMaxTranscript ? transcript_.substr(transcript_.size() - kMaxTranscript) : transcript_;
  const std::size_t line = cut ? tail.find('\n') : std::string::npos;
  return line == std::string::npos ? tail : tail.substr(line + 1);
}

RunReport XfoilSession::Broken(RunReport report, TaskErrorKind kind, const std::string& message) {
  report.end = RunReport::End::kBroken;
  report.reason = message;
  error_ = {kind, message, std::nullopt, std::nullopt};
  return report;
}

RunReport XfoilSession::Run(const std::vector<std::string>& commands, std::size_t expected,
                            const std::function<void(std::size_t)>& on_points) {
  const std::string directory = scratch_dir_ + "/xfoil";
  if (const Status prepared = Prepare(directory, commands); !prepared) {
    return Broken({}, TaskErrorKind::kInternal, prepared.error().message);
  }
  OutputReader reader(limits_.output);
  std::size_t told = 0;
  const ChildSpec spec{program_.path, program_.shim.empty() ? "" : std::string("./") + kShimFile, directory,
                       kScriptFile};
  const ChildEnd end = RunWatchedChild(spec, limits_.watchdog, [&](std::string_view bytes) {
    Remember(bytes);
    const bool sound = reader.Feed(bytes);
    if (reader.points().size() != told) on_points(told = reader.points().size());
    return sound;
  });
  if (version_.empty()) version_ = reader.version();
  const auto polar = ReadFile(directory + "/" + kPolarFile, kMaxPolarBytes);
  const Status removed = RemoveTree(directory);
  RunReport report = Judge(end, reader, polar ? *polar : std::string(), expected);
  if (!removed && report.end != RunReport::End::kBroken) {
    return Broken(std::move(report), TaskErrorKind::kInternal, removed.error().message);
  }
  return report;
}

// Told by what was written, never by the exit status alone: XFOIL also leaves with 0 when it understood nothing.
RunReport XfoilSession::Judge(const ChildEnd& end, const OutputReader& reader, const std::string& polar,
                              std::size_t expected) {
  const auto rows = ParsePolarFile(polar);
  RunReport report;
  std::size_t next_row = 0;
  for (const bool converged : reader.points()) {
    const bool written = converged && next_row < rows.size();
    report.points.push_back(written ? rows[next_row] : std::nullopt);
    if (converged) ++next_row;
  }
  report.halted = reader.halted();
  switch (end.kind) {
    case ChildEnd::Kind::kNotStarted:
      return Broken(report, TaskErrorKind::kInternal, "cannot start " + program_.path + ": " + end.message);
    case ChildEnd::Kind::kSignalled:
      report = Broken(report, TaskErrorKind::kSolverCrashed, "xfoil was ended by " + SignalText(end.code));
      error_.signal = end.code;
      return report;
    case ChildEnd::Kind::kHung:
    case ChildEnd::Kind::kFlooded:
      report.end = RunReport::End::kInterrupted;
      report.reason = end.kind == ChildEnd::Kind::kHung ? "it hung without output" : "it wrote without end";
      return report;
    case ChildEnd::Kind::kExited: break;
  }
  if (report.halted || report.points.size() >= expected) return report;
  if (!reader.complaint().empty()) {
    return Broken(report, TaskErrorKind::kInvalidInput, "xfoil refused its input: " + reader.complaint());
  }
  if (end.code == 0) return Broken(report, TaskErrorKind::kSolverCrashed, "xfoil exited without a result");
  report = Broken(report, TaskErrorKind::kNonzeroExit,
                  "xfoil exited with status " + std::to_string(end.code) + ": " + reader.last_line());
  error_.exit_code = end.code;
  return report;
}

}  // namespace icarus::worker
