// TransportContext owns the ZeroMQ context of a process: one I/O thread, shared by all of its sockets.
// Create it after the process has forked what it forks (a context does not survive a fork). It must outlive its
// sockets: its destructor waits until every socket is closed and has sent, or given up on, what it held.
#pragma once

#include <memory>

#include "common/base/result.h"

namespace icarus {

class TransportContext {
 public:
  // Also raises the soft limit of open files to the hard one: ZeroMQ spins when it runs out of them.
  static Result<std::unique_ptr<TransportContext>> Create();
  ~TransportContext();
  TransportContext(const TransportContext&) = delete;
  TransportContext& operator=(const TransportContext&) = delete;

  struct Impl;
  Impl& impl() { return *impl_; }  // for the sockets of this folder

 private:
  explicit TransportContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace icarus
