// The access file: how to reach the broker of a home. Written by the broker when it listens (JSON, 0600), removed when
// it ends in good order; a broker that was killed leaves it behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/home.h"
#include "common/config/host.h"

namespace icarus {

struct AccessFile {
  std::vector<std::string> client_endpoints;
  std::vector<std::string> worker_endpoints;
  HostIdentity host;
  std::string instance;  // of the broker process; a new one after each start
  std::int64_t pid = 0;
  std::string program;  // "icarus-broker 0.1.0"
};

// Atomic: a reader sees the old file or the new.
Status WriteAccessFile(const std::string& path, const AccessFile& access);

// Removes the file if it is still the one of this broker instance.
Status RemoveAccessFile(const std::string& path, const std::string& instance);

// The file as written, with unknown members ignored. kUnavailable: there is none; kRefused: not readable by this user;
// kCorruption: not an access file. `up` and `down` use it to see where the broker runs.
Result<AccessFile> ReadAccessFile(const std::string& path);

// What a client or worker on `here` uses: ReadAccessFile, and the endpoints that cannot be reached from here left out.
// kUnavailable also when the machine has restarted since it was written; kRefused when the broker runs on another host
// and does not listen on TCP, naming the host. Of a file that the user named, kUsage when it is not an access file.
Result<AccessFile> FindBroker(const Home& home, const HostIdentity& here = ThisHost());
Result<AccessFile> FindBrokerByFile(const std::string& path, const HostIdentity& here = ThisHost());

// False when the broker ran on this machine and its process is no more. Meaningful only where both see the same process
// ids (not across containers).
bool BrokerProcessExists(const AccessFile& access, const HostIdentity& here = ThisHost());

}  // namespace icarus
