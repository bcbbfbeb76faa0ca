#include "broker/storage/rocksdb_cache_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "broker/storage/cache_compactor.h"
#include "broker/storage/file_io.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/little_endian.h"

namespace icarus::broker {
namespace {

constexpr char kBodyFamily[] = "body";
constexpr std::size_t kBatchBytes = 4u << 20;
constexpr std::size_t kMinBlobBytes = 4096;
constexpr std::size_t kMostOfMark = 4096;
constexpr std::size_t kKeptAside = 2;           // databases that could not be used
constexpr std::size_t kBlockBytes = 32u << 20;  // of tables that were read, in memory
constexpr std::chrono::milliseconds kMostOfFreeing(500);
constexpr std::chrono::milliseconds kFreeingStep(5);
constexpr std::size_t kShortBlockBytes = 1u << 20;  // the same when the machine is short of it

rocksdb::DBOptions CacheDbOptions(const StorageLog& log) {
  rocksdb::DBOptions options;
  SetCommonOptions(options, MakeRocksLogger("cache", log));
  options.create_missing_column_families = true;
  // Everything before damage is kept; what comes after it is a miss.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.max_total_wal_size = 32u << 20;
  options.max_background_jobs = 2;
  return options;
}

rocksdb::ColumnFamilyOptions EntryOptions(const std::shared_ptr<rocksdb::Cache>& blocks) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 4u << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = blocks;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kZSTD;
  options.level_compaction_dynamic_level_bytes = true;
  // Removed entries are to give their space back soon: a file full of their tombstones is compacted without waiting.
  options.table_properties_collector_factories.push_back(rocksdb::NewCompactOnDeletionCollectorFactory(1024, 256));
  return options;
}

rocksdb::ColumnFamilyOptions BodyOptions(const std::shared_ptr<rocksdb::Cache>& blocks) {
  rocksdb::ColumnFamilyOptions options = EntryOptions(blocks);
  options.write_buffer_size = 8u << 20;
  options.enable_blob_files = true;
  options.min_blob_size = kMinBlobBytes;
  options.blob_file_size = 16u << 20;
  options.blob_compression_type = rocksdb::kZSTD;
  options.enable_blob_garbage_collection = true;
  options.blob_garbage_collection_age_cutoff = 1.0;
  options.blob_garbage_collection_force_threshold = 0.3;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors(const std::shared_ptr<rocksdb::Cache>& blocks) {
  return {{rocksdb::kDefaultColumnFamilyName, EntryOptions(blocks)},
          {kBodyFamily, BodyOptions(blocks)},
          {kCacheUseFamily, EntryOptions(blocks)}};
}

std::uint64_t UseIn(std::string_view stored) {
  return stored.size() == sizeof(std::uint64_t) ? GetInteger<std::uint64_t>(stored, 0) : 0;
}

// Until the next write finds room for a new one.
Error Closed() { return Error::Make(ErrorCode::kOverloaded, "the cache was cleared and has no room to begin anew"); }

}  // namespace

struct RocksDbCacheStore::Impl {
  std::string dir;
  StorageLog log;
  const std::shared_ptr<rocksdb::Cache> blocks = rocksdb::NewLRUCache(kBlockBytes);
  // Held by who uses the database, and alone by who puts another in its place.
  std::shared_mutex in_use;
  // The families are destroyed before the database.
  std::unique_ptr<rocksdb::DB> db;
  std::array<std::unique_ptr<rocksdb::ColumnFamilyHandle>, 3> families;  // entries, bodies, uses
  std::unique_ptr<CacheCompactor> compactor;                             // ends before them

  rocksdb::ColumnFamilyHandle* entries() const { return families[0].get(); }
  rocksdb::ColumnFamilyHandle* bodies() const { return families[1].get(); }
  rocksdb::ColumnFamilyHandle* uses() const { return families[2].get(); }
  std::vector<rocksdb::ColumnFamilyHandle*> Handles() const {
    return {families[0].get(), families[1].get(), families[2].get()};
  }

