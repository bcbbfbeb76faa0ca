#include "client/output/csv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "client/output/json.h"
#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

TEST(Csv, QuotesOnlyWhatMustBe) {
  EXPECT_EQ(CsvCell("naca2412"), "naca2412");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(CsvCell("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(CsvCell(" x"), "\" x\"");
  EXPECT_EQ(CsvCell(""), "");
  EXPECT_EQ(CsvLine({"a", "", "b,c"}), "a,,\"b,c\"\n");
}

TEST(Csv, OfResultsIsALineAPoint) {
  EXPECT_EQ(ResultCsv(FoldResults({SamplePolar(0, "naca2412", 1e6), SampleFailure(1, "Flügel, groß", 2e5)})),
            "task,state,target,solver,mach,reynolds,aoa,cl,cd,cm,error\n"
            "7.0,completed,naca2412,xfoil,0,1000000,-2,0.022,0.00659,-0.054,\n"
            "7.0,completed,naca2412,xfoil,0,1000000,0,0.2371,,-0.052,\n"
            "7.0,missing,naca2412,xfoil,0,1000000,2.5,,,,did not converge\n"
            "7.1,failed,\"Flügel, groß\",xfoil,0,200000,,,,,solver_crashed: killed by signal 8\n");
}

TEST(Csv, NotANumberIsAnEmptyCell) {
  TaskResult result = SamplePolar(0, "naca2412", 1e6);
  result.body.rows = {{Number(0), Number(NAN), Number(INFINITY), Number(1.0 / 3)}};
  result.body.missing.clear();
  EXPECT_EQ(ResultCsv(FoldResults({result})),
            "task,state,target,solver,mach,reynolds,aoa,cl,cd,cm,error\n"
            "7.0,completed,naca2412,xfoil,0,1000000,0,,,0.3333333333333333,\n");
}

TEST(Csv, OfCommandsHasNoColumns) {
  EXPECT_EQ(ResultCsv(FoldResults({SampleCommand(0, 0), SampleCommand(1, 3)})),
            "task,state,target,solver,n,error\n"
            "8.0,completed,,command,0,\n"
            "8.1,failed,,command,10,nonzero_exit: exited with 3\n");
}

TEST(Csv, OfNothingIsTheHeader) { EXPECT_EQ(ResultCsv(FoldResults({})), "task,state,target,solver,error\n"); }

TEST(Csv, AnyListOfObjectsIsATable) {
  Json rows = Json::parse(R"([{"a":1,"b":{"x":0.5,"y":null}},{"a":"p,q","c":[1,2],"d":true}])");
  EXPECT_EQ(JsonToCsv(rows),
            "a,b.x,b.y,c,d\n"
            "1,0.5,,,\n"
            "\"p,q\",,,\"[1,2]\",true\n");
  EXPECT_EQ(JsonToCsv(Json::parse(R"({"a":1,"b":2})")), "a,b\n1,2\n");
  EXPECT_EQ(JsonToCsv(Json::array()), "");
}

TEST(Csv, OfAJobList) {
  const std::string csv = JsonToCsv(JobsJson({SampleJob()}));
  EXPECT_EQ(
      csv.substr(0, csv.find('\n')),
      "job,name,analysis,solver,state,priority,user,tags.study,submitted_at,finished_at,tasks.total,tasks.waiting,"
      "tasks.pending,tasks.running,tasks.completed,tasks.failed,tasks.timed_out,tasks.cancelled,cached,joined,"
      "incomplete,strict,progress,solver_identity");
}

}  // namespace
}  // namespace icarus::client
