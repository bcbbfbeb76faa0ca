#include "worker/launcher/value_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/overloaded.h"
#include "common/model/limits.h"
#include "worker/launcher/launcher_codec.h"

namespace icarus::worker {
namespace {

constexpr std::size_t kOpenQuestions = 4;           // of one connection
constexpr std::size_t kUnreadToPause = 256u << 10;  // answers that a connection has not taken
constexpr std::size_t kMostToLauncher = 16u << 20;  // to a launcher that does not keep up
constexpr int kBacklog = 64;
constexpr int kAcceptedAtOnce = 64;

bool IsOwnUser(int socket) {
  struct ucred peer {};
  socklen_t length = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == ::geteuid();
}

int BindFor(int socket, const sockaddr_un& address, mode_t mode) {
  const mode_t before = ::umask(static_cast<mode_t>(~mode) & 0777);
  const int bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int why = bound == 0 ? 0 : errno;
  ::umask(before);
  return why;
}

// 0: there is nothing.
ino_t InodeAt(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

Result<std::unique_ptr<ValueSocket>> ValueSocket::Open(std::string path, std::uint64_t id, FrameChannel& launcher,
                                                       ValueBounds bounds) {
  std::unique_ptr<ValueSocket> socket(new ValueSocket(std::move(path), id, launcher, bounds));
  ICARUS_TRY(socket->Listen());
  return socket;
}

ValueSocket::~ValueSocket() {
  if (inode_ != 0 && InodeAt(path_) == inode_) ::unlink(path_.c_str());
}

Status ValueSocket::Listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    return UsageError("the path " + path_ + " is too long for a socket: at most " +
                      std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return ErrnoError("cannot create a socket", errno);
  int why = BindFor(socket.get(), address, 0600);
  if (why == EADDRINUSE && ::unlink(path_.c_str()) == 0) why = BindFor(socket.get(), address, 0600);
  if (why != 0) return ErrnoError("cannot bind " + path_, why);
  listener_ = std::move(socket);
  inode_ = InodeAt(path_);
  if (::listen(listener_.get(), kBacklog) != 0) return ErrnoError("cannot listen at " + path_, errno);
  return {};
}

// --- polling ---

void ValueSocket::AddTo(std::vector<pollfd>& polled) {
  polled_from_ = polled.size();
  polled_clients_.clear();
  polled.push_back({listener_.get(), POLLIN, 0});
  std::size_t held = 0;
  const ValueClient* longest = nullptr;
  for (const auto& [number, client] : clients_) {
    held += client.held_bytes();
    if (client.ended() || !MayGoOn(client)) continue;
    if (longest == nullptr || client.held_bytes() > longest->held_bytes()) longest = &client;
  }
  for (const auto& [number, client] : clients_) {
    const bool has_room = held < bounds_.most_held || &client == longest;
    const bool reads = !client.ended() && has_room && MayGoOn(client);
    const auto events = static_cast<short>((reads ? POLLIN : 0) | (client.unread_bytes() > 0 ? POLLOUT : 0));
    // Without events poll would still come back for one that has gone, again and again; it passes over −1.
    polled.push_back({events == 0 ? -1 : client.fd(), events, 0});
    polled_clients_.push_back(number);
  }
}

Instant ValueSocket::NextDeadline() const { return questions_.empty() ? kNever : questions_.begin()->second.deadline; }

void ValueSocket::Serve(const std::vector<pollfd>& polled) {
  if (polled_from_) Receive(polled);
  polled_from_.reset();
  Expire();
  for (auto& [number, client] : clients_) TakeLines(number, client);
  CloseTheFullest();
  std::erase_if(clients_, [](const auto& entry) { return entry.second.is_done(); });
}

void ValueSocket::Receive(const std::vector<pollfd>& polled) {
  for (std::size_t i = 0; i < polled_clients_.size(); ++i) {
    const pollfd& item = polled[*polled_from_ + 1 + i];
    if (item.revents == 0) continue;
    ValueClient& client = clients_.at(polled_clients_[i]);
    client.Flush();
    if ((item.events & POLLIN) != 0) client.Receive();
  }
  if (polled[*polled_from_].revents != 0) Accept();
}

void ValueSocket::Accept() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!socket && errno == EAGAIN) return;
    if (!socket) {  // out of descriptors or memory: poll would come back for ever
      listener_.Reset();
      return;
    }
    if (!IsOwnUser(socket.get())) continue;
    ValueClient client(std::move(socket));
    if (clients_.size() < limits::kValueConnections) {
      clients_.emplace(++last_client_, std::move(client));
    } else {
      client.Send(ErrorLine({}, "this attempt has the limit of " + std::to_string(limits::kValueConnections) +
                                    " connections open; close one first"));
    }
  }
}

