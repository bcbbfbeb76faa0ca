// Field tables: how a plain struct names its members, once, for every codec.
//
//   struct Ack { std::uint64_t sequence = 0; std::optional<std::string> note; };
//   with ICARUS_FIELDS(sequence, note) inside the struct.
//
// A std::optional member may be absent from the encoded map; every other member is required.
#pragma once

#include <array>

namespace icarus {

template <class T>
concept HasFields = requires {
  typename T::IcarusFieldsTag;
};

}  // namespace icarus

#define ICARUS_PARENS ()
#define ICARUS_EXPAND(...) ICARUS_EXPAND3(ICARUS_EXPAND3(ICARUS_EXPAND3(__VA_ARGS__)))
#define ICARUS_EXPAND3(...) ICARUS_EXPAND2(ICARUS_EXPAND2(ICARUS_EXPAND2(__VA_ARGS__)))
#define ICARUS_EXPAND2(...) ICARUS_EXPAND1(ICARUS_EXPAND1(ICARUS_EXPAND1(__VA_ARGS__)))
#define ICARUS_EXPAND1(...) __VA_ARGS__
#define ICARUS_EACH(type, ...) __VA_OPT__(ICARUS_EXPAND(ICARUS_EACH_HELPER(type, __VA_ARGS__)))
#define ICARUS_EACH_HELPER(type, first, ...) \
  IcarusCodec::template Entry<&type::first>(#first) __VA_OPT__(, ICARUS_EACH_AGAIN ICARUS_PARENS(type, __VA_ARGS__))
#define ICARUS_EACH_AGAIN() ICARUS_EACH_HELPER

// Inside struct `type`: names the members that travel. Codec::Entry<&type::member>("member") makes what the codec keeps
// of a member; the result is the array of these, in order. A template, so that only the codecs pay for it.
#define ICARUS_FIELDS(type, ...)                             \
  using IcarusFieldsTag = type;                              \
  template <class IcarusCodec, class IcarusSelf = type>      \
  static constexpr auto Fields() {                           \
    return std::array{ICARUS_EACH(IcarusSelf, __VA_ARGS__)}; \
  }
