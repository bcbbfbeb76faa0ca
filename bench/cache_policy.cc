// How much computing a cache saves that weighs what an entry costs to compute again, beside one that drops what was not
// used for longest (LRU), on the same made-up trace of requests. A request for what is cached saves its compute time;
// any other computes it and puts it.
//
//   icarus-bench-cache-policy [--requests N] [--seed N]
//
// bench/README.md describes the two traces. Prints one JSON object: for each trace and size of the cache, the share of
// all compute seconds that each saves.
#include <array>
#include <cmath>
#include <list>
#include <unordered_map>

#include "bench/program.h"
#include "broker/core/cache_index.h"
#include "common/base/random.h"

namespace icarus::bench {
namespace {

constexpr double kSkew = 0.9;               // of the Zipf distribution of what is asked for
constexpr double kTurnover = 0.01;          // of a kind's entries change their place in it …
constexpr std::uint64_t kStretch = 10'000;  // … every so many requests
constexpr std::array<std::uint64_t, 4> kCacheMiB{16, 64, 128, 256};

struct Kind {
  const char* name;
  double share;  // of the requests
  std::uint64_t entries;
  double seconds;  // half of it to twice as much
  double bytes;    // likewise
};

const std::vector<Kind> kMixed{{"trivial", 0.35, 20'000, 0.01, 1024},
                               {"polar", 0.48, 20'000, 1, 4096},
                               {"wing", 0.15, 2'000, 10, 40 * 1024},
                               {"cfd", 0.02, 100, 3600, 4 << 20}};
const std::vector<Kind> kAlike{{"polar", 1, 100'000, 1, 4096}};

struct Item {
  ContentHash key;
  double seconds = 0;
  std::uint64_t bytes = 0;
};

// Numbers below `count`, the first the likeliest.
class Zipf {
 public:
  explicit Zipf(std::uint64_t count) {
    double sum = 0;
    for (std::uint64_t rank = 1; rank <= count; ++rank) {
      sum += std::pow(static_cast<double>(rank), -kSkew);
      below_.push_back(sum);
    }
  }
  std::uint64_t Draw(Random& random) const {
    const auto found = std::upper_bound(below_.begin(), below_.end(), random.Unit() * below_.back());
    return static_cast<std::uint64_t>(std::min(found, below_.end() - 1) - below_.begin());
  }

 private:
  std::vector<double> below_;
};

// The requests of a trace, one after the other; the same for the same seed.
class Trace {
 public:
  Trace(const std::vector<Kind>& kinds, std::uint64_t seed) : random_(seed) {
    for (const Kind& kind : kinds) sources_.push_back({kind, Zipf(kind.entries), ItemsOf(kind)});
  }

  const Item& Next() {
    if (++requests_ % kStretch == 0) {
      for (Source& source : sources_) Turn(source);
    }
    double draw = random_.Unit();
    std::size_t at = 0;
    while (at + 1 < sources_.size() && draw >= sources_[at].kind.share) draw -= sources_[at++].kind.share;
    Source& source = sources_[at];
    return source.items[source.zipf.Draw(random_)];
  }

 private:
  struct Source {
    Kind kind;
    Zipf zipf;
    std::vector<Item> items;  // by rank
  };

  double Spread() { return std::exp2(2 * random_.Unit() - 1); }

  std::vector<Item> ItemsOf(const Kind& kind) {
    std::vector<Item> items;
    for (std::uint64_t i = 0; i < kind.entries; ++i) {
      items.push_back({HashBytes(kind.name + std::to_string(i)), kind.seconds * Spread(),
                       static_cast<std::uint64_t>(kind.bytes * Spread())});
    }
    return items;
  }

  void Turn(Source& source) {
    const auto changes = static_cast<std::uint64_t>(std::ceil(kTurnover * static_cast<double>(source.items.size())));
    for (std::uint64_t i = 0; i < changes; ++i) {
      std::swap(source.items[random_.Below(source.items.size())], source.items[random_.Below(source.items.size())]);
    }
  }

  Random random_;
  std::vector<Source> sources_;
  std::uint64_t requests_ = 0;
};

// The broker's.
class WeighedCache {
 public:
  explicit WeighedCache(std::uint64_t max_bytes) { index_.SetLimits(max_bytes, UINT64_MAX); }

  bool Request(const Item& item) {
    std::vector<ContentHash> gone;
    if (index_.Lookup(item.key, 0, gone) != nullptr) return true;
    broker::CacheEntry entry;
    entry.compute_s = item.seconds;
    entry.size_bytes = item.bytes;
    index_.Put(item.key, entry, gone);
    return false;
  }

 private:
  broker::CacheIndex index_;
};

class LruCache {
 public:
  explicit LruCache(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  bool Request(const Item& item) {
    if (const auto found = places_.find(item.key); found != places_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return true;
    }
    order_.push_front(item);
    places_[item.key] = order_.begin();
    bytes_ += item.bytes;
    while (bytes_ > max_bytes_) {
      bytes_ -= order_.back().bytes;
      places_.erase(order_.back().key);
      order_.pop_back();
    }
    return false;
  }

 private:
  const std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::list<Item> order_;  // the last goes first
  std::unordered_map<ContentHash, std::list<Item>::iterator> places_;
};

struct Shares {
  double seconds = 0;  // of the compute time of all requests, saved
  double hits = 0;     // of the requests
};

template <class Cache>
Shares Play(const std::vector<Kind>& kinds, const Options& options, std::uint64_t max_bytes) {
  Trace trace(kinds, static_cast<std::uint64_t>(options.at("--seed")));
  Cache cache(max_bytes);
  double all = 0, saved = 0, hits = 0;
  const std::int64_t requests = options.at("--requests");
  for (std::int64_t i = 0; i < requests; ++i) {
    const Item& item = trace.Next();
    all += item.seconds;
    if (!cache.Request(item)) continue;
    saved += item.seconds;
    ++hits;
  }
  return {saved / all, hits / static_cast<double>(requests)};
}

Status Measure(const Options& options) {
  const char* separator = "{";
  const std::array<std::pair<const char*, const std::vector<Kind>*>, 2> traces{
      {{"mixed", &kMixed}, {"alike", &kAlike}}};
  for (const auto& [name, kinds] : traces) {
    for (const std::uint64_t mib : kCacheMiB) {
      const Shares ours = Play<WeighedCache>(*kinds, options, mib << 20);
      const Shares lru = Play<LruCache>(*kinds, options, mib << 20);
      std::printf("%s\"%s_%lu_mib\":{\"saved\":%.4f,\"saved_lru\":%.4f,\"hits\":%.4f,\"hits_lru\":%.4f}", separator,
                  name, static_cast<unsigned long>(mib), ours.seconds, lru.seconds, ours.hits, lru.hits);
      separator = ",";
    }
  }
  std::printf("}\n");
  return {};
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  return icarus::bench::RunProgram("icarus-bench-cache-policy", argc, argv, {{"--requests", 1'000'000}, {"--seed", 1}},
                                   icarus::bench::Measure);
}
