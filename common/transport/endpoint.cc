#include "common/transport/endpoint.h"

#include <limits>
#include <optional>

#include "common/base/text.h"

namespace icarus {
namespace {

constexpr std::string_view kIpcScheme = "ipc://";
constexpr std::string_view kTcpScheme = "tcp://";
constexpr std::string_view kMappedIpv4 = "::ffff:";  // RFC 4291, 2.5.5.2

Error BadEndpoint(std::string_view text, const std::string& why) {
  return UsageError("'" + std::string(text) + "' is not an endpoint: " + why);
}

Result<Endpoint> ParseIpc(std::string_view text) {
  const std::string_view path = text.substr(kIpcScheme.size());
  if (path.empty() || path.front() != '/') return BadEndpoint(text, "write ipc:// and an absolute path");
  if (path.find('\0') != std::string_view::npos) return BadEndpoint(text, "a path has no zero bytes");
  if (path.size() > kMaxIpcPathBytes) {
    return BadEndpoint(text, "its path is " + std::to_string(path.size()) + " bytes long and a socket's may be " +
                                 std::to_string(kMaxIpcPathBytes) + "; use a shorter directory");
  }
  Endpoint endpoint;
  endpoint.path = path;
  return endpoint;
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text == "*") return std::uint16_t{0};
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto port = ParseInteger(text);
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

bool IsAddressText(std::string_view text) {
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                       c == '-' || c == '_' || c == ':' || c == '%';
    if (!plain) return false;
  }
  return !text.empty();
}

Result<Endpoint> ParseTcp(std::string_view text) {
  std::string_view rest = text.substr(kTcpScheme.size());
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return BadEndpoint(text, "it has no port; write tcp://ADDRESS:PORT");
  const auto port = ParsePort(rest.substr(colon + 1));
  if (!port) return BadEndpoint(text, "'" + std::string(rest.substr(colon + 1)) + "' is not a port (0 to 65535)");
  std::string_view address = rest.substr(0, colon);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  const bool colons = address.find(':') != std::string_view::npos;
  if (colons != bracketed) return BadEndpoint(text, "an IPv6 address stands in brackets, tcp://[::1]:5555");
  if (address != "*" && !IsAddressText(address))
    return BadEndpoint(text, "'" + std::string(address) + "' is no address");
  // How a dual-stack socket names an IPv4 address that it is bound to.
  if (address.substr(0, kMappedIpv4.size()) == kMappedIpv4 && address.find('.') != std::string_view::npos)
    address.remove_prefix(kMappedIpv4.size());
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::kTcp;
  endpoint.address = address;
  endpoint.port = *port;
  return endpoint;
}

}  // namespace

std::string Endpoint::ToString() const {
  if (kind == Kind::kIpc) return std::string(kIpcScheme) + path;
  const bool brackets = address.find(':') != std::string::npos;
  return std::string(kTcpScheme) + (brackets ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

bool Endpoint::IsLocalOnly() const {
  return kind == Kind::kIpc || address == "localhost" || address == "::1" || GlobMatch("127.*.*.*", address);
}

Result<Endpoint> ParseEndpoint(std::string_view text) {
  if (text.substr(0, kIpcScheme.size()) == kIpcScheme) return ParseIpc(text);
  if (text.substr(0, kTcpScheme.size()) == kTcpScheme) return ParseTcp(text);
  return BadEndpoint(text, "write tcp://ADDRESS:PORT or ipc:///PATH");
}

}  // namespace icarus