  void Log(const std::string& message) const {
    if (log) log(message);
  }
  rocksdb::Status OpenDatabase();
  void Close();
  Status SetAside(const std::string& why);
  void DropOldest() const;
  bool set_aside = false;                                    // by Load
  std::string MarkPath() const { return dir + ".damaged"; }  // why it is to be set aside
  Error MarkDamaged(Error error) const;
  Status LoadAll(const std::function<void(const ContentHash&, CacheEntry)>& visit,
                 std::vector<std::string>& damaged_keys) const;
  Status Write(rocksdb::WriteBatch& batch) const;
  void AddPut(rocksdb::WriteBatch& batch, const ContentHash& key, const CachePut& put) const;
  void AddRemoval(rocksdb::WriteBatch& batch, const ContentHash& key) const;
  Status WriteChanges(const CacheChanges& changes, bool with_puts);
  rocksdb::Status DeleteEverything();
  rocksdb::Status StartAnew();
  void FlushAll() const;
  void AwaitFlushed() const;
  std::uint64_t CountBlocks() const;
  std::uint64_t Sum(const std::string& property) const;  // over the families
};

rocksdb::Status RocksDbCacheStore::Impl::OpenDatabase() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(CacheDbOptions(log), dir, Descriptors(blocks), &handles, &opened);
  if (!status.ok()) return status;
  db.reset(opened);
  for (std::size_t i = 0; i < families.size(); ++i) families[i].reset(handles[i]);
  compactor = std::make_unique<CacheCompactor>(*db, Handles(), log);
  return status;
}

void RocksDbCacheStore::Impl::Close() {
  compactor.reset();
  for (auto& family : families) family.reset();
  db.reset();
}

// Of those that were set aside the newest are kept.
void RocksDbCacheStore::Impl::DropOldest() const {
  const std::filesystem::path home = std::filesystem::path(dir).parent_path();
  const std::string prefix = std::filesystem::path(dir).filename().string() + ".damaged-";
  std::vector<std::filesystem::path> aside;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home, error)) {
    if (entry.path().filename().string().compare(0, prefix.size(), prefix) == 0) aside.push_back(entry.path());
  }
  std::sort(aside.begin(), aside.end());
  for (std::size_t i = 0; i + kKeptAside < aside.size(); ++i) {
    std::filesystem::remove_all(aside[i], error);
    if (!error) Log("removed " + aside[i].string() + ", an older cache that could not be used");
  }
}

// Puts an empty database in the place of the one that cannot be used. REQUIRES that it is not open.
Status RocksDbCacheStore::Impl::SetAside(const std::string& why) {
  const std::string aside = dir + ".damaged-" + FormatUtc(ReadClocks().wall_ms);
  if (std::rename(dir.c_str(), aside.c_str()) != 0) return ErrnoError("cannot rename " + dir + " to " + aside, errno);
  Log("the cache in " + dir + " cannot be used (" + why + "); it was set aside as " + aside +
      ", and a new, empty one is made");
  DropOldest();
  ICARUS_TRY(MakePrivateDirectory(dir));
  const rocksdb::Status status = OpenDatabase();
  if (!status.ok()) return RocksError("cannot make a new cache in " + dir, status);
  return {};
}

RocksDbCacheStore::RocksDbCacheStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RocksDbCacheStore::~RocksDbCacheStore() = default;

Result<std::unique_ptr<RocksDbCacheStore>> RocksDbCacheStore::Open(const std::string& dir, StorageLog log) {
  auto impl = std::make_unique<Impl>();
  impl->dir = dir;
  impl->log = std::move(log);
  ICARUS_TRY(MakePrivateDirectory(dir));
  if (const Result<std::string> why = ReadFile(impl->MarkPath(), kMostOfMark)) {
    ICARUS_TRY(impl->SetAside(*why));
    if (::unlink(impl->MarkPath().c_str()) != 0) return ErrnoError("cannot remove " + impl->MarkPath(), errno);
    return std::unique_ptr<RocksDbCacheStore>(new RocksDbCacheStore(std::move(impl)));
  }
  const rocksdb::Status status = impl->OpenDatabase();
  if (IsLockHeld(status)) return Error::Make(ErrorCode::kRefused, "the cache in " + dir + " is open in another broker");
  if (IsNoSpace(status)) return RocksError("cannot open the cache in " + dir, status);
  if (!status.ok()) ICARUS_TRY(impl->SetAside(status.ToString()));
  return std::unique_ptr<RocksDbCacheStore>(new RocksDbCacheStore(std::move(impl)));
}

