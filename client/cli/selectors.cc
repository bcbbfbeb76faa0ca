#include "client/cli/selectors.h"

#include <algorithm>
#include <memory>

#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

constexpr std::uint64_t kMaxRange = 10'000;  // jobs that one range may name

Error NotASelector(const std::string& word) {
  return UsageError("'" + word + "' names no job; write 7, 7.2, 1-3, last, all, tag:study=x or name:glob", "job");
}

std::optional<std::uint64_t> ParseId(std::string_view text) {
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::uint64_t id = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    id = id * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return id;
}

Result<Selector> ParseTask(const std::string& word, std::size_t dot) {
  const auto job = ParseId(std::string_view(word).substr(0, dot));
  const auto index = ParseId(std::string_view(word).substr(dot + 1));
  if (!job || *job == 0 || !index || *index >= limits::kMaxTasksPerJob) return NotASelector(word);
  Selector selector;
  selector.kind = Selector::Kind::kTask;
  selector.job = JobId(*job);
  selector.index = static_cast<TaskIndex>(*index);
  return selector;
}

Result<Selector> ParseJobs(const std::string& word) {
  const auto dash = word.find('-');
  const auto first = ParseId(std::string_view(word).substr(0, dash));
  const auto last = dash == std::string::npos ? first : ParseId(std::string_view(word).substr(dash + 1));
  if (!first || !last || *first == 0) return NotASelector(word);
  if (*last < *first) return UsageError("the range '" + word + "' runs backwards", "job");
  if (*last - *first >= kMaxRange) {
    return UsageError("the range '" + word + "' is wider than " + std::to_string(kMaxRange) + " jobs", "job");
  }
  Selector selector;
  selector.kind = dash == std::string::npos ? Selector::Kind::kJob : Selector::Kind::kRange;
  selector.job = JobId(*first);
  selector.last = JobId(*last);
  return selector;
}

Result<Selector> ParseWord(const std::string& word) {
  Selector selector;
  if (word == "last" || word == "all") {
    selector.kind = word == "last" ? Selector::Kind::kLast : Selector::Kind::kAll;
    return selector;
  }
  if (word.rfind("tag:", 0) == 0) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 4)
      return UsageError("'" + word + "' is not of the form tag:KEY=VALUE", "job");
    selector.kind = Selector::Kind::kTag;
    selector.key = word.substr(4, equals - 4);
    selector.value = word.substr(equals + 1);
    return selector;
  }
  if (word.rfind("name:", 0) == 0 && word.size() > 5) {
    selector.kind = Selector::Kind::kName;
    selector.value = word.substr(5);
    return selector;
  }
  const auto dot = word.find('.');
  return dot == std::string::npos ? ParseJobs(word) : ParseTask(word, dot);
}

Error NothingMeant(const Selector& selector) {
  return Error::Make(ErrorCode::kNotFound, "no job of yours is meant by '" + selector.text + "'", "job");
}

// The jobs that a selector stands for, by asking; ascending.
Result<std::vector<JobId>> AskJobs(Client& client, const Selector& selector) {
  ListJobs request;
  request.limit = limits::kMaxJobs;
  switch (selector.kind) {
    case Selector::Kind::kLast: request.limit = 1; break;
    case Selector::Kind::kAll: request.active = true; break;
    case Selector::Kind::kTag: request.tags[selector.key] = selector.value; break;
    default: request.name = selector.value; break;
  }
  ICARUS_ASSIGN(const Welcome welcome, client.Greet());
  request.user = welcome.user;
  ICARUS_ASSIGN(const ListJobsReply reply, client.Ask<ListJobsReply>(std::move(request)));
  std::vector<JobId> jobs;
  for (const JobSummary& job : reply.jobs) jobs.push_back(job.job);
  std::sort(jobs.begin(), jobs.end());
  if (jobs.empty() && selector.kind != Selector::Kind::kAll) return NothingMeant(selector);
  return jobs;
}

