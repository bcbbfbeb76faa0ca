#include "broker/storage/store_verify.h"

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include "broker/storage/blob_store.h"
#include "broker/storage/cache_check.h"
#include "broker/storage/job_store_database.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/store_check.h"
#include "broker/storage/store_lock.h"
#include "common/base/files.h"

namespace icarus::broker {
namespace {

// The checksums of every block of every table, also of what newer records hide.
void CheckTables(rocksdb::DB& db, std::vector<std::string>& findings) {
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    const std::string path = file.db_path + file.name;
    rocksdb::SstFileReader reader(JobStoreDbOptions({}));
    rocksdb::Status status = reader.Open(path);
    if (status.ok()) status = reader.VerifyChecksum();
    if (!status.ok()) findings.push_back("the table " + path + ": " + status.ToString());
  }
}

// Files and their end; true when the logs can be read as they are.
bool CheckFiles(const StorePlaces& places, VerifyReport& report) {
  const auto check = CheckStoreFiles(places.store, places.home);
  if (!check) {
    report.findings.push_back(check.error().message);
    return false;
  }
  if (!check->mark) report.findings.push_back(HighWaterPath(places.store) + " is missing or cannot be read");
  if (check->torn_log.empty()) return true;
  report.notes.push_back(check->torn_what + ": a torn tail, never acknowledged; the next start goes on without it");
  return false;
}

void CheckRecords(const StorePlaces& places, bool logs_whole, const std::map<ContentHash, bool>& blobs,
                  VerifyReport& report) {
  ReadOnlyDatabase database;
  const auto damage = logs_whole ? ReadOnlyDatabase::Damage::kRefuse : ReadOnlyDatabase::Damage::kSkip;
  const rocksdb::Status opened = ReadOnlyDatabase::Open(places.store, LogFiles::kShown, damage, database);
  if (!opened.ok()) {
    report.findings.push_back("no record can be read: " + opened.ToString());
    return;
  }
  CheckTables(database.db(), report.findings);
  const StoreSurvey survey = SurveyStore(database.db(), blobs);
  report.findings.insert(report.findings.end(), survey.findings().begin(), survey.findings().end());
  report.jobs = survey.job_count();
  report.tasks = survey.tasks();
  report.bodies = survey.bodies();
  if (!survey.meta()) return;
  report.lineage = survey.meta()->lineage;
  report.epoch = survey.meta()->epoch;
  report.sequence = survey.meta()->sequence;
}

}  // namespace

Result<StoreLock> LockStore(const StorePlaces& places) {
  if (PathExists(places.store)) return StoreLock::Take(places.store, places.home);
  return Error::Make(ErrorCode::kNotFound,
                     "there is no job store in " + places.home + "; name another home with --home");
}

StoreSurvey SurveyStore(rocksdb::DB& db, const std::map<ContentHash, bool>& blobs) {
  StoreSurvey survey;
  ScanRecords(
      db, [&survey](std::string_view key, std::string_view stored) { survey.Take(key, stored); },
      [&survey](const UnreadableRange& range) { survey.TakeUnreadable(range); });
  survey.Finish([&blobs](const ContentHash& hash) {
    const auto found = blobs.find(hash);
    return found != blobs.end() && found->second;
  });
  return survey;
}

std::map<ContentHash, bool> CheckBlobs(const std::string& dir, std::vector<std::string>& findings) {
  std::map<ContentHash, bool> blobs;
  if (!PathExists(dir)) return blobs;
  const BlobStore store = BlobStore::Existing(dir);
  const Status read = store.ForEach([&](const StoredBlob& blob) {
    const auto whole = store.IsWhole(blob.hash);
    blobs[blob.hash] = whole && *whole;
    if (!whole) findings.push_back(whole.error().message);
    if (whole && !*whole)
      findings.push_back("the file " + store.PathOf(blob.hash) + " has another content than its name says");
  });
  if (!read) findings.push_back(read.error().message);
  return blobs;
}

Result<VerifyReport> VerifyStore(const StorePlaces& places) {
  ICARUS_ASSIGN(const StoreLock lock, LockStore(places));
  VerifyReport report;
  const bool logs_whole = CheckFiles(places, report);
  const std::map<ContentHash, bool> blobs = CheckBlobs(places.blobs, report.findings);
  report.blobs = blobs.size();
  CheckRecords(places, logs_whole, blobs, report);
  if (!places.cache.empty()) {
    const CacheCheck cache = CheckCache(places.cache);
    report.cache_entries = cache.entries;
    for (const std::string& damage : cache.damage) report.notes.push_back(damage + " (a miss, no loss)");
  }
  return report;
}

}  // namespace icarus::broker