// --- what the programs say ---

bool ValueSocket::IsCongested() const { return barrier_ != 0 || launcher_.unsent_bytes() > kMostToLauncher; }

bool ValueSocket::MayGoOn(const ValueClient& client) const {
  if (finishing_) return true;
  return client.open_questions < kOpenQuestions && client.unread_bytes() < kUnreadToPause && !IsCongested();
}

void ValueSocket::TakeLines(std::uint64_t number, ValueClient& client) {
  while (MayGoOn(client)) {
    const auto line = client.NextLine();
    if (!line) return;
    TakeLine(number, client, *line);
  }
}

void ValueSocket::TakeLine(std::uint64_t number, ValueClient& client, const LineReader::Line& line) {
  if (line.too_long) return client.Send(TooLongLine());
  if (line.text.find_first_not_of(" \t\r") == std::string::npos) return;
  ValueLine said = ReadValueLine(line.text);
  std::visit(Overloaded{
                 [&](CacheGet& get) {
                   if (finishing_) return;  // nobody waits any more
                   ++client.open_questions;
                   Ask(number, std::move(get.id), {std::move(get.key)});
                 },
                 [&](CachePut& put) { Offer(std::move(put)); },
                 [&](const BadLine& bad) { client.Send(ErrorLine(bad.id, bad.message)); },
             },
             said);
}

void ValueSocket::Ask(std::uint64_t client, std::string id, std::vector<std::string> keys) {
  const std::uint64_t number = ++last_question_;
  questions_[number] = {client, std::move(id), MonotonicNow() + bounds_.patience};
  launcher_.Send(FrameType::kAskValues, id_, EncodeAsk({id_, std::move(keys), number}));
}

void ValueSocket::Offer(CachePut put) {
  offered_bytes_ += put.key.size() + put.value.size();
  launcher_.Send(FrameType::kOfferValue, id_,
                 EncodeOffer({id_, std::move(put.key), std::move(put.value), put.compute_s}));
  if (offered_bytes_ < bounds_.most_offered || finishing_) return;
  Ask(0, {}, {});
  barrier_ = last_question_;
}

void ValueSocket::Finish() {
  finishing_ = true;
  if (listener_) Accept();
  for (auto& [number, client] : clients_) {
    do {
      TakeLines(number, client);
    } while (client.Receive());
    TakeLines(number, client);  // what had no end
  }
}

// --- what they are told ---

void ValueSocket::OnAnswer(const ValueAnswer& answer) {
  const auto question = questions_.find(answer.number);
  if (question == questions_.end()) return;  // it was given up
  const std::int32_t at = answer.at.empty() ? -1 : answer.at.front();
  const bool found = at >= 0 && static_cast<std::size_t>(at) < answer.values.size();
  Answer(question, found ? &answer.values[static_cast<std::size_t>(at)] : nullptr);
}

void ValueSocket::Answer(std::map<std::uint64_t, Question>::iterator question, const std::string* value) {
  if (question->first == barrier_) offered_bytes_ = barrier_ = 0;
  if (const auto client = clients_.find(question->second.client); client != clients_.end()) {
    --client->second.open_questions;
    client->second.Send(CacheValueLine(question->second.id, value));
  }
  questions_.erase(question);
}

void ValueSocket::Expire() {
  const Instant now = MonotonicNow();
  while (!questions_.empty() && questions_.begin()->second.deadline <= now) Answer(questions_.begin(), nullptr);
}

void ValueSocket::CloseTheFullest() {
  std::size_t unread = 0;
  for (const auto& [number, client] : clients_) unread += client.unread_bytes();
  while (unread > bounds_.most_unread) {
    const auto fullest = std::max_element(clients_.begin(), clients_.end(), [](const auto& a, const auto& b) {
      return a.second.unread_bytes() < b.second.unread_bytes();
    });
    unread -= fullest->second.unread_bytes();
    fullest->second.Close();
  }
}

}  // namespace icarus::worker
