// The scratch directory of an attempt: created fresh, filled with the command's inputs, removed with everything in it.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/model/result_body.h"
#include "worker/launcher/attempt.h"

namespace icarus::worker {

// A relative path that cannot leave the directory it is used in: not empty, no "..", not absolute.
bool StaysInside(const std::string& name);

// Creates spec.scratch_dir (mode 0700; its parent must exist) and, for a command, its work and temporary directories. A
// directory that exists already is an error. After an error nothing of it is left.
Status CreateScratch(const AttemptSpec& spec);

// Puts every input of the command into the work directory, by content or as a copy (a clone where the file system can)
// of blob_dir/<hash>. kInvalidInput names the input that is refused, kInternal what the machine could not do.
TaskError PlaceInputs(const AttemptSpec& spec);

// Also what was made unwritable. Best effort.
void RemoveScratch(const std::string& scratch_dir);

}  // namespace icarus::worker
