#include "common/config/home.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "common/base/files.h"
#include "common/model/content_hash.h"

namespace icarus {
namespace {

// A socket's path is at most 107 bytes long; the names of the sockets in the directory take up to 16 of them.
constexpr std::size_t kMaxSocketDirectoryBytes = 107 - 17;

bool IsAbsolute(const std::string& path) { return !path.empty() && path.front() == '/'; }

std::string UserDirectory(const Environment& environment) {
  const std::string home = Lookup(environment, "HOME");
  if (IsAbsolute(home)) return home;
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return IsAbsolute(found->pw_dir) ? found->pw_dir : "";
}

// The base directories of the XDG specification count only when they are absolute.
std::string XdgDirectory(const Environment& environment, const char* variable, const char* below_home) {
  const std::string given = Lookup(environment, variable);
  if (IsAbsolute(given)) return given;
  const std::string user = UserDirectory(environment);
  return user.empty() ? user : user + below_home;
}

Error Unusable(const std::string& dir, const std::string& why) {
  return Error::Make(ErrorCode::kRefused,
                     "cannot use " + dir + " as the home: " + why + "; name another with --home or ICARUS_HOME");
}

// What makes a directory unsafe for sockets; empty when nothing does.
std::string SocketDirectoryFault(const std::string& dir) {
  struct stat info {};
  if (::lstat(dir.c_str(), &info) != 0) return ErrnoError("it cannot be seen", errno).message;
  if (!S_ISDIR(info.st_mode)) return "it is not a directory";
  if (info.st_uid != ::geteuid()) return "it belongs to another user";
  if ((info.st_mode & 077) != 0) return "other users may enter it";
  return {};
}

Status MakeSocketDirectory(const std::string& dir) {
  // Under another user's hands only mkdir tells whether we made it: an existing one is looked at, never repaired.
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return ErrnoError("cannot create " + dir, errno);
  const std::string fault = SocketDirectoryFault(dir);
  if (fault.empty()) return {};
  return Error::Make(ErrorCode::kRefused, "cannot keep sockets in " + dir + ": " + fault + "; remove it");
}

bool IsUsableParent(const std::string& parent) {
  struct stat info {};
  return IsAbsolute(parent) && ::stat(parent.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
         ::access(parent.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

Result<Home> LocateHome(const std::string& flag, const Environment& environment) {
  std::string dir = flag.empty() ? Lookup(environment, "ICARUS_HOME") : flag;
  if (dir.empty()) {
    const std::string state = XdgDirectory(environment, "XDG_STATE_HOME", "/.local/state");
    if (state.empty())
      return UsageError("there is no home directory to keep the queue in; name one with --home", "home");
    dir = state + "/icarus";
  }
  ICARUS_ASSIGN(dir, AbsolutePath(dir));
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  return Home{dir};
}

Result<Home> ResolveHome(const std::string& flag, const Environment& environment) {
  ICARUS_ASSIGN(Home home, LocateHome(flag, environment));
  const Status made = MakeDirectories(home.dir, 0700);
  if (!made) return Unusable(home.dir, made.error().message);
  if (::access(home.dir.c_str(), R_OK | W_OK | X_OK) != 0) return Unusable(home.dir, std::strerror(errno));
  return home;
}

Result<std::string> SocketDirectory(const Home& home, const Environment& environment) {
  std::error_code ec;
  const std::string real = std::filesystem::weakly_canonical(home.dir, ec).string();
  const std::string hash = HashBytes(ec ? home.dir : real).Hex().substr(0, 16);
  const std::string own = "icarus-" + std::to_string(::geteuid()) + "-" + hash;
  const std::vector<std::pair<std::string, std::string>> places = {
      {Lookup(environment, "XDG_RUNTIME_DIR"), "icarus-" + hash}, {Lookup(environment, "TMPDIR"), own}, {"/tmp", own}};
  for (const auto& [parent, name] : places) {
    const std::string dir = parent + "/" + name;
    if (!IsUsableParent(parent) || dir.size() > kMaxSocketDirectoryBytes) continue;
    ICARUS_TRY(MakeSocketDirectory(dir));
    return dir;
  }
  return Error::Make(ErrorCode::kRefused,
                     "there is no directory for sockets: set TMPDIR to a short one that can be written");
}

std::string DefaultConfigFile(const Environment& environment) {
  const std::string config = XdgDirectory(environment, "XDG_CONFIG_HOME", "/.config");
  return config.empty() ? config : config + "/icarus/config.toml";
}

}  // namespace icarus
