// What PollLoop needs of a socket.
#pragma once

namespace icarus {

class PolledSocket {
 public:
  // The ZeroMQ socket as it is now: one that reconnects may be another the next time.
  virtual void* handle() const = 0;

 protected:
  ~PolledSocket() = default;
};

}  // namespace icarus
