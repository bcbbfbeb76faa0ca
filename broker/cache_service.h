// The cache's entries one by one: lists, single values, and what comes from another cache. The cache's own thread
// reads, behind everything that was decided before; what goes in goes through the core, which keeps the bounds. Owned
// and used by the loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "broker/cache_writer.h"
#include "broker/net/gateway.h"
#include "broker/storage/loop_inbox.h"

namespace icarus::broker {

class CacheService {
 public:
  struct Callbacks {
    // An error says why it was not taken in.
    std::function<Status(const ContentHash& key, CacheEntry entry, Body body)> import;
    std::function<void(const ContentHash& key)> on_damage;
    // Both on the cache's thread; false: it is not here, or not what it was and removed.
    std::function<bool(const ContentHash& file)> name_file;
    std::function<Result<bool>(const ContentHash& file)> check_file;
  };
  CacheService(CacheWriter& cache, Gateway& gateway, LoopInbox& inbox, Callbacks callbacks)
      : cache_(cache), gateway_(gateway), inbox_(inbox), callbacks_(std::move(callbacks)) {}

  // Takes the message if it is about entries; the answer follows later.
  bool Handle(const Received& received);

 private:
  struct Question {
    Caller caller;
    std::uint64_t correlation = 0;
  };
  struct Found {
    ContentHash key;
    CacheEntry entry;
    Body body;
  };
  struct Page {
    std::vector<CachedItem> items;
    std::vector<Body> bodies;
    std::optional<ContentHash> next;
    std::vector<ContentHash> damaged;
  };

  void List(const Question& question, const ListCache& request);
  void Import(const Question& question, const Message& message);
  Result<Page> ReadPage(CacheStore& store, const ListCache& request, std::int64_t wall_ms) const;
  Status Fill(CacheStore& store, CacheRead read, const Found& found, Page& page) const;
  Result<bool> HasDamagedFile(const CacheEntry& entry) const;
  // What may be taken in; the others are counted in `reply`.
  std::vector<Found> Examine(CacheStore& store, const ImportCache& request, const std::vector<Body>& bodies,
                             ImportCacheReply& reply) const;
  void Answer(const Question& question, AnyMessage answer, std::vector<Body> bodies = {});
  void Refuse(const Question& question, Error error);

  CacheWriter& cache_;
  Gateway& gateway_;
  LoopInbox& inbox_;
  Callbacks callbacks_;
};

}  // namespace icarus::broker
