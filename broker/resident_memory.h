// What this process holds of the machine's memory, as the kernel counts it (proc(5), statm).
#pragma once

#include <cstdint>
#include <optional>

namespace icarus::broker {

std::optional<std::uint64_t> ResidentBytes();
// Gives what has been freed back to the machine. Any thread.
void TrimHeap();

}  // namespace icarus::broker