Status RocksDbCacheStore::Impl::LoadAll(const std::function<void(const ContentHash&, CacheEntry)>& visit,
                                        std::vector<std::string>& damaged_keys) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(options, entries()));
  const std::unique_ptr<rocksdb::Iterator> use(db->NewIterator(options, uses()));
  use->SeekToFirst();
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::optional<ContentHash> hash = ContentHash::FromRaw(View(it->key()));
    Result<CacheEntry> entry = DecodeRecord<CacheEntry>(View(it->key()), View(it->value()));
    while (use->Valid() && use->key().compare(it->key()) < 0) use->Next();
    if (hash && entry) {
      if (use->Valid() && use->key() == it->key())
        entry->last_used = std::max(entry->last_used, UseIn(View(use->value())));
      visit(*hash, std::move(*entry));
    } else {
      damaged_keys.push_back(it->key().ToString());
    }
  }
  if (!it->status().ok()) return RocksError("cannot read the cache in " + dir, it->status());
  return {};
}

bool RocksDbCacheStore::was_set_aside() const { return impl_->set_aside; }

Status RocksDbCacheStore::Load(const std::function<void(const ContentHash&, CacheEntry)>& visit) {
  std::vector<std::string> damaged_keys;
  const Status loaded = impl_->LoadAll(visit, damaged_keys);
  if (!loaded) {
    impl_->Close();
    impl_->set_aside = true;
    return impl_->SetAside(loaded.error().message);
  }
  if (damaged_keys.empty()) return {};
  impl_->Log("the cache in " + impl_->dir + " had " + std::to_string(damaged_keys.size()) +
             " damaged entries, which are dropped");
  rocksdb::WriteBatch batch;
  for (const std::string& key : damaged_keys) {
    for (const auto& family : impl_->families) batch.Delete(family.get(), key);
  }
  return impl_->Write(batch);
}

Status RocksDbCacheStore::Impl::Write(rocksdb::WriteBatch& batch) const {
  const rocksdb::Status status = db->Write(rocksdb::WriteOptions(), &batch);
  if (!status.ok()) return RocksError("cannot write to the cache in " + dir, status);
  return {};
}

void RocksDbCacheStore::SetMemory(CacheMemory memory) {
  impl_->blocks->SetCapacity(memory == CacheMemory::kShort ? kShortBlockBytes : kBlockBytes);
  if (memory == CacheMemory::kShort && impl_->db) impl_->FlushAll();
}

void RocksDbCacheStore::Impl::FlushAll() const {
  for (const auto& family : families) {
    const rocksdb::Status status = db->Flush(rocksdb::FlushOptions(), family.get());
    if (!status.ok()) Log("the cache keeps its last changes in memory: " + status.ToString());
  }
}

// A memtable that has been flushed is freed by the thread that did it, a moment later.
void RocksDbCacheStore::Impl::AwaitFlushed() const {
  const auto deadline = std::chrono::steady_clock::now() + kMostOfFreeing;
  std::uint64_t running = 0;
  while (db->GetIntProperty(rocksdb::DB::Properties::kNumRunningFlushes, &running) && running > 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kFreeingStep);
  }
}

std::uint64_t RocksDbCacheStore::Impl::CountBlocks() const {
  std::uint64_t count = 0;
  blocks->ApplyToAllEntries([&](const rocksdb::Slice&, void*, std::size_t, rocksdb::Cache::DeleterFn) { ++count; }, {});
  return count;
}

std::uint64_t RocksDbCacheStore::Impl::Sum(const std::string& property) const {
  std::uint64_t sum = 0;
  if (!db) return sum;
  for (const auto& family : families) {
    std::uint64_t bytes = 0;
    if (db->GetIntProperty(family.get(), property, &bytes)) sum += bytes;
  }
  return sum;
}

