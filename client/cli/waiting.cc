#include "client/cli/waiting.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "client/cli/exit_codes.h"
#include "client/output/job_text.h"
#include "client/output/progress_printer.h"

namespace icarus::client {
namespace {

constexpr std::size_t kErrorsTold = 3;
constexpr std::chrono::milliseconds kShortestTick{20};
constexpr std::chrono::seconds kFirstUpdate{5};  // what has ended is told whatever the deadline; for that at least

TimePoint Clock() { return std::chrono::steady_clock::now(); }
Nanoseconds SinceEpoch(TimePoint time) { return time.time_since_epoch(); }

// One following: the state of the jobs and what shows it.
class Follower {
 public:
  Follower(Session& session, Client& client, const std::vector<JobId>& jobs, const FollowOptions& follow)
      : session_(session),
        client_(client),
        jobs_(jobs),
        follow_(follow),
        shows_(follow.progress && session.shows_progress()),
        printer_(stderr, ProgressPrinter::Detect(stderr)) {}

  Result<Client::WaitOutcome> Run() {
    const std::uint64_t watch = client_.Watch(jobs_, [this](Result<JobUpdate> update) { OnUpdate(std::move(update)); });
    Result<RunEnd> end = Wait();
    client_.EndWatch(watch);
    printer_.Erase();
    if (error_) return *error_;
    if (!end) return std::move(end).error();
    if (*end == RunEnd::kInterrupted) SayWhatGoesOn();
    Client::WaitOutcome outcome{*end, {}};
    for (const JobId job : jobs_) {
      if (seen_.contains(job)) outcome.jobs.push_back(seen_[job]);
    }
    return outcome;
  }

 private:
  void OnUpdate(Result<JobUpdate> update) {
    if (!update) {
      error_ = std::move(update).error();
      return;
    }
    for (const JobSummary& job : update->jobs) seen_[job.job] = job;
    if (shows_) printer_.Update(update->jobs, SinceEpoch(Clock()));
    if (follow_.on_update) follow_.on_update(*update);
  }

  bool Ended() const {
    return error_ || std::all_of(jobs_.begin(), jobs_.end(), [this](JobId job) {
             const auto found = seen_.find(job);
             return found != seen_.end() && IsFinal(found->second.state);
           });
  }

  // Before the first update nobody knows whether there is anything to wait for.
  std::optional<TimePoint> Deadline() const {
    if (!follow_.deadline || !seen_.empty()) return follow_.deadline;
    return std::max(*follow_.deadline, began_ + kFirstUpdate);
  }

  std::optional<TimePoint> NextWake() const {
    if (!shows_ || seen_.empty()) return Deadline();
    const auto due = TimePoint(std::chrono::duration_cast<TimePoint::duration>(printer_.NextTick()));
    const TimePoint tick = std::max(due, Clock() + kShortestTick);
    return follow_.deadline ? std::min(*follow_.deadline, tick) : tick;
  }

  Result<RunEnd> Wait() {
    while (true) {
      const bool was_seen = !seen_.empty();
      const auto enough = [&] { return Ended() || (!was_seen && !seen_.empty()); };
      ICARUS_ASSIGN(const RunEnd end, client_.RunUntil(enough, NextWake()));
      if (end == RunEnd::kInterrupted || Ended()) return end;
      const TimePoint now = Clock();
      if (const auto deadline = Deadline(); deadline && now >= *deadline) return RunEnd::kDeadline;
      if (shows_) printer_.Tick(SinceEpoch(now));
    }
  }

  void SayWhatGoesOn() {
    for (const JobId job : jobs_) {
      if (seen_.contains(job) && IsFinal(seen_[job].state)) continue;
      std::fprintf(stderr, "job %s goes on\n", std::to_string(job.value).c_str());
    }
  }

  Session& session_;
  Client& client_;
  const std::vector<JobId>& jobs_;
  const FollowOptions& follow_;
  const bool shows_;
  ProgressPrinter printer_;
  const TimePoint began_ = Clock();
  std::map<JobId, JobSummary> seen_;
  std::optional<Error> error_;
};

Status TellFailures(Session& session, const JobSummary& job) {
  ICARUS_ASSIGN(Client * client, session.Broker());
  ShowJob request;
  request.job = job.job;
  request.limit = 1;
  ICARUS_ASSIGN(const ShowJobReply reply, client->Ask<ShowJobReply>(request));
  const std::string text = FailuresText(job.job, reply.failures, kErrorsTold);
  std::fputs(text.c_str(), stderr);
  return {};
}

}  // namespace

Result<Client::WaitOutcome> FollowJobs(Session& session, const std::vector<JobId>& jobs, const FollowOptions& follow) {
  if (jobs.empty()) return Client::WaitOutcome{};
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_TRY(session.CatchInterrupt());
  return Follower(session, *client, jobs, follow).Run();
}

Result<int> TellEnds(Session& session, const std::vector<JobSummary>& jobs) {
  int worst = kExitDone;
  std::fflush(stdout);
  for (const JobSummary& job : jobs) {
    const int code = ExitCodeOf(job);
    worst = std::max(worst, code);
    if (code == kExitDone) {
      session.Note(JobEndLine(job));
    } else {
      std::fprintf(stderr, "%s\n", JobEndLine(job).c_str());
      ICARUS_TRY(TellFailures(session, job));
    }
  }
  return worst;
}

}  // namespace icarus::client
