// The generic codec of structs with ICARUS_FIELDS: a msgpack map from member name to value. This header and the few .cc
// files that include it are the only users of the msgpack library.
//
// Decoding is strict: a missing required member, a wrong type, an enum out of range, nesting beyond limits::kMaxNesting
// or bytes after the map are errors that name the member. Unknown keys are skipped and counted (CodecCounters).
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <msgpack.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/strong_id.h"
#include "common/model/content_hash.h"
#include "common/model/fields.h"
#include "common/model/limits.h"
#include "common/model/value.h"

namespace icarus::codec {

using Packer = msgpack::packer<msgpack::sbuffer>;

inline constexpr std::size_t kMaxMembers = 64;  // of one struct

// Unknown keys seen since the program began; for the metrics.
inline thread_local std::uint64_t unknown_keys = 0;

// --- encoding -------------------------------------------------------------------------------------------------------

template <class T>
void Pack(Packer& packer, const T& value);

inline void PackString(Packer& packer, std::string_view text) {
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

void PackValue(Packer& packer, const Value& value);

template <class T>
struct IsStrongId : std::false_type {};
template <class Tag, class Rep>
struct IsStrongId<StrongId<Tag, Rep>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T, class C>
struct IsMap<std::map<std::string, T, C>> : std::true_type {};

// A member of a struct, as the codec's loops see it: one small function each way, so that a message costs the compiler
// little.
struct Reader;
struct MemberEntry {
  std::string_view name;
  bool optional = false;
  bool (*present)(const void* object) = nullptr;  // only of optional members
  void (*pack)(Packer& packer, const void* object) = nullptr;
  bool (*read)(Reader& reader, const msgpack::object& in, void* object) = nullptr;
};

// Of a pointer to member.
template <class>
struct MemberOf;
template <class T, class Member>
struct MemberOf<Member T::*> {
  using Class = T;
  using Type = Member;
};

template <auto kMember>
bool MemberPresent(const void* object) {
  using Of = MemberOf<decltype(kMember)>;
  return (static_cast<const typename Of::Class*>(object)->*kMember).has_value();
}

template <auto kMember>
void PackMember(Packer& packer, const void* object) {
  using Of = MemberOf<decltype(kMember)>;
  const auto& member = static_cast<const typename Of::Class*>(object)->*kMember;
  if constexpr (IsOptional<typename Of::Type>::value) {
    Pack(packer, *member);
  } else {
    Pack(packer, member);
  }
}

template <auto kMember>
bool ReadMember(Reader& reader, const msgpack::object& in, void* object);

struct MapCodec {
  template <auto kMember>
  static constexpr MemberEntry Entry(const char* name) {
    constexpr bool kOptional = IsOptional<typename MemberOf<decltype(kMember)>::Type>::value;
    MemberEntry entry{name, kOptional, nullptr, &PackMember<kMember>, &ReadMember<kMember>};
    if constexpr (kOptional) entry.present = &MemberPresent<kMember>;
    return entry;
  }
};

// The members of T in the order of ICARUS_FIELDS.
template <class T>
constexpr auto kMembers = [] {
  constexpr auto members = T::template Fields<MapCodec>();
  static_assert(members.size() <= kMaxMembers);
  return members;
}();

using MemberTable = std::span<const MemberEntry>;

void PackMembers(Packer& packer, MemberTable members, const void* object);

template <class T>
void Pack(Packer& packer, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value ? packer.pack_true() : packer.pack_false();
  } else if constexpr (std::is_enum_v<T>) {
    packer.pack_uint64(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    packer.pack_double(value);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    packer.pack_int64(value);
  } else if constexpr (std::is_integral_v<T>) {
    packer.pack_uint64(value);
  } else if constexpr (IsStrongId<T>::value) {
    packer.pack_uint64(value.value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    PackString(packer, value);
  } else if constexpr (std::is_same_v<T, ContentHash>) {
    packer.pack_bin(static_cast<std::uint32_t>(value.bytes.size()));
    packer.pack_bin_body(reinterpret_cast<const char*>(value.bytes.data()),
                         static_cast<std::uint32_t>(value.bytes.size()));
  } else if constexpr (std::is_same_v<T, Value>) {
    PackValue(packer, value);
  } else if constexpr (IsVector<T>::value) {
    packer.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const auto& item : value) Pack(packer, item);
  } else if constexpr (IsMap<T>::value) {
    packer.pack_map(static_cast<std::uint32_t>(value.size()));
    for (const auto& [key, item] : value) {
      PackString(packer, key);
      Pack(packer, item);
    }
  } else {
    static_assert(HasFields<T>, "a type that travels needs ICARUS_FIELDS");
    PackMembers(packer, kMembers<T>, &value);
  }
}

// --- decoding -------------------------------------------------------------------------------------------------------

// Fails by returning false with `error` set; the path of member names is put together on the way out.
struct Reader {
  std::string error;
  std::string path;

  bool Fail(std::string what) {
    if (error.empty()) error = std::move(what);
    return false;
  }
  bool Under(std::string_view name) {
    path = path.empty() ? std::string(name) : std::string(name) + "." + path;
    return false;
  }
};

template <class T>
bool Read(Reader& reader, const msgpack::object& in, T& out);

inline std::string_view TextOf(const msgpack::object& in) { return {in.via.str.ptr, in.via.str.size}; }

template <class T>
bool ReadInteger(Reader& reader, const msgpack::object& in, T& out) {
  if (in.type == msgpack::type::POSITIVE_INTEGER) {
    if (!std::in_range<T>(in.via.u64)) return reader.Fail("is out of range");
    out = static_cast<T>(in.via.u64);
    return true;
  }
  if (in.type == msgpack::type::NEGATIVE_INTEGER) {
    if (!std::in_range<T>(in.via.i64)) return reader.Fail("is out of range");
    out = static_cast<T>(in.via.i64);
    return true;
  }
  return reader.Fail("is not an integer");
}

bool ReadValue(Reader& reader, const msgpack::object& in, Value& out);
bool ReadMembers(Reader& reader, MemberTable members, const msgpack::object& in, void* object);

template <class T>
bool ReadVector(Reader& reader, const msgpack::object& in, std::vector<T>& out) {
  if (in.type != msgpack::type::ARRAY) return reader.Fail("is not a list");
  out.clear();
  out.reserve(in.via.array.size);
  for (std::uint32_t i = 0; i < in.via.array.size; ++i) {
    T item{};
    if (!Read(reader, in.via.array.ptr[i], item)) return reader.Under("[" + std::to_string(i) + "]");
    out.push_back(std::move(item));
  }
  return true;
}

template <class M>
bool ReadMap(Reader& reader, const msgpack::object& in, M& out) {
  if (in.type != msgpack::type::MAP) return reader.Fail("is not a map");
  out.clear();
  for (std::uint32_t i = 0; i < in.via.map.size; ++i) {
    const auto& entry = in.via.map.ptr[i];
    if (entry.key.type != msgpack::type::STR) return reader.Fail("has a key that is not text");
    typename M::mapped_type item{};
    if (!Read(reader, entry.val, item)) return reader.Under(TextOf(entry.key));
    if (!out.emplace(TextOf(entry.key), std::move(item)).second) return reader.Fail("has a key twice");
  }
  return true;
}

template <auto kMember>
bool ReadMember(Reader& reader, const msgpack::object& in, void* object) {
  using Of = MemberOf<decltype(kMember)>;
  auto& member = static_cast<typename Of::Class*>(object)->*kMember;
  if constexpr (IsOptional<typename Of::Type>::value) {
    member.emplace();
    return Read(reader, in, *member);
  } else {
    return Read(reader, in, member);
  }
}

template <class T>
bool ReadStruct(Reader& reader, const msgpack::object& in, T& out) {
  return ReadMembers(reader, kMembers<T>, in, &out);
}

template <class T>
bool Read(Reader& reader, const msgpack::object& in, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    if (in.type != msgpack::type::BOOLEAN) return reader.Fail("is not true or false");
    out = in.via.boolean;
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    std::uint64_t number = 0;
    if (!ReadInteger(reader, in, number)) return false;
    if (number >= static_cast<std::uint64_t>(EnumCount(T{}))) return reader.Fail("is not a known value");
    out = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_floating_point_v<T>) {
    Value value;
    if (!ReadValue(reader, in, value)) return false;
    if (!value.is_number()) return reader.Fail("is not a number");
    out = value.number();
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    return ReadInteger(reader, in, out);
  } else if constexpr (IsStrongId<T>::value) {
    return ReadInteger(reader, in, out.value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (in.type == msgpack::type::BIN) {
      out.assign(in.via.bin.ptr, in.via.bin.size);
      return true;
    }
    if (in.type != msgpack::type::STR) return reader.Fail("is not text");
    out.assign(in.via.str.ptr, in.via.str.size);
    return true;
  } else if constexpr (std::is_same_v<T, ContentHash>) {
    if (in.type != msgpack::type::BIN || in.via.bin.size != out.bytes.size())
      return reader.Fail("is not a 32-byte hash");
    std::memcpy(out.bytes.data(), in.via.bin.ptr, out.bytes.size());
    return true;
  } else if constexpr (std::is_same_v<T, Value>) {
    return ReadValue(reader, in, out);
  } else if constexpr (IsVector<T>::value) {
    return ReadVector(reader, in, out);
  } else if constexpr (IsMap<T>::value) {
    return ReadMap(reader, in, out);
  } else {
    return ReadStruct(reader, in, out);
  }
}

// --- whole buffers --------------------------------------------------------------------------------------------------

// `object` is a struct of these members.
std::string EncodeMembers(MemberTable members, const void* object);
// Into an `object` as its constructor made it; after an error nobody may use it.
Status DecodeMembers(std::string_view bytes, MemberTable members, void* object);

template <HasFields T>
std::string EncodeMap(const T& value) {
  return EncodeMembers(kMembers<T>, &value);
}

template <HasFields T>
Result<T> DecodeMap(std::string_view bytes) {
  T value{};
  ICARUS_TRY(DecodeMembers(bytes, kMembers<T>, &value));
  return value;
}

}  // namespace icarus::codec
