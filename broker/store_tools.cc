#include "broker/store_tools.h"

#include <cstdio>

#include "broker/backup_request.h"
#include "broker/storage/store_backup.h"
#include "broker/storage/store_lock.h"
#include "broker/storage/store_salvage.h"
#include "broker/storage/store_verify.h"
#include "broker/tool_output.h"
#include "common/base/exit_code.h"
#include "common/base/files.h"
#include "common/base/result.h"

namespace icarus::broker {
namespace {

constexpr int kIncomplete = 1;

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

StorePlaces PlacesOf(const Home& home) { return {home.dir, home.store(), home.blobs(), home.cache()}; }

bool IsServed(const Home& home) { return !StoreLock::Take(home.store(), home.dir); }

Result<int> Verify(const Home& home, const StoreTask& task) {
  ICARUS_ASSIGN(const VerifyReport report, VerifyStore(PlacesOf(home)));
  Print(task.json ? VerifyJson(report) : VerifyText(report));
  return report.findings.empty() ? 0 : kIncomplete;
}

Result<int> Salvage(const Home& home, const StoreTask& task) {
  ICARUS_ASSIGN(const std::string target, AbsolutePath(task.directory));
  ICARUS_ASSIGN(const SalvageReport report, SalvageStore(PlacesOf(home), target));
  Print(task.json ? SalvageJson(report, target) : SalvageText(report, target));
  return report.missing.empty() ? 0 : kIncomplete;
}

// The broker that serves the home makes the backup; where none does, this process.
Result<int> BackUp(const Home& home, const StoreTask& task) {
  ICARUS_ASSIGN(const std::string target, AbsolutePath(task.directory));
  Result<BackupNote> note = BackUpStore(PlacesOf(home), target);
  const bool served = !note && note.error().code == ErrorCode::kRefused && IsServed(home);
  if (served) {
    ICARUS_ASSIGN(const BackupReply reply, RequestBackup(home, target));
    note = BackupNote{reply.lineage, reply.epoch, reply.sequence, reply.wall_ms, reply.blobs};
  }
  if (!note) return note.error();
  Print(task.json ? BackupJson(*note, target) : BackupText(*note, target));
  return 0;
}

Result<int> Restore(const Home& home, const StoreTask& task) {
  ICARUS_ASSIGN(const std::string backup, AbsolutePath(task.directory));
  ICARUS_ASSIGN(const Home made, ResolveHome(home.dir, {}));
  ICARUS_ASSIGN(const BackupNote note, RestoreStore(PlacesOf(made), backup));
  Print(task.json ? BackupJson(note, made.dir) : RestoreText(note, made.dir));
  return 0;
}

Result<int> Run(const Home& home, const StoreTask& task) {
  switch (task.kind) {
    case StoreTask::Kind::kVerify: return Verify(home, task);
    case StoreTask::Kind::kSalvage: return Salvage(home, task);
    case StoreTask::Kind::kBackup: return BackUp(home, task);
    case StoreTask::Kind::kRestore: return Restore(home, task);
    case StoreTask::Kind::kNone: break;
  }
  return 0;
}

}  // namespace

int RunStoreTask(const Home& home, const StoreTask& task) {
  const Result<int> code = Run(home, task);
  if (code) return *code;
  Error error = code.error();
  // What the operating system says of a directory that the user named; a damaged store is another matter.
  if (error.code == ErrorCode::kIo) {
    error.code = ErrorCode::kRefused;
    if (!task.directory.empty()) error.message += "; name another directory";
  }
  if (task.json) Print(ErrorJson(error));
  std::fprintf(stderr, "icarus-broker: %s\n", error.message.c_str());
  return ExitCodeOf(error.code);
}

}  // namespace icarus::broker
