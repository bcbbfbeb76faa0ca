#include "common/protocol/map_codec.h"

#include <algorithm>
#include <bitset>

namespace icarus::codec {
namespace {

// The member of that name; members mostly come in the order of the table, so `expected` is looked at first.
std::size_t FindMember(MemberTable members, std::string_view name, std::size_t expected) {
  if (expected < members.size() && members[expected].name == name) return expected;
  std::size_t at = 0;
  while (at < members.size() && members[at].name != name) ++at;
  return at;
}

}  // namespace

void PackMembers(Packer& packer, MemberTable members, const void* object) {
  const auto travels = [object](const MemberEntry& member) { return !member.optional || member.present(object); };
  packer.pack_map(static_cast<std::uint32_t>(std::count_if(members.begin(), members.end(), travels)));
  for (const MemberEntry& member : members) {
    if (!travels(member)) continue;
    PackString(packer, member.name);
    member.pack(packer, object);
  }
}

void PackValue(Packer& packer, const Value& value) {
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

bool ReadValue(Reader& reader, const msgpack::object& in, Value& out) {
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

bool ReadMembers(Reader& reader, MemberTable members, const msgpack::object& in, void* object) {
  if (in.type != msgpack::type::MAP) return reader.Fail("is not a map");
  std::bitset<kMaxMembers> seen;
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < in.via.map.size; ++i) {
    const auto& entry = in.via.map.ptr[i];
    if (entry.key.type != msgpack::type::STR) return reader.Fail("has a key that is not text");
    const std::string_view key = TextOf(entry.key);
    const std::size_t at = FindMember(members, key, next);
    if (at == members.size()) {
      ++unknown_keys;
      continue;
    }
    next = at + 1;
    if (seen[at]) return reader.Fail("is there twice") || reader.Under(key);
    seen[at] = true;
    if (!members[at].read(reader, entry.val, object)) return reader.Under(key);
  }
  for (std::size_t at = 0; at < members.size(); ++at) {
    if (!members[at].optional && !seen[at]) return reader.Fail("is missing") || reader.Under(members[at].name);
  }
  return true;
}

std::string EncodeMembers(MemberTable members, const void* object) {
  msgpack::sbuffer buffer(256);
  Packer packer(buffer);
  PackMembers(packer, members, object);
  return std::string(buffer.data(), buffer.size());
}

Status DecodeMembers(std::string_view bytes, MemberTable members, void* object) {
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
    if (ReadMembers(reader, members, root, object)) return {};
    return ProtocolError("'" + (reader.path.empty() ? std::string("message") : reader.path) + "' " + reader.error,
                         reader.path);
  } catch (const std::exception& e) {
    return ProtocolError(std::string("not a valid message: ") + e.what());
  }
}

}  // namespace icarus::codec
