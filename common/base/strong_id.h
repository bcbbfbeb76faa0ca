// StrongId: an integer that is not interchangeable with another. No arithmetic, no implicit way in or out.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace icarus {

template <class Tag, class Rep = std::uint64_t>
struct StrongId {
  using Representation = Rep;
  Rep value = 0;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep v) : value(v) {}
  constexpr auto operator<=>(const StrongId&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
};

}  // namespace icarus

template <class Tag, class Rep>
struct std::hash<icarus::StrongId<Tag, Rep>> {
  std::size_t operator()(const icarus::StrongId<Tag, Rep>& id) const noexcept {
    // Sequential ids would fill neighbouring buckets anyway; the multiplier spreads epochs.
    return static_cast<std::size_t>(id.value) * 0x9E3779B97F4A7C15ULL;
  }
};
