// For the tests that damage a store: its files, and what happens to them.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "tests/unit/broker/storage/store_records.h"

namespace icarus::broker {

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}
inline void WriteAll(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Every file below `dir` with its content.
inline std::map<std::string, std::string> Snapshot(const std::filesystem::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
    if (file.is_regular_file()) files[file.path().string()] = ReadAll(file.path());
  }
  return files;
}

// Changes the database behind the store's back. Into a table: a log of the store has a description in every batch.
inline void ChangeDatabase(const std::string& store_dir, const std::function<void(rocksdb::DB&)>& change) {
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), store_dir, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  change(*db);
  ASSERT_TRUE(db->Flush(rocksdb::FlushOptions()).ok());
}
inline void FlipBitOf(const std::string& store_dir, const std::string& key) {
  ChangeDatabase(store_dir, [&](rocksdb::DB& db) {
    std::string value;
    ASSERT_TRUE(db.Get(rocksdb::ReadOptions(), key, &value).ok());
    value.back() = static_cast<char>(value.back() ^ 1);
    ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), key, value).ok());
  });
}
inline void RemoveRecord(const std::string& store_dir, const std::string& key) {
  ChangeDatabase(store_dir, [&](rocksdb::DB& db) { ASSERT_TRUE(db.Delete(rocksdb::WriteOptions(), key).ok()); });
}

// The largest file with this beginning and end of its name.
inline std::filesystem::path FileLike(const std::filesystem::path& dir, const std::string& begin,
                                      const std::string& end) {
  std::filesystem::path found;
  std::uintmax_t size = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(end) || file.file_size() < size) continue;
    found = file.path();
    size = file.file_size();
  }
  EXPECT_FALSE(found.empty()) << "no file like " << begin << "*" << end;
  return found;
}

// Bytes that cannot be compressed, the same for the same seed.
inline std::string Noise(std::uint64_t seed, std::size_t bytes) {
  Random random(seed);
  std::string out;
  while (out.size() < bytes) out.push_back(static_cast<char>(random.Next() & 0xff));
  return out;
}

// Of a task's result in the tests of damage.
inline constexpr std::size_t kBodyBytes = 5000;

// A closed store: batch n holds job n with one task and a body of noise. The first `in_tables` batches are in tables,
// the others in the log.
inline void FillStore(const std::string& dir, std::uint64_t in_tables, std::uint64_t batches, std::size_t body_bytes) {
  for (const auto& [first, last] : {std::pair{std::uint64_t{1}, in_tables}, std::pair{in_tables + 1, batches}}) {
    const auto store = OpenStore(dir);
    ASSERT_NE(store, nullptr);
    for (std::uint64_t n = first; n <= last; ++n) {
      ASSERT_TRUE(store->Commit({n, 0, {MakeJob(n), MakeTask(n, 0, MakeBody(Noise(n, body_bytes)))}}));
    }
  }
}

}  // namespace icarus::broker
