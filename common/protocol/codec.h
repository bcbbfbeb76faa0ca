// Messages to frames and back. A message is: a header frame, a map frame, and a frame for each body.
// Header, 32 bytes, little-endian: "ICAR", u16 protocol version, u16 type, u64 correlation id, u32 length of the body
// list, u32 checksum (low half of XXH3-64) of the map frame, u32 session, u32 number in it. The map frame is the body
// list, a msgpack map {bodies: [{length, checksum}…]} that is left out when there are no bodies, followed by the
// msgpack map of the message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/protocol/messages.h"

namespace icarus {

inline constexpr std::size_t kHeaderBytes = 32;

struct EncodedMessage {
  std::string header;
  std::string map;
  std::vector<Body> bodies;
};

EncodedMessage EncodeMessage(const Message& message);

// Refuses with a protocol error what is truncated, of another version, of an unknown type, damaged, or whose map does
// not fit the type; `correlation` is set as soon as it is known, for the answer. Bodies are taken over as they are.
Result<Message> DecodeMessage(std::string_view header, std::string_view map, std::vector<Body> bodies,
                              std::uint64_t* correlation);

// The body that a member `body` names; null when it is −1. REQUIRES the index to be in range or −1: DecodeMessage does
// not know which members are indices, so receivers check with BodyInRange.
inline bool BodyInRange(const Message& message, std::int32_t index) {
  return index >= -1 && index < static_cast<std::int32_t>(message.bodies.size());
}
template <class Items>
bool BodiesInRange(const Message& message, const Items& items) {
  return std::ranges::all_of(items, [&](const auto& item) { return BodyInRange(message, item.body); });
}

}  // namespace icarus
