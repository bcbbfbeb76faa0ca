// What the core wants done, in order, as data. The app carries it out.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broker/core/records.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

// To the peer with this instance id. A promise leaves only when every batch sealed so far is durable.
struct SendMessage {
  PeerRole role = PeerRole::kClient;
  std::string instance;
  Message message;
  bool promise = false;
};
// Into the batch of this turn.
struct Persist {
  Record record;
};
// Answered by OnCacheRead.
struct ReadCache {
  ContentHash key;
};
struct PutCache {
  ContentHash key;
  CacheEntry entry;
  Body body;
};
struct RemoveCache {
  std::vector<ContentHash> keys;
};
struct ClearCache {};
// After the open batch is durable; answered by OnTasksRead.
struct ReadTasks {
  std::uint64_t ticket = 0;
  JobId job;
  std::vector<TaskIndex> indices;
  bool bodies = false;
};
// A setting that the core decided (the default identity of a solver); it is persisted apart.
struct SettingLearned {
  std::string key;
  std::string value;
};
// The peer has left for good: nothing that is known of its connection is needed any more.
struct ForgetPeer {
  PeerRole role = PeerRole::kClient;
  std::string instance;
};
// Into the events of this turn's batch.
struct KeepEvent {
  Event event;
};
// For the log.
struct Note {
  bool warning = false;
  std::string event;  // "job accepted"
  std::vector<std::pair<std::string, std::string>> fields;
};

using Effect = std::variant<SendMessage, Persist, ReadCache, PutCache, RemoveCache, ClearCache, ReadTasks,
                            SettingLearned, ForgetPeer, KeepEvent, Note>;

class Outbox {
 public:
  template <class Payload>
  void Reply(PeerRole role, const std::string& instance, std::uint64_t correlation, Payload payload,
             bool promise = false, std::vector<Body> bodies = {}) {
    Send(role, instance, Message{correlation, AnyMessage(std::move(payload)), std::move(bodies)}, promise);
  }
  void Write(Record&& record);
  void Push(Effect&& effect);
  void Log(std::string event, std::vector<std::pair<std::string, std::string>> fields, bool warning = false);

  void Happened(Event&& event);

  std::vector<Effect> Take();
  bool empty() const { return effects_.empty(); }

 private:
  void Send(PeerRole role, const std::string& instance, Message&& message, bool promise);

  std::vector<Effect> effects_;
};

}  // namespace icarus::broker
