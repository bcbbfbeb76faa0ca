// A broker of the test's own making: a real socket and access file, answers as the test says.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/config/home.h"
#include "common/protocol/messages.h"

namespace icarus::client {

// Listens from construction to destruction, on a thread of its own. Hello, Heartbeat and Goodbye it sees to itself.
class FakeBroker {
 public:
  // The answer to a request; nothing: none is sent. Called on the broker's thread, one at a time.
  using Handler = std::function<std::vector<Message>(const Message&)>;

  FakeBroker(const Home& home, const std::string& instance, Handler handler);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  // What it has received so far.
  std::vector<Message> received() const;
  template <class T>
  std::vector<T> ReceivedOf() const {
    std::vector<T> messages;
    for (const Message& message : received()) {
      if (const auto* payload = message.payload.get_if<T>()) messages.push_back(*payload);
    }
    return messages;
  }

  // From now on it does not know the client: its heartbeats are answered so until the next Hello.
  void Forget() { known_ = false; }

 private:
  void Serve();
  std::vector<Message> Answer(const Message& message);

  Handler handler_;
  std::string instance_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> known_ = false;
  mutable std::mutex mutex_;
  std::vector<Message> received_;
  struct Sockets;
  std::unique_ptr<Sockets> sockets_;
  std::thread thread_;
};

}  // namespace icarus::client
