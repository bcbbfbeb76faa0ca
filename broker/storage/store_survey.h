// StoreSurvey: what all records of a job store say together, and what of it does not fit: damaged records, records
// whose counterpart is missing, counts that do not add up. Fed with every record in the order of the keys.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/records.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/record_scan.h"
#include "common/base/result.h"
#include "common/model/content_hash.h"

namespace icarus::broker {

struct JobFacts {
  bool has_record = false;
  bool status_lost = false;  // there, and not readable
  std::uint32_t total = 0;
  std::optional<JobStatusRecord> status;
  std::array<std::uint64_t, kTaskStateCount> recorded{};  // tasks with a record that can be read, by its state
  std::vector<bool> lacks_body;                           // tasks whose body has not come yet
  std::set<TaskIndex> lost;                               // tasks whose record or result is damaged or missing
  std::uint64_t lost_records = 0;                         // of tasks: there, and not readable
  std::uint64_t uncounted = 0;  // finished tasks that the status counts and that are not there

  bool finished() const { return status && status->finished_at_ms != 0; }
};

class StoreSurvey {
 public:
  void Take(std::string_view key, std::string_view stored);
  void TakeUnreadable(const UnreadableRange& range);
  // After the last record. `has_file`: is there such a file, and is its content right?
  void Finish(const std::function<bool(const ContentHash&)>& has_file);

  const std::vector<std::string>& findings() const { return findings_; }
  const std::optional<StoreMeta>& meta() const { return meta_; }
  const std::map<JobId, JobFacts>& jobs() const { return jobs_; }
  std::uint64_t job_count() const { return job_count_; }
  std::uint64_t tasks() const { return tasks_; }
  std::uint64_t bodies() const { return bodies_; }
  std::uint64_t last_epoch() const { return last_epoch_; }       // that any record names
  std::int64_t last_clock_ms() const { return last_clock_ms_; }  // broker time that any record names

 private:
  void TakeJob(std::string_view key, std::string_view stored, JobId job);
  void TakeStatus(std::string_view key, std::string_view stored, JobId job);
  void TakeTask(std::string_view key, std::string_view stored, TaskRef task);
  void TakeBody(std::string_view key, std::string_view stored, TaskRef task);
  void TakeDispatch(std::string_view key, std::string_view stored, std::uint64_t id);
  void NeedFile(const ContentHash& hash, std::string whose, std::optional<TaskRef> task);
  void CheckFinished(JobId job, JobFacts& facts);
  bool IsTask(TaskRef task) const;
  void Find(std::string_view key, const std::string& what) { findings_.push_back(DescribeKey(key) + ": " + what); }

  struct NeededFile {
    ContentHash hash;
    std::string whose;
    std::optional<TaskRef> task;
  };

  std::vector<std::string> findings_;
  std::optional<StoreMeta> meta_;
  std::map<JobId, JobFacts> jobs_;
  std::map<std::pair<std::string, std::string>, JobId> by_submit_id_;
  std::vector<NeededFile> needed_;
  std::uint64_t job_count_ = 0;
  std::uint64_t tasks_ = 0;
  std::uint64_t bodies_ = 0;
  std::uint64_t last_epoch_ = 0;
  std::int64_t last_clock_ms_ = 0;
};

}  // namespace icarus::broker
