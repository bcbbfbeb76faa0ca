#include "broker/storage/record_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace icarus::broker {
namespace {

constexpr char kKey[] = "key";

template <class T>
T RoundTrip(const T& record) {
  Result<T> decoded = DecodeRecord<T>(kKey, EncodeRecord(kKey, record));
  EXPECT_TRUE(decoded) << decoded.error().message;
  return decoded ? *decoded : T{};
}

TEST(RecordCodec, MetaComesBack) {
  const StoreMeta meta = RoundTrip(
      StoreMeta{kStoreSchema, "abcd", 7, 1ull << 50, 12, 3, CacheCounters{1, 2, 3, 4, 5, 6, 7, 8, std::nullopt}});
  EXPECT_EQ(meta.schema, kStoreSchema);
  EXPECT_EQ(meta.lineage, "abcd");
  EXPECT_EQ(meta.epoch, 7u);
  EXPECT_EQ(meta.sequence, 1ull << 50);
}

TEST(RecordCodec, JobComesBack) {
  JobRecord job;
  job.job = JobId(3);
  job.user = "ada";
  job.id = "key-1";
  job.submitted_at_ms = 1'700'000'000'123;
  job.spec.analysis = "airfoil_polar";
  job.spec.sweep.targets = {{"naca2412", ""}};
  job.spec.sweep.base["aoa"] = Value(Value::List{Value(-4.0), Value(0.5)});
  job.spec.sweep.axes = {{{{"reynolds", *ParseValues("2e5,5e5,1e6")}}}};
  job.spec.command = CommandSpec{{"true", "-x"},
                                 {{"K", "V"}},
                                 "/tmp",
                                 {},
                                 std::nullopt,
                                 {"*.out"},
                                 {{0, JobId(3), 4, "mesh.msh"}},
                                 KeepSpec{{"state*"}, 60'000, 10, 5'000}};
  job.spec.priority = -5;
  job.spec.tags["study"] = "x";
  job.spec.cache = CachePolicy::kRefresh;
  const JobRecord back = RoundTrip(job);
  EXPECT_EQ(back.job, JobId(3));
  EXPECT_EQ(back.user, "ada");
  EXPECT_EQ(back.id, "key-1");
  EXPECT_EQ(back.submitted_at_ms, 1'700'000'000'123);
  EXPECT_EQ(back.spec.analysis, "airfoil_polar");
  EXPECT_EQ(back.spec.sweep.targets.at(0).name, "naca2412");
  EXPECT_EQ(back.spec.sweep.base, job.spec.sweep.base);
  EXPECT_EQ(back.spec.sweep.Count().value(), 3u);
  EXPECT_EQ(back.spec.sweep.At(2).params, job.spec.sweep.At(2).params);
  ASSERT_TRUE(back.spec.command);
  EXPECT_EQ(back.spec.command->argv, job.spec.command->argv);
  EXPECT_EQ(back.spec.command->cwd, "/tmp");
  EXPECT_EQ(back.spec.priority, -5);
  EXPECT_EQ(back.spec.tags, job.spec.tags);
  EXPECT_EQ(back.spec.cache, CachePolicy::kRefresh);
}

TEST(RecordCodec, JobStatusComesBack) {
  JobStatusRecord status;
  status.job = JobId(3);
  status.solver_identity = "xfoil@6.99";
  status.remainder = TaskState::kCancelled;
  status.closed = true;
  status.finished_at_ms = 99;
  status.counts = {0, 1, 2};
  status.cached = 4;
  status.joined = 5;
  status.incomplete = 6;
  status.remainder_error = TaskError{TaskErrorKind::kCancelled, "why", std::nullopt, 9};
  const JobStatusRecord back = RoundTrip(status);
  EXPECT_EQ(back.job, JobId(3));
  EXPECT_EQ(back.solver_identity, "xfoil@6.99");
  EXPECT_EQ(back.remainder, TaskState::kCancelled);
  ASSERT_TRUE(back.remainder_error);
  EXPECT_EQ(back.remainder_error->message, "why");
  EXPECT_EQ(back.remainder_error->signal, 9);
  EXPECT_FALSE(back.remainder_error->exit_code);
  EXPECT_TRUE(back.closed);
  EXPECT_EQ(back.finished_at_ms, 99);
  EXPECT_EQ(back.counts, status.counts);
  EXPECT_EQ(back.cached, 4u);
  EXPECT_EQ(back.joined, 5u);
  EXPECT_EQ(back.incomplete, 6u);
}

TEST(RecordCodec, TaskComesBack) {
  TaskRecord task;
  task.state = TaskState::kFailed;
  task.attempt = 3;
  task.failures = 2;
  task.worker_deaths = 1;
  task.generation = 4;
  task.worker = "w1";
  task.key = HashBytes("key");
  task.run_s = 0.1;
  task.via = ResultVia::kJoined;
  task.incomplete = true;
  task.has_body = true;
  task.error = TaskError{TaskErrorKind::kNonzeroExit, "exit 3", 3, std::nullopt};
  task.blobs = {HashBytes("a"), HashBytes("b")};
  AttemptRecord attempt;
  attempt.error.kind = TaskErrorKind::kWorkerLost;
  attempt.ended_at_ms = 77;
  task.history = {attempt};
  const TaskRecord back = RoundTrip(task);
  EXPECT_EQ(back.state, TaskState::kFailed);
  EXPECT_EQ(back.attempt, 3u);
  EXPECT_EQ(back.failures, 2u);
  EXPECT_EQ(back.worker_deaths, 1u);
  EXPECT_EQ(back.generation, 4u);
  EXPECT_EQ(back.worker, "w1");
  EXPECT_EQ(back.key, task.key);
  EXPECT_EQ(back.run_s, 0.1);
  EXPECT_EQ(back.via, ResultVia::kJoined);
  EXPECT_TRUE(back.incomplete);
  EXPECT_TRUE(back.has_body);
  EXPECT_EQ(back.error->exit_code, 3);
  EXPECT_EQ(back.blobs, task.blobs);
  ASSERT_EQ(back.history->size(), 1u);
  EXPECT_EQ(back.history->at(0).error.kind, TaskErrorKind::kWorkerLost);
  EXPECT_EQ(back.history->at(0).ended_at_ms, 77);
}

TEST(RecordCodec, DispatchComesBack) {
  const DispatchRecord dispatch{5, "inst", "w1", {{ExecutionId(1), Token(5), JobId(2), 9}}};
  const DispatchRecord back = RoundTrip(dispatch);
  EXPECT_EQ(back.id, 5u);
  EXPECT_EQ(back.worker_instance, "inst");
  EXPECT_EQ(back.worker_name, "w1");
  ASSERT_EQ(back.tasks.size(), 1u);
  EXPECT_EQ(back.tasks[0].execution, ExecutionId(1));
  EXPECT_EQ(back.tasks[0].token, Token(5));
  EXPECT_EQ(back.tasks[0].job, JobId(2));
  EXPECT_EQ(back.tasks[0].index, 9u);
}

TEST(RecordCodec, CacheEntryComesBack) {
  const CacheEntry entry{
      "polar",      "xfoil", "6.99",    "host", 1, 2, 3.5, 4, 5, true, {{HashBytes("b")}}, CacheOrigin::kImport,
      std::nullopt, "form",  "naca2412"};
  const CacheEntry back = RoundTrip(entry);
  EXPECT_EQ(back.analysis, "polar");
  EXPECT_EQ(back.identity, "6.99");
  EXPECT_EQ(back.expires_at_ms, 2);
  EXPECT_EQ(back.compute_s, 3.5);
  EXPECT_EQ(back.size_bytes, 4u);
  EXPECT_EQ(back.last_used, 5u);
  EXPECT_TRUE(back.incomplete);
  EXPECT_EQ(back.blobs, entry.blobs);
}

TEST(RecordCodec, AnotherVersionIsNamed) {
  std::string sealed = Seal(kKey, "payload");
  sealed[0] = 9;
  const auto payload = Unseal(kKey, sealed);
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code, ErrorCode::kCorruption);
  EXPECT_NE(payload.error().message.find("version 9"), std::string::npos);
}

