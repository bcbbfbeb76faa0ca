#include "broker/storage/loop_inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "common/base/check.h"

namespace icarus::broker {

Result<std::unique_ptr<LoopInbox>> LoopInbox::Create() {
  UniqueFd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) return ErrnoError("cannot make an event descriptor", errno);
  return std::unique_ptr<LoopInbox>(new LoopInbox(std::move(event)));
}

void LoopInbox::Post(std::function<void()> function) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = posted_.empty();
    posted_.push_back(std::move(function));
  }
  // Only the first one rings: the rest are found with it.
  const std::uint64_t one = 1;
  if (was_empty) ICARUS_CHECK(::write(fd(), &one, sizeof one) == sizeof one);
}

std::size_t LoopInbox::RunAll() {
  // The bell is silenced before the queue is taken: whoever posts in between rings once too often, never once too few.
  std::uint64_t rings = 0;
  if (::read(fd(), &rings, sizeof rings) < 0) ICARUS_CHECK(errno == EAGAIN);
  std::vector<std::function<void()>> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(posted_);
  }
  for (const auto& function : taken) function();
  return taken.size();
}

}  // namespace icarus::broker
