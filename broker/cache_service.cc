#include "broker/cache_service.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "broker/cache_form.h"
#include "common/base/clock.h"
#include "common/model/limits.h"
#include "common/protocol/codec.h"
#include "common/protocol/result_codec.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kMostItems = 1000;     // of a page
constexpr std::size_t kMostLooked = 20'000;  // entries that are looked at for one
constexpr std::size_t kMostProblems = 10;    // that an answer tells in words

bool Matches(const ListCache& request, const CacheEntry& entry, std::int64_t wall_ms) {
  if (HasExpired(entry.expires_at_ms, wall_ms)) return false;
  const CacheOrigin origin = entry.origin.value_or(CacheOrigin::kComputed);
  if (origin == CacheOrigin::kIntermediate && !request.origin && !request.intermediates) return false;
  if (!request.analysis.empty() && entry.analysis != request.analysis) return false;
  if (!request.solver.empty() && entry.solver != request.solver) return false;
  if (!request.identity.empty() && entry.identity != request.identity) return false;
  if (request.origin && origin != *request.origin) return false;
  return entry.computed_at_ms >= request.since_wall_ms;
}

CachedItem ItemOf(const ContentHash& key, const CacheEntry& entry) {
  CachedItem item;
  item.key = key;
  item.analysis = entry.analysis;
  item.solver = entry.solver;
  item.identity = entry.identity;
  item.host = entry.host;
  item.target = entry.target.value_or("");
  item.form = entry.form.value_or("");
  item.computed_at_ms = entry.computed_at_ms;
  item.expires_at_ms = entry.expires_at_ms;
  item.compute_s = entry.compute_s;
  item.size_bytes = entry.size_bytes;
  item.origin = entry.origin.value_or(CacheOrigin::kComputed);
  item.incomplete = entry.incomplete;
  item.error = entry.error;
  item.blobs = entry.blobs.value_or(std::vector<ContentHash>());
  return item;
}

CacheEntry EntryOf(const CachedItem& item, std::size_t body_bytes, const std::vector<FileRef>& files,
                   std::int64_t wall_ms) {
  CacheEntry entry;
  entry.analysis = item.analysis;
  entry.solver = item.solver;
  entry.identity = item.identity;
  entry.host = item.host;
  entry.target = item.target;
  entry.form = item.form;
  entry.computed_at_ms = std::min(item.computed_at_ms, wall_ms);  // by our clock nothing is from the future
  entry.expires_at_ms = item.expires_at_ms;
  entry.compute_s = item.compute_s;
  entry.size_bytes = body_bytes;
  for (const FileRef& file : files) entry.size_bytes += file.size;
  entry.origin = CacheOrigin::kImport;
  entry.incomplete = item.incomplete;
  if (!files.empty()) entry.blobs.emplace();
  for (const FileRef& file : files) entry.blobs->push_back(file.hash);
  return entry;
}

// What is wrong with an entry that came from elsewhere; empty: nothing.
std::string WhyRejected(const CachedItem& item, const Body& body, const Result<ResultBody>& decoded,
                        std::int64_t wall_ms) {
  if (item.form.empty()) return "it does not say what its key is made of";
  if (HashBytes(item.form) != item.key) return "its key is not that of what it says it is";
  if (!IsFormOf(item)) return "what its key is made of is no form of its analysis and solver";
  if (body == nullptr) return "it has no value";
  if (item.error) return "it is a failure, which every cache learns for itself";
  if (body->size() > limits::kMaxResultBytes) return "its value is larger than a result may be";
  if (!decoded) return "its value cannot be read: " + decoded.error().message;
  if (!std::isfinite(item.compute_s) || item.compute_s < 0) return "its cost is no number of seconds";
  if (HasExpired(item.expires_at_ms, wall_ms)) return "it has expired";
  return {};
}

Error NotNow() { return Error{ErrorCode::kOverloaded, "the cache has too much to do at this moment", {}, 1.0}; }

}  // namespace

bool CacheService::Handle(const Received& received) {
  if (received.role != PeerRole::kClient) return false;
  const Question question{received.caller, received.message.correlation};
  if (const auto* request = received.message.payload.get_if<ListCache>()) {
    List(question, *request);
    return true;
  }
  if (received.message.payload.is<ImportCache>()) {
    Import(question, received.message);
    return true;
  }
  return false;
}

void CacheService::List(const Question& question, const ListCache& request) {
  const bool posted = cache_.Post([this, question, request](CacheStore& store) {
    Result<Page> page = ReadPage(store, request, ReadClocks().wall_ms);
    inbox_.Post([this, question, page = std::move(page)]() mutable {
      if (!page) return Refuse(question, page.error());
      for (const ContentHash& key : page->damaged) callbacks_.on_damage(key);
      Answer(question, ListCacheReply{std::move(page->items), page->next}, std::move(page->bodies));
    });
  });
  if (!posted) Refuse(question, NotNow());
}

Result<bool> CacheService::HasDamagedFile(const CacheEntry& entry) const {
  for (const ContentHash& file : entry.blobs.value_or(std::vector<ContentHash>())) {
    ICARUS_ASSIGN(const bool whole, callbacks_.check_file(file));
    if (!whole) return true;
  }
  return false;
}

