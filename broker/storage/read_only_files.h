// An environment for RocksDB in which nothing on disk can be changed: whatever a database that is opened for reading
// believes it has to tidy up stays where it is.
#pragma once

#include <memory>

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace icarus::broker {

enum class LogFiles { kShown, kHidden };

// `logs` hidden: the database is what its tables say, without its write-ahead logs. It must outlive the database.
std::unique_ptr<rocksdb::Env> MakeReadOnlyEnv(LogFiles logs);

}  // namespace icarus::broker
