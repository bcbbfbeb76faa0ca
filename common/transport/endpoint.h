// Where a socket listens: "ipc:///absolute/path" or "tcp://ADDRESS:PORT" ("[...]" around an IPv6 address).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace icarus {

// The longest path of a unix socket: sockaddr_un has room for 108 bytes with the final zero.
inline constexpr std::size_t kMaxIpcPathBytes = 107;

struct Endpoint {
  enum class Kind : std::uint8_t { kIpc, kTcp };
  Kind kind = Kind::kIpc;
  std::string path;        // of kIpc
  std::string address;     // of kTcp, without brackets; "*" is every interface
  std::uint16_t port = 0;  // 0 (also written "*"): any free port, for binding only

  std::string ToString() const;
  // Reached by this machine alone: ipc, localhost, 127.0.0.0/8, ::1.
  bool IsLocalOnly() const;
};

// A usage error says what is wrong with the text, for example the length of an ipc path.
Result<Endpoint> ParseEndpoint(std::string_view text);

}  // namespace icarus
