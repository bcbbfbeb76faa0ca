// The limit on what one attempt may report.
#pragma once

#include <string>
#include <vector>

#include "common/model/result_body.h"
#include "worker/launcher/attempt.h"

namespace icarus::worker {

// An encoded body beyond limits::kMaxResultBytes is dropped, with the outbox files it refers to, and a success becomes
// kResourceExceeded.
void RefuseLargeBody(TaskError& error, std::string& body, std::vector<BlobFile>& blobs);

// Deletes the files, and empties the list.
void RemoveFiles(std::vector<BlobFile>& blobs);

}  // namespace icarus::worker