TEST(RecordCodec, ARightSealAroundTheWrongRecordIsCorruption) {
  const auto decoded = DecodeRecord<JobRecord>(kKey, EncodeRecord(kKey, StoreMeta{}));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorruption);
}

RC_GTEST_PROP(RecordCodecProperty, PayloadsComeBack, (const std::string& key, const std::string& payload)) {
  const std::string sealed = Seal(key, payload);
  const auto back = Unseal(key, sealed);
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == payload);
}

RC_GTEST_PROP(RecordCodecProperty, ValuesUnderAnotherKeyAreRefused, (const std::string& a, const std::string& b)) {
  RC_PRE(a != b);
  RC_ASSERT(!Unseal(b, Seal(a, "payload")));
  RC_ASSERT(!Unseal(b, Seal(a, b)));
}

RC_GTEST_PROP(RecordCodecProperty, EveryFlippedBitAndEveryCutIsFound, (const std::string& payload)) {
  const std::string sealed = Seal(kKey, payload);
  const auto at = *rc::gen::inRange<std::size_t>(0, sealed.size());
  std::string flipped = sealed;
  flipped[at] = static_cast<char>(flipped[at] ^ (1 << *rc::gen::inRange(0, 8)));
  RC_ASSERT(!Unseal(kKey, flipped));
  RC_ASSERT(!Unseal(kKey, std::string_view(sealed).substr(0, at)));
}

