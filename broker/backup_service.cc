#include "broker/backup_service.h"

#include <utility>
#include <variant>

#include "common/base/logging.h"

namespace icarus::broker {

BackupService::BackupService(RocksDbJobStore& store, std::string blobs_dir, std::mutex& copying, Gateway& gateway,
                             LoopInbox& inbox)
    : store_(store),
      blobs_dir_(std::move(blobs_dir)),
      copying_(copying),
      gateway_(gateway),
      inbox_(inbox),
      thread_({2, 1}, {1, 1}) {}

void BackupService::Answer(const Received& received, AnyMessage payload) {
  gateway_.Send(received.role, received.caller.instance, Message{received.message.correlation, std::move(payload), {}});
}

bool BackupService::Handle(const Received& received) {
  const auto* request = received.message.payload.get_if<Backup>();
  if (request == nullptr || received.role != PeerRole::kClient) return false;
  const auto refuse = [&](Error error) { Answer(received, ToErrorReply(error)); };
  if (!received.caller.admin) {
    refuse(OnlyAnAdminMay("make backups"));
  } else if (request->directory.empty() || request->directory.front() != '/') {
    refuse(UsageError("the directory of a backup is an absolute path", "directory"));
  } else {
    Start(received, request->directory);
  }
  return true;
}

void BackupService::Start(const Received& received, const std::string& directory) {
  auto job = [this, instance = received.caller.instance, correlation = received.message.correlation, directory] {
    const std::lock_guard lock(copying_);
    const Result<BackupNote> note = store_.BackUp(blobs_dir_, directory);
    AnyMessage answer;
    if (note) {
      answer = BackupReply{note->lineage, note->epoch, note->sequence, note->wall_ms, note->blobs};
      LogInfo("backup made", {{"directory", directory}, {"sequence", note->sequence}});
    } else {
      answer = ToErrorReply(note.error());
      LogWarning("backup failed: " + note.error().message);
    }
    inbox_.Post([this, instance, message = Message{correlation, std::move(answer), {}}] {
      gateway_.Send(PeerRole::kClient, instance, message);
    });
  };
  if (thread_.TryPost(Lane::kUrgent, std::move(job))) return;
  Error error = Error::Make(ErrorCode::kOverloaded, "another backup is being made");
  error.retry_after_s = 5;
  Answer(received, ToErrorReply(error));
}

}  // namespace icarus::broker
