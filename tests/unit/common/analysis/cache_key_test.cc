// The key of a task, from what a user writes: what leaves it as it is, and what makes it another.
#include "common/analysis/cache_key.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "common/analysis/airfoil.h"
#include "tests/unit/common/analysis/generators.h"

namespace icarus {
namespace {

const Probe& TheProbe() {
  static const Probe probe;
  return probe;
}

std::string FormOf(const Written& written) { return TheProbe().Form(written); }

TEST(CacheKey, HashesAFormThatSaysAllThatCounts) {
  EXPECT_EQ(FormOf({{"angles", "2,-1"}, {"speed", "1e1"}}),
            R"({"analysis":"probe","params":{"angles":[-1,2],"count":7,"exact":true,"load":100,"method":"plain",)"
            R"("speed":10},"schema":3,"solver":"fine@1.0+abcd","target":"naca2412"})");
}

// --- what leaves it as it is

RC_GTEST_PROP(CacheKeyProperty, ANumberMayBeSpelledInAnyWay, ()) {
  const Decimal load = AnyDecimal();
  const std::string one = AnySpelling(load), other = AnySpelling(load);
  RC_LOG() << one << " and " << other;
  RC_ASSERT(FormOf({{"load", one}}) == FormOf({{"load", other}}));
  RC_ASSERT(FormOf({{"angles", one}}) == FormOf({{"angles", other}}));
  RC_ASSERT(FormOf({{"load", one}}) == FormOf({{"load", load.Text()}}));
}

RC_GTEST_PROP(CacheKeyProperty, WholeNumbersMayBeSpelledInAnyWay, ()) {
  const Decimal count{Between(1, 1000), 0};
  RC_ASSERT(FormOf({{"count", AnySpelling(count)}}) == FormOf({{"count", std::to_string(count.mantissa)}}));
}

RC_GTEST_PROP(CacheKeyProperty, ADefaultMayBeWrittenOrLeftOut, ()) {
  Written written;
  if (AnyBool()) written.emplace_back("angles", AnyBool() ? "0:2:1" : "2,0,1");
  if (AnyBool()) written.emplace_back("count", AnySpelling({7, 0}));
  if (AnyBool()) written.emplace_back("exact", "true");
  if (AnyBool()) written.emplace_back("load", AnySpelling({100, 0}));
  if (AnyBool()) written.emplace_back("method", "plain");
  RC_ASSERT(FormOf(written) == FormOf({}));
  JobSpec spec = Probe::Spec(written);
  spec.solver = "fine";
  RC_ASSERT(TheProbe().FormOfSpec(spec) == FormOf({}));
}

RC_GTEST_PROP(CacheKeyProperty, ParametersMayComeInAnyOrder, ()) {
  const Written written = {{"angles", AnySpelling(AnyDecimal())},
                           {"count", "12"},
                           {"load", AnySpelling(AnyDecimal())},
                           {"method", "fancy"},
                           {"speed", AnySpelling(AnyDecimal())}};
  RC_ASSERT(FormOf(Shuffled(written)) == FormOf(written));
  Manifest shuffled = TheProbe().manifest();
  shuffled.parameters = Shuffled(shuffled.parameters);
  JobSpec spec = Probe::Spec(written);
  RC_ASSERT(CanonicaliseSpec(Catalogue({shuffled}), spec).has_value());
  RC_ASSERT(*TaskForm(spec, shuffled, "1.0+abcd", 0) == FormOf(written));
}

RC_GTEST_PROP(CacheKeyProperty, AListIsASet, ()) {
  std::vector<std::string> items;
  for (int i = 0; i <= Below(6); ++i) items.push_back(AnySpelling(AnyDecimal()));
  std::vector<std::string> repeated = items;
  for (int i = 0; i < Below(4); ++i) repeated.push_back(items[static_cast<std::size_t>(i) % items.size()]);
  const auto joined = [](const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
    return text;
  };
  RC_ASSERT(FormOf({{"angles", joined(Shuffled(repeated))}}) == FormOf({{"angles", joined(items)}}));
}

RC_GTEST_PROP(CacheKeyProperty, ARangeIsTheListOfItsValues, ()) {
  const int first = Between(-100, 100), step = Between(1, 30), count = 1 + Below(20);
  const auto tenths = [](int value) { return AnySpelling({value, -1}); };
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + tenths(first + i * step);
  const std::string range = tenths(first) + ":" + tenths(first + (count - 1) * step) + ":" + tenths(step);
  RC_LOG() << range;
  RC_ASSERT(FormOf({{"angles", range}}) == FormOf({{"angles", list}}));
}

// Of one value: given for all tasks, as a list axis, as an axis made by a rule, in a table.
std::vector<JobSpec> WaysToGive(const std::string& name, const std::string& text) {
  const JobSpec plain = Probe::Spec({});
  std::vector<JobSpec> ways = {Probe::Spec({{name, text}}), plain, plain, plain};
  const AxisColumn column{name, *ParseValues(text)};
  ways[1].sweep.axes = {Axis{{column}}};
  ways[2].sweep.axes = {Axis{{AxisColumn{name, *ParseValues(text + ":" + text + ":1")}}}};
  ways[3].sweep.table = Table{{column}, {}, 1};
  return ways;
}

RC_GTEST_PROP(CacheKeyProperty, HowAValueIsGivenDoesNotMatter, ()) {
  const Decimal value = AnyDecimal();
  for (const std::string name : {"load", "speed", "angles"}) {
    for (const JobSpec& way : WaysToGive(name, AnySpelling(value))) {
      RC_ASSERT(TheProbe().FormOfSpec(way) == FormOf({{name, value.Text()}}));
    }
  }
}

RC_GTEST_PROP(CacheKeyProperty, AxesMayComeInAnyOrder, ()) {
  const int loads = 1 + Below(4), counts = 1 + Below(4);
  const Axis load{{AxisColumn{"load", *ParseValues("1:" + std::to_string(loads) + ":1")}}};
  const Axis count{{AxisColumn{"count", *ParseValues("1:" + std::to_string(counts) + ":1")}}};
  JobSpec one = Probe::Spec({}), other = one;
  one.sweep.axes = {load, count};
  other.sweep.axes = {count, load};
  std::set<std::string> keys;
  for (int i = 0; i < loads; ++i) {
    for (int j = 0; j < counts; ++j) {
      const std::string form = TheProbe().FormOfSpec(one, static_cast<TaskIndex>(i * counts + j));
      RC_ASSERT(form == TheProbe().FormOfSpec(other, static_cast<TaskIndex>(j * loads + i)));
      RC_ASSERT(keys.insert(form).second);
    }
  }
}

RC_GTEST_PROP(CacheKeyProperty, AParameterWithoutMeaningDoesNotCount, ()) {
  JobSpec without = Probe::Spec({{"exact", "false"}});
  without.sweep.base.erase("speed");
  RC_ASSERT(FormOf({{"exact", "false"}, {"speed", AnySpelling(AnyDecimal())}}) == TheProbe().FormOfSpec(without));
}

RC_GTEST_PROP(CacheKeyProperty, WhenAndForWhomATaskRunsDoesNotCount, ()) {
  JobSpec spec = Probe::Spec({});
  spec.priority = Between(-100, 100);
  spec.timeout_ms = Below(1'000'000);
  spec.deadline_ms = Below(1'000'000);
  spec.delay_ms = Below(1'000'000);
  spec.retries = Below(5);
  spec.ttl_ms = Below(1'000'000);
  spec.resources.cpus = 1 + Below(8);
  spec.require = {{"rack", "a"}};
  spec.name = *rc::gen::string<std::string>();
  spec.tags = {{"study", *rc::gen::string<std::string>()}};
  spec.cache = static_cast<CachePolicy>(Below(4));
  RC_ASSERT(TheProbe().FormOfSpec(spec) == FormOf({}));
}

// --- what makes it another

RC_GTEST_PROP(CacheKeyProperty, AnotherValueIsAnotherKey, ()) {
  const Decimal one = AnyDecimal();
  const Decimal other = AnyBool() ? AnyDecimal() : Decimal{one.mantissa + 1, one.exponent};
  RC_PRE(one.Number() != other.Number());
  for (const std::string name : {"load", "speed", "angles"}) {
    RC_ASSERT(FormOf({{name, AnySpelling(one)}}) != FormOf({{name, AnySpelling(other)}}));
  }
  RC_ASSERT(FormOf({{"angles", one.Text()}}) != FormOf({{"angles", one.Text() + "," + other.Text()}}));
}

RC_GTEST_PROP(CacheKeyProperty, TheNextNumberIsAnotherKey, (double load)) {
  RC_PRE(std::isfinite(load) && std::isfinite(std::nextafter(load, INFINITY)));
  JobSpec one = Probe::Spec({}), next = one;
  one.sweep.base["load"] = Value(load);
  next.sweep.base["load"] = Value(std::nextafter(load, INFINITY));
  RC_ASSERT(TheProbe().FormOfSpec(one) != TheProbe().FormOfSpec(next));
}

TEST(CacheKey, IsAnotherWithAnyOtherChoice) {
  std::set<std::string> forms = {FormOf({})};
  for (const Written& written :
       {Written{{"method", "fancy"}}, Written{{"method", "1"}}, Written{{"exact", "false"}}, Written{{"count", "8"}}}) {
    EXPECT_TRUE(forms.insert(FormOf(written)).second) << written[0].first;
  }
  JobSpec spec = Probe::Spec({});
  spec.solver = "coarse";
  EXPECT_TRUE(forms.insert(TheProbe().FormOfSpec(spec)).second) << "solver";
}

TEST(CacheKey, IsAnotherWithAnotherIdentityAnalysisOrSchema) {
  JobSpec spec = Probe::Spec({});
  ASSERT_TRUE(CanonicaliseSpec(Catalogue({TheProbe().manifest()}), spec));
  std::set<std::string> forms;
  for (const char* identity : {"1.0+abcd", "1.0+abce", "1.1+abcd", "1.0", ""}) {
    EXPECT_TRUE(forms.insert(*TaskForm(spec, TheProbe().manifest(), identity, 0)).second) << identity;
  }
  Manifest other = TheProbe().manifest();
  other.schema = 4;
  EXPECT_TRUE(forms.insert(*TaskForm(spec, other, "1.0+abcd", 0)).second) << "schema";
  other = TheProbe().manifest();
  other.analysis = "probe2";
  EXPECT_TRUE(forms.insert(*TaskForm(spec, other, "1.0+abcd", 0)).second) << "analysis";
}

// --- targets

std::string FormOfTarget(const Target& target) {
  JobSpec spec = Probe::Spec({});
  spec.sweep.targets = {target};
  return TheProbe().FormOfSpec(spec);
}

// The coordinates of a section in a layout of its own; numbers have six decimals.
std::string SectionFile() {
  const AirfoilPoints points = NacaPoints("naca2412", 24);
  const std::string end = AnyBool() ? "\r\n" : "\n";
  const std::string between = *rc::gen::element<std::string>(" ", "\t", ", ", "    ");
  std::string text = *rc::gen::element<std::string>("NACA 2412", "my own section", "# seen in a book") + end;
  for (std::size_t i = 0; i < points.size(); ++i) {
    char number[2][32];
    std::snprintf(number[0], sizeof number[0], "%.6f", points.x[i]);
    std::snprintf(number[1], sizeof number[1], "%.6f", points.y[i]);
    text += std::string(static_cast<std::size_t>(Below(3)), ' ') + number[0] + between + number[1] + end;
    if (Below(10) == 0) text += "# a remark" + end;
    if (Below(10) == 0) text += end;
  }
  return text;
}

RC_GTEST_PROP(CacheKeyProperty, AFileCountsByItsPointsAlone, ()) {
  const std::string one = FormOfTarget({"a.dat", SectionFile()});
  RC_ASSERT(one == FormOfTarget({"b.txt", SectionFile()}));
  RC_ASSERT(one != FormOfTarget({"naca2412", ""}));
}

RC_GTEST_PROP(CacheKeyProperty, AChangedDigitOfAPointIsAnotherKey, ()) {
  const std::string file = SectionFile();
  std::vector<std::size_t> digits;
  for (std::size_t i = file.find('\n'); i < file.size(); ++i) {
    if (file[i] >= '0' && file[i] <= '9') digits.push_back(i);
  }
  std::string changed = file;
  char& digit = changed[*rc::gen::elementOf(digits)];
  digit = *rc::gen::distinctFrom(rc::gen::inRange('0', static_cast<char>('9' + 1)), digit);
  RC_PRE(ParseAirfoilCoordinates("a.dat", changed).has_value());
  RC_ASSERT(FormOfTarget({"a.dat", file}) != FormOfTarget({"a.dat", changed}));
}

RC_GTEST_PROP(CacheKeyProperty, ANamedSectionCountsByItsDigits, ()) {
  const auto digits = [] {
    return std::to_string(1 + Below(9)) + std::to_string(1 + Below(9)) + std::to_string(10 + Below(30));
  };
  const std::string one = digits(), other = digits();
  const std::string form = FormOfTarget({"naca" + one, ""});
  RC_ASSERT(form == FormOfTarget({*rc::gen::element<std::string>("NACA", "NACA ", " Naca  ") + one, ""}));
  RC_ASSERT((form == FormOfTarget({"naca" + other, ""})) == (one == other));
}

// --- commands

// The forms of the two tasks of a command with such an argument.
std::set<std::string> FormsOfCommand(const std::string& argument, const std::string& axis, const std::string& values) {
  JobSpec spec;
  spec.analysis = "command";
  spec.command = CommandSpec{};
  spec.command->argv = {"run", argument};
  spec.sweep.axes = {Axis{{AxisColumn{axis, *ParseValues(values)}}}};
  EXPECT_TRUE(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  const Manifest& manifest = *Catalogue::BuiltIn().Find("command");
  return {*TaskForm(spec, manifest, "1", 0), *TaskForm(spec, manifest, "1", 1)};
}

TEST(CacheKey, OfACommandIsOfTheCommandAsItRuns) {
  EXPECT_EQ(FormsOfCommand("{n}", "n", "1,2").size(), 2u);
  EXPECT_EQ(FormsOfCommand("{n}", "n", "1,1").size(), 1u);
  EXPECT_EQ(FormsOfCommand("{index}", "n", "1,1").size(), 2u);
  EXPECT_EQ(FormsOfCommand("x", "n", "1,2").size(), 2u) << "its environment has the value of the axis";
  EXPECT_NE(FormsOfCommand("x", "n", "1,2"), FormsOfCommand("x", "m", "1,2")) << "and its name";
}

}  // namespace
}  // namespace icarus
