// Who is at the other end of a connection, as far as the transport can vouch for it.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace icarus {

struct Principal {
  std::string user;
  bool admin = false;  // root, or the user that this process runs as
  bool operator==(const Principal&) const = default;
};

// The user id in the peer address of an ipc connection, "localhost:uid:gid:pid", which the kernel vouches for
// (SO_PEERCRED).
// Nothing when the text is an address of another transport.
std::optional<uid_t> PeerUid(std::string_view peer_address);

// Makes principals of peer addresses and remembers the names of users. Not thread-safe.
class PrincipalTable {
 public:
  // The name is the account's, else "uid:N"; "insecure" without rights for a peer whose identity nobody vouches for.
  const Principal& Of(std::string_view peer_address);

 private:
  std::map<uid_t, Principal> by_uid_;
  Principal insecure_{"insecure", false};
};

}  // namespace icarus
