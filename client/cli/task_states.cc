#include "client/cli/task_states.h"

#include "common/base/text.h"

namespace icarus::client {

Result<std::vector<TaskState>> ParseStates(const std::vector<std::string>& texts) {
  std::vector<TaskState> states;
  for (const std::string& text : texts) {
    for (const std::string& name : Split(text, ',')) {
      if (const auto state = ParseState(name)) {
        states.push_back(*state);
        continue;
      }
      std::string all;
      for (int i = 0; i < kTaskStateCount; ++i) {
        all += (i > 0 ? ", " : "") + std::string(StateName(static_cast<TaskState>(i)));
      }
      return UsageError("'" + name + "' is no state; there are " + all, "state");
    }
  }
  return states;
}

}  // namespace icarus::client
