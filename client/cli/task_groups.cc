#include "client/cli/task_groups.h"

#include <algorithm>

namespace icarus::client {

std::vector<TaskGroup> GroupByJob(const std::vector<Selection>& selections) {
  std::vector<TaskGroup> groups;
  for (const Selection& selection : selections) {
    const auto same = [&](const TaskGroup& group) { return group.job == selection.job; };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) group = groups.insert(group, {selection.job, {}});
    if (selection.index) group->tasks.push_back(*selection.index);
  }
  for (TaskGroup& group : groups) {
    if (std::find(selections.begin(), selections.end(), Selection{group.job, std::nullopt}) != selections.end()) {
      group.tasks.clear();
    }
  }
  return groups;
}

}  // namespace icarus::client
