#include "client/output/json.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <random>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

TEST(Json, NumbersAreShortestAndWholeOnesIntegers) {
  EXPECT_EQ(DumpJson(NumberJson(1e6)), "1000000");
  EXPECT_EQ(DumpJson(NumberJson(-4)), "-4");
  EXPECT_EQ(DumpJson(NumberJson(0.1)), "0.1");
  EXPECT_EQ(DumpJson(NumberJson(0.00659)), "0.00659");
  EXPECT_EQ(DumpJson(NumberJson(1e300)), "1e+300");
  EXPECT_EQ(DumpJson(NumberJson(-0.0)), "0");
  EXPECT_EQ(DumpJson(NumberJson(NAN)), "null");
  EXPECT_EQ(DumpJson(NumberJson(INFINITY)), "null");
}

// The printing of the JSON library fails this for about one number in a thousand.
TEST(Json, NumbersOfTenDigitsHaveNoMore) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = "0." + std::to_string(1000000000 + random() % 8999999999) + "1";
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    EXPECT_EQ(DumpJson(NumberJson(value)), text);
  }
}

TEST(Json, TextIsEscapedAndMalformedBytesAreReplaced) {
  EXPECT_EQ(DumpJson(Json("a\"b\n翼")), R"("a\"b\n翼")");
  EXPECT_EQ(DumpJson(Json("bad \xFF")), "\"bad \xEF\xBF\xBD\"");
}

TEST(Json, ValuesKeepTheirKind) {
  EXPECT_EQ(
      DumpJson(ValueMapJson({{"a", Value()}, {"b", Value(true)}, {"c", Value("x")}, {"d", NumberList({1, 2.5})}})),
      R"({"a":null,"b":true,"c":"x","d":[1,2.5]})");
}

TEST(Json, Submit) {
  SubmitReply reply;
  reply.job = JobId(7);
  reply.tasks = 3;
  reply.cached = 1;
  reply.probed = 3;
  EXPECT_EQ(DumpJson(SubmitJson(reply)), R"({"job":7,"tasks":3,"cached":1,"probed":3,"existing":false,"warnings":[]})");
  reply.warnings = {"no worker offers xfoil"};
  EXPECT_EQ(SubmitJson(reply)["warnings"].size(), 1u);
}

TEST(Json, Job) {
  EXPECT_EQ(
      DumpJson(JobJson(SampleJob())),
      R"({"job":7,"name":"wing study","analysis":"airfoil_polar","solver":"xfoil","state":"running","priority":5,)"
      R"("user":"anna","tags":{"study":"x"},"submitted_at":"2026-01-02T03:03:05.123Z","finished_at":null,)"
      R"("tasks":{"total":60,"waiting":0,"pending":20,"running":2,"completed":35,"failed":2,"timed_out":1,)"
      R"("cancelled":0},"cached":12,"joined":0,"incomplete":0,"strict":false,"progress":0.65,)"
      R"("solver_identity":"xfoil@6.99+1a2b3c4d"})");
}

TEST(Json, JobWithoutANameOrCountsHasAllKeys) {
  JobSummary job = SampleJob();
  job.name.clear();
  job.tags.clear();
  job.counts.clear();
  const Json json = JobJson(job);
  EXPECT_TRUE(json["name"].is_null());
  EXPECT_EQ(DumpJson(json["tags"]), "{}");
  EXPECT_EQ(json["tasks"]["cancelled"], 0);
}

TEST(Json, Task) {
  EXPECT_EQ(DumpJson(TaskJson(JobId(7), SampleTask())),
            R"({"task":"7.2","state":"completed","attempt":1,"worker":"w1","cached":false,"target":"naca2412",)"
            R"("params":{"aoa":[-2,0,2.5],"mach":0,"reynolds":1000000},"progress":1,"queue_wait_s":0.25,"run_s":1.5,)"
            R"("error":null})");
}

TEST(Json, TaskErrors) {
  TaskSummary task = SampleTask();
  task.state = TaskState::kFailed;
  task.error = TaskError{TaskErrorKind::kNonzeroExit, "exited with 3", 3, std::nullopt};
  EXPECT_EQ(DumpJson(TaskJson(JobId(7), task)["error"]),
            R"({"kind":"nonzero_exit","message":"exited with 3","exit_code":3})");
  task.error = TaskError{TaskErrorKind::kSolverCrashed, "killed", std::nullopt, 8};
  EXPECT_EQ(DumpJson(TaskJson(JobId(7), task)["error"]), R"({"kind":"solver_crashed","message":"killed","signal":8})");
}

