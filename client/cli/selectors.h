// Which jobs and tasks a verb means: `7`, `7.2`, `1-3`, `1,3,5-8`, `last`, `all`, `tag:study=x`, `name:glob`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/lib/client.h"
#include "common/base/result.h"
#include "common/model/ids.h"

namespace icarus::client {

struct Selector {
  enum class Kind : std::uint8_t { kJob, kTask, kRange, kLast, kAll, kTag, kName };
  Kind kind = Kind::kJob;
  std::string text;     // as written
  JobId job;            // kJob, kTask, and the first of kRange
  JobId last;           // kRange
  TaskIndex index = 0;  // kTask
  std::string key;      // kTag
  std::string value;    // kTag; the glob of kName
};

// Kind by kind what the words say; a usage error names the word. Pure.
Result<std::vector<Selector>> ParseSelectors(const std::vector<std::string>& words);

// "7.2"; nothing when it is not of that form.
std::optional<TaskRef> ParseTaskRef(const std::string& text);

// A job, or one of its tasks.
struct Selection {
  JobId job;
  std::optional<TaskIndex> index;
  bool operator==(const Selection&) const = default;
};

// Asks the broker for what the selectors do not say themselves. Each selection once, in the order of the words; jobs of
// one word ascend. kNotFound when a word other than `all` matches nothing; whether a plain number exists is not asked.
Result<std::vector<Selection>> ResolveSelections(Client& client, const std::vector<std::string>& words);

// The same where only whole jobs make sense: a task is a usage error.
Result<std::vector<JobId>> ResolveJobs(Client& client, const std::vector<std::string>& words);

// The same where exactly one is meant.
Result<Selection> ResolveOne(Client& client, const std::vector<std::string>& words);

}  // namespace icarus::client
