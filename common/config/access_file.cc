#include "common/config/access_file.h"

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/base/files.h"

namespace icarus {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxAccessFileBytes = 64u << 10;

Error NoBroker(const std::string& home_dir, const std::string& why = {}) {
  return Error::Make(ErrorCode::kUnavailable, "no broker runs at " + home_dir + why + ": start one with 'icarus up'");
}

// The home that the file is of, for messages.
std::string HomeOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Error Malformed(const std::string& path, const std::string& why) {
  return Error::Make(ErrorCode::kCorruption, path + " is not an access file: " + why + "; restart the broker");
}

// Of a file that the user named: what is wrong with it is the user's mistake.
Error WrongFile(const std::string& path, const std::string& why) {
  return UsageError(path + " " + why + "; name the file access.json in the home of a broker that runs", "access");
}

Result<std::string> ReadText(const std::string& path) {
  if (!PathExists(path) && errno == ENOENT) return NoBroker(HomeOf(path));
  auto text = ReadFile(path, kMaxAccessFileBytes);
  if (!text) return Error::Make(ErrorCode::kRefused, text.error().message + "; the broker's user may read it");
  return text;
}

const Json* Member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

bool TakeText(const Json& object, const char* name, std::string& into) {
  const Json* member = Member(object, name);
  if (member == nullptr || !member->is_string()) return false;
  into = member->get<std::string>();
  return true;
}

bool TakeTexts(const Json& object, const char* name, std::vector<std::string>& into) {
  const Json* member = Member(object, name);
  if (member == nullptr || !member->is_array()) return false;
  for (const Json& item : *member) {
    if (!item.is_string()) return false;
    into.push_back(item.get<std::string>());
  }
  return true;
}

bool TakeInteger(const Json& object, const char* name, std::int64_t& into) {
  const Json* member = Member(object, name);
  if (member == nullptr || !member->is_number_integer()) return false;
  into = member->get<std::int64_t>();
  return true;
}

Result<AccessFile> Decode(const std::string& path, const std::string& text) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return Malformed(path, "it is not a JSON object");
  AccessFile access;
  const bool complete = TakeTexts(document, "client_endpoints", access.client_endpoints) &&
                        TakeTexts(document, "worker_endpoints", access.worker_endpoints) &&
                        TakeText(document, "host", access.host.name) &&
                        TakeText(document, "boot_id", access.host.boot_id) &&
                        TakeText(document, "instance", access.instance) && TakeInteger(document, "pid", access.pid) &&
                        TakeText(document, "program", access.program);
  if (!complete || access.pid <= 0) return Malformed(path, "a member is missing or is not what it should be");
  return access;
}

void LeaveOutIpc(std::vector<std::string>& endpoints) {
  std::erase_if(endpoints,
                [](const std::string& endpoint) { return std::string_view(endpoint).substr(0, 6) == "ipc://"; });
}

// `access` without the endpoints that cannot be reached from here.
Result<AccessFile> Reachable(const std::string& path, AccessFile access, const HostIdentity& here) {
  if (here.SameMachine(access.host)) return access;
  LeaveOutIpc(access.client_endpoints);
  LeaveOutIpc(access.worker_endpoints);
  if (!access.client_endpoints.empty() || !access.worker_endpoints.empty()) return access;
  const std::string home_dir = HomeOf(path);
  if (access.host.name == here.name) return NoBroker(home_dir, " since this machine restarted");
  return Error::Make(ErrorCode::kRefused, "the broker of " + home_dir + " runs on host " + access.host.name +
                                              " and cannot be reached from here: it does not listen on TCP; work on " +
                                              access.host.name + " or name another home with --home");
}

}  // namespace

Status WriteAccessFile(const std::string& path, const AccessFile& access) {
  Json document;
  document["client_endpoints"] = access.client_endpoints;
  document["worker_endpoints"] = access.worker_endpoints;
  document["host"] = access.host.name;
  document["boot_id"] = access.host.boot_id;
  document["instance"] = access.instance;
  document["pid"] = access.pid;
  document["program"] = access.program;
  return WriteFileAtomically(path, document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", 0600);
}

Status RemoveAccessFile(const std::string& path, const std::string& instance) {
  const auto access = ReadAccessFile(path);
  if (!access) return access.error().code == ErrorCode::kUnavailable ? Status() : access.error();
  if (access->instance != instance) return {};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("cannot remove " + path, errno);
  return {};
}

Result<AccessFile> ReadAccessFile(const std::string& path) {
  ICARUS_ASSIGN(const std::string text, ReadText(path));
  return Decode(path, text);
}

Result<AccessFile> FindBroker(const Home& home, const HostIdentity& here) {
  ICARUS_ASSIGN(AccessFile access, ReadAccessFile(home.access_file()));
  return Reachable(home.access_file(), std::move(access), here);
}

Result<AccessFile> FindBrokerByFile(const std::string& path, const HostIdentity& here) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Error::Make(ErrorCode::kUnavailable,
                       "there is no access file " + path + "; it lies as access.json in the home of a broker that runs",
                       "access");
  }
  if (std::filesystem::is_directory(path, ignored)) return WrongFile(path, "is a directory and no access file");
  auto access = ReadAccessFile(path);
  if (access) return Reachable(path, *std::move(access), here);
  if (access.error().code != ErrorCode::kCorruption) return std::move(access).error();
  return WrongFile(path, "is not an access file of this version");
}

bool BrokerProcessExists(const AccessFile& access, const HostIdentity& here) {
  if (!here.SameMachine(access.host)) return true;
  return ::kill(static_cast<pid_t>(access.pid), 0) == 0 || errno == EPERM;
}

}  // namespace icarus
