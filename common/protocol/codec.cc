#include "common/protocol/codec.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/base/check.h"
#include "common/base/little_endian.h"
#include "common/protocol/map_codec.h"

namespace icarus {
namespace {

constexpr std::string_view kMagic = "ICAR";

struct BodyInfo {
  std::uint64_t length = 0;
  std::uint64_t checksum = 0;
  ICARUS_FIELDS(BodyInfo, length, checksum)
};
struct BodyList {
  std::vector<BodyInfo> bodies;
  ICARUS_FIELDS(BodyList, bodies)
};

// The list of bodies stands before the map of the message, each a complete msgpack map, so that neither needs the
// other.
std::string EncodeBodyList(const std::vector<Body>& bodies) {
  BodyList list;
  for (const Body& body : bodies) list.bodies.push_back({body->size(), Checksum(*body)});
  return codec::EncodeMap(list);
}

struct TypeEntry {
  MessageType type;
  codec::MemberTable members;
  const void* (*members_of)(const AnyMessage& message);
  void* (*emplace)(AnyMessage& message);  // makes it one of this type, and gives the place of its members
};

template <class T>
const void* MembersOf(const AnyMessage& message) {
  return message.get_if<T>();
}

template <class T>
void* Emplace(AnyMessage& message) {
  return &message.emplace<T>();
}

template <class... Types>
constexpr auto MakeTypeTable(TypeList<Types...>) {
  std::array<TypeEntry, sizeof...(Types)> table{
      TypeEntry{Types::kType, codec::kMembers<Types>, &MembersOf<Types>, &Emplace<Types>}...};
  std::ranges::sort(table, {}, &TypeEntry::type);
  return table;
}
constexpr auto kTypeTable = MakeTypeTable(AllMessages());

const TypeEntry* FindType(MessageType type) {
  const auto it = std::ranges::lower_bound(kTypeTable, type, {}, &TypeEntry::type);
  return it != kTypeTable.end() && it->type == type ? &*it : nullptr;
}

Status CheckBodies(const BodyList& list, const std::vector<Body>& bodies) {
  if (list.bodies.size() != bodies.size()) return ProtocolError("the message does not have the bodies that it lists");
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (list.bodies[i].length != bodies[i]->size()) return ProtocolError("a body has another length than listed");
    if (list.bodies[i].checksum != Checksum(*bodies[i])) return ProtocolError("a body is damaged (checksum)");
  }
  return {};
}

}  // namespace

EncodedMessage EncodeMessage(const Message& message) {
  EncodedMessage out;
  const TypeEntry* type = FindType(message.payload.type());
  ICARUS_CHECK(type != nullptr);
  out.map = codec::EncodeMembers(type->members, type->members_of(message.payload));
  std::uint32_t list_bytes = 0;
  if (!message.bodies.empty()) {
    std::string list = EncodeBodyList(message.bodies);
    list_bytes = static_cast<std::uint32_t>(list.size());
    out.map = std::move(list) + out.map;
  }
  out.header.reserve(kHeaderBytes);
  out.header += kMagic;
  PutInteger<std::uint16_t>(out.header, kProtocolVersionMax);
  PutInteger<std::uint16_t>(out.header, static_cast<std::uint16_t>(type->type));
  PutInteger<std::uint64_t>(out.header, message.correlation);
  PutInteger<std::uint32_t>(out.header, list_bytes);
  PutInteger<std::uint32_t>(out.header, static_cast<std::uint32_t>(Checksum(out.map)));
  PutInteger<std::uint32_t>(out.header, message.stamp.session);
  PutInteger<std::uint32_t>(out.header, message.stamp.number);
  out.bodies = message.bodies;
  return out;
}

