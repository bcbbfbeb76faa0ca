#include "client/cli/submission.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "client/cli/job_request.h"
#include "client/cli/results.h"
#include "client/cli/selectors.h"
#include "client/output/job_text.h"
#include "client/output/json.h"
#include "common/base/random.h"

namespace icarus::client {
namespace {

// How long one who waits for the job anyway waits for a broker that has no room.
constexpr std::chrono::minutes kPatience{1};

// The file as the other task's result names it; its content is at the broker already.
Result<FileRef> FindOutput(Client& client, const PendingInput& wanted) {
  ICARUS_ASSIGN(const TaskResult result, FetchEndedTask(client, *wanted.task));
  for (const FileRef& file : result.body.files) {
    if (file.name == wanted.path) return file;
  }
  return Error::Make(ErrorCode::kNotFound,
                     "task " + FormatTask(*wanted.task) + " has no output file '" + wanted.path + "'; 'icarus get " +
                         FormatTask(*wanted.task) + " --list' names them",
                     "input");
}

Status CompleteInputs(Client& client, JobRequest& request) {
  if (request.spec.command) request.spec.command->awaited.clear();
  for (const PendingInput& pending : request.pending) {
    CommandSpec& command = *request.spec.command;
    FileRef& input = command.inputs[pending.input];
    Result<FileRef> file = pending.task ? FindOutput(client, pending) : client.UploadFile(pending.path, input.name);
    if (!file && pending.task && file.error().code == ErrorCode::kNotYet) {
      const auto index = static_cast<std::uint32_t>(pending.input);
      command.awaited.push_back({index, pending.task->job, pending.task->index, pending.path});
      continue;
    }
    if (!file) return file.error();
    file->name = input.name;
    input = std::move(*file);
  }
  return {};
}

// A file that was there when it was to be sent, and went with the last that named it before the job came.
bool HasLostInput(const Error& error) { return error.code == ErrorCode::kNotFound && error.field == "input"; }

bool CanRun(const WorkerInfo& worker, const JobSpec& spec) {
  if (worker.state == "lost" || worker.state == "draining" || worker.slots < spec.resources.cpus) return false;
  if (spec.resources.memory_bytes > worker.memory_bytes && worker.memory_bytes > 0) return false;
  const bool built_in = spec.analysis == "noop" || spec.analysis == "command";
  if (!built_in) {
    const auto solver = worker.solvers.find(spec.solver);
    if (solver == worker.solvers.end()) return false;
    if (!spec.solver_identity.empty() && solver->second != spec.solver_identity) return false;
  }
  return std::all_of(spec.require.begin(), spec.require.end(), [&](const auto& label) {
    const auto found = worker.labels.find(label.first);
    return found != worker.labels.end() && found->second == label.second;
  });
}

Status CheckRunnable(Client& client, const JobSpec& spec) {
  ICARUS_ASSIGN(const ListWorkersReply reply, client.Ask<ListWorkersReply>(ListWorkers{}));
  const bool any = std::any_of(reply.workers.begin(), reply.workers.end(),
                               [&](const WorkerInfo& worker) { return CanRun(worker, spec); });
  if (any) return {};
  return Error::Make(ErrorCode::kRefused, "no worker can run it now (--require-runnable): solver " + spec.solver +
                                              ", " + std::to_string(spec.resources.cpus) +
                                              " CPU(s); 'icarus workers' shows what there is");
}

}  // namespace

Result<JobRequest> BuildWholeRequest(Session& session, const SubmitOptions& options, bool waits) {
  ICARUS_ASSIGN(JobRequest request, BuildJobRequest(Catalogue::BuiltIn(), options));
  if (waits) ICARUS_TRY(session.CatchInterrupt());  // not before our own standard input has been read
  ICARUS_ASSIGN(Client * client, session.Broker());
  if (options.require_runnable) ICARUS_TRY(CheckRunnable(*client, request.spec));
  ICARUS_TRY(CompleteInputs(*client, request));
  ICARUS_ASSIGN(request.spec.after, ResolveJobs(*client, options.after));
  ICARUS_ASSIGN(request.spec.after_any, ResolveJobs(*client, options.after_any));
  return request;
}

Result<SubmitReply> SendJob(Session& session, const SubmitOptions& options, bool waits) {
  ICARUS_ASSIGN(JobRequest request, BuildWholeRequest(session, options, waits));
  ICARUS_ASSIGN(Client * client, session.Broker());
  // A key of its own makes it safe to send the request again when its answer was lost.
  const std::string id = options.id.empty() ? RandomHex(16) : options.id;
  const auto tell = [&session, told = false](const Error& error) mutable {
    if (!told) session.Note("icarus: " + error.message + "; trying again for a minute");
    told = true;
  };
  const auto send = [&] {
    return client->SubmitJob({id, request.spec}, waits ? kPatience : std::chrono::milliseconds(0), tell);
  };
  Result<SubmitReply> sent = send();
  if (!sent && HasLostInput(sent.error())) {
    ICARUS_TRY(CompleteInputs(*client, request));
    sent = send();
  }
  ICARUS_ASSIGN(const SubmitReply reply, std::move(sent));
  for (const std::string& warning : reply.warnings) session.Note("icarus: warning: " + warning);
  return reply;
}

void TellSubmitted(const Session& session, const SubmitReply& reply) {
  if (session.text()) {
    session.Print(std::to_string(reply.job.value) + "\n");
  } else {
    session.PrintDocument(SubmitJson(reply));
  }
  std::fflush(stdout);
  session.Note(SubmitLine(reply));
}

}  // namespace icarus::client
