#include "tests/sim/disk.h"

#include "common/base/overloaded.h"

namespace icarus::sim {

void StoreImage::Apply(const broker::RecordBatch& batch) {
  const auto apply = Overloaded{
      [&](const broker::PutJob& put) {
        jobs[put.job.job].record = put.job;
        last_job = std::max(last_job, put.job.job.value);
      },
      [&](const broker::PutJobStatus& put) { jobs[put.status.job].status = put.status; },
      [&](const broker::DeleteJob& gone) { jobs.erase(gone.job); },
      [&](const broker::PutTask& put) {
        StoredJob& job = jobs[put.task.job];
        job.tasks[put.task.index] = put.record;
        if (put.body) job.bodies[put.task.index] = put.body;
      },
      [&](const broker::DeleteTask& gone) {
        jobs[gone.task.job].tasks.erase(gone.task.index);
        jobs[gone.task.job].bodies.erase(gone.task.index);
      },
      [&](const broker::PutDispatch& put) { dispatches[put.dispatch.id] = put.dispatch; },
      [&](const broker::DeleteDispatch& gone) { dispatches.erase(gone.id); },
      [&](const broker::PutSetting& put) { settings[put.key] = put.value; },
      [&](const broker::DeleteSetting& gone) { settings.erase(gone.key); },
      [](const broker::PutEvents&) {},
      [](const broker::DeleteEvents&) {},
      [](const broker::PutCacheCounters&) {},
      [](const broker::KeepTime&) {},
  };
  for (const broker::Record& record : batch.records) std::visit(apply, record);
  sequence = batch.sequence;
  clock_ms = batch.clock_ms;
}

}  // namespace icarus::sim