Status CacheService::Fill(CacheStore& store, CacheRead read, const Found& found, Page& page) const {
  CachedItem item = ItemOf(found.key, found.entry);
  if (read != CacheRead::kNothing) {
    Result<std::optional<std::string>> body = store.Get(found.key);
    item.damaged = !body && body.error().code == ErrorCode::kCorruption;
    if (!body && !item.damaged) return body.error();
    if (body && read == CacheRead::kCheck) {
      ICARUS_ASSIGN(item.damaged, HasDamagedFile(found.entry));
    }
    if (item.damaged) page.damaged.push_back(found.key);
    if (body && !*body) return {};  // removed meanwhile
    if (body && read == CacheRead::kSend) {
      item.body = static_cast<std::int32_t>(page.bodies.size());
      page.bodies.push_back(std::make_shared<const std::string>(std::move(**body)));
    }
  }
  page.items.push_back(std::move(item));
  return {};
}

Result<CacheService::Page> CacheService::ReadPage(CacheStore& store, const ListCache& request,
                                                  std::int64_t wall_ms) const {
  Page page;
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, kMostItems);
  std::vector<Found> found;
  if (request.keys.empty()) {
    std::size_t looked = 0, bytes = 0;
    ICARUS_TRY(store.Scan(request.after, [&](const ContentHash& key, CacheEntry entry) {
      const bool wanted = Matches(request, entry, wall_ms);
      // With the files it may be far more than what is sent: then the page is short.
      if (wanted && request.read == CacheRead::kSend) bytes += entry.size_bytes;
      if (wanted) found.push_back({key, std::move(entry), nullptr});
      const bool full = found.size() == limit || ++looked == kMostLooked || bytes >= limits::kPageBytes;
      if (full) page.next = key;
      return !full;
    }));
  } else {
    for (std::size_t i = 0; i < std::min(limit, request.keys.size()); ++i) {
      ICARUS_ASSIGN(std::optional<CacheEntry> entry, store.Find(request.keys[i]));
      if (entry && Matches(request, *entry, wall_ms)) found.push_back({request.keys[i], std::move(*entry), nullptr});
    }
  }
  for (const Found& one : found) ICARUS_TRY(Fill(store, request.read, one, page));
  return page;
}

void CacheService::Import(const Question& question, const Message& message) {
  if (!question.caller.admin) return Refuse(question, OnlyAnAdminMay("import into the cache"));
  const ImportCache& request = message.payload.get<ImportCache>();
  if (!BodiesInRange(message, request.items)) {
    return Refuse(question, ProtocolError("an entry names a body that is not there"));
  }
  const bool posted = cache_.Post([this, question, request, bodies = message.bodies](CacheStore& store) {
    ImportCacheReply reply;
    std::vector<Found> taken = Examine(store, request, bodies, reply);
    inbox_.Post([this, question, taken = std::move(taken), reply = std::move(reply)]() mutable {
      for (Found& one : taken) {
        const Status taken_in = callbacks_.import(one.key, std::move(one.entry), std::move(one.body));
        ++(taken_in ? reply.imported : reply.rejected);
        if (!taken_in) reply.problems.push_back(one.key.Hex() + ": " + taken_in.error().message);
      }
      if (reply.problems.size() > kMostProblems) reply.problems.resize(kMostProblems);
      cache_.AfterWriting([this, question, reply = std::move(reply)](const Status& written) {
        written ? Answer(question, reply) : Refuse(question, written.error());
      });
    });
  });
  if (!posted) Refuse(question, NotNow());
}

std::vector<CacheService::Found> CacheService::Examine(CacheStore& store, const ImportCache& request,
                                                       const std::vector<Body>& bodies, ImportCacheReply& reply) const {
  const std::int64_t wall_ms = ReadClocks().wall_ms;
  std::vector<Found> taken;
  for (const CachedItem& item : request.items) {
    const Body body = item.body < 0 ? nullptr : bodies[static_cast<std::size_t>(item.body)];
    const Result<ResultBody> decoded = body ? DecodeResultBody(*body) : ResultBody{};
    std::string why = WhyRejected(item, body, decoded, wall_ms);
    const std::vector<FileRef> files = why.empty() ? StoredFilesOf(*decoded) : std::vector<FileRef>();
    for (const FileRef& file : files) {
      if (why.empty() && !callbacks_.name_file(file.hash))
        why = "the file " + file.hash.Hex() + " that it names is not here";
    }
    if (!why.empty()) {
      ++reply.rejected;
      reply.problems.push_back(item.key.Hex() + ": " + why);
      continue;
    }
    const Result<std::optional<std::string>> ours = store.Get(item.key);
    const bool have = ours && ours->has_value();
    if (have && **ours == *body) {
      ++reply.present;
    } else if (have && !request.replace) {
      ++reply.conflicts;
      reply.problems.push_back(item.key.Hex() + ": another value is here under this key");
    } else {
      taken.push_back({item.key, EntryOf(item, body->size(), files, wall_ms), body});
    }
  }
  return taken;
}

void CacheService::Answer(const Question& question, AnyMessage answer, std::vector<Body> bodies) {
  gateway_.Send(PeerRole::kClient, question.caller.instance,
                Message{question.correlation, std::move(answer), std::move(bodies)});
}

void CacheService::Refuse(const Question& question, Error error) { Answer(question, ToErrorReply(error)); }

}  // namespace icarus::broker
