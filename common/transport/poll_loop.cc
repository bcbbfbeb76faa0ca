#include "common/transport/poll_loop.h"

#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "common/base/check.h"

namespace icarus {
namespace {

short ToZmqEvents(unsigned events) {
  return static_cast<short>(((events & PollLoop::kReadable) != 0 ? ZMQ_POLLIN : 0) |
                            ((events & PollLoop::kWritable) != 0 ? ZMQ_POLLOUT : 0));
}

// A descriptor in error is reported as whatever was asked for, so that its owner reads or writes and gets the error.
unsigned FromZmqEvents(short revents, unsigned asked) {
  unsigned ready = 0;
  if ((revents & ZMQ_POLLIN) != 0) ready |= PollLoop::kReadable;
  if ((revents & ZMQ_POLLOUT) != 0) ready |= PollLoop::kWritable;
  if ((revents & ZMQ_POLLERR) != 0) ready |= asked;
  return ready;
}

// Rounded up: a deadline that is a fraction of a millisecond away must not be polled for in a tight loop.
long ToZmqTimeout(std::optional<std::chrono::nanoseconds> timeout) {
  if (!timeout) return -1;
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 7);
  const auto bounded = std::clamp<std::chrono::nanoseconds>(*timeout, std::chrono::nanoseconds(0), kLongest);
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(bounded).count());
}

}  // namespace

PollLoop::Source PollLoop::AddEntry(const Entry& entry) {
  const Source source{next_++};
  entries_.emplace(source, entry);
  return source;
}

PollLoop::Source PollLoop::Add(const PolledSocket& socket, unsigned events) {
  return AddEntry(Entry{&socket, -1, events, 0});
}

PollLoop::Source PollLoop::Add(int fd, unsigned events) {
  ICARUS_CHECK(fd >= 0);
  return AddEntry(Entry{nullptr, fd, events, 0});
}

void PollLoop::SetEvents(Source source, unsigned events) {
  const auto found = entries_.find(source);
  ICARUS_CHECK(found != entries_.end());
  found->second.events = events;
}

void PollLoop::Remove(Source source) { ICARUS_CHECK(entries_.erase(source) == 1); }

Status PollLoop::Wait(std::optional<std::chrono::nanoseconds> timeout) {
  std::vector<zmq_pollitem_t> items;
  std::vector<Entry*> polled;
  items.reserve(entries_.size());
  polled.reserve(entries_.size());
  for (auto& [source, entry] : entries_) {
    entry.ready = 0;
    if (entry.events == 0) continue;
    void* socket = entry.socket != nullptr ? entry.socket->handle() : nullptr;
    items.push_back({socket, entry.fd, ToZmqEvents(entry.events), 0});
    polled.push_back(&entry);
  }
  const int rc = zmq_poll(items.data(), static_cast<int>(items.size()), ToZmqTimeout(timeout));
  if (rc < 0 && zmq_errno() != EINTR)
    return IoError(std::string("cannot wait for sockets: ") + zmq_strerror(zmq_errno()));
  if (rc <= 0) return {};
  for (std::size_t i = 0; i < items.size(); ++i) polled[i]->ready = FromZmqEvents(items[i].revents, polled[i]->events);
  return {};
}

const PollLoop::Entry& PollLoop::EntryOf(Source source) const {
  const auto found = entries_.find(source);
  ICARUS_CHECK(found != entries_.end());
  return found->second;
}

bool PollLoop::Readable(Source source) const { return (EntryOf(source).ready & kReadable) != 0; }
bool PollLoop::Writable(Source source) const { return (EntryOf(source).ready & kWritable) != 0; }

}  // namespace icarus
