#include "client/lib/connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/random.h"
#include "common/base/unique_fd.h"
#include "common/transport/endpoint.h"

namespace icarus::client {

Error Interrupted() { return Error::Make(ErrorCode::kNotYet, "interrupted"); }

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLookInterval{1};  // a silent broker's access file is read again
constexpr seconds kStandstill{2};    // later than this is not the system's usual delay
constexpr seconds kBeatInterval{2};  // and it is asked whether it is there

TimePoint Clock() { return std::chrono::steady_clock::now(); }

Error NoAnswer(const std::string& where, milliseconds patience) {
  return Error::Make(ErrorCode::kUnavailable, "the broker at " + where + " has not answered for " +
                                                  std::to_string(patience.count() / 1000) +
                                                  " s; see its log, or start one with 'icarus up'");
}

// False when it is certain that nobody does.
bool SomebodyListens(const std::string& endpoint_text) {
  const auto endpoint = ParseEndpoint(endpoint_text);
  if (!endpoint || endpoint->kind != Endpoint::Kind::kIpc) return true;
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  if (!fd || endpoint->path.size() >= sizeof address.sun_path) return true;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, endpoint->path.c_str(), endpoint->path.size() + 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  return errno != ECONNREFUSED && errno != ENOENT;
}

Result<AccessFile> Find(const ConnectOptions& options) {
  auto access = options.access_file.empty() ? FindBroker(options.home) : FindBrokerByFile(options.access_file);
  if (!access) return access;
  if (access->client_endpoints.empty()) {
    return Error::Make(ErrorCode::kUnavailable, "the access file names no endpoint that can be reached from here");
  }
  return access;
}

}  // namespace

Connection::Connection(ConnectOptions options, AccessFile access, std::unique_ptr<TransportContext> context,
                       std::unique_ptr<DealerSocket> socket)
    : options_(std::move(options)),
      access_(std::move(access)),
      context_(std::move(context)),
      socket_(std::move(socket)),
      socket_source_(loop_.Add(*socket_)),
      instance_(RandomHex(16)) {}

Result<std::unique_ptr<Connection>> Connection::Open(ConnectOptions options) {
  ICARUS_ASSIGN(AccessFile access, Find(options));
  const std::string& endpoint = access.client_endpoints.front();
  // A broker that was killed leaves its file behind; do not wait for one that cannot answer.
  if (!SomebodyListens(endpoint)) {
    return Error::Make(ErrorCode::kUnavailable, "no broker runs at " + options.home.dir + ": the last one (process " +
                                                    std::to_string(access.pid) +
                                                    ") has ended; start one with 'icarus up'");
  }
  ICARUS_ASSIGN(auto context, TransportContext::Create());
  ICARUS_ASSIGN(auto socket, DealerSocket::Connect(*context, endpoint));
  return std::unique_ptr<Connection>(
      new Connection(std::move(options), std::move(access), std::move(context), std::move(socket)));
}

Connection::~Connection() {
  // Spares the broker a session that nobody will use; when it does not arrive, the session is forgotten later.
  if (heard_ever_) (void)socket_->Send(Message{0, Goodbye{"done"}, {}, numbers_.Next()});
}

// --- requests -------------------------------------------------------------------------------------------------------

void Connection::BecomeBusy() {
  if (!Busy()) busy_since_ = looked_ = beat_ = Clock();
}

void Connection::CallAsync(AnyMessage request, std::vector<Body> bodies, Client::Callback done) {
  BecomeBusy();
  const std::uint64_t correlation = next_correlation_++;
  requests_.emplace(correlation,
                    Request{Message{correlation, std::move(request), std::move(bodies)}, std::move(done), false});
}

std::uint64_t Connection::Watch(std::vector<JobId> jobs, Client::WatchCallback on_update) {
  BecomeBusy();
  const std::uint64_t correlation = next_correlation_++;
  watches_.emplace(correlation, Watched{std::move(jobs), std::move(on_update), false});
  return correlation;
}

void Connection::EndWatch(std::uint64_t watch) {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  if (found->second.sent) outbox_.push_back(Message{watch, icarus::Watch{}, {}});
  watches_.erase(found);
  Flush();
}

