#include "broker/storage/rocksdb_support.h"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <cstdarg>
#include <cstdio>
#include <utility>

namespace icarus::broker {
namespace {

class ForwardingLogger : public rocksdb::Logger {
 public:
  ForwardingLogger(std::string name, StorageLog log)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), name_(std::move(name)), log_(std::move(log)) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
  }
  // The level above all others is the header of a log file, not a grave error.
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (!log_ || level < rocksdb::InfoLogLevel::WARN_LEVEL || level >= rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    char line[1024];
    std::vsnprintf(line, sizeof line, format, arguments);
    log_(name_ + ": " + line);
  }

 private:
  std::string name_;
  StorageLog log_;
};

bool Contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

std::shared_ptr<rocksdb::Logger> MakeRocksLogger(std::string name, StorageLog log) {
  return std::make_shared<ForwardingLogger>(std::move(name), std::move(log));
}

void SetCommonOptions(rocksdb::DBOptions& options, std::shared_ptr<rocksdb::Logger> logger) {
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.info_log = std::move(logger);
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_open_files = 512;
  options.max_manifest_file_size = 16u << 20;
  options.bytes_per_sync = 1u << 20;
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = false;
  options.wal_compression = rocksdb::kNoCompression;
  options.WAL_ttl_seconds = 0;
  options.WAL_size_limit_MB = 0;
}

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

bool IsNoSpace(const rocksdb::Status& status) {
  return status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit;
}

bool IsLockHeld(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (Contains(text, "While lock file") || Contains(text, "lock hold by current process"));
}

Error RocksError(const std::string& what, const rocksdb::Status& status) {
  const std::string message = what + ": " + status.ToString();
  if (IsNoSpace(status)) return Error{ErrorCode::kOverloaded, message, {}, 1.0};
  return Error::Make(status.IsCorruption() ? ErrorCode::kCorruption : ErrorCode::kIo, message);
}

}  // namespace icarus::broker
