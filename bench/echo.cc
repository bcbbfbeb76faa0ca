// The transport's own limit: the round trips a second, and the time of one, that raw ZeroMQ manages on this machine
// when nothing is stored, scheduled or decoded. A client sends payloads of a fixed size through a broker with two
// ROUTER sockets to worker processes, which send them back the same way; every message is a send of its own, nothing is
// batched.
//
//   icarus-bench-echo [--count N] [--window N] [--workers N] [--payload BYTES] [--prefetch N]
//
// Prints one JSON object: {"echo_per_s":…,"latency_p50_us":…,"latency_p99_us":…}. Ends by itself within a minute;
// sockets lie in a temporary directory that is removed.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus::bench {
namespace {

constexpr unsigned kLongestRunSeconds = 60;
constexpr int kMessagesPerTurn = 256;
constexpr int kWarmUp = 2000;
constexpr int kLatencySamples = 5000;
constexpr std::string_view kReady = "READY";

struct Options {
  int count = 200'000;
  int window = 1000;
  int workers = 2;
  int prefetch = 16;
  std::size_t payload = 200;
};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// No limit on queued messages: the window and the prefetch bound them.
zmq::socket_t OpenSocket(zmq::context_t& context, zmq::socket_type type) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.set(zmq::sockopt::rcvhwm, 0);
  socket.set(zmq::sockopt::linger, 0);
  return socket;
}

std::string_view View(const zmq::message_t& message) { return {message.data<char>(), message.size()}; }

class EchoBroker {
 public:
  EchoBroker(zmq::context_t& context, const std::string& directory, int prefetch)
      : clients_(OpenSocket(context, zmq::socket_type::router)),
        workers_(OpenSocket(context, zmq::socket_type::router)),
        prefetch_(prefetch) {
    clients_.bind("ipc://" + directory + "/clients");
    workers_.bind("ipc://" + directory + "/workers");
  }

  void RunForever() {
    zmq_pollitem_t items[] = {{clients_.handle(), 0, ZMQ_POLLIN, 0}, {workers_.handle(), 0, ZMQ_POLLIN, 0}};
    for (;;) {
      zmq_poll(items, 2, -1);
      ReadWorkers();
      ReadClients();
      Dispatch();
    }
  }

 private:
  struct Work {
    std::string client;
    zmq::message_t payload;
  };
  struct Worker {
    std::string id;
    int credit;
  };

  void ReadClients() {
    for (int i = 0; i < kMessagesPerTurn; ++i) {
      zmq::message_t id, payload;
      if (!clients_.recv(id, zmq::recv_flags::dontwait)) return;
      (void)clients_.recv(payload);
      waiting_.push_back({std::string(View(id)), std::move(payload)});
    }
  }

  void ReadWorkers() {
    for (int i = 0; i < kMessagesPerTurn; ++i) {
      zmq::message_t id, payload;
      if (!workers_.recv(id, zmq::recv_flags::dontwait)) return;
      (void)workers_.recv(payload);
      if (View(payload) == kReady) {
        known_.push_back({std::string(View(id)), prefetch_});
        continue;
      }
      const auto worker = std::find_if(known_.begin(), known_.end(), [&](const Worker& w) { return w.id == View(id); });
      ++worker->credit;
      auto& in_flight = in_flight_[worker->id];
      clients_.send(zmq::buffer(in_flight.front()), zmq::send_flags::sndmore);
      clients_.send(payload, zmq::send_flags::none);
      in_flight.pop_front();
    }
  }

  void Dispatch() {
    std::size_t without_credit = 0;
    while (!waiting_.empty() && without_credit < known_.size()) {
      Worker& worker = known_[next_++ % known_.size()];
      if (worker.credit == 0) {
        ++without_credit;
        continue;
      }
      without_credit = 0;
      --worker.credit;
      workers_.send(zmq::buffer(worker.id), zmq::send_flags::sndmore);
      workers_.send(waiting_.front().payload, zmq::send_flags::none);
      in_flight_[worker.id].push_back(std::move(waiting_.front().client));
      waiting_.pop_front();
    }
  }

  zmq::socket_t clients_;
  zmq::socket_t workers_;
  int prefetch_;
  std::size_t next_ = 0;
  std::deque<Work> waiting_;
  std::vector<Worker> known_;
  // Workers answer in order, so the client of an answer is the oldest in flight.
  std::unordered_map<std::string, std::deque<std::string>> in_flight_;
};

