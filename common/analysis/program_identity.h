// Which program a command runs, as far as its intermediate values are concerned.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/model/job_spec.h"
#include "common/model/value.h"

namespace icarus {

// "alice:march+0123456789abcdef": whose it is, what it is called, and a hash of user, first word and content. The
// content is that of the input which the first word names (a program that was sent along); where there is none and the
// first word is a known interpreter or launcher of programs (python3, sh, mpirun, …), of the first argument that names
// an input. Of any other program nothing but its name is known.
//
// The command is that of a job, its placeholders filled from the task's values, index and target name (empty: none); a
// usage error as of SubstituteCommand.
Result<std::string> ProgramIdentity(const std::string& user, const CommandSpec& command, const ValueMap& axes,
                                    std::uint32_t index, const std::string& target_name);

}  // namespace icarus