// Those of a range that are there; asked for one by one, at once, because a job that is gone is an error of its
// request.
Result<std::vector<JobId>> AskRange(Client& client, const Selector& selector) {
  struct Answers {
    std::size_t open = 0;
    std::vector<JobId> jobs;
    std::optional<Error> error;
  };
  const auto answers = std::make_shared<Answers>();
  for (std::uint64_t id = selector.job.value; id <= selector.last.value; ++id) {
    ListJobs request;
    request.jobs = {JobId(id)};
    ++answers->open;
    client.CallAsync(std::move(request), {}, [answers, id](Result<Message> answer) {
      --answers->open;
      if (answer) {
        answers->jobs.push_back(JobId(id));
      } else if (answer.error().code != ErrorCode::kNotFound) {
        answers->error = std::move(answer).error();
      }
    });
  }
  ICARUS_TRY(client.RunUntil([&] { return answers->open == 0; }).map([](RunEnd) {}));
  if (answers->error) return *answers->error;
  if (answers->jobs.empty()) return NothingMeant(selector);
  std::sort(answers->jobs.begin(), answers->jobs.end());
  return std::move(answers->jobs);
}

}  // namespace

Result<std::vector<Selector>> ParseSelectors(const std::vector<std::string>& words) {
  std::vector<Selector> selectors;
  for (const std::string& argument : words) {
    for (const std::string& word : Split(argument, ',')) {
      ICARUS_ASSIGN(Selector selector, ParseWord(word));
      selector.text = word;
      selectors.push_back(std::move(selector));
    }
  }
  return selectors;
}

std::optional<TaskRef> ParseTaskRef(const std::string& text) {
  const auto dot = text.find('.');
  if (dot == std::string::npos) return std::nullopt;
  const auto selector = ParseTask(text, dot);
  if (!selector) return std::nullopt;
  return TaskRef{selector->job, selector->index};
}

Result<std::vector<Selection>> ResolveSelections(Client& client, const std::vector<std::string>& words) {
  ICARUS_ASSIGN(const std::vector<Selector> selectors, ParseSelectors(words));
  std::vector<Selection> selections;
  const auto add = [&](Selection selection) {
    if (std::find(selections.begin(), selections.end(), selection) == selections.end()) selections.push_back(selection);
  };
  for (const Selector& selector : selectors) {
    if (selector.kind == Selector::Kind::kJob) {
      add({selector.job, std::nullopt});
    } else if (selector.kind == Selector::Kind::kTask) {
      add({selector.job, selector.index});
    } else {
      const bool range = selector.kind == Selector::Kind::kRange;
      ICARUS_ASSIGN(const std::vector<JobId> jobs, range ? AskRange(client, selector) : AskJobs(client, selector));
      for (const JobId job : jobs) add({job, std::nullopt});
    }
  }
  return selections;
}

Result<std::vector<JobId>> ResolveJobs(Client& client, const std::vector<std::string>& words) {
  ICARUS_ASSIGN(const std::vector<Selection> selections, ResolveSelections(client, words));
  std::vector<JobId> jobs;
  for (const Selection& selection : selections) {
    if (selection.index) {
      return UsageError("a whole job is meant here, not the task " + FormatTask({selection.job, *selection.index}),
                        "job");
    }
    jobs.push_back(selection.job);
  }
  return jobs;
}

Result<Selection> ResolveOne(Client& client, const std::vector<std::string>& words) {
  ICARUS_ASSIGN(const std::vector<Selection> selections, ResolveSelections(client, words));
  if (selections.size() == 1) return selections.front();
  if (selections.empty())
    return Error::Make(ErrorCode::kNotFound, "there is no job of yours that has not ended", "job");
  return UsageError("one job or task is meant here, and " + std::to_string(selections.size()) + " are named", "job");
}

}  // namespace icarus::client
