// XFOIL with one section and one flow: the script that sets it up, and runs of commands in fresh processes.
#pragma once

#include <optional>
#include <string>

#include "common/model/result_body.h"
#include "worker/solvers/xfoil/march.h"
#include "worker/solvers/xfoil/output_reader.h"
#include "worker/solvers/xfoil/watched_child.h"

namespace icarus::worker {

struct XfoilProgram {
  std::string path;
  std::string shim;  // preloaded into it, see nofpe.c; empty: none was found
};

// What the commands act on. Angles are not part of it.
struct XfoilSetup {
  std::string naca;                // the digits after NACA; empty: `coordinates` is loaded
  std::string coordinates;         // "x y" a line
  std::optional<double> reynolds;  // nothing: inviscid
  double mach = 0;
  double ncrit = 9;
  double xtr_top = 1;
  double xtr_bottom = 1;
  int panels = 160;
  int iter = 100;
};

struct XfoilLimits {
  WatchdogLimits watchdog;
  OutputReader::Limits output;
};

// The whole standard input of one process: set-up, the commands, and the way out.
std::string XfoilScript(const XfoilSetup& setup, const std::vector<std::string>& commands);

// Runs commands one process at a time in directories below `scratch_dir`, which it creates and removes. It remembers
// what ended the last broken run and the tail of everything that was written. Not for several threads.
class XfoilSession : public PolarRunner {
 public:
  XfoilSession(XfoilProgram program, XfoilSetup setup, XfoilLimits limits, std::string scratch_dir);

  RunReport Run(const std::vector<std::string>& commands, std::size_t expected,
                const std::function<void(std::size_t)>& on_points) override;

  // Why the last run that came back kBroken did.
  const TaskError& error() const { return error_; }
  // The last kMaxTranscript bytes of output, from the start of a line when some were cut off.
  std::string Transcript() const;
  const std::string& version() const { return version_; }

  static constexpr std::size_t kMaxTranscript = 64u << 10;

 private:
  Status Prepare(const std::string& directory, const std::vector<std::string>& commands) const;
  RunReport Judge(const ChildEnd& end, const OutputReader& reader, const std::string& polar, std::size_t expected);
  RunReport Broken(RunReport report, TaskErrorKind kind, const std::string& message);
  void Remember(std::string_view bytes);

  XfoilProgram program_;
  XfoilSetup setup_;
  XfoilLimits limits_;
  std::string scratch_dir_;
  std::string transcript_;
  bool transcript_cut_ = false;
  std::string version_;
  TaskError error_;
};

}  // namespace icarus::worker
