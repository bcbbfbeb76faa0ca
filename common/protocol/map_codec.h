// The generic codec of structs with ICARUS_FIELDS: a msgpack map from member name to value. This header and the few .cc
// files that include it are the only users of the msgpack library.
//
// Decoding is strict: a missing required member, a wrong type, an enum out of range, nesting beyond limits::kMaxNesting
// or bytes after the map are errors that name the member. Unknown keys are skipped and counted (CodecCounters).
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <msgpack.hpp>
#include <optional>
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

template <class T>
void PackStruct(Packer& packer, const T& value) {
  std::uint32_t present = 0;
  const auto count = [&](const auto& field) {
    using Member = std::remove_cvref_t<decltype(value.*(field.member))>;
    if constexpr (IsOptional<Member>::value) {
      if (!(value.*(field.member)).has_value()) return;
    }
    ++present;
  };
  const auto put = [&](const auto& field) {
    const auto& member = value.*(field.member);
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (IsOptional<Member>::value) {
      if (!member.has_value()) return;
      PackString(packer, field.name);
      Pack(packer, *member);
    } else {
      PackString(packer, field.name);
      Pack(packer, member);
    }
  };
  std::apply([&](const auto&... field) { (count(field), ...); }, T::Fields());
  packer.pack_map(present);
  std::apply([&](const auto&... field) { (put(field), ...); }, T::Fields());
}

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
    PackStruct(packer, value);
  }
}

inline void PackValue(Packer& packer, const Value& value) {
  if (value.is_null()) {
    packer.pack_nil();
  } else if (value.is_bool()) {
    Pack(packer, value.boolean());
  } else if (value.is_number()) {
    packer.pack_double(value.number());
  } else if (value.is_string()) {
    PackString(packer, value.string());
  } else {
    Pack(packer, value.list());
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

inline bool ReadValue(Reader& reader, const msgpack::object& in, Value& out) {
  switch (in.type) {
    case msgpack::type::NIL: out = Value(); return true;
    case msgpack::type::BOOLEAN: out = Value(in.via.boolean); return true;
    case msgpack::type::POSITIVE_INTEGER: out = Value(static_cast<double>(in.via.u64)); return true;
    case msgpack::type::NEGATIVE_INTEGER: out = Value(static_cast<double>(in.via.i64)); return true;
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64: out = Value(in.via.f64); return true;
    case msgpack::type::STR: out = Value(std::string(TextOf(in))); return true;
    case msgpack::type::ARRAY: {
      Value::List list;
      if (!Read(reader, in, list)) return false;
      out = Value(std::move(list));
      return true;
    }
    default: return reader.Fail("is not a value");
  }
}

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

template <class T>
bool ReadStruct(Reader& reader, const msgpack::object& in, T& out) {
  if (in.type != msgpack::type::MAP) return reader.Fail("is not a map");
  constexpr std::size_t kFieldCount = std::tuple_size_v<decltype(T::Fields())>;
  bool seen[kFieldCount] = {};
  bool ok = true;
  for (std::uint32_t i = 0; i < in.via.map.size && ok; ++i) {
    const auto& entry = in.via.map.ptr[i];
    if (entry.key.type != msgpack::type::STR) return reader.Fail("has a key that is not text");
    const std::string_view key = TextOf(entry.key);
    bool known = false;
    std::size_t at = 0;
    const auto take = [&](const auto& field) {
      const std::size_t position = at++;
      if (known || key != field.name) return;
      known = true;
      if (seen[position]) {
        ok = reader.Fail("is there twice") || reader.Under(key);
        return;
      }
      seen[position] = true;
      auto& member = out.*(field.member);
      using Member = std::remove_cvref_t<decltype(member)>;
      if constexpr (IsOptional<Member>::value) {
        typename Member::value_type value{};
        ok = Read(reader, entry.val, value) || reader.Under(key);
        if (ok) member = std::move(value);
      } else {
        ok = Read(reader, entry.val, member) || reader.Under(key);
      }
    };
    std::apply([&](const auto&... field) { (take(field), ...); }, T::Fields());
    if (!known) ++unknown_keys;
  }
  if (!ok) return false;
  std::size_t at = 0;
  const auto require = [&](const auto& field) {
    const std::size_t position = at++;
    using Member = std::remove_cvref_t<decltype(out.*(field.member))>;
    if (ok && !IsOptional<Member>::value && !seen[position]) ok = reader.Fail("is missing") || reader.Under(field.name);
  };
  std::apply([&](const auto&... field) { (require(field), ...); }, T::Fields());
  return ok;
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

template <HasFields T>
std::string EncodeMap(const T& value) {
  msgpack::sbuffer buffer(256);
  Packer packer(buffer);
  PackStruct(packer, value);
  return std::string(buffer.data(), buffer.size());
}

template <HasFields T>
Result<T> DecodeMap(std::string_view bytes) {
  const msgpack::unpack_limit limit(limits::kMaxElements, limits::kMaxElements, limits::kMaxMessageBytes,
                                    limits::kMaxMessageBytes, 0, limits::kMaxNesting);
  try {
    std::size_t offset = 0;
    msgpack::zone zone;
    bool referenced = false;
    // Strings are referenced, not copied: `bytes` outlives the objects.
    const msgpack::object root = msgpack::unpack(
        zone, bytes.data(), bytes.size(), offset, referenced,
        [](msgpack::type::object_type, std::size_t, void*) { return true; }, nullptr, limit);
    if (offset != bytes.size()) return ProtocolError("there are bytes after the end of the map");
    Reader reader;
    T value{};
    if (!ReadStruct(reader, root, value)) {
      return ProtocolError("'" + (reader.path.empty() ? std::string("message") : reader.path) + "' " + reader.error,
                           reader.path);
    }
    return value;
  } catch (const std::exception& e) {
    return ProtocolError(std::string("not a valid message: ") + e.what());
  }
}

}  // namespace icarus::codec
