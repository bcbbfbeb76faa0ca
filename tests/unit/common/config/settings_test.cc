#include "common/config/settings.h"

#include <gtest/gtest.h>

namespace icarus {
namespace {

TEST(SettingsTable, EveryDefaultIsInItsRangeAndReadsBack) {
  for (const SettingRow& row : SettingsTable()) {
    EXPECT_FALSE(row.doc.empty()) << row.key;
    if (row.is_pattern()) continue;
    const auto value = ParseSetting(row, row.key, row.fallback);
    ASSERT_TRUE(value.has_value()) << value.error().message;
    const auto again = ParseSetting(row, row.key, FormatSetting(*value));
    ASSERT_TRUE(again.has_value()) << row.key;
    EXPECT_EQ(*again, *value) << row.key;
  }
}

TEST(SettingsTable, HasTheDocumentedKeysAndDefaults) {
  const Settings settings;
  EXPECT_EQ(settings.Integer("cache.max_size_mb"), 500);
  EXPECT_EQ(settings.Integer("cache.max_entries"), 100000);
  EXPECT_EQ(settings.Number("cache.default_ttl_seconds"), 0);
  EXPECT_EQ(settings.Integer("operations.max_concurrent"), 0);
  EXPECT_EQ(settings.Number("monitor.interval_seconds"), 5);
  EXPECT_EQ(settings.Number("monitor.warn.cpu_percent"), 80);
  EXPECT_EQ(settings.Number("monitor.warn.memory_percent"), 85);
  EXPECT_EQ(settings.Number("monitor.warn.disk_percent"), 90);
  EXPECT_EQ(settings.Number("monitor.emergency_memory_percent"), 90);
  EXPECT_EQ(settings.Integer("emergency.priority_floor"), 5);
  EXPECT_EQ(settings.Number("emergency.max_lost_minutes"), 30);
  EXPECT_EQ(settings.Number("maintenance.interval_minutes"), 30);
  EXPECT_EQ(settings.Number("jobs.retention_hours"), 720);
  EXPECT_EQ(settings.Number("queue.aging_seconds"), 300);
  EXPECT_EQ(settings.Number("worker.lost_after_seconds"), 15);
  EXPECT_EQ(settings.Number("worker.reattach_grace_seconds"), 60);
  EXPECT_EQ(settings.Integer("retry.max_worker_deaths"), 5);
  EXPECT_TRUE(settings.Flag("throttle.enabled"));
  EXPECT_TRUE(settings.List("worker.env").empty());
  EXPECT_EQ(settings.Text("worker.prologue"), "");
}

TEST(Settings, TheHigherOriginCounts) {
  Settings settings;
  const std::pair<Origin, const char*> origins[] = {
      {Origin::kFile, "1"}, {Origin::kLive, "2"}, {Origin::kEnvironment, "3"}, {Origin::kFlag, "4"}};
  for (const auto& [origin, text] : origins) {
    ASSERT_TRUE(settings.Set("cache.max_size_mb", text, origin).has_value());
    EXPECT_EQ(settings.Get("cache.max_size_mb")->value, text);
    EXPECT_EQ(settings.Get("cache.max_size_mb")->origin, origin);
  }
  ASSERT_TRUE(settings.Set("cache.max_size_mb", "9", Origin::kFile).has_value());
  EXPECT_EQ(settings.Integer("cache.max_size_mb"), 4);
  for (const Origin origin : {Origin::kFlag, Origin::kEnvironment, Origin::kLive}) {
    ASSERT_TRUE(settings.Unset("cache.max_size_mb", origin).has_value());
  }
  EXPECT_EQ(settings.Integer("cache.max_size_mb"), 9);
  ASSERT_TRUE(settings.Unset("cache.max_size_mb", Origin::kFile).has_value());
  EXPECT_EQ(settings.Integer("cache.max_size_mb"), 500);
  EXPECT_EQ(settings.Get("cache.max_size_mb")->origin, Origin::kDefault);
}

TEST(Settings, RefusesUnknownKeysAndNamesTheNearest) {
  Settings settings;
  const Status set = settings.Set("cache.max_size_bm", "1", Origin::kLive);
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code, ErrorCode::kUsage);
  EXPECT_EQ(set.error().message, "unknown setting 'cache.max_size_bm'; did you mean cache.max_size_mb?");
  EXPECT_EQ(set.error().field, "cache.max_size_bm");
  EXPECT_FALSE(settings.Unset("nonsense", Origin::kLive).has_value());
  EXPECT_EQ(settings.Get("nonsense").error().code, ErrorCode::kUsage);
  EXPECT_FALSE(settings.Find("nonsense").has_value());
}

TEST(Settings, RefusesWrongTypesAndValuesOutOfRangeAndKeepsTheOld) {
  Settings settings;
  ASSERT_TRUE(settings.Set("cache.max_size_mb", "700", Origin::kLive).has_value());
  for (const char* text : {"", "many", "1.5", "0", "-3", "1e300", "nan", "inf", "500MB"}) {
    const Status set = settings.Set("cache.max_size_mb", text, Origin::kLive);
    ASSERT_FALSE(set.has_value()) << text;
    EXPECT_EQ(set.error().code, ErrorCode::kUsage);
    EXPECT_EQ(set.error().field, "cache.max_size_mb");
    EXPECT_NE(set.error().message.find("cache.max_size_mb"), std::string::npos);
  }
  EXPECT_EQ(settings.Integer("cache.max_size_mb"), 700);
  EXPECT_EQ(settings.Set("cache.max_size_mb", "0", Origin::kLive).error().message,
            "cache.max_size_mb is from 1 to 1000000000, not 0");
  EXPECT_EQ(settings.Set("monitor.warn.cpu_percent", "101", Origin::kFlag).error().message,
            "monitor.warn.cpu_percent is from 0 to 100, not 101");
  EXPECT_FALSE(settings.Set("throttle.enabled", "maybe", Origin::kLive).has_value());
}

TEST(Settings, EveryNumberRefusesWhatIsJustOutsideItsRange) {
  for (const SettingRow& row : SettingsTable()) {
    if (row.type != SettingType::kInteger && row.type != SettingType::kNumber) continue;
    EXPECT_TRUE(ParseSetting(row, row.key, std::to_string(static_cast<std::int64_t>(row.max))).has_value()) << row.key;
    EXPECT_FALSE(ParseSetting(row, row.key, std::to_string(static_cast<std::int64_t>(row.max) + 1)).has_value())
        << row.key;
    EXPECT_FALSE(ParseSetting(row, row.key, std::to_string(static_cast<std::int64_t>(row.min) - 1)).has_value())
        << row.key;
  }
}

TEST(Settings, WhatIsReadAtStartCannotBeSetLive) {
  Settings settings;
  const Status set = settings.Set("worker.prologue", "module load xfoil", Origin::kLive);
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(settings.Set("worker.prologue", "module load xfoil", Origin::kFlag).has_value());
  EXPECT_EQ(settings.Text("worker.prologue"), "module load xfoil");
}

TEST(Settings, PatternsHoldAnyNumberOfNames) {
  Settings settings;
  EXPECT_TRUE(settings.Matching("resources.<name>").empty());
  ASSERT_TRUE(settings.Set("resources.fluent_licence", "4", Origin::kFile).has_value());
  ASSERT_TRUE(settings.Set("resources.gpu", "2", Origin::kLive).has_value());
  ASSERT_TRUE(settings.Set("resources.gpu", "3", Origin::kFlag).has_value());
  ASSERT_TRUE(settings.Set("resources.fence_seconds", "60", Origin::kFile).has_value());
  ASSERT_TRUE(settings.Set("cache.ttl.airfoil_polar", "0.5", Origin::kFile).has_value());
  ASSERT_TRUE(settings.Set("solvers.xfoil.same", "6.97+aa, 6.99+bb", Origin::kFile).has_value());
  const auto resources = settings.Matching("resources.<name>");
  ASSERT_EQ(resources.size(), 2u) << "the fence is no resource";
  EXPECT_EQ(std::get<std::int64_t>(resources.at("fluent_licence")), 4);
  EXPECT_EQ(std::get<std::int64_t>(resources.at("gpu")), 3);
  EXPECT_EQ(settings.Number("cache.ttl.airfoil_polar"), 0.5);
  EXPECT_EQ(settings.List("solvers.xfoil.same"), (std::vector<std::string>{"6.97+aa", "6.99+bb"}));
  EXPECT_FALSE(settings.Find("cache.ttl.wing").has_value());
  EXPECT_EQ(settings.Get("cache.ttl.wing").error().code, ErrorCode::kNotFound);
  for (const char* key : {"resources.", "resources.a.b", "resources.a b", "cache.ttl.<analysis>", "solvers.xfoil"}) {
    EXPECT_FALSE(settings.Set(key, "1", Origin::kFile).has_value()) << key;
  }
}

TEST(Settings, ListHasEveryKeyOnceWithItsOrigin) {
  Settings settings;
  ASSERT_TRUE(settings.Set("resources.gpu", "2", Origin::kLive).has_value());
  ASSERT_TRUE(settings.Set("queue.aging_seconds", "60", Origin::kFile).has_value());
  std::map<std::string, SettingEntry> entries;
  for (const SettingEntry& entry : settings.List()) EXPECT_TRUE(entries.emplace(entry.key, entry).second) << entry.key;
  for (const SettingRow& row : SettingsTable()) {
    EXPECT_EQ(entries.contains(std::string(row.key)), !row.is_pattern()) << row.key;
  }
  EXPECT_EQ(entries.at("resources.gpu").origin, Origin::kLive);
  EXPECT_EQ(entries.at("queue.aging_seconds").value, "60");
  EXPECT_STREQ(OriginName(entries.at("queue.aging_seconds").origin), "file");
  ASSERT_EQ(settings.SetBy(Origin::kLive).size(), 1u);
  EXPECT_EQ(settings.SetBy(Origin::kLive)[0].key, "resources.gpu");
}

TEST(SettingsEnvironment, EveryKeyHasAVariable) {
  for (const SettingRow& row : SettingsTable()) {
    if (row.is_pattern()) continue;
    EXPECT_EQ(SettingOfVariable(SettingVariable(row.key)), std::string(row.key));
  }
  EXPECT_EQ(SettingVariable("cache.max_size_mb"), "ICARUS_CACHE_MAX_SIZE_MB");
  EXPECT_EQ(SettingOfVariable("ICARUS_CACHE_TTL_AIRFOIL_POLAR"), "cache.ttl.airfoil_polar");
  EXPECT_EQ(SettingOfVariable("ICARUS_RESOURCES_GPU"), "resources.gpu");
  EXPECT_EQ(SettingOfVariable("ICARUS_SOLVERS_XFOIL_DEFAULT"), "solvers.xfoil.default");
  for (const char* variable : {"ICARUS_HOME", "ICARUS_PARAM_AOA", "ICARUS_RESOURCES_", "CACHE_MAX_SIZE_MB", "PATH"}) {
    EXPECT_FALSE(SettingOfVariable(variable).has_value()) << variable;
  }
}

TEST(SettingsEnvironment, IsLoadedAllOrNothing) {
  Settings settings;
  ASSERT_TRUE(settings.LoadEnvironment({{"ICARUS_CACHE_MAX_SIZE_MB", "7"}, {"ICARUS_HOME", "/x"}}).has_value());
  EXPECT_EQ(settings.Integer("cache.max_size_mb"), 7);
  EXPECT_EQ(settings.Get("cache.max_size_mb")->origin, Origin::kEnvironment);
  const Status bad =
      settings.LoadEnvironment({{"ICARUS_CACHE_MAX_ENTRIES", "8"}, {"ICARUS_QUEUE_AGING_SECONDS", "soon"}});
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().message.rfind("ICARUS_QUEUE_AGING_SECONDS: ", 0), 0u) << bad.error().message;
  EXPECT_EQ(settings.Integer("cache.max_entries"), 100000);
}

}  // namespace
}  // namespace icarus
