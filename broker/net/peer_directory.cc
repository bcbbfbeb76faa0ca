#include "broker/net/peer_directory.h"

namespace icarus::broker {

bool PeerDirectory::OnHello(const std::string& routing_id, const std::string& instance, MessageStamp stamp) {
  SessionNumbers& numbers = numbers_[instance];
  if (stamp.session != 0 && stamp.session <= numbers.session()) return false;
  numbers.Begin(stamp.session);
  static_cast<void>(numbers.OnArrival(stamp));
  if (const auto old = routing_id_of_.find(instance); old != routing_id_of_.end()) instance_of_.erase(old->second);
  instance_of_[routing_id] = instance;
  routing_id_of_[instance] = routing_id;
  return true;
}

PeerDirectory::Sender PeerDirectory::OnMessage(const std::string& routing_id, MessageStamp stamp) {
  const auto known = instance_of_.find(routing_id);
  if (known == instance_of_.end()) return {Sender::Kind::kUnknown, {}, false};
  switch (numbers_[known->second].OnArrival(stamp)) {
    case SessionNumbers::Arrival::kNext: return {Sender::Kind::kKnown, known->second, false};
    case SessionNumbers::Arrival::kOld: return {Sender::Kind::kStale, known->second, true};
    case SessionNumbers::Arrival::kGap: return {Sender::Kind::kUnknown, known->second, true};
  }
  return {};
}

const std::string* PeerDirectory::RoutingIdOf(const std::string& instance) const {
  const auto found = routing_id_of_.find(instance);
  return found == routing_id_of_.end() ? nullptr : &found->second;
}

MessageStamp PeerDirectory::NextStamp(const std::string& instance) {
  const auto numbers = numbers_.find(instance);
  return numbers == numbers_.end() ? MessageStamp{} : numbers->second.Next();
}

MessageStamp PeerDirectory::SessionStamp(const std::string& instance) const {
  const auto numbers = numbers_.find(instance);
  return numbers == numbers_.end() ? MessageStamp{} : MessageStamp{numbers->second.session(), 0};
}

void PeerDirectory::Forget(const std::string& instance) {
  if (const auto found = routing_id_of_.find(instance); found != routing_id_of_.end()) {
    instance_of_.erase(found->second);
    routing_id_of_.erase(found);
  }
  numbers_.erase(instance);
}

}  // namespace icarus::broker
