#include "broker/storage/read_only_files.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <string>
#include <string_view>
#include <vector>

namespace icarus::broker {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

IOStatus Denied(const std::string& path) { return IOStatus::NotSupported("opened for reading only", path); }

class ReadOnlyFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit ReadOnlyFiles(LogFiles logs) : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()), logs_(logs) {}
  const char* Name() const override { return "ReadOnlyFiles"; }

  IOStatus GetChildren(const std::string& dir, const IOOptions& options, std::vector<std::string>* names,
                       IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::GetChildren(dir, options, names, debug);
    if (logs_ == LogFiles::kHidden) std::erase_if(*names, [](std::string_view name) { return name.ends_with(".log"); });
    return status;
  }

  IOStatus NewWritableFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
                           IODebugContext*) override {
    return Denied(path);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
                              IODebugContext*) override {
    return Denied(path);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return Denied(path);
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSRandomRWFile>*,
                           IODebugContext*) override {
    return Denied(path);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override { return Denied(path); }
  IOStatus Truncate(const std::string& path, std::size_t, const IOOptions&, IODebugContext*) override {
    return Denied(path);
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override { return Denied(path); }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    return FileExists(path, options, debug).ok() ? IOStatus::OK() : Denied(path);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override { return Denied(path); }
  IOStatus RenameFile(const std::string& path, const std::string&, const IOOptions&, IODebugContext*) override {
    return Denied(path);
  }
  IOStatus LinkFile(const std::string& path, const std::string&, const IOOptions&, IODebugContext*) override {
    return Denied(path);
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock**, IODebugContext*) override {
    return Denied(path);
  }

 private:
  LogFiles logs_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> MakeReadOnlyEnv(LogFiles logs) {
  return rocksdb::NewCompositeEnv(std::make_shared<ReadOnlyFiles>(logs));
}

}  // namespace icarus::broker
