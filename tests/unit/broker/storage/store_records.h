// Records for the tests of the job store, and what Load said, as lines.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/ports/job_store.h"
#include "broker/storage/rocksdb_job_store.h"

namespace icarus::broker {

inline Body MakeBody(std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }

inline PutJob MakeJob(std::uint64_t id, const std::string& user = "ada") {
  JobRecord job;
  job.job = JobId(id);
  job.user = user;
  return PutJob{job};
}

inline PutJobStatus MakeStatus(std::uint64_t id, std::int64_t finished_at_ms) {
  JobStatusRecord status;
  status.job = JobId(id);
  status.finished_at_ms = finished_at_ms;
  return PutJobStatus{status};
}

inline PutTask MakeTask(std::uint64_t job, TaskIndex index, Body body = nullptr) {
  TaskRecord record;
  record.state = TaskState::kCompleted;
  record.worker = "w" + std::to_string(index);
  record.has_body = body != nullptr;
  return PutTask{{JobId(job), index}, record, std::move(body)};
}

inline PutDispatch MakeDispatch(std::uint64_t id) { return PutDispatch{{id, "instance", "worker", {}}}; }

// What Load reports, a line each; the meta without its lineage.
inline StoreVisitor TraceTo(std::vector<std::string>& lines) {
  StoreVisitor visitor;
  visitor.on_meta = [&](const StoreMeta& meta) {
    lines.push_back("meta " + std::to_string(meta.epoch) + " " + std::to_string(meta.sequence));
  };
  visitor.on_setting = [&](const std::string& key, const std::string& value) {
    lines.push_back("setting " + key + "=" + value);
  };
  visitor.on_job = [&](const JobRecord& job) {
    lines.push_back("job " + std::to_string(job.job.value) + " " + job.user);
  };
  visitor.on_status = [&](const JobStatusRecord& status) {
    lines.push_back("status " + std::to_string(status.job.value) + " " + std::to_string(status.finished_at_ms));
  };
  visitor.on_task = [&](TaskRef task, const TaskRecord& record) {
    lines.push_back("task " + FormatTask(task) + " " + record.worker);
  };
  visitor.on_dispatch = [&](const DispatchRecord& dispatch) {
    lines.push_back("dispatch " + std::to_string(dispatch.id));
  };
  return visitor;
}

inline std::vector<std::string> LoadLines(JobStore& store) {
  std::vector<std::string> lines;
  const Status loaded = store.Load(TraceTo(lines));
  EXPECT_TRUE(loaded) << loaded.error().message;
  return lines;
}

inline std::unique_ptr<RocksDbJobStore> OpenStore(const std::string& dir) {
  auto store = RocksDbJobStore::Open(dir, {});
  if (store) return std::move(*store);
  ADD_FAILURE() << store.error().message;
  return nullptr;
}

}  // namespace icarus::broker
