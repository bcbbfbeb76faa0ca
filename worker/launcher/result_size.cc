#include "worker/launcher/result_size.h"

#include <unistd.h>

#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/protocol/result_codec.h"

namespace icarus::worker {

void RemoveFiles(std::vector<BlobFile>& blobs) {
  for (const auto& blob : blobs) ::unlink(blob.path.c_str());
  blobs.clear();
}

std::string EncodeLargeBody(ResultBody& body, Outbox& outbox, TaskError& error) {
  std::string encoded = EncodeResultBody(body);
  if (encoded.size() <= limits::kMaxResultBytes || body.rows.empty()) return encoded;
  std::string table = TakeTable(body);
  std::string problem =
      "its " + FormatSize(table.size()) + " are more than the limit of " + FormatSize(limits::kMaxOutputFileBytes);
  if (table.size() <= limits::kMaxOutputFileBytes) {
    Result<FileRef> file = outbox.AddContent(std::move(table), "table", 0600);
    if (file) {
      body.table = std::move(*file);
      return EncodeResultBody(body);
    }
    problem = file.error().message;
  }
  if (error.kind == TaskErrorKind::kNone) {
    error = {TaskErrorKind::kResourceExceeded, "the table of the result cannot be kept: " + problem, std::nullopt,
             std::nullopt};
  }
  return EncodeResultBody(body);
}

void RefuseLargeBody(TaskError& error, std::string& body, std::vector<BlobFile>& blobs) {
  if (body.size() <= limits::kMaxResultBytes) return;
  const std::string size = FormatSize(body.size());
  body = std::string();
  RemoveFiles(blobs);
  if (error.kind != TaskErrorKind::kNone) return;
  error = {TaskErrorKind::kResourceExceeded,
           "the result has " + size + ", more than the limit of " + FormatSize(limits::kMaxResultBytes), std::nullopt,
           std::nullopt};
}

}  // namespace icarus::worker
