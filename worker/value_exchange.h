// ValueExchange: between the attempts of this worker that ask for intermediate values and the broker that has them.
// Owned and used by the worker's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/protocol/messages.h"
#include "worker/launcher/attempt.h"
#include "worker/near_cache.h"

namespace icarus::worker {

class ValueExchange {
 public:
  struct Callbacks {
    std::function<void(Message)> send;               // to the broker
    std::function<void(const ValueAnswer&)> answer;  // to an attempt
  };
  explicit ValueExchange(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  // What an attempt runs, from its start to its end. Attempts of one `space` share what is near, as far as `cache` lets
  // them read and write.
  void Begin(std::uint64_t attempt, ExecutionId execution, const std::string& space, CachePolicy cache);
  void End(std::uint64_t attempt);

  // A question without keys is answered when the broker has taken what was offered before.
  void OnAsk(const ValueAsk& ask, const Now& now);
  void OnOffer(ValueOffer offer);

  // Takes the message if it is an answer to this.
  bool OnMessage(const Message& message, const Now& now);
  void OnGeneration(std::uint64_t generation);
  // Of the machine's memory that is in use: the near tier is empty while it is nearly all.
  void OnMemory(double in_use_percent);
  void OnUp() { up_ = true; }
  void OnDown();  // who waits is told that there is nothing

 private:
  struct Running {
    ExecutionId execution;
    std::string space;  // before its keys, in the near tier
    bool reads = true;
    bool writes = true;
  };
  struct Question {
    ValueAsk ask;
    std::vector<std::size_t> positions;  // of the keys that the broker was asked for
    ValueAnswer answer;
  };

  Callbacks callbacks_;
  static constexpr std::size_t kNearBytes = 64u << 20;
  NearCache near_{kNearBytes};
  std::map<std::uint64_t, Running> running_;
  std::map<std::uint64_t, Question> questions_;              // by correlation
  std::uint64_t last_correlation_ = std::uint64_t{1} << 62;  // beyond those of the transfers
  bool up_ = false;
};

}  // namespace icarus::worker