CacheReleased RocksDbCacheStore::ReleaseMemory() {
  const std::uint64_t before = MemoryBytes();
  CacheReleased released;
  released.blocks = impl_->CountBlocks();
  const std::size_t capacity = impl_->blocks->GetCapacity();
  impl_->blocks->SetCapacity(0);
  impl_->blocks->SetCapacity(capacity);
  released.blocks -= std::min(released.blocks, impl_->CountBlocks());
  if (impl_->db) {
    impl_->FlushAll();
    impl_->AwaitFlushed();
  }
  released.bytes = before - std::min(before, MemoryBytes());
  return released;
}

// What its files take. Those that are not needed any more go a moment after a clearing.
std::uint64_t RocksDbCacheStore::DiskBytes() {
  constexpr std::uint64_t kBlock = 512;  // of st_blocks, stat(3type)
  std::uint64_t sum = 0;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(impl_->dir, error)) {
    struct stat status {};
    if (::lstat(file.path().c_str(), &status) == 0) sum += static_cast<std::uint64_t>(status.st_blocks) * kBlock;
  }
  return sum;
}

std::uint64_t RocksDbCacheStore::MemoryBytes() const {
  return impl_->blocks->GetUsage() + impl_->Sum(rocksdb::DB::Properties::kCurSizeAllMemTables);
}

Result<std::optional<std::string>> RocksDbCacheStore::Get(const ContentHash& key) {
  const std::string raw = key.Raw();
  const std::shared_lock lock(impl_->in_use);
  if (!impl_->db) return Closed();
  rocksdb::PinnableSlice stored;
  const rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), impl_->bodies(), raw, &stored);
  if (status.IsNotFound()) return std::optional<std::string>();
  // A file of the database that is not there is damage too.
  if (status.IsIOError() && status.subcode() == rocksdb::Status::kPathNotFound) {
    return Error::Make(ErrorCode::kCorruption, "the cached value " + key.Hex() + ": " + status.ToString());
  }
  if (!status.ok()) return RocksError("cannot read the cached value " + key.Hex(), status);
  const Result<std::string_view> body = Unseal(CacheBodySealKey(raw), View(stored));
  if (!body) return Error::Make(ErrorCode::kCorruption, "the cached value " + key.Hex() + ": " + body.error().message);
  return std::optional<std::string>(*body);
}

Result<std::optional<CacheEntry>> RocksDbCacheStore::Find(const ContentHash& key) {
  const std::string raw = key.Raw();
  const std::shared_lock lock(impl_->in_use);
  if (!impl_->db) return Closed();
  std::string stored;
  const rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), impl_->entries(), raw, &stored);
  if (status.IsNotFound()) return std::optional<CacheEntry>();
  if (!status.ok()) return RocksError("cannot read the cached entry " + key.Hex(), status);
  ICARUS_ASSIGN(CacheEntry entry, DecodeRecord<CacheEntry>(raw, stored));
  return std::optional<CacheEntry>(std::move(entry));
}

Status RocksDbCacheStore::Scan(const std::optional<ContentHash>& after,
                               const std::function<bool(const ContentHash&, CacheEntry)>& visit) {
  const std::shared_lock lock(impl_->in_use);
  if (!impl_->db) return Closed();
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(options, impl_->entries()));
  after ? it->Seek(after->Raw()) : it->SeekToFirst();
  if (after && it->Valid() && View(it->key()) == after->Raw()) it->Next();
  for (; it->Valid(); it->Next()) {
    const std::optional<ContentHash> hash = ContentHash::FromRaw(View(it->key()));
    Result<CacheEntry> entry = DecodeRecord<CacheEntry>(View(it->key()), View(it->value()));
    if (hash && entry && !visit(*hash, std::move(*entry))) return {};
  }
  if (!it->status().ok()) return RocksError("cannot read the cache in " + impl_->dir, it->status());
  return {};
}

