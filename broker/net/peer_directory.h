// Who is behind which connection. Sessions are keyed by the instance id that a peer's Hello names, never by a routing
// id: a peer that has reconnected says Hello again and keeps its session. Pure; one directory a role.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "common/protocol/session_numbers.h"

namespace icarus::broker {

class PeerDirectory {
 public:
  // A Hello of `instance` over the connection `routing_id`. False: it belongs to a session that a later one has
  // replaced, or came twice; it is to be dropped.
  bool OnHello(const std::string& routing_id, const std::string& instance, MessageStamp stamp);

  struct Sender {
    enum class Kind {
      kKnown,    // the message is to be taken, as one of `instance`
      kUnknown,  // it has to say Hello (again)
      kStale,    // the message is to be dropped
    } kind = Kind::kUnknown;
    std::string instance;
    bool out_of_order = false;
  };
  // Of any other message.
  Sender OnMessage(const std::string& routing_id, MessageStamp stamp);

  // Where the peer is; null: nowhere.
  const std::string* RoutingIdOf(const std::string& instance) const;
  // Of the next message that is sent to it.
  MessageStamp NextStamp(const std::string& instance);
  // Of what is said about its session.
  MessageStamp SessionStamp(const std::string& instance) const;
  void Forget(const std::string& instance);
  std::size_t size() const { return routing_id_of_.size(); }

 private:
  std::unordered_map<std::string, std::string> instance_of_;    // by routing id
  std::unordered_map<std::string, std::string> routing_id_of_;  // by instance
  std::unordered_map<std::string, SessionNumbers> numbers_;     // by instance
};

}  // namespace icarus::broker
