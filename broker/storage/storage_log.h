// Where the stores say what a person should know: RocksDB's warnings, and what was set aside or skipped.
#pragma once

#include <functional>
#include <string>

namespace icarus::broker {

// One line a call, without a line end. Called from any thread, RocksDB's background threads among them; must not call
// back into the store. Empty: nobody listens.
using StorageLog = std::function<void(const std::string& message)>;

}  // namespace icarus::broker
