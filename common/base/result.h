// Result<T>: a value or an Error, never ignored. Status is a Result of nothing.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "common/base/error.h"

namespace icarus {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(tl::unexpected<Error>(std::move(error))) {}  // NOLINT: implicit by design
  Result(Base base) : Base(std::move(base)) {}                            // NOLINT: implicit by design
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using Base = tl::expected<void, Error>;
  using Base::Base;
  Result() = default;
  Result(Error error) : Base(tl::unexpected<Error>(std::move(error))) {}  // NOLINT: implicit by design
};

using Status = Result<void>;

}  // namespace icarus

// Returns the error of a Status- or Result-valued expression from the enclosing function.
#define ICARUS_TRY(expression)                                           \
  do {                                                                   \
    auto icarus_try_result = (expression);                               \
    if (!icarus_try_result) return std::move(icarus_try_result).error(); \
  } while (false)

#define ICARUS_CONCAT_INNER(a, b) a##b
#define ICARUS_CONCAT(a, b) ICARUS_CONCAT_INNER(a, b)
#define ICARUS_ASSIGN_INNER(temporary, target, expression) \
  auto temporary = (expression);                           \
  if (!temporary) return std::move(temporary).error();     \
  target = std::move(*temporary)
// ICARUS_ASSIGN(auto x, F()): x is the value of F(), or its error is returned.
#define ICARUS_ASSIGN(target, expression) \
  ICARUS_ASSIGN_INNER(ICARUS_CONCAT(icarus_assign_, __LINE__), target, expression)
