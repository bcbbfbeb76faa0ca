// A program for the tests of the job store, which end or starve it.
//   store_child write DIR   commits a batch after the other and prints the sequence of each when it is durable
//   store_child open DIR    opens the store and prints "open", or the word for the error
//   store_child full DIR    mounts a small file system on DIR, fills it, commits into the full disk, frees it, and
//   checks
//                           that everything arrived; exit code 77 when this user may not mount. full-unguarded: without
//                           the store's own check of the free space. full-reserve: with a reserve, which takes what
//                           comes when the disk is full
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "broker/storage/disk_space.h"
#include "broker/storage/rocksdb_job_store.h"
#include "common/base/random.h"

namespace icarus::broker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNotPermitted = 77;
constexpr std::uint64_t kDiskBytes = 160u << 20;

// Bytes that cannot be compressed, the same for the same seed.
std::string Noise(std::uint64_t seed, std::size_t bytes) {
  Random random(seed);
  std::string out;
  while (out.size() < bytes) out.push_back(static_cast<char>(random.Next() & 0xff));
  return out;
}

RecordBatch MakeBatch(std::uint64_t sequence, std::size_t body_bytes) {
  JobRecord job;
  job.job = JobId(sequence);
  TaskRecord task;
  task.state = TaskState::kCompleted;
  task.has_body = true;
  return {sequence,
          0,
          {PutJob{job}, PutTask{{job.job, 0}, task, std::make_shared<const std::string>(Noise(sequence, body_bytes))}}};
}

int WriteForever(RocksDbJobStore& store) {
  for (std::uint64_t sequence = store.meta().sequence + 1;; ++sequence) {
    if (!store.Commit(MakeBatch(sequence, 2000))) return 1;
    const std::string line = std::to_string(sequence) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
  }
}

bool MountSmallDisk(const std::string& dir) {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  const std::string size = "size=" + std::to_string(kDiskBytes);
  return ::mount("none", dir.c_str(), "tmpfs", 0, size.c_str()) == 0;
}

bool MakeBallast(const std::string& path, std::uint64_t bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  return fd >= 0 && ::posix_fallocate(fd, 0, static_cast<off_t>(bytes)) == 0 && ::close(fd) == 0;
}

// A small disk with a store and a ballast that leaves it hardly any room.
class FullDisk {
 public:
  FullDisk(const std::string& dir, std::uint64_t min_free_bytes, std::uint64_t reserve_bytes = 0) : dir_(dir) {
    options_.min_free_bytes = min_free_bytes;
    options_.reserve_bytes = reserve_bytes;
  }

  bool Prepare() {
    return Reopen() && MakeBallast(dir_ + "/ballast", (kDiskBytes - (15u << 20)) - options_.min_free_bytes);
  }
  bool Reopen() {
    store_.reset();
    auto store = RocksDbJobStore::Open(dir_ + "/store", options_);
    if (!store) return Complain(store.error());
    store_ = std::move(*store);
    return true;
  }
  // Commits the batch, however often that takes; frees the disk when it was found full the second time.
  bool Commit(const RecordBatch& batch) {
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    while (Clock::now() < deadline) {
      const Status status = store_->Commit(batch);
      if (status) return true;
      if (status.error().code != ErrorCode::kOverloaded) return GoOnAfter(status.error(), batch);
      if (++stalls_ == 2) ::unlink((dir_ + "/ballast").c_str());
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return Complain(IoError("still no space"));
  }
  int stalls() const { return stalls_; }
  RocksDbJobStore& store() { return *store_; }

 private:
  static bool Complain(const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return false;
  }
  // RocksDB cannot always go on after it met the end of the disk. A broker would end, and start again; never so when
  // the store itself saw it coming.
  bool GoOnAfter(const Error& error, const RecordBatch& batch) {
    if (options_.min_free_bytes > 0) return Complain(error);
    if (!Reopen()) return false;
    if (store_->meta().sequence == batch.sequence) return true;
    const Status status = store_->Commit(batch);
    return status || Complain(status.error());
  }

  const std::string dir_;
  JobStoreOptions options_;
  std::unique_ptr<RocksDbJobStore> store_;
  int stalls_ = 0;
};

bool EverythingIsThere(RocksDbJobStore& store, std::uint64_t batches, std::size_t body_bytes) {
  for (std::uint64_t sequence = 1; sequence <= batches; ++sequence) {
    const auto tasks = store.ReadTasks(JobId(sequence), {0}, true);
    if (!tasks || !tasks->at(0) || *tasks->at(0)->body != Noise(sequence, body_bytes)) return false;
  }
  return store.meta().sequence == batches;
}

// `min_free_bytes` 0: RocksDB itself meets the full disk.
int FillDisk(const std::string& dir, std::uint64_t min_free_bytes) {
  constexpr std::uint64_t kBatches = 24;
  constexpr std::size_t kBodyBytes = 1u << 20;
  if (!MountSmallDisk(dir)) return kNotPermitted;
  FullDisk disk(dir, min_free_bytes);
  if (!disk.Prepare()) return 1;
  for (std::uint64_t sequence = 1; sequence <= kBatches; ++sequence) {
    if (!disk.Commit(MakeBatch(sequence, kBodyBytes))) return 2;
  }
  if (disk.stalls() < 2) return 3;
  return disk.Reopen() && EverythingIsThere(disk.store(), kBatches, kBodyBytes) ? 0 : 4;
}

// With the disk full to the store's own limit, the room of the reserve takes several more batches before one stalls.
int FillDiskWithReserve(const std::string& dir) {
  constexpr std::uint64_t kMinFree = 48u << 20;
  constexpr std::uint64_t kReserve = 32u << 20;
  if (!MountSmallDisk(dir)) return kNotPermitted;
  FullDisk disk(dir, kMinFree, kReserve);
  if (!disk.Reopen() || !disk.store().ReviewSpace().empty()) return 1;
  const Result<DiskSpace> space = ReadDiskSpace(dir);
  if (!space || !MakeBallast(dir + "/ballast", space->free_bytes - kMinFree + (1u << 20))) return 1;
  for (std::uint64_t sequence = 1; sequence <= 8; ++sequence) {
    if (!disk.Commit(MakeBatch(sequence, 1u << 20))) return 2;
  }
  if (disk.stalls() != 0) return 3;                  // the reserve took them
  if (disk.store().ReviewSpace().empty()) return 4;  // and it is known that it is in use
  ::unlink((dir + "/ballast").c_str());
  if (!disk.store().ReviewSpace().empty()) return 5;  // there is room: it is there again
  return disk.Reopen() && EverythingIsThere(disk.store(), 8, 1u << 20) ? 0 : 6;
}

int OpenOnce(const std::string& dir) {
  const auto store = RocksDbJobStore::Open(dir, {});
  std::printf("%s\n", store ? "open" : ErrorKindName(store.error().code));
  return 0;
}

int Run(const std::string& mode, const std::string& dir) {
  if (mode == "open") return OpenOnce(dir);
  if (mode == "full") return FillDisk(dir, JobStoreOptions().min_free_bytes);
  if (mode == "full-reserve") return FillDiskWithReserve(dir);
  if (mode == "full-unguarded") return FillDisk(dir, 0);
  const auto store = RocksDbJobStore::Open(dir, {});
  return store ? WriteForever(**store) : 1;
}

}  // namespace
}  // namespace icarus::broker

int main(int argc, char** argv) { return argc == 3 ? icarus::broker::Run(argv[1], argv[2]) : 2; }
