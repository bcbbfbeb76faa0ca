// Backups of the store that is being served. A thread of its own makes them: a large one takes seconds, and neither
// commits nor reads may wait for it.
#pragma once

#include <mutex>
#include <string>

#include "broker/net/gateway.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"
#include "broker/storage/rocksdb_job_store.h"

namespace icarus::broker {

class BackupService {
 public:
  // `copying` is held while files are copied, so that meanwhile none is removed; it outlives this object.
  BackupService(RocksDbJobStore& store, std::string blobs_dir, std::mutex& copying, Gateway& gateway, LoopInbox& inbox);

  // Takes the message if it asks for a backup; the answer follows later. The loop's thread.
  bool Handle(const Received& received);

 private:
  void Answer(const Received& received, AnyMessage payload);
  void Start(const Received& received, const std::string& directory);

  RocksDbJobStore& store_;
  const std::string blobs_dir_;
  std::mutex& copying_;
  Gateway& gateway_;
  LoopInbox& inbox_;
  IoThread thread_;
};

}  // namespace icarus::broker