void Connection::SetInterrupt(int fd) {
  if (interrupt_) loop_.Remove(*interrupt_);
  interrupt_.reset();
  if (fd >= 0) interrupt_ = loop_.Add(fd);
}

Result<RunEnd> Connection::RunUntil(const std::function<bool()>& condition, std::optional<TimePoint> deadline) {
  lost_.reset();
  while (true) {
    if (condition()) return RunEnd::kDone;
    if (lost_) return *lost_;
    if (interrupt_ && loop_.Readable(*interrupt_)) return RunEnd::kInterrupted;
    if (deadline && Clock() >= *deadline) return RunEnd::kDeadline;
    ICARUS_TRY(Turn(deadline));
  }
}

Result<RunEnd> Connection::Greet() {
  BecomeBusy();
  greeting_ = true;
  auto end = RunUntil([this] { return welcome_.has_value(); }, std::nullopt);
  greeting_ = false;
  return end;
}

Status Connection::Turn(std::optional<TimePoint> deadline) {
  Flush();
  loop_.SetEvents(socket_source_, blocked_ ? PollLoop::kReadable | PollLoop::kWritable : PollLoop::kReadable);
  std::optional<TimePoint> wake = deadline;
  if (Busy()) wake = wake ? std::min(*wake, NextWake()) : NextWake();
  std::optional<std::chrono::nanoseconds> timeout;
  if (wake) timeout = *wake - Clock();
  ICARUS_TRY(loop_.Wait(timeout));
  const TimePoint woke = Clock();
  // We stood still (Ctrl-Z, a closed lid): that was not the broker's silence.
  if (wake && Busy() && woke - *wake > kStandstill) busy_since_ = woke;
  Receive();
  OnTime(woke);  // nor is the time that what was received took here
  return {};
}

// --- sending --------------------------------------------------------------------------------------------------------

bool Connection::Post(Message& message, std::uint64_t failing) {
  SessionNumbers after = numbers_;
  message.stamp = after.Next();
  Status sent = socket_->Send(message);
  if (sent) {
    numbers_ = after;
    return true;
  }
  if (sent.error().code == ErrorCode::kOverloaded) {
    blocked_ = true;
    return false;
  }
  // It can never be sent as it is: over a limit of the wire.
  const auto request = requests_.find(failing);
  if (request == requests_.end()) return true;
  const Client::Callback done = std::move(request->second.done);
  requests_.erase(request);
  done(std::move(sent).error());
  return true;
}

bool Connection::FlushHello() {
  if (hello_ != 0) return true;
  Hello hello;
  hello.role = PeerRole::kClient;
  hello.instance = instance_;
  hello.program = options_.program;
  hello.host = ThisHost().name;
  hello.pid = ::getpid();
  if (welcome_) {
    hello.lineage = welcome_->lineage;
    hello.seen_epoch = welcome_->epoch;
    hello.seen_sequence = welcome_->sequence;
  }
  const std::uint64_t correlation = next_correlation_++;
  Message message{correlation, std::move(hello), {}};
  numbers_.Begin(numbers_.session() + 1);
  if (!Post(message, 0)) return false;
  hello_ = correlation;
  return true;
}

bool Connection::FlushRequests() {
  for (auto it = requests_.begin(); it != requests_.end();) {
    const std::uint64_t correlation = it->first;
    if (!it->second.sent) {
      it->second.sent = true;
      if (!Post(it->second.message, correlation)) {
        it->second.sent = false;
        return false;
      }
    }
    it = requests_.upper_bound(correlation);  // the request, or others, may have gone
  }
  return true;
}

bool Connection::FlushWatches() {
  for (auto& [correlation, watched] : watches_) {
    if (watched.sent) continue;
    Message message{correlation, icarus::Watch{watched.jobs}, {}};
    if (!Post(message, 0)) return false;
    watched.sent = true;
  }
  return true;
}

void Connection::Flush() {
  blocked_ = false;
  if (!Busy() && outbox_.empty()) return;
  if (!FlushHello()) return;
  while (!outbox_.empty()) {
    if (!Post(outbox_.front(), 0)) return;
    outbox_.pop_front();
  }
  if (FlushRequests()) FlushWatches();
}

// --- receiving ------------------------------------------------------------------------------------------------------