Result<Message> DecodeMessage(std::string_view header, std::string_view map, std::vector<Body> bodies,
                              std::uint64_t* correlation) {
  if (header.size() != kHeaderBytes || header.substr(0, kMagic.size()) != kMagic) {
    return ProtocolError("this is not an Icarus message; only programs of Icarus, of one release, talk here");
  }
  Message message;
  message.correlation = GetInteger<std::uint64_t>(header, 8);
  message.stamp = {GetInteger<std::uint32_t>(header, 24), GetInteger<std::uint32_t>(header, 28)};
  if (correlation != nullptr) *correlation = message.correlation;
  const auto version = GetInteger<std::uint16_t>(header, 4);
  if (version < kProtocolVersionMin || version > kProtocolVersionMax) {
    return ProtocolError("protocol version " + std::to_string(version) + " is not spoken here (" +
                         std::to_string(kProtocolVersionMin) + " to " + std::to_string(kProtocolVersionMax) +
                         " are); use programs of one release");
  }
  const TypeEntry* type = FindType(static_cast<MessageType>(GetInteger<std::uint16_t>(header, 6)));
  if (type == nullptr) {
    return ProtocolError("unknown message type " + std::to_string(GetInteger<std::uint16_t>(header, 6)) +
                         "; use programs of one release");
  }
  if (GetInteger<std::uint32_t>(header, 20) != static_cast<std::uint32_t>(Checksum(map))) {
    return ProtocolError("the message was damaged on its way (checksum); send it again");
  }
  const auto list_bytes = GetInteger<std::uint32_t>(header, 16);
  if (list_bytes > map.size()) return ProtocolError("the message is truncated; send it again");
  BodyList list;
  if (list_bytes > 0) {
    ICARUS_ASSIGN(list, codec::DecodeMap<BodyList>(map.substr(0, list_bytes)));
  }
  ICARUS_TRY(CheckBodies(list, bodies));
  ICARUS_TRY(codec::DecodeMembers(map.substr(list_bytes), type->members, type->emplace(message.payload)));
  message.bodies = std::move(bodies);
  return message;
}

std::string_view MessageTypeName(MessageType type) {
  switch (type) {
    case MessageType::kNone: break;
    case MessageType::kHello: return "hello";
    case MessageType::kWelcome: return "welcome";
    case MessageType::kErrorReply: return "error";
    case MessageType::kHeartbeat: return "heartbeat";
    case MessageType::kHeartbeatReply: return "heartbeat_reply";
    case MessageType::kGoodbye: return "goodbye";
    case MessageType::kBlobPut: return "blob_put";
    case MessageType::kBlobPutReply: return "blob_put_reply";
    case MessageType::kBlobGet: return "blob_get";
    case MessageType::kBlobData: return "blob_data";
    case MessageType::kSubmit: return "submit";
    case MessageType::kSubmitReply: return "submit_reply";
    case MessageType::kListJobs: return "list_jobs";
    case MessageType::kListJobsReply: return "list_jobs_reply";
    case MessageType::kShowJob: return "show_job";
    case MessageType::kShowJobReply: return "show_job_reply";
    case MessageType::kWatch: return "watch";
    case MessageType::kJobUpdate: return "job_update";
    case MessageType::kUpdateAck: return "update_ack";
    case MessageType::kFetchResults: return "fetch_results";
    case MessageType::kResultPage: return "result_page";
    case MessageType::kCancel: return "cancel";
    case MessageType::kCancelReply: return "cancel_reply";
    case MessageType::kRetry: return "retry";
    case MessageType::kRetryReply: return "retry_reply";
    case MessageType::kListWorkers: return "list_workers";
    case MessageType::kListWorkersReply: return "list_workers_reply";
    case MessageType::kCacheQuery: return "cache_query";
    case MessageType::kCacheReply: return "cache_reply";
    case MessageType::kConfig: return "config";
    case MessageType::kConfigReply: return "config_reply";
    case MessageType::kExplain: return "explain";
    case MessageType::kExplainReply: return "explain_reply";
    case MessageType::kListEvents: return "list_events";
    case MessageType::kEventsReply: return "events_reply";
    case MessageType::kListCache: return "list_cache";
    case MessageType::kListCacheReply: return "list_cache_reply";
    case MessageType::kUpkeep: return "upkeep";
    case MessageType::kUpkeepReply: return "upkeep_reply";
    case MessageType::kRemoveCached: return "remove_cached";
    case MessageType::kRemoveCachedReply: return "remove_cached_reply";
    case MessageType::kImportCache: return "import_cache";
    case MessageType::kImportCacheReply: return "import_cache_reply";
    case MessageType::kEstimate: return "estimate";
    case MessageType::kEstimateReply: return "estimate_reply";
    case MessageType::kBackup: return "backup";
    case MessageType::kBackupReply: return "backup_reply";
    case MessageType::kDispatch: return "dispatch";
    case MessageType::kTaskEvents: return "task_events";
    case MessageType::kResults: return "results";
    case MessageType::kResultsAck: return "results_ack";
    case MessageType::kStopExecutions: return "stop_executions";
    case MessageType::kDrain: return "drain";
    case MessageType::kGetValues: return "get_values";
    case MessageType::kGetValuesReply: return "get_values_reply";
    case MessageType::kPutValues: return "put_values";
  }
  return "unknown";
}

}  // namespace icarus
