#include "common/transport/principal.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "common/base/text.h"

namespace icarus {
namespace {

std::string UserName(uid_t uid) {
  std::vector<char> buffer(1024);
  passwd entry{};
  passwd* found = nullptr;
  int rc = 0;
  while ((rc = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found)) == ERANGE &&
         buffer.size() < (1u << 20)) {
    buffer.resize(buffer.size() * 2);
  }
  if (rc != 0 || found == nullptr) return "uid:" + std::to_string(uid);
  return found->pw_name;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<uid_t> PeerUid(std::string_view peer_address) {
  // libzmq puts the three numbers after the name that getnameinfo(3) gives a unix socket, which is "localhost" with
  // glibc. The address of a TCP peer is numeric, so it never begins like that; an IPv6 one has colons too, hence
  // exactly three.
  const auto parts = Split(peer_address, ':');
  if (parts.size() != 4 || !(parts[0].empty() || parts[0] == "localhost")) return std::nullopt;
  if (!IsDigits(parts[1]) || !IsDigits(parts[2]) || !IsDigits(parts[3])) return std::nullopt;
  uid_t uid = 0;
  const char* end = parts[1].data() + parts[1].size();
  const auto [stop, error] = std::from_chars(parts[1].data(), end, uid);
  if (error != std::errc() || stop != end) return std::nullopt;
  return uid;
}

const Principal& PrincipalTable::Of(std::string_view peer_address) {
  const auto uid = PeerUid(peer_address);
  if (!uid) return insecure_;
  const auto known = by_uid_.find(*uid);
  if (known != by_uid_.end()) return known->second;
  return by_uid_.emplace(*uid, Principal{UserName(*uid), *uid == 0 || *uid == ::geteuid()}).first->second;
}

}  // namespace icarus