// Everything that was there, with its space. Not by DeleteFilesInRange: RocksDB 7.8 meets a blob file that no table
// names then, and its forced collection ends the process.
rocksdb::Status RocksDbCacheStore::Impl::DeleteEverything() {
  const std::string first;
  const std::string beyond(ContentHash().bytes.size() + 1, '\xff');  // longer than any key, so greater than the last
  rocksdb::WriteBatch batch;
  for (const auto& family : families) batch.DeleteRange(family.get(), first, beyond);
  rocksdb::Status status = db->Write(rocksdb::WriteOptions(), &batch);
  if (status.ok()) status = CompactAll(*db, Handles(), nullptr);
  return IsNoSpace(status) ? StartAnew() : status;
}

// Without room for so much as a removal the files themselves go.
rocksdb::Status RocksDbCacheStore::Impl::StartAnew() {
  const std::unique_lock lock(in_use);
  Close();
  const rocksdb::Status destroyed = rocksdb::DestroyDB(
      dir, rocksdb::Options(CacheDbOptions(log), rocksdb::ColumnFamilyOptions()), Descriptors(blocks));
  const rocksdb::Status opened = OpenDatabase();
  return opened.ok() ? destroyed : opened;
}

void RocksDbCacheStore::Impl::AddPut(rocksdb::WriteBatch& batch, const ContentHash& key, const CachePut& put) const {
  const std::string raw = key.Raw();
  const std::string header = SealHeader(CacheBodySealKey(raw), *put.body);
  const std::array<rocksdb::Slice, 1> keys{raw};
  const std::array<rocksdb::Slice, 2> values{header, *put.body};
  batch.Put(entries(), raw, EncodeRecord(raw, put.entry));
  batch.Put(bodies(), rocksdb::SliceParts(keys.data(), 1), rocksdb::SliceParts(values.data(), 2));
}

void RocksDbCacheStore::Impl::AddRemoval(rocksdb::WriteBatch& batch, const ContentHash& key) const {
  for (const auto& family : families) batch.Delete(family.get(), key.Raw());
}

Status RocksDbCacheStore::Impl::WriteChanges(const CacheChanges& changes, bool with_puts) {
  rocksdb::WriteBatch batch(0, 0, kProtectionBytes, 0);
  for (const ContentHash& key : changes.removals) AddRemoval(batch, key);
  for (const auto& [key, last_used] : changes.uses) {
    std::string value;
    PutInteger(value, last_used);
    batch.Put(uses(), key.Raw(), value);
  }
  for (const auto& [key, put] : changes.puts) {
    with_puts ? AddPut(batch, key, put) : AddRemoval(batch, key);
    if (batch.GetDataSize() < kBatchBytes) continue;
    ICARUS_TRY(Write(batch));
    batch.Clear();
  }
  return Write(batch);
}

// RocksDB writes nothing more once it has met damage. A database that is open cannot be replaced under its readers, so
// that this is done when it is opened next.
Error RocksDbCacheStore::Impl::MarkDamaged(Error error) const {
  if (error.code != ErrorCode::kCorruption) return error;
  const Status marked = WriteFileAtomically(MarkPath(), error.message, 0600);
  error.message += marked ? "; the cache is set aside when the broker starts next" : "; " + marked.error().message;
  return error;
}

Result<CacheWritten> RocksDbCacheStore::Write(const CacheChanges& changes, const CacheRoom& room) {
  if (!impl_->db) {
    const rocksdb::Status status = impl_->StartAnew();
    if (!status.ok()) return RocksError("cannot make a new cache in " + impl_->dir, status);
  }
  if (changes.clear) {
    const rocksdb::Status status = impl_->DeleteEverything();
    if (!status.ok()) return impl_->MarkDamaged(RocksError("cannot clear the cache in " + impl_->dir, status));
  }
  const bool with_puts = changes.puts.empty() || impl_->compactor->HasRoom(room);
  if (Status written = impl_->WriteChanges(changes, with_puts); !written) return impl_->MarkDamaged(written.error());
  impl_->compactor->Written(room);
  return with_puts ? CacheWritten::kAll : CacheWritten::kWithoutPuts;
}

}  // namespace icarus::broker
