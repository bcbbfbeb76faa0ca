#include "broker/storage/cache_check.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include <memory>

#include "broker/core/records.h"
#include "broker/storage/read_only_files.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_cache_store.h"
#include "broker/storage/rocksdb_support.h"
#include "common/base/files.h"

namespace icarus::broker {
namespace {

// Opened for reading; the families are closed before the database, and both before the environment.
struct CacheDatabase {
  std::unique_ptr<rocksdb::Env> env = MakeReadOnlyEnv(LogFiles::kShown);
  std::unique_ptr<rocksdb::DB> db;
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> families;

  rocksdb::Status Open(const std::string& dir) {
    rocksdb::DBOptions options;
    SetCommonOptions(options, MakeRocksLogger("cache", {}));
    options.create_if_missing = false;
    options.env = env.get();
    std::vector<std::string> names;
    rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, dir, &names);
    if (!status.ok()) return status;
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string& name : names) descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    status = rocksdb::DB::OpenForReadOnly(options, dir, descriptors, &handles, &opened);
    db.reset(opened);
    for (rocksdb::ColumnFamilyHandle* handle : handles) families.emplace_back(handle);
    return status;
  }
};

void CheckFamily(rocksdb::DB& db, rocksdb::ColumnFamilyHandle& family, CacheCheck& check) {
  if (family.GetName() == kCacheUseFamily) return;  // any number is one
  const bool bodies = family.GetName() != rocksdb::kDefaultColumnFamilyName;
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options, &family));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto hash = ContentHash::FromRaw(View(it->key()));
    const std::string name = hash ? hash->Hex() : "with a strange key";
    if (bodies) {
      const auto body = Unseal(CacheBodySealKey(View(it->key())), View(it->value()));
      if (!body) check.damage.push_back("the cached value " + name + ": " + body.error().message);
      continue;
    }
    ++check.entries;
    const auto entry = DecodeRecord<CacheEntry>(View(it->key()), View(it->value()));
    if (!entry) check.damage.push_back("the cache entry " + name + ": " + entry.error().message);
  }
  if (!it->status().ok()) check.damage.push_back("the cache cannot be read: " + it->status().ToString());
}

}  // namespace

CacheCheck CheckCache(const std::string& dir) {
  CacheCheck check;
  if (!PathExists(dir + "/CURRENT")) return check;
  CacheDatabase cache;
  const rocksdb::Status opened = cache.Open(dir);
  if (!opened.ok()) {
    check.damage.push_back("the cache cannot be opened: " + opened.ToString());
    return check;
  }
  for (const auto& family : cache.families) CheckFamily(*cache.db, *family, check);
  return check;
}

}  // namespace icarus::broker
