// The messages about single entries of the result cache. Part of messages.h, which everybody includes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/content_hash.h"
#include "common/model/fields.h"
#include "common/model/result_body.h"
#include "common/protocol/message_type.h"

namespace icarus {

// How an entry came to be in this cache.
enum class CacheOrigin : std::uint8_t { kComputed = 0, kImport = 1, kIntermediate = 2 };
constexpr int EnumCount(CacheOrigin) { return 3; }

struct CachedItem {
  ContentHash key;
  std::string analysis;
  std::string solver;
  std::string identity;
  std::string host;
  std::string target;  // as its submitter called it
  std::string form;    // the canonical form that `key` is the hash of; empty: of an entry without it
  std::int64_t computed_at_ms = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
  double compute_s = 0;
  std::uint64_t size_bytes = 0;
  CacheOrigin origin = CacheOrigin::kComputed;
  bool incomplete = false;
  bool damaged = false;  // its body was read and is not what was written
  std::vector<ContentHash> blobs;
  std::optional<TaskError> error;  // a known failure
  std::int32_t body = -1;          // encoded ResultBody; empty: of a failure without one
  ICARUS_FIELDS(CachedItem, key, analysis, solver, identity, host, target, form, computed_at_ms, expires_at_ms,
                compute_s, size_bytes, origin, incomplete, damaged, blobs, error, body)
};

// What is done with the bodies of the entries that are listed.
enum class CacheRead : std::uint8_t { kNothing = 0, kCheck = 1, kSend = 2 };
constexpr int EnumCount(CacheRead) { return 3; }

// Entries in the order of their keys, by the page. What has expired is left out.
struct ListCache {
  static constexpr MessageType kType = MessageType::kListCache;
  std::vector<ContentHash> keys;  // these; empty: all that the filters allow
  std::string analysis;
  std::string solver;
  std::string identity;
  std::int64_t since_wall_ms = 0;
  std::optional<CacheOrigin> origin;
  bool intermediates = false;  // the intermediate values of solvers too, also where no origin is asked for
  std::optional<ContentHash> after;
  std::uint64_t limit = 1000;
  CacheRead read = CacheRead::kNothing;
  ICARUS_FIELDS(ListCache, keys, analysis, solver, identity, since_wall_ms, origin, intermediates, after, limit, read)
};
struct ListCacheReply {
  static constexpr MessageType kType = MessageType::kListCacheReply;
  std::vector<CachedItem> items;
  std::optional<ContentHash> next;  // go on after it; absent: there are no more
  ICARUS_FIELDS(ListCacheReply, items, next)
};

// An admin's.
struct RemoveCached {
  static constexpr MessageType kType = MessageType::kRemoveCached;
  std::vector<ContentHash> keys;
  ICARUS_FIELDS(RemoveCached, keys)
};
struct RemoveCachedReply {
  static constexpr MessageType kType = MessageType::kRemoveCachedReply;
  std::uint64_t removed = 0;  // results
  std::uint64_t values = 0;   // intermediate ones
  ICARUS_FIELDS(RemoveCachedReply, removed, values)
};

// An admin's: entries of another cache, with their bodies; the files that they name are stored at the broker before.
struct ImportCache {
  static constexpr MessageType kType = MessageType::kImportCache;
  std::vector<CachedItem> items;
  bool replace = false;  // where ours differs, theirs is taken
  ICARUS_FIELDS(ImportCache, items, replace)
};
struct ImportCacheReply {
  static constexpr MessageType kType = MessageType::kImportCacheReply;
  std::uint64_t imported = 0;
  std::uint64_t present = 0;          // the same bytes are here already
  std::uint64_t conflicts = 0;        // other bytes are here under the key
  std::uint64_t rejected = 0;         // its key is not that of its form, its body cannot be read, or it is too large
  std::vector<std::string> problems;  // the first few
  ICARUS_FIELDS(ImportCacheReply, imported, present, conflicts, rejected, problems)
};

}  // namespace icarus
