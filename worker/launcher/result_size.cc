#include "worker/launcher/result_size.h"

#include <unistd.h>

#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::worker {

void RemoveFiles(std::vector<BlobFile>& blobs) {
  for (const auto& blob : blobs) ::unlink(blob.path.c_str());
  blobs.clear();
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