TEST(Json, ShowAddsItemsFailuresAndWhereToGoOn) {
  ShowJobReply reply;
  reply.job = SampleJob();
  reply.items = {SampleTask()};
  reply.failures = {{TaskErrorKind::kNoConvergence, "nothing converged", 2, 4}};
  reply.next = 3;
  Json json = ShowJson(reply);
  EXPECT_EQ(json["job"], 7);
  EXPECT_EQ(json["items"][0]["task"], "7.2");
  EXPECT_EQ(DumpJson(json["failures"]),
            R"([{"kind":"no_convergence","message":"nothing converged","count":2,"example":"7.4"}])");
  EXPECT_EQ(json["next"], 3);
  reply.next = 60;
  EXPECT_TRUE(ShowJson(reply)["next"].is_null());
}

TEST(Json, ListIsAnArray) {
  EXPECT_EQ(DumpJson(JobsJson({})), "[]");
  EXPECT_EQ(JobsJson({SampleJob(), SampleJob()}).size(), 2u);
}

TEST(Json, Workers) {
  WorkerInfo worker;
  worker.name = "w1";
  worker.host = "node1";
  worker.state = "held";
  worker.held_reason = "memory 92 % of 90 %";
  worker.slots = 2;
  worker.running = 1;
  worker.solvers = {{"xfoil", "6.99+1a2b3c4d"}};
  worker.telemetry.memory_used_bytes = 1u << 30;
  const Json json = WorkersJson({worker});
  EXPECT_EQ(json[0]["state"], "held");
  EXPECT_EQ(json[0]["held_reason"], "memory 92 % of 90 %");
  EXPECT_EQ(DumpJson(json[0]["solvers"]), R"({"xfoil":"6.99+1a2b3c4d"})");
  EXPECT_EQ(DumpJson(json[0]["labels"]), "{}");
  EXPECT_EQ(json[0]["telemetry"]["memory_used_mb"], 1024);
  EXPECT_TRUE(json[0]["telemetry"]["timestamp"].is_null());
}

TEST(Json, CacheStatisticsHaveExactlyTheirNames) {
  CacheReply reply;
  reply.entries = 500;
  reply.bytes = 50u << 20;
  reply.max_bytes = 500u << 20;
  reply.max_entries = 100000;
  reply.hits = 3;
  reply.misses = 1;
  reply.joined = 2;
  EXPECT_EQ(DumpJson(CacheJson(reply)),
            R"({"entries":500,"size_mb":50,"max_size_mb":500,"max_entries":100000,"hits":3,"misses":1,)"
            R"("hit_rate_percent":75,"evictions":0,"expirations":0,"utilization_percent":0.5,)"
            R"("bytes_utilization_percent":10,"joined":2,"damaged":0,"dropped_puts":0,)"
            R"("intermediate_hits":0,"intermediate_misses":0})");
}

TEST(Json, AnUnusedCacheHasNoRate) { EXPECT_EQ(CacheJson(CacheReply{})["hit_rate_percent"], 0); }

TEST(Json, SettingsHaveTheirKind) {
  EXPECT_EQ(DumpJson(ConfigJson({{"cache.max_size_mb", "500", "default"},
                                 {"cache.enabled", "true", "live"},
                                 {"solvers.xfoil.default", "6.99+1a2b3c4d", "live"}})),
            R"([{"key":"cache.max_size_mb","value":500,"origin":"default"},)"
            R"({"key":"cache.enabled","value":true,"origin":"live"},)"
            R"({"key":"solvers.xfoil.default","value":"6.99+1a2b3c4d","origin":"live"}])");
}

TEST(Json, Errors) {
  EXPECT_EQ(DumpJson(ErrorJson(UsageError("reynolds is required", "reynolds"))),
            R"({"error":{"kind":"usage","message":"reynolds is required","field":"reynolds"}})");
  Error error = Error::Make(ErrorCode::kOverloaded, "the queue is full");
  error.retry_after_s = 2.5;
  EXPECT_EQ(DumpJson(ErrorJson(error)),
            R"({"error":{"kind":"overloaded","message":"the queue is full","retry_after_s":2.5}})");
}

}  // namespace
}  // namespace icarus::client
