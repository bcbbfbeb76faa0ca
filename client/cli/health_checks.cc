#include "client/cli/health_checks.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "client/cli/background.h"
#include "client/cli/child_output.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/text.h"
#include "common/base/version.h"

namespace icarus::client {
namespace {

constexpr rlim_t kFilesWanted = 4096;
constexpr std::uint64_t kDiskWanted = std::uint64_t{2} << 30;
constexpr std::int64_t kClockToleranceMs = 5000;

// File system magic numbers of statfs(2) and linux/magic.h.
const std::map<long, const char*>& NetworkFileSystems() {
  static const std::map<long, const char*> kNames = {{0x6969, "NFS"},      {0x517B, "SMB"},        {0xFF534D42, "CIFS"},
                                                     {0xFE534D42, "SMB2"}, {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"},
                                                     {0x00C36400, "Ceph"}, {0x5346414F, "AFS"},    {0x01021997, "9P"},
                                                     {0x65735546, "FUSE"}, {0x19830326, "BeeGFS"}};
  return kNames;
}

void CheckSolvers(std::vector<HealthCheck>& checks) {
  const auto program = SiblingProgram("icarus-worker");
  const auto output = program ? CaptureOutput({*program, "--probe-solvers"}) : Result<std::string>(program.error());
  if (!output) {
    checks.push_back({"solvers", false, output.error().message, "install icarus-worker beside icarus"});
    return;
  }
  for (const std::string& line : Split(*output, '\n')) {
    const Json solver = Json::parse(line, nullptr, false);
    if (!solver.is_object()) continue;
    const std::string identity = solver.value("identity", "");
    const std::string detail = solver.value("detail", "");
    checks.push_back({"solver " + solver.value("name", "?"), !identity.empty(),
                      identity.empty() ? detail : identity + (detail.empty() ? "" : ": " + detail),
                      identity.empty() ? solver.value("remedy", "") : ""});
  }
}

HealthCheck CheckHome(const Session& session) {
  const auto home = ResolveHome(session.options().common.home, session.environment());
  if (!home) return {"home", false, home.error().message, "choose another with --home or ICARUS_HOME"};
  return {"home", true, home->dir + " can be written", ""};
}

HealthCheck CheckStore(const std::string& dir) {
  struct statfs info {};
  if (::statfs(dir.c_str(), &info) != 0) return {"store", true, dir + " is not there yet", ""};
  const auto found = NetworkFileSystems().find(static_cast<long>(info.f_type));
  if (found == NetworkFileSystems().end()) return {"store", true, "on a local file system", ""};
  return {"store", false, dir + " is on a network file system (" + found->second + ")",
          "use a local home (--home or ICARUS_HOME), or start with --allow-network-store"};
}

HealthCheck CheckDisk(const std::string& dir) {
  struct statvfs info {};
  if (::statvfs(dir.c_str(), &info) != 0) return {"disk", true, dir + " is not there yet", ""};
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  const bool ok = free >= kDiskWanted;
  return {"disk", ok, FormatSize(free) + " free", ok ? "" : "free some space, or move the home"};
}

HealthCheck CheckFileLimit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const bool ok = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= kFilesWanted;
  const std::string detail = limit.rlim_max == RLIM_INFINITY ? "no limit" : std::to_string(limit.rlim_max);
  return {"open files", ok, detail,
          ok ? "" : "raise the hard limit to " + std::to_string(kFilesWanted) + " (ulimit -Hn)"};
}

HealthCheck CheckClock(std::int64_t broker_wall_ms) {
  const std::int64_t off = std::llabs(ReadClocks().wall_ms - broker_wall_ms);
  const bool ok = off <= kClockToleranceMs;
  return {"clock", ok, FormatDuration(static_cast<double>(off) / 1000) + " from the broker's",
          ok ? "" : "set the clocks (chrony, systemd-timesyncd)"};
}

std::string VersionOf(const std::string& program) { return program.substr(program.rfind(' ') + 1); }

void CheckBroker(Session& session, std::vector<HealthCheck>& checks) {
  const auto home = session.FindHome();
  if (home && session.options().common.access_file.empty() && !PathExists(home->access_file())) {
    checks.push_back({"broker", true, "none runs here; 'icarus up' starts one", ""});
    return;
  }
  const auto client = session.Broker();
  const auto welcome = client ? (*client)->Greet() : Result<Welcome>(client.error());
  if (!welcome) {
    checks.push_back({"broker", false, welcome.error().message, "icarus up"});
    return;
  }
  checks.push_back({"broker", true, "answers " + welcome->user, ""});
  const bool equal = VersionOf(welcome->program) == kVersion;
  checks.push_back({"versions", equal, "broker " + VersionOf(welcome->program) + ", client " + kVersion,
                    equal ? "" : "install one version everywhere, then icarus down and icarus up"});
  checks.push_back(CheckClock(welcome->wall_ms));
}

}  // namespace

std::vector<HealthCheck> CheckMachine(Session& session) {
  std::vector<HealthCheck> checks;
  CheckSolvers(checks);
  checks.push_back(CheckHome(session));
  if (const auto home = session.FindHome()) {
    checks.push_back(CheckStore(home->dir));
    checks.push_back(CheckDisk(home->dir));
  }
  checks.push_back(CheckFileLimit());
  CheckBroker(session, checks);
  return checks;
}

}  // namespace icarus::client
