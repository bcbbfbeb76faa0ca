// Client: a program's connection to the broker of a home. Asks, submits, watches, fetches; reconnects by itself.
//
//   using namespace icarus;
//   using namespace icarus::client;
//   ICARUS_ASSIGN(Home home, ResolveHome("", ProcessEnvironment()));
//   ICARUS_ASSIGN(auto client, Client::Connect({.home = home}));
//   JobSpec spec;
//   spec.analysis = "airfoil_polar";
//   spec.sweep.targets = {Target{"naca2412", ""}};
//   spec.sweep.base["reynolds"] = Value(1e6);
//   ICARUS_TRY(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
//   ICARUS_ASSIGN(SubmitReply job, client->SubmitJob({RandomHex(16), spec}));
//   ICARUS_ASSIGN(auto ended, client->Wait({job.job}));
//   ICARUS_TRY(client->FetchResults(job.job, 0, 0, [](ResultItem item, ResultBody body) -> Status {
//     std::printf("%u: %zu rows\n", item.task.index, body.rows.size());
//     return {};
//   }));
//
// Threads: one; every call from the thread that made it, callbacks are called on it, within RunUntil.
// Delivery: a request without an answer is sent again, under the same correlation id, when the broker has restarted.
// Submit carries an idempotency id, so sending it again is safe; the other requests are absolute. Errors: what the
// broker answered (ErrorReply), or kUnavailable when it is silent for `patience`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/config/home.h"
#include "common/protocol/messages.h"

namespace icarus::client {

using TimePoint = std::chrono::steady_clock::time_point;

struct ConnectOptions {
  Home home;
  std::string access_file = {};  // instead of the home's
  std::string program = "icarus";
  std::chrono::milliseconds patience{5000};          // silence of the broker that ends a call
  std::chrono::milliseconds watch_patience{60'000};  // and that ends a watch: it outlives a restart of the broker
};

class Connection;

// Why RunUntil returned.
enum class RunEnd : std::uint8_t { kDone, kDeadline, kInterrupted };

// Of reading a file at the broker: it is not there, or not what it was, and asking again does not help.
inline bool IsLost(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kCorruption;
}

class Client {
 public:
  using Callback = std::function<void(Result<Message>)>;
  using WatchCallback = std::function<void(Result<JobUpdate>)>;
  using ResultCallback = std::function<Status(ResultItem, ResultBody)>;

  // Reads the access file and begins to connect; waits for no answer. kUnavailable when there is no broker, or when the
  // one that wrote the file no longer listens on its socket.
  static Result<std::unique_ptr<Client>> Connect(ConnectOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // --- asking

  // `done` is called once, from within RunUntil: with the answer, or with why there is none.
  void CallAsync(AnyMessage request, std::vector<Body> bodies, Callback done);
  Result<Message> Call(AnyMessage request, std::vector<Body> bodies = {});

  // Call, for an answer of type Reply; another type is kProtocol.
  template <class Reply>
  Result<Reply> Ask(AnyMessage request, std::vector<Body> bodies = {}) {
    ICARUS_ASSIGN(Message message, Call(std::move(request), std::move(bodies)));
    if (auto* reply = message.payload.get_if<Reply>()) return std::move(*reply);
    return ProtocolError("the broker gave an answer of another kind");
  }

  // Submits. A broker that has no room now (kOverloaded) is asked again when it said, for as long as `patience`;
  // `on_refused` hears of each refusal that is not the last. The request's id makes it one job however often it is
  // sent.
  Result<SubmitReply> SubmitJob(const Submit& request, std::chrono::milliseconds patience = {},
                                const std::function<void(const Error&)>& on_refused = {});

  // What the broker said of itself and us when it was greeted; asks nothing when that has been answered.
  Result<Welcome> Greet();

  // --- waiting

  // Sends, receives and calls back until `condition` (looked at after each turn), the deadline, or the interrupt.
  // kUnavailable when the broker fell silent; every open call and watch has had its error then.
  Result<RunEnd> RunUntil(const std::function<bool()>& condition, std::optional<TimePoint> deadline = std::nullopt);

  // While this descriptor is readable RunUntil returns kInterrupted. −1: none. Not owned.
  void SetInterrupt(int fd);

  // Calls `on_update` with the state of these jobs now and after each change, until EndWatch or an error.
  // Returns what EndWatch wants.
  std::uint64_t Watch(std::vector<JobId> jobs, WatchCallback on_update);
  void EndWatch(std::uint64_t watch);

  struct WaitOutcome {
    RunEnd end = RunEnd::kDone;
    std::vector<JobSummary> jobs;  // as they were last seen, in the order asked
  };
  // Until every job is final. kNotFound when one is not there.
  Result<WaitOutcome> Wait(const std::vector<JobId>& jobs, std::optional<TimePoint> deadline = std::nullopt);

  // --- results and files

  // Tasks first, first + 1 … of a job, `limit` of them (0: to the end), fetched by the page, in order. An error of the
  // callback ends it and is returned.
  Status FetchResults(JobId job, std::uint64_t first, std::uint64_t limit, const ResultCallback& on_result);

  // Stores the file's content at the broker (only what it does not have yet) and names it `name`. kUsage when it cannot
  // be read, kRefused when it is over limits::kMaxOutputFileBytes.
  Result<FileRef> UploadFile(const std::string& path, const std::string& name);

  // A result's table, where it lies in a file of its own: kNotFound and kCorruption when it is lost. What FetchResults
  // gives has it; one that is lost is the error of its task there.
  Status LoadTable(ResultBody& body);

  // The content of a file: what it carries inline, else fetched. Checked against its hash (kCorruption).
  Result<std::string> ReadBlob(const FileRef& file);
  // The same into a file, by a temporary beside it and a rename; directories of the path are made.
  Status SaveBlob(const FileRef& file, const std::string& path);

 private:
  explicit Client(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace icarus::client
