// Overloaded: several lambdas as one visitor of a std::variant.
#pragma once

namespace icarus {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace icarus
