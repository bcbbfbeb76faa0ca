// Reads all that a home keeps and tells what is wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker/storage/store_lock.h"
#include "broker/storage/store_survey.h"
#include "common/base/result.h"
#include "common/model/content_hash.h"

namespace icarus::broker {

// The directories of a home.
struct StorePlaces {
  std::string home;  // as named in messages
  std::string store;
  std::string blobs;
  std::string cache;  // empty: not looked at
};

struct VerifyReport {
  std::vector<std::string> findings;  // damage of what is promised: jobs, results, files; a line each
  std::vector<std::string> notes;     // what a person should know and that costs nothing: the cache, a torn tail
  std::string lineage;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t jobs = 0;
  std::uint64_t tasks = 0;  // that have a record: they ended, or were tried
  std::uint64_t bodies = 0;
  std::uint64_t blobs = 0;
  std::uint64_t cache_entries = 0;
};

// Held, no broker can start on the store. kNotFound: there is none. kRefused: a broker serves it.
Result<StoreLock> LockStore(const StorePlaces& places);

// All records of an open store, past what is damaged. `blobs` as CheckBlobs gives them.
StoreSurvey SurveyStore(rocksdb::DB& db, const std::map<ContentHash, bool>& blobs);

// Changes nothing on disk. kRefused: a broker serves the home. kNotFound: there is no store.
Result<VerifyReport> VerifyStore(const StorePlaces& places);

// Every complete file of the blob store: is its content right? A store that was never made has none.
std::map<ContentHash, bool> CheckBlobs(const std::string& dir, std::vector<std::string>& findings);

}  // namespace icarus::broker
