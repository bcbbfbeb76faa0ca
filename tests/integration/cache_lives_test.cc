// The cache on disk through many lives that end with SIGKILL: what was written is there, exactly, and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "broker/core/cache_index.h"
#include "broker/storage/rocksdb_cache_store.h"
#include "common/base/random.h"
#include "tests/support/temp_dir.h"

extern char** environ;

namespace icarus::broker {
namespace {

constexpr int kTell = 3;  // the descriptor on which a life tells what it does
constexpr std::uint64_t kKeys = 40;

ContentHash Key(std::uint64_t number) { return HashBytes(std::to_string(number)); }

// Up to some hundred KiB, the same for a seed.
std::string ValueOf(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string value(random() % (random() % 8 == 0 ? 300'000 : 3'000), '\0');
  for (char& byte : value) byte = static_cast<char>(random() % 64);
  return value;
}

void Tell(const std::string& line) {
  if (::write(kTell, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(1);
}

// What the broker does with its index and its store, at random, until it is killed. A line before each write says what
// is in it, a full stop after it that it has been made.
class Life {
 public:
  Life(CacheStore& store, std::uint64_t seed) : store_(store), random_(seed) {
    index_.SetLimits(1u << 20, 25);
    EXPECT_TRUE(store_.Load([this](const ContentHash& key, CacheEntry entry) { index_.Load(key, std::move(entry)); }));
    Remove(index_.FinishLoading());
    Write();
  }

  void Live() {
    while (true) {
      for (std::uint64_t steps = 1 + random_() % 4; steps > 0; --steps) Step(random_() % kKeys);
      Write();
    }
  }

 private:
  void Step(std::uint64_t number) {
    switch (random_() % 12) {
      case 0: return Remove(index_.Remove(Key(number)) ? std::vector{Key(number)} : std::vector<ContentHash>());
      case 1: return Remove(index_.TakeExpired(static_cast<std::int64_t>(++now_), 100));
      case 2: return random_() % 40 == 0 ? Clear() : Use(number);
      case 3:
      case 4:
      case 5: return Use(number);
      default: return Put(number);
    }
  }
  void Put(std::uint64_t number) {
    const std::uint64_t seed = random_();
    auto body = std::make_shared<const std::string>(ValueOf(seed));
    CacheEntry entry;
    entry.size_bytes = body->size();
    entry.compute_s = static_cast<double>(random_() % 8);
    entry.expires_at_ms = random_() % 3 == 0 ? static_cast<std::int64_t>(now_ + random_() % 20) + 1 : 0;
    entry.target = std::to_string(seed);
    std::vector<ContentHash> removed;
    if (!index_.Put(Key(number), entry, removed)) return;
    Remove(removed);
    changes_.removals.erase(Key(number));
    changes_.uses.erase(Key(number));
    changes_.puts[Key(number)] = {entry, body};
  }
  void Use(std::uint64_t number) {
    std::vector<ContentHash> expired;
    const CacheEntry* entry = index_.Lookup(Key(number), static_cast<std::int64_t>(now_), expired);
    Remove(expired);
    if (entry == nullptr) return;
    if (const auto put = changes_.puts.find(Key(number)); put != changes_.puts.end()) {
      put->second.entry.last_used = entry->last_used;
    } else {
      changes_.uses[Key(number)] = entry->last_used;
    }
  }
  void Remove(const std::vector<ContentHash>& keys) {
    for (const ContentHash& key : keys) {
      changes_.puts.erase(key);
      changes_.uses.erase(key);
      changes_.removals.insert(key);
    }
  }
  void Clear() {
    index_.Clear();
    changes_ = {};
    changes_.clear = true;
  }
  void Write() {
    std::string line;
    if (changes_.clear) line += " clear";
    for (const auto& [key, put] : changes_.puts)
      line += " put " + key.Hex() + " " + *put.entry.target + " " + std::to_string(put.entry.last_used);
    for (const auto& [key, used] : changes_.uses) line += " use " + key.Hex() + " 0 " + std::to_string(used);
    for (const ContentHash& key : changes_.removals) line += " remove " + key.Hex() + " 0 0";
    Tell(line + "\n");
    EXPECT_TRUE(store_.Write(changes_, {index_.bytes(), index_.max_bytes()}));
    changes_ = {};
    Tell(".\n");
  }

  CacheStore& store_;
  std::mt19937_64 random_;
  CacheIndex index_;
  CacheChanges changes_;
  std::uint64_t now_ = 0;
};

std::unique_ptr<RocksDbCacheStore> Open(const std::string& directory) {
  auto store = RocksDbCacheStore::Open(directory, [](const std::string& line) { ADD_FAILURE() << line; });
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

// Runs in a process of its own, which the test below starts and kills.
TEST(CacheLife, DISABLED_UntilKilled) {
  const auto store = Open(std::getenv("ICARUS_CACHE_LIFE_DIR"));
  Life(*store, std::stoull(std::getenv("ICARUS_CACHE_LIFE_SEED"))).Live();
}

struct Known {
  std::uint64_t seed = 0;
  std::uint64_t last_used = 0;
  friend bool operator==(const Known&, const Known&) = default;
};
using Content = std::map<std::string, Known>;

void Apply(const std::string& line, Content& content, std::set<std::string>& touched) {
  std::istringstream words(line);
  std::string verb, key;
  while (words >> verb) {
    if (verb == "clear") {
      for (const auto& [each, known] : content) touched.insert(each);
      content.clear();
      continue;
    }
    Known known;
    words >> key >> known.seed >> known.last_used;
    touched.insert(key);
    if (verb == "remove") content.erase(key);
    if (verb == "put") content[key] = known;
    if (verb == "use" && content.contains(key)) content[key].last_used = known.last_used;
  }
}

// A life in `directory` that is killed when it has told so many lines; what it told.
std::vector<std::string> LiveAndDie(const std::string& directory, std::uint64_t seed, std::size_t lines) {
  int pipe[2];
  EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const std::string filter = "--gtest_filter=CacheLife.DISABLED_UntilKilled";
  const std::string disabled = "--gtest_also_run_disabled_tests";
  const char* const argv[] = {"life", filter.c_str(), disabled.c_str(), nullptr};
  ::setenv("ICARUS_CACHE_LIFE_DIR", directory.c_str(), 1);
  ::setenv("ICARUS_CACHE_LIFE_SEED", std::to_string(seed).c_str(), 1);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], kTell);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, const_cast<char**>(argv), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  FILE* told = ::fdopen(pipe[0], "r");
  std::vector<std::string> all;
  char* line = nullptr;
  std::size_t capacity = 0;
  while (::getline(&line, &capacity, told) > 0) {
    all.emplace_back(line);
    if (all.size() == lines) ::kill(child, SIGKILL);
  }
  std::free(line);
  std::fclose(told);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return all;
}

// What is there must be what was written; of the write that was under way, each change is there or not.
Content Check(const std::string& directory, const Content& before, const Content& after,
              const std::set<std::string>& open) {
  Content found;
  const auto store = Open(directory);
  EXPECT_TRUE(store->Load([&](const ContentHash& key, CacheEntry entry) {
    found[key.Hex()] = {std::stoull(entry.target.value_or("0")), entry.last_used};
  }));
  std::set<std::string> keys;
  for (const Content* content : {static_cast<const Content*>(&found), &before, &after}) {
    for (const auto& [key, known] : *content) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const auto in = [&](const Content& content) {
      const auto it = content.find(key);
      return it == content.end() ? std::nullopt : std::optional<Known>(it->second);
    };
    EXPECT_TRUE(in(found) == in(before) || (open.contains(key) && in(found) == in(after))) << key;
    const auto body = store->Get(*ContentHash::FromHex(key));
    EXPECT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->has_value(), in(found).has_value()) << key;
    if (!in(found) || !*body) continue;
    EXPECT_TRUE(**body == ValueOf(in(found)->seed)) << key;
  }
  return found;
}

TEST(CacheLives, WhatWasWrittenOutlivesKills) {
  const testing::TempDir directory;
  const char* asked = std::getenv("ICARUS_CACHE_LIVES");
  const std::uint64_t lives = asked != nullptr ? std::stoull(asked) : 12;
  std::mt19937_64 random(7);
  Content content;
  std::size_t writes = 0;
  for (std::uint64_t life = 0; life < lives && !::testing::Test::HasFailure(); ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    const auto told = LiveAndDie(directory / "cache", random(), 1 + random() % 400);
    Content before = content, after = content;
    std::set<std::string> open;
    for (const std::string& line : told) {
      if (line != ".\n") {
        Apply(line, after, open);
        continue;
      }
      before = after;
      open.clear();
      ++writes;
    }
    content = Check(directory / "cache", before, after, open);
  }
  EXPECT_GT(writes, lives * 20);
  EXPECT_FALSE(content.empty());
}

}  // namespace
}  // namespace icarus::broker
