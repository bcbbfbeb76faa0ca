// The placeholders of the `command` analysis: {axis}, {index} and {target} in arguments, the names of inputs, output
// patterns and the name of the standard input become the task's own value. `{{` is a brace, `}}` too; no shell sees the
// result. A command without parameters and target is no template: its braces are its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/job_spec.h"
#include "common/model/value.h"

namespace icarus {

// The command of one task. `axes` are the values of the job's parameters at this task; numbers print as FormatValue
// does. A usage error names the placeholder that is not known and those that are; `target_name` empty: {target} is not
// known.
Result<CommandSpec> SubstituteCommand(const CommandSpec& command, const ValueMap& axes, std::uint32_t index,
                                      const std::string& target_name);

// The same errors before submission, without values.
Status CheckCommandTemplate(const CommandSpec& command, const std::vector<std::string>& axis_names, bool has_target);

}  // namespace icarus
