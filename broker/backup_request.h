// Asks the broker that serves a home for a backup of it.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/config/home.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

// Blocks until the backup is complete. kUnavailable: no broker answers. `directory`: absolute.
Result<BackupReply> RequestBackup(const Home& home, const std::string& directory);

}  // namespace icarus::broker