TaskRecord AnyTask() {
  TaskRecord task;
  task.state = static_cast<TaskState>(*rc::gen::inRange(0, kTaskStateCount));
  task.attempt = *rc::gen::arbitrary<std::uint32_t>();
  task.failures = *rc::gen::arbitrary<std::uint32_t>();
  task.worker = *rc::gen::arbitrary<std::string>();
  task.identity = *rc::gen::arbitrary<std::string>();
  if (*rc::gen::arbitrary<bool>()) task.key = HashBytes(task.worker);
  task.ended_at_ms = *rc::gen::arbitrary<std::int64_t>();
  task.run_s = *rc::gen::arbitrary<double>();
  task.has_body = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) {
    task.error = TaskError{static_cast<TaskErrorKind>(*rc::gen::inRange(0, 12)), *rc::gen::arbitrary<std::string>(),
                           *rc::gen::arbitrary<std::int32_t>(), std::nullopt};
  }
  if (*rc::gen::arbitrary<bool>()) {
    task.history.emplace();
    const auto attempts = *rc::gen::inRange<std::uint32_t>(0, 5);
    for (std::uint32_t i = 0; i < attempts; ++i) {
      AttemptRecord attempt;
      attempt.attempt = i;
      attempt.worker = task.worker;
      attempt.run_s = *rc::gen::arbitrary<double>();
      attempt.ended_at_ms = *rc::gen::arbitrary<std::int64_t>();
      task.history->push_back(attempt);
    }
  }
  return task;
}

RC_GTEST_PROP(RecordCodecProperty, AnyTaskComesBack, ()) {
  const TaskRecord task = AnyTask();
  const std::string encoded = EncodeRecord(kKey, task);
  const auto back = DecodeRecord<TaskRecord>(kKey, encoded);
  RC_ASSERT(back.has_value());
  RC_ASSERT(EncodeRecord(kKey, *back) == encoded);
  RC_ASSERT(back->state == task.state);
  RC_ASSERT(back->worker == task.worker);
  RC_ASSERT(back->ended_at_ms == task.ended_at_ms);
  RC_ASSERT(back->error.has_value() == task.error.has_value());
  RC_ASSERT(back->history.has_value() == task.history.has_value());
}

RC_GTEST_PROP(RecordCodecProperty, AnyDispatchComesBack, (std::uint64_t id, const std::string& worker)) {
  DispatchRecord dispatch{id, worker, worker + "-name", {}};
  for (const auto number : *rc::gen::arbitrary<std::vector<std::uint64_t>>()) {
    dispatch.tasks.push_back({ExecutionId(number), Token(~number), JobId(number / 2), static_cast<TaskIndex>(number)});
  }
  const std::string encoded = EncodeRecord(kKey, dispatch);
  const auto back = DecodeRecord<DispatchRecord>(kKey, encoded);
  RC_ASSERT(back.has_value());
  RC_ASSERT(EncodeRecord(kKey, *back) == encoded);
  RC_ASSERT(back->tasks.size() == dispatch.tasks.size());
}

}  // namespace
}  // namespace icarus::broker
