// PollLoop: waits for sockets and file descriptors at once. Owned and used by one thread.
//
//   PollLoop loop;
//   const auto clients = loop.Add(*router);
//   const auto signals = loop.Add(signal_fd.fd());
//   ICARUS_TRY(loop.Wait(core.NextDeadline() - now));
//   if (loop.Readable(clients)) { while (auto incoming = router->Receive()) …; }
//
// Level-triggered for both kinds: what is left unread is reported again by the next Wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "common/base/result.h"
#include "common/transport/polled_socket.h"

namespace icarus {

class PollLoop {
 public:
  enum class Source : std::uint32_t {};  // names what was added; never used again after Remove
  enum Events : unsigned { kReadable = 1, kWritable = 2 };

  // Neither is owned: remove it before it goes. A socket may reconnect while it is here.
  Source Add(const PolledSocket& socket, unsigned events = kReadable);
  Source Add(int fd, unsigned events = kReadable);
  void SetEvents(Source source, unsigned events);  // 0: not waited for
  void Remove(Source source);

  // Returns when something is ready, a signal arrived or the time is over (no timeout: never; rounded up to
  // milliseconds, zero or less: at once). Success with nothing ready is normal.
  Status Wait(std::optional<std::chrono::nanoseconds> timeout);

  // What the last Wait found. A descriptor whose other end hung up, or that is in error, is readable.
  bool Readable(Source source) const;
  bool Writable(Source source) const;

 private:
  struct Entry {
    const PolledSocket* socket = nullptr;
    int fd = -1;
    unsigned events = 0;
    unsigned ready = 0;
  };
  Source AddEntry(const Entry& entry);
  const Entry& EntryOf(Source source) const;

  std::map<Source, Entry> entries_;
  std::uint32_t next_ = 1;
};

}  // namespace icarus
