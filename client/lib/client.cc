#include "client/lib/client.h"

#include <algorithm>
#include <map>

#include "client/lib/connection.h"
#include "common/model/limits.h"
#include "common/protocol/codec.h"
#include "common/protocol/result_codec.h"

namespace icarus::client {

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::Connect(ConnectOptions options) {
  ICARUS_ASSIGN(auto connection, Connection::Open(std::move(options)));
  return std::unique_ptr<Client>(new Client(std::move(connection)));
}

void Client::CallAsync(AnyMessage request, std::vector<Body> bodies, Callback done) {
  connection_->CallAsync(std::move(request), std::move(bodies), std::move(done));
}

Result<SubmitReply> Client::SubmitJob(const Submit& request, std::chrono::milliseconds patience,
                                      const std::function<void(const Error&)>& on_refused) {
  const TimePoint give_up = std::chrono::steady_clock::now() + patience;
  while (true) {
    Result<SubmitReply> reply = Ask<SubmitReply>(request);
    if (reply || reply.error().code != ErrorCode::kOverloaded) return reply;
    const TimePoint now = std::chrono::steady_clock::now();
    if (now >= give_up) return reply;
    if (on_refused) on_refused(reply.error());
    const auto pause = std::chrono::duration<double>(reply.error().retry_after_s.value_or(1));
    const TimePoint again = now + std::chrono::duration_cast<std::chrono::milliseconds>(pause);
    ICARUS_ASSIGN(const RunEnd end, RunUntil([] { return false; }, std::min(again, give_up)));
    if (end == RunEnd::kInterrupted) return Interrupted();
  }
}

Result<Message> Client::Call(AnyMessage request, std::vector<Body> bodies) {
  // Shared with the callback, which may be called after this returned early: an interrupted call's answer still comes.
  const auto answer = std::make_shared<std::optional<Result<Message>>>();
  CallAsync(std::move(request), std::move(bodies),
            [answer](Result<Message> message) { answer->emplace(std::move(message)); });
  ICARUS_ASSIGN(const RunEnd end, RunUntil([&answer] { return answer->has_value(); }));
  if (end == RunEnd::kInterrupted) return Interrupted();
  return std::move(**answer);
}

Result<Welcome> Client::Greet() {
  ICARUS_ASSIGN(const RunEnd end, connection_->Greet());
  if (end == RunEnd::kInterrupted) return Interrupted();
  return *connection_->welcome();
}

Result<RunEnd> Client::RunUntil(const std::function<bool()>& condition, std::optional<TimePoint> deadline) {
  return connection_->RunUntil(condition, deadline);
}

void Client::SetInterrupt(int fd) { connection_->SetInterrupt(fd); }

std::uint64_t Client::Watch(std::vector<JobId> jobs, WatchCallback on_update) {
  return connection_->Watch(std::move(jobs), std::move(on_update));
}

void Client::EndWatch(std::uint64_t watch) { connection_->EndWatch(watch); }

Result<Client::WaitOutcome> Client::Wait(const std::vector<JobId>& jobs, std::optional<TimePoint> deadline) {
  std::map<JobId, JobSummary> seen;
  std::optional<Error> error;
  const std::uint64_t watch = Watch(jobs, [&](Result<JobUpdate> update) {
    if (!update) {
      error = std::move(update).error();
      return;
    }
    for (JobSummary& job : update->jobs) seen[job.job] = std::move(job);
  });
  const auto ended = [&](JobId job) {
    const auto found = seen.find(job);
    return found != seen.end() && IsFinal(found->second.state);
  };
  auto end = RunUntil([&] { return error || std::all_of(jobs.begin(), jobs.end(), ended); }, deadline);
  EndWatch(watch);
  if (error) return *error;
  if (!end) return std::move(end).error();
  WaitOutcome outcome{*end, {}};
  for (const JobId job : jobs) {
    if (seen.contains(job)) outcome.jobs.push_back(seen[job]);
  }
  return outcome;
}

namespace {

// A table that is lost or damaged is the error of its task, and not of the others.
Status LoadOrTell(Client& client, ResultItem& item, ResultBody& body) {
  const Status loaded = client.LoadTable(body);
  if (loaded) return {};
  const Error& error = loaded.error();
  if (!IsLost(error)) return error;
  item.task.state = TaskState::kFailed;
  item.task.error =
      TaskError{TaskErrorKind::kOutputMissing, "it has completed, but its table is lost: " + error.message, {}, {}};
  body = {};
  return {};
}

Status VisitPage(Client& client, const Message& message, ResultPage& page, const Client::ResultCallback& on_result) {
  for (ResultItem& item : page.items) {
    if (!BodyInRange(message, item.body)) return ProtocolError("a result names a body that is not there");
    ResultBody body;
    if (item.body >= 0) {
      ICARUS_ASSIGN(body, DecodeResultBody(*message.bodies[static_cast<std::size_t>(item.body)]));
      ICARUS_TRY(LoadOrTell(client, item, body));
    }
    ICARUS_TRY(on_result(std::move(item), std::move(body)));
  }
  return {};
}

}  // namespace

Status Client::LoadTable(ResultBody& body) {
  if (!body.table) return {};
  ICARUS_ASSIGN(const std::string file, ReadBlob(*body.table));
  return PutTable(body, file);
}

Status Client::FetchResults(JobId job, std::uint64_t first, std::uint64_t limit, const ResultCallback& on_result) {
  const std::uint64_t end = limit == 0 ? UINT64_MAX : first + limit;
  while (first < end) {
    const std::uint64_t count = limit == 0 ? 0 : std::min<std::uint64_t>(end - first, limits::kPageTasks);
    ICARUS_ASSIGN(Message message, Call(icarus::FetchResults{job, first, count}));
    auto* page = message.payload.get_if<ResultPage>();
    if (page == nullptr) return ProtocolError("the broker gave an answer of another kind");
    const std::uint64_t next = page->next;
    const std::uint64_t total = page->total;
    ICARUS_TRY(VisitPage(*this, message, *page, on_result));
    if (next >= total) return {};
    if (next <= first) return ProtocolError("a page of results does not end after its beginning");
    first = next;
  }
  return {};
}

}  // namespace icarus::client
