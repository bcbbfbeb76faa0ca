// The broker's own state for people: workers, the cache, settings, errors. Each text ends with a newline unless it says
// "line".
#pragma once

#include <string>
#include <vector>

#include "client/output/display.h"
#include "common/base/error.h"
#include "common/protocol/messages.h"

namespace icarus::client {

std::string WorkerTableText(const std::vector<WorkerInfo>& workers, const TextStyle& style);
std::string CacheText(const CacheReply& reply);
std::string MaintenanceText(const UpkeepReply& reply);
std::string EmergencyText(const UpkeepReply& reply);
std::string ConfigText(const std::vector<ConfigEntry>& entries, bool with_origin, const TextStyle& style);
// The line "icarus: what, why, what to do"; with the retry time when there is one.
std::string ErrorLine(const Error& error);

}  // namespace icarus::client
