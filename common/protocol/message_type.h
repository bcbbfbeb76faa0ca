// The numbers of the messages: never reused. Direction: c client, w worker, b broker.
#pragma once

#include <cstdint>
#include <string_view>

namespace icarus {

enum class MessageType : std::uint16_t {
  kNone = 0,  // never sent
  // Either role
  kHello = 1,           // c,w → b
  kWelcome = 2,         // b → c,w
  kErrorReply = 3,      // b → c,w
  kHeartbeat = 4,       // c,w → b
  kHeartbeatReply = 5,  // b → c,w
  kGoodbye = 6,         // c,w → b
  kBlobPut = 7,         // c,w → b
  kBlobPutReply = 8,    // b → c,w
  kBlobGet = 9,         // c,w → b
  kBlobData = 10,       // b → c,w
  // Clients
  kSubmit = 32,
  kSubmitReply = 33,
  kListJobs = 34,
  kListJobsReply = 35,
  kShowJob = 36,
  kShowJobReply = 37,
  kWatch = 38,
  kJobUpdate = 39,  // b → c, pushed
  kUpdateAck = 40,
  kFetchResults = 41,
  kResultPage = 42,
  kCancel = 43,
  kCancelReply = 44,
  kRetry = 45,
  kRetryReply = 46,
  kListWorkers = 47,
  kListWorkersReply = 48,
  kCacheQuery = 49,
  kCacheReply = 50,
  kConfig = 51,
  kConfigReply = 52,
  kExplain = 53,
  kExplainReply = 54,
  kListEvents = 55,
  kEventsReply = 56,
  kListCache = 57,
  kListCacheReply = 58,
  kRemoveCached = 59,
  kRemoveCachedReply = 60,
  kBackup = 61,
  kBackupReply = 62,
  kImportCache = 96,
  kImportCacheReply = 97,
  kEstimate = 98,
  kEstimateReply = 99,
  kUpkeep = 100,
  kUpkeepReply = 101,
  // Workers
  kDispatch = 64,        // b → w
  kTaskEvents = 65,      // w → b
  kResults = 66,         // w → b
  kResultsAck = 67,      // b → w
  kStopExecutions = 68,  // b → w
  kDrain = 69,           // w → b: takes nothing more
  kGetValues = 70,       // w → b
  kGetValuesReply = 71,  // b → w
  kPutValues = 72,       // w → b
};

std::string_view MessageTypeName(MessageType type);

}  // namespace icarus
