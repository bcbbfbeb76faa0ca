// Connection: the conversation with the broker below Client: Hello, correlation, repeating what was not answered,
// watches and their credit, heartbeats, and the search for a broker that has restarted. One thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/lib/client.h"
#include "common/config/access_file.h"
#include "common/transport/context.h"
#include "common/transport/dealer_socket.h"
#include "common/transport/poll_loop.h"

namespace icarus::client {

// What a wait ends with when the interrupt descriptor became readable: kNotYet.
Error Interrupted();

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(ConnectOptions options);
  ~Connection();

  void CallAsync(AnyMessage request, std::vector<Body> bodies, Client::Callback done);
  std::uint64_t Watch(std::vector<JobId> jobs, Client::WatchCallback on_update);
  void EndWatch(std::uint64_t watch);
  void SetInterrupt(int fd);
  Result<RunEnd> RunUntil(const std::function<bool()>& condition, std::optional<TimePoint> deadline);

  // Until the broker has answered our Hello; welcome() is there then.
  Result<RunEnd> Greet();
  const std::optional<Welcome>& welcome() const { return welcome_; }

 private:
  struct Request {
    Message message;
    Client::Callback done;
    bool sent = false;
  };
  struct Watched {
    std::vector<JobId> jobs;
    Client::WatchCallback on_update;
    bool sent = false;
  };

  Connection(ConnectOptions options, AccessFile access, std::unique_ptr<TransportContext> context,
             std::unique_ptr<DealerSocket> socket);

  bool Busy() const { return greeting_ || !requests_.empty() || !watches_.empty(); }
  void BecomeBusy();  // before the first request after a rest: the broker's silence counts from here
  Status Turn(std::optional<TimePoint> deadline);

  // Sending. Each returns false when the socket takes no more for now.
  void Flush();
  bool FlushHello();
  bool FlushRequests();
  bool FlushWatches();
  bool Post(Message& message,
            std::uint64_t failing);  // `failing`: the request to fail when it cannot be sent at all

  // Receiving.
  void Receive();
  void OnMessage(Message message);
  void OnAnswer(Message message);
  void OnUpdate(std::uint64_t correlation, const JobUpdate& update);

  // Time.
  TimePoint QuietSince() const { return std::max(heard_, busy_since_); }
  TimePoint NextWake() const;
  std::chrono::milliseconds Patience() const;
  void OnTime(TimePoint now);
  void LookForNewBroker();
  void SendAgain();  // Hello first, then everything that has no answer
  void FailAll(const Error& error);

  ConnectOptions options_;
  AccessFile access_;
  std::unique_ptr<TransportContext> context_;
  std::unique_ptr<DealerSocket> socket_;
  PollLoop loop_;
  PollLoop::Source socket_source_;
  std::optional<PollLoop::Source> interrupt_;

  std::string instance_;
  SessionNumbers numbers_;
  std::optional<Welcome> welcome_;  // the last one
  bool greeting_ = false;           // in Greet
  std::uint64_t next_correlation_ = 1;
  std::uint64_t hello_ = 0;                    // correlation of the last Hello; 0: one is to be sent
  std::map<std::uint64_t, Request> requests_;  // by correlation: in the order of the calls
  std::map<std::uint64_t, Watched> watches_;
  std::deque<Message> outbox_;  // acknowledgements, heartbeats: sent once
  bool blocked_ = false;        // the socket took no more
  std::optional<Error> lost_;   // why everything was failed, in this RunUntil

  bool heard_ever_ = false;
  TimePoint heard_{};
  TimePoint busy_since_{};
  TimePoint looked_{};  // for a new broker
  TimePoint beat_{};    // last heartbeat
};

}  // namespace icarus::client
