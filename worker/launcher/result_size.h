// The limits on what one attempt may report.
#pragma once

#include <string>
#include <vector>

#include "common/model/result_body.h"
#include "worker/launcher/attempt.h"
#include "worker/launcher/outbox.h"

namespace icarus::worker {

// The encoded body. One beyond limits::kMaxResultBytes has its table in a file of the outbox, unless that is beyond
// limits::kMaxOutputFileBytes or cannot be written: `error` says so where it says nothing yet.
std::string EncodeLargeBody(ResultBody& body, Outbox& outbox, TaskError& error);

// An encoded body beyond limits::kMaxResultBytes is dropped, with the outbox files it refers to, and a success becomes
// kResourceExceeded.
void RefuseLargeBody(TaskError& error, std::string& body, std::vector<BlobFile>& blobs);

// Deletes the files, and empties the list.
void RemoveFiles(std::vector<BlobFile>& blobs);

}  // namespace icarus::worker
