// The broker and workers that run on this machine for a home, found by what they lock and write.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/config/home.h"

namespace icarus::client {

struct LocalProgram {
  std::string name;  // of a worker; "broker"
  pid_t pid = -1;
};

// Workers whose lock file is held by a living process of that program.
std::vector<LocalProgram> FindWorkers(const Home& home);
std::optional<LocalProgram> FindWorker(const Home& home, const std::string& name);

// The broker of the access file, when it runs on this machine. kRefused when it runs on another one: its name is in the
// message, and nothing here may touch its home.
Result<std::optional<LocalProgram>> FindLocalBroker(const Home& home);

// CPUs that this process may use: affinity and the cgroup's quota; at least 1.
int UsableCpus();

// One at a time: held until it is closed. Waits for another to let go.
Result<UniqueFd> LockHome(const Home& home);

}  // namespace icarus::client
