#include "broker/backup_request.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "common/base/random.h"
#include "common/base/version.h"
#include "common/config/access_file.h"
#include "common/transport/dealer_socket.h"
#include "common/transport/poll_loop.h"

namespace icarus::broker {
namespace {

constexpr std::chrono::seconds kGreetingTimeout{10};
constexpr std::chrono::seconds kLookInterval{1};  // whether the broker's process is still there
constexpr std::uint64_t kHelloCorrelation = 1;
constexpr std::uint64_t kBackupCorrelation = 2;

class Conversation {
 public:
  Conversation(AccessFile access, std::unique_ptr<TransportContext> context, std::unique_ptr<DealerSocket> socket)
      : access_(std::move(access)), context_(std::move(context)), socket_(std::move(socket)) {
    loop_.Add(*socket_);
  }

  Result<BackupReply> Ask(const std::string& directory) {
    Hello hello;
    hello.instance = RandomHex(16);
    hello.program = ProgramVersion("icarus-broker");
    hello.host = ThisHost().name;
    hello.pid = ::getpid();
    ICARUS_ASSIGN(const bool connected, socket_->WaitWritable(kGreetingTimeout));
    if (!connected) return NoAnswer();
    ICARUS_TRY(socket_->Send(Message{kHelloCorrelation, hello, {}}));
    ICARUS_TRY(Await(kHelloCorrelation, kGreetingTimeout));
    ICARUS_TRY(socket_->Send(Message{kBackupCorrelation, Backup{directory}, {}}));
    // However long it takes: a broker that ends is noticed.
    ICARUS_ASSIGN(Message answer, Await(kBackupCorrelation, std::nullopt));
    (void)socket_->Send(Message{0, Goodbye{"done"}, {}});
    const auto* reply = answer.payload.get_if<BackupReply>();
    if (reply == nullptr) return ProtocolError("the broker answered something else than was asked");
    return *reply;
  }

 private:
  Error NoAnswer() const {
    return Error::Make(ErrorCode::kUnavailable, "the broker (process " + std::to_string(access_.pid) +
                                                    ") does not answer; see its log, or end it with 'icarus down "
                                                    "--broker', while solvers run on, and back up then");
  }
  Result<Message> Await(std::uint64_t correlation, std::optional<std::chrono::seconds> timeout) {
    const auto begin = std::chrono::steady_clock::now();
    while (true) {
      while (auto received = socket_->Receive()) {
        if (!*received) return received->error();
        if ((*received)->correlation != correlation) continue;
        if (const auto* error = (*received)->payload.get_if<ErrorReply>()) return ToError(*error);
        return std::move(**received);
      }
      const bool late = timeout && std::chrono::steady_clock::now() - begin > *timeout;
      if (late || !BrokerProcessExists(access_)) return NoAnswer();
      ICARUS_TRY(loop_.Wait(kLookInterval));
    }
  }

  AccessFile access_;
  std::unique_ptr<TransportContext> context_;
  std::unique_ptr<DealerSocket> socket_;
  PollLoop loop_;
};

}  // namespace

Result<BackupReply> RequestBackup(const Home& home, const std::string& directory) {
  ICARUS_ASSIGN(AccessFile access, FindBroker(home));
  if (!ThisHost().SameMachine(access.host)) {
    return Error::Make(ErrorCode::kRefused,
                       "the broker of " + home.dir + " runs on host " + access.host.name + "; make the backup there");
  }
  ICARUS_ASSIGN(auto context, TransportContext::Create());
  ICARUS_ASSIGN(auto socket, DealerSocket::Connect(*context, access.client_endpoints.front()));
  return Conversation(std::move(access), std::move(context), std::move(socket)).Ask(directory);
}

}  // namespace icarus::broker