void Connection::Receive() {
  while (auto received = socket_->Receive()) {
    heard_ = Clock();
    heard_ever_ = true;
    if (!*received) {
      FailAll(std::move(*received).error());
      continue;
    }
    switch (numbers_.OnArrival((*received)->stamp)) {
      case SessionNumbers::Arrival::kNext: OnMessage(std::move(**received)); break;
      case SessionNumbers::Arrival::kOld: break;
      case SessionNumbers::Arrival::kGap: SendAgain(); break;
    }
  }
}

void Connection::OnMessage(Message message) {
  if (const auto* reply = message.payload.get_if<HeartbeatReply>()) {
    if (!reply->known) SendAgain();
    if (welcome_) welcome_->sequence = std::max(welcome_->sequence, reply->sequence);
  } else if (const auto* update = message.payload.get_if<JobUpdate>()) {
    OnUpdate(message.correlation, *update);
  } else if (message.correlation == hello_ && hello_ != 0) {
    if (const auto* error = message.payload.get_if<ErrorReply>()) FailAll(ToError(*error));
    if (const auto* welcome = message.payload.get_if<Welcome>()) welcome_ = *welcome;
  } else {
    OnAnswer(std::move(message));
  }
}

void Connection::OnAnswer(Message message) {
  const auto* error = message.payload.get_if<ErrorReply>();
  const std::uint64_t correlation = message.correlation;
  if (const auto request = requests_.find(correlation); request != requests_.end()) {
    const Client::Callback done = std::move(request->second.done);
    requests_.erase(request);
    error != nullptr ? done(ToError(*error)) : done(std::move(message));
    return;
  }
  const auto watch = watches_.find(correlation);
  if (watch == watches_.end() || error == nullptr) return;  // an answer that came twice
  const Client::WatchCallback on_update = std::move(watch->second.on_update);
  watches_.erase(watch);
  on_update(ToError(*error));
}

void Connection::OnUpdate(std::uint64_t correlation, const JobUpdate& update) {
  const auto watch = watches_.find(correlation);
  if (watch == watches_.end()) return;
  outbox_.push_back(Message{correlation, UpdateAck{update.sequence}, {}});
  const Client::WatchCallback on_update = watch->second.on_update;  // it may end its own watch
  on_update(update);
}

// --- time -----------------------------------------------------------------------------------------------------------

milliseconds Connection::Patience() const {
  return requests_.empty() && !greeting_ && heard_ever_ ? options_.watch_patience : options_.patience;
}

TimePoint Connection::NextWake() const {
  return std::min(QuietSince() + Patience(), std::max(QuietSince(), looked_) + kLookInterval);
}

void Connection::OnTime(TimePoint now) {
  if (!Busy()) return;
  if (now - QuietSince() >= Patience()) {
    FailAll(NoAnswer(access_.client_endpoints.front(), Patience()));
    return;
  }
  if (now - std::max(QuietSince(), looked_) >= kLookInterval) {
    looked_ = now;
    LookForNewBroker();
  }
  if (now - std::max(QuietSince(), beat_) >= kBeatInterval) {
    beat_ = now;
    outbox_.push_back(Message{next_correlation_++, Heartbeat{}, {}});
  }
}

// A broker that restarted has another instance, and perhaps other endpoints. ZeroMQ reconnects to the same path by
// itself, but what was sent before is lost: so everything goes over a new connection.
void Connection::LookForNewBroker() {
  auto access = Find(options_);
  if (!access || access->instance == access_.instance) return;
  if (!socket_->Reconnect(access->client_endpoints.front())) return;
  access_ = std::move(*access);
  outbox_.clear();
  SendAgain();
}

void Connection::SendAgain() {
  hello_ = 0;
  for (auto& [correlation, request] : requests_) request.sent = false;
  for (auto& [correlation, watched] : watches_) watched.sent = false;
}

void Connection::FailAll(const Error& error) {
  lost_ = error;
  hello_ = 0;
  outbox_.clear();
  const auto requests = std::exchange(requests_, {});
  const auto watches = std::exchange(watches_, {});
  for (const auto& [correlation, request] : requests) request.done(error);
  for (const auto& [correlation, watched] : watches) watched.on_update(error);
}

}  // namespace icarus::client
