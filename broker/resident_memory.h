// What this process holds of the machine's memory, as the kernel counts it (proc(5), statm).
#pragma once

#include <cstdint>
#include <optional>

namespace icarus::broker {

std::optional<std::uint64_t> ResidentBytes();

}  // namespace icarus::broker
