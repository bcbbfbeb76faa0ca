// OutputCapture: what a program writes to stdout or stderr, read from a pipe: the first bytes kept, the rest counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/model/content_hash.h"
#include "worker/launcher/attempt.h"
#include "worker/launcher/outbox.h"

namespace icarus::worker {

class OutputCapture {
 public:
  // `pipe` is the reading end; `limit` the bytes kept. Small output stays in memory, more goes to a temporary of
  // `outbox` (not owned). With `live` what is read can also be taken with TakeLive.
  OutputCapture(UniqueFd pipe, std::uint64_t limit, Outbox* outbox, bool live);

  // For poll; −1 once the other end is closed.
  int fd() const { return pipe_.get(); }
  // Reads what is there, at most about a MiB at once. Returns false when nothing was there.
  bool Read();
  // Reads until nothing is there. To be called when all writers are gone.
  void ReadToEnd();

  struct LivePiece {
    std::uint64_t offset = 0;
    std::string bytes;
  };
  std::size_t live_bytes() const { return live_.size(); }
  LivePiece TakeLive();

  // The file for the result, named `name`; none when nothing was written. That output beyond the limit was discarded,
  // and what went wrong with the disk, is in warning().
  Result<std::optional<FileRef>> Finish(const std::string& name);
  const std::string& warning() const { return warning_; }
  // The last line that is not blank, shortened to 200 bytes; for error messages.
  std::string LastLine() const;
  // The last bytes, at most limits::kOutputTailBytes.
  const std::string& Tail() const { return tail_; }

 private:
  void Take(std::string_view bytes);
  void Keep(std::string_view bytes);
  Status Spill();

  UniqueFd pipe_;
  std::uint64_t limit_;
  Outbox* outbox_;
  bool wants_live_;

  std::uint64_t seen_ = 0;
  std::uint64_t kept_ = 0;
  std::string memory_;  // until it spills
  UniqueFd spill_;
  std::string spill_path_;
  ContentHasher hasher_;  // of what was spilled
  std::string tail_;
  std::string live_;
  std::uint64_t live_offset_ = 0;
  std::string warning_;
};

}  // namespace icarus::worker
