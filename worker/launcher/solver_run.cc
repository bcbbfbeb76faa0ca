#include "worker/launcher/solver_run.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/small_file.h"
#include "common/model/limits.h"
#include "worker/launcher/host_values.h"
#include "worker/launcher/launcher_codec.h"
#include "worker/launcher/outbox.h"
#include "worker/launcher/process_family.h"
#include "worker/launcher/result_size.h"
#include "worker/launcher/scratch.h"

namespace icarus::worker {
namespace {

constexpr std::chrono::milliseconds kProgressPeriod{100};

// A host that has grown by more than this is not used again: it would keep the memory, and its peak would be told of
// every later attempt (the kernel keeps one maximum for all children).
constexpr std::uint64_t kMostGrowth = 256u << 20;

class FrameProgress : public ProgressSink {
 public:
  FrameProgress(std::uint64_t id, FrameChannel& channel) : id_(id), channel_(channel) {}

  void OnProgress(double fraction, std::string_view message) override {
    const Instant now = MonotonicNow();
    if (now < next_) return;
    next_ = now + kProgressPeriod;
    channel_.Send(FrameType::kProgress, id_,
                  EncodeProgress({id_, std::clamp(fraction, 0.0, 1.0), std::string(message)}));
  }

 private:
  std::uint64_t id_;
  FrameChannel& channel_;
  Instant next_{0};
};

// What the solver may talk to while it runs.
struct AttemptPeers {
  ProgressSink& progress;
  IntermediateValues& values;
};

// Starts the count of VmHWM anew (proc(5), clear_refs).
void ResetPeakMemory() {
  const UniqueFd fd(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
  if (fd && ::write(fd.get(), "5", 1) != 1) return;
}

struct rusage UsageOf(int who) {
  struct rusage usage {};
  ::getrusage(who, &usage);
  return usage;
}

double CpuSoFar() { return CpuSeconds(UsageOf(RUSAGE_SELF)) + CpuSeconds(UsageOf(RUSAGE_CHILDREN)); }

// Ended children are waited for; false when one is still there.
bool NoChildLeft() {
  pid_t pid = 0;
  do {
    pid = ::waitpid(-1, nullptr, WNOHANG);
  } while (pid > 0 || (pid < 0 && errno == EINTR));
  return pid < 0;
}

TaskError Threw(const std::string& solver, const std::string& what) {
  return {TaskErrorKind::kSolverCrashed, solver + " ended with an exception: " + what, std::nullopt, std::nullopt};
}

SolverOutcome CallSolver(const AttemptSpec& spec, const LauncherOptions& options, const AttemptPeers& peers) {
  const SolverInput input{spec.analysis,    spec.params,   spec.target,
                          spec.scratch_dir, &peers.values, spec.solver_identity};
  try {
    return options.run_solver(spec.solver, input, peers.progress);
  } catch (const std::exception& error) {
    return {{}, Threw(spec.solver, error.what())};
  } catch (...) {
    return {{}, Threw(spec.solver, "of unknown type")};
  }
}

// The end of what the solver wrote, errors before the rest. To be called before the files are settled.
std::string TailOf(const ResultBody& body) {
  for (const auto* stream : {&body.stderr_file, &body.stdout_file}) {
    if (!*stream || !(*stream)->content || (*stream)->content->empty()) continue;
    const std::string& text = *(*stream)->content;
    return text.substr(text.size() - std::min(text.size(), limits::kOutputTailBytes));
  }
  return {};
}

HostOutcome RunAndPack(const AttemptSpec& spec, const LauncherOptions& options, std::uint64_t first_bytes,
                       const AttemptPeers& peers) {
  const double cpu_before = CpuSoFar();
  ResetPeakMemory();
  if (::chdir(spec.scratch_dir.c_str()) != 0) {
    return HostOutcome::Failed(
        {TaskErrorKind::kInternal, ErrnoError("cannot enter " + spec.scratch_dir, errno).message, {}, {}});
  }
  SolverOutcome solved = CallSolver(spec, options, peers);
  HostOutcome outcome;
  const bool alone = NoChildLeft();
  outcome.cpu_s = CpuSoFar() - cpu_before;
  outcome.max_rss_bytes =
      std::max(OwnPeakMemory(), static_cast<std::uint64_t>(UsageOf(RUSAGE_CHILDREN).ru_maxrss) * 1024);
  outcome.retire = !alone || outcome.max_rss_bytes > first_bytes + kMostGrowth;
  if (solved.error.kind != TaskErrorKind::kNone) outcome.output_tail = TailOf(solved.body);
  Outbox outbox(spec.outbox_dir, spec.id);
  SettleFiles(solved.body, spec.scratch_dir, outbox);
  outcome.error = std::move(solved.error);
  outcome.incomplete = !solved.body.missing.empty();
  outcome.body = EncodeLargeBody(solved.body, outbox, outcome.error);
  outcome.cacheable = solved.cacheable;
  outcome.solver_changed = solved.changed;
  outcome.blobs = outbox.TakeBlobs();
  RefuseLargeBody(outcome.error, outcome.body, outcome.blobs);
  return outcome;
}

Result<FileRef> Settle(FileRef& file, const std::string& directory, Outbox& outbox) {
  if (file.content) return outbox.AddContent(std::move(*file.content), file.name, file.mode);
  if (!StaysInside(file.name)) return UsageError("the file '" + file.name + "' lies outside the scratch directory");
  return outbox.AddFile(directory + "/" + file.name, file.name, true);
}

}  // namespace

std::uint64_t OwnPeakMemory() { return NumberAfter(ReadSmallFile("/proc/self/status"), "VmHWM:").value_or(0) * 1024; }

void SettleFiles(ResultBody& body, const std::string& directory, Outbox& outbox) {
  const auto settle = [&](FileRef& file) {
    auto settled = Settle(file, directory, outbox);
    if (settled) {
      file = std::move(*settled);
      return true;
    }
    body.warnings.push_back("the file '" + file.name + "' was left out: " + settled.error().message);
    return false;
  };
  std::vector<FileRef> kept;
  for (auto& file : body.files) {
    if (settle(file)) kept.push_back(std::move(file));
  }
  body.files = std::move(kept);
  for (auto* stream : {&body.stdout_file, &body.stderr_file}) {
    if (*stream && !settle(**stream)) stream->reset();
  }
}

void RunSolverAttempt(const Frame& start, const LauncherOptions& options, std::uint64_t first_bytes,
                      FrameChannel& channel) {
  HostOutcome outcome;
  const auto spec = DecodeSpec(start.payload);
  if (spec) {
    FrameProgress progress(start.id, channel);
    HostValues values(start.id, channel);
    outcome = RunAndPack(*spec, options, first_bytes, {progress, values});
    if (::chdir("/") != 0) outcome.retire = true;
  } else {
    outcome = HostOutcome::Failed({TaskErrorKind::kInternal, spec.error().message, std::nullopt, std::nullopt});
  }
  channel.Send(FrameType::kOutcome, start.id, EncodeOutcome(outcome));
}

}  // namespace icarus::worker
