#include "client/output/result_json.h"

#include <gtest/gtest.h>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

TEST(ResultJson, OfATask) {
  EXPECT_EQ(
      DumpJson(TaskResultJson(SamplePolar(2, "naca2412", 1e6))),
      R"({"task":"7.2","state":"completed","target":"naca2412",)"
      R"("params":{"aoa":[-2,0,2.5],"mach":0,"reynolds":1000000},"columns":["aoa","cl","cd","cm"],)"
      R"("rows":[[-2,0.022,0.00659,-0.054],[0,0.2371,null,-0.052]],)"
      R"("missing":[{"aoa":2.5,"reason":"did not converge"}],"summary":{"cl_max":0.2371},"warnings":[],"files":[],)"
      R"("meta":{"solver":"xfoil","version":"6.99","build":"1a2b3c4d","key":"00ff",)"
      R"("computed_at":"2026-01-02T03:03:05.123Z","host":"node1","compute_s":0.9,"via":"computed"}})");
}

TEST(ResultJson, SaysWhichParametersTheKeyRounds) {
  TaskResult result = SamplePolar(2, "naca2412", 1e6);
  EXPECT_FALSE(TaskResultJson(result)["meta"].contains("key_params"));
  result.item.key_params = ValueMap{{"mach", Value(0.3)}};
  EXPECT_EQ(DumpJson(TaskResultJson(result)["meta"]["key_params"]), R"({"mach":0.3})");
}

TEST(ResultJson, WhatIsNotKnownIsNull) {
  TaskResult result = SampleCommand(0, 0);
  result.item.via = ResultVia::kCache;
  const Json json = TaskResultJson(result);
  EXPECT_TRUE(json["target"].is_null());
  EXPECT_EQ(DumpJson(json["rows"]), "[]");
  EXPECT_EQ(DumpJson(json["summary"]), R"({"exit_code":0})");
  EXPECT_EQ(json["files"][0]["name"], "out.dat");
  EXPECT_TRUE(json["meta"]["key"].is_null());
  EXPECT_TRUE(json["meta"]["computed_at"].is_null());
  EXPECT_EQ(json["meta"]["via"], "cache");
  EXPECT_FALSE(json.contains("error"));
}

TEST(ResultJson, OfAFailedTaskHasTheError) {
  const Json json = TaskResultJson(SampleFailure(1, "naca0012", 2e5));
  EXPECT_EQ(json["state"], "failed");
  EXPECT_EQ(json["error"]["kind"], "solver_crashed");
  EXPECT_EQ(DumpJson(json["columns"]), "[]");
}

TEST(ResultJson, OfAJobKeepsResultsAndFailuresApart) {
  TaskResult running = SamplePolar(3, "naca2412", 1e6);
  running.item.task.state = TaskState::kRunning;
  const Json json = JobResultJson(JobId(7), {SamplePolar(0, "naca0012", 2e5), SampleFailure(1, "naca0012", 5e5),
                                             SamplePolar(2, "naca0012", 1e6), running});
  EXPECT_EQ(json["job"], 7);
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["results"][0]["task"], "7.0");
  EXPECT_EQ(json["results"][1]["task"], "7.2");
  ASSERT_EQ(json["failed"].size(), 1u);
  EXPECT_EQ(json["failed"][0]["task"], "7.1");
  EXPECT_EQ(json["failed"][0]["error"]["signal"], 8);
}

}  // namespace
}  // namespace icarus::client
