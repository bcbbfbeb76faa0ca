// The broker's side of a worker's connection, in the hands of a test: it answers heartbeats and keeps files, the test
// the rest.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/home.h"
#include "common/protocol/messages.h"
#include "common/transport/router_socket.h"

namespace icarus::testing {

class FakeBroker {
 public:
  // Listens at a socket of its own in the home and writes the access file.
  explicit FakeBroker(const Home& home);

  // The next message of this type; others that come before it are passed over. Null after the deadline.
  template <class T>
  std::optional<T> Next(std::chrono::seconds within = std::chrono::seconds(30)) {
    const auto until = std::chrono::steady_clock::now() + within;
    while (auto message = Receive(until)) {
      if (T* match = message->payload.get_if<T>()) {
        bodies_ = message->bodies;
        return std::move(*match);
      }
    }
    ADD_FAILURE() << "no message of the type came in time";
    return std::nullopt;
  }
  const std::vector<Body>& bodies() const { return bodies_; }  // of the last Next
  std::uint64_t correlation() const { return correlation_; }   // likewise

  // Waits for a Hello and welcomes it.
  std::optional<Hello> Welcome(std::vector<ExecutionId> unknown = {});
  void Send(AnyMessage payload, std::uint64_t correlation = 0, std::vector<Body> bodies = {});
  void Dispatch(DispatchGroup group) { Send(icarus::Dispatch{{std::move(group)}}); }
  // The result of the next execution that ends, acknowledged.
  std::optional<ExecutionResult> Result(std::chrono::seconds within = std::chrono::seconds(30));
  ResultBody BodyOf(const ExecutionResult& result) const;

  std::map<ContentHash, std::string> files;  // the blob store

 private:
  std::optional<Message> Receive(std::chrono::steady_clock::time_point until);
  bool Serve(const Message& message);

  std::unique_ptr<TransportContext> context_;
  std::unique_ptr<RouterSocket> socket_;
  std::string peer_;
  std::uint64_t correlation_ = 0;
  std::vector<Body> bodies_;
};

DispatchGroup CommandGroup(std::vector<std::string> argv, std::uint64_t execution = 1);

}  // namespace icarus::testing
