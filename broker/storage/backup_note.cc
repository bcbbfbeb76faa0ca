#include <cinttypes>
#include <cstdio>

#include "broker/storage/store_backup.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/model/content_hash.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kMaxNoteBytes = 4096;

std::string NotePath(const std::string& dir) { return dir + "/backup"; }

std::string Format(const BackupNote& note) {
  const std::string text = "icarus backup 1\nlineage " + note.lineage + "\nepoch " + std::to_string(note.epoch) +
                           "\nsequence " + std::to_string(note.sequence) + "\nblobs " + std::to_string(note.blobs) +
                           "\ntime " + FormatUtc(note.wall_ms) + "\n";
  char sum[32];
  std::snprintf(sum, sizeof sum, "checksum %016" PRIx64 "\n", Checksum(text));
  return text + sum;
}

}  // namespace

Status WriteBackupNote(const std::string& dir, const BackupNote& note) {
  return WriteFileAtomically(NotePath(dir), Format(note), 0600);
}

Result<BackupNote> ReadBackupNote(const std::string& dir) {
  const std::string path = NotePath(dir);
  if (!PathExists(path)) {
    return Error::Make(ErrorCode::kNotFound, dir + " is no complete backup: it has no file 'backup'");
  }
  ICARUS_ASSIGN(const std::string text, ReadFile(path, kMaxNoteBytes));
  BackupNote note;
  char lineage[65];
  char time[33];
  const int found = std::sscanf(
      text.c_str(), "icarus backup 1 lineage %64s epoch %" SCNu64 " sequence %" SCNu64 " blobs %" SCNu64 " time %32s",
      lineage, &note.epoch, &note.sequence, &note.blobs, time);
  if (found == 5) {
    note.lineage = lineage;
    note.wall_ms = ParseUtc(time);
  }
  if (found != 5 || Format(note) != text) {
    return Error::Make(ErrorCode::kCorruption, path + " is damaged, or of another release");
  }
  return note;
}

}  // namespace icarus::broker
