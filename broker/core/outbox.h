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
// What came of reading a cached value. kDamaged, too, when one of the files that it names is gone; kFailed: this time
// it could not be read, for no fault of its own.
enum class CacheReadEnd : std::uint8_t { kFound, kGone, kDamaged, kFailed };
// Answered by OnCacheRead.
struct ReadCache {
  ContentHash key;
  std::vector<ContentHash> files;
};
struct PutCache {
  ContentHash key;
  CacheEntry entry;
  Body body;
  bool replaces = false;  // another value is there under the key
};
// An entry's place in the order of uses has changed.
struct UseCache {
  ContentHash key;
  std::uint64_t last_used = 0;
};
struct RemoveCache {
  std::vector<ContentHash> keys;
};
struct ClearCache {};
// Memory that is not needed; `caches`: also what the cache keeps of its disk in memory; `clear`: first, everything that
// is in its store goes. Answered by OnMemoryReleased.
struct ReleaseMemory {
  std::uint64_t ticket = 0;
  bool caches = false;
  bool clear = false;
};
// What the cache's store has to have done before: an error goes in its place when it could not.
struct SendAfterCache {
  SendMessage send;
};
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

using Effect = std::variant<SendMessage, Persist, ReadCache, PutCache, UseCache, RemoveCache, ClearCache, ReleaseMemory,
                            SendAfterCache, ReadTasks, SettingLearned, ForgetPeer, KeepEvent, Note>;

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