void RunWorker(const std::string& directory) {
  zmq::context_t context(1);
  zmq::socket_t socket = OpenSocket(context, zmq::socket_type::dealer);
  socket.connect("ipc://" + directory + "/workers");
  socket.send(zmq::buffer(kReady), zmq::send_flags::none);
  for (;;) {
    zmq::message_t message;
    (void)socket.recv(message);
    socket.send(message, zmq::send_flags::none);
  }
}

void RoundTrip(zmq::socket_t& socket, const std::string& payload) {
  socket.send(zmq::buffer(payload), zmq::send_flags::none);
  zmq::message_t answer;
  (void)socket.recv(answer);
}

std::vector<double> MeasureLatencies(zmq::socket_t& socket, const std::string& payload) {
  std::vector<double> seconds;
  for (int i = 0; i < kLatencySamples; ++i) {
    const double begin = Now();
    RoundTrip(socket, payload);
    seconds.push_back(Now() - begin);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

double MeasureRate(zmq::socket_t& socket, const std::string& payload, const Options& options) {
  const double begin = Now();
  int sent = 0;
  int received = 0;
  while (received < options.count) {
    for (; sent < options.count && sent - received < options.window; ++sent) {
      socket.send(zmq::buffer(payload), zmq::send_flags::none);
    }
    zmq::message_t answer;
    (void)socket.recv(answer);
    ++received;
    while (socket.recv(answer, zmq::recv_flags::dontwait)) ++received;
  }
  return options.count / (Now() - begin);
}

void RunClient(const std::string& directory, const Options& options) {
  zmq::context_t context(1);
  zmq::socket_t socket = OpenSocket(context, zmq::socket_type::dealer);
  socket.connect("ipc://" + directory + "/clients");
  const std::string payload(options.payload, 'x');
  for (int i = 0; i < kWarmUp; ++i) RoundTrip(socket, payload);
  const std::vector<double> latencies = MeasureLatencies(socket, payload);
  const double rate = MeasureRate(socket, payload, options);
  std::printf("{\"echo_per_s\":%.0f,\"latency_p50_us\":%.1f,\"latency_p99_us\":%.1f}\n", rate,
              latencies[latencies.size() / 2] * 1e6, latencies[latencies.size() * 99 / 100] * 1e6);
}

template <class Function>
pid_t StartChild(Function run) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  alarm(kLongestRunSeconds);
  run();
  _exit(0);
}

bool ReadOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto number = ParseInteger(argv[i + 1]);
    if (!number || *number <= 0 || *number > 100'000'000) return false;
    const int value = static_cast<int>(*number);
    if (name == "--count") {
      options.count = value;
    } else if (name == "--window") {
      options.window = value;
    } else if (name == "--workers") {
      options.workers = value;
    } else if (name == "--prefetch") {
      options.prefetch = value;
    } else if (name == "--payload") {
      options.payload = static_cast<std::size_t>(value);
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

// Processes are forked before any ZeroMQ context exists; the client runs in a child too, so that this process can
// clean up whatever happens.
int Run(const Options& options) {
  char pattern[] = "/tmp/icarus-echo-XXXXXX";
  const char* made = mkdtemp(pattern);
  if (made == nullptr) {
    std::perror("icarus-bench-echo: temporary directory");
    return 1;
  }
  const std::string directory = made;
  std::vector<pid_t> helpers;
  helpers.push_back(StartChild([&] {
    zmq::context_t context(1);
    EchoBroker(context, directory, options.prefetch).RunForever();
  }));
  for (int i = 0; i < options.workers; ++i) helpers.push_back(StartChild([&] { RunWorker(directory); }));
  const pid_t client = StartChild([&] {
    RunClient(directory, options);
    std::fflush(stdout);
  });
  int status = 1;
  waitpid(client, &status, 0);
  for (const pid_t helper : helpers) kill(helper, SIGKILL);
  for (const pid_t helper : helpers) waitpid(helper, nullptr, 0);
  (void)RemoveTree(directory);
  return status == 0 ? 0 : 1;
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  icarus::bench::Options options;
  if (!icarus::bench::ReadOptions(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: icarus-bench-echo [--count N] [--window N] [--workers N] [--payload BYTES] [--prefetch N]\n");
    return 2;
  }
  return icarus::bench::Run(options);
}
