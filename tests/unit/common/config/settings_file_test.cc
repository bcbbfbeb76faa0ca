#include <gtest/gtest.h>

#include "common/config/settings.h"
#include "tests/support/temp_dir.h"

namespace icarus {
namespace {

class SettingsFileTest : public ::testing::Test {
 protected:
  Status Load(const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(path(), text, 0600).has_value());
    return settings_.LoadFile(path());
  }
  std::string path() const { return dir_ / "config.toml"; }

  testing::TempDir dir_;
  Settings settings_;
};

TEST_F(SettingsFileTest, ReadsEveryType) {
  const Status loaded = Load(R"(
queue.aging_seconds = 60
throttle.enabled = false
[cache]
max_size_mb = 250
default_ttl_seconds = 1.5
[cache.ttl]
airfoil_polar = 3600
[monitor.warn]
cpu_percent = 70
[resources]
fluent = 4
fence_seconds = 30
[solvers.xfoil]
default = "6.99+1a2b"
same = ["6.97+aa", "6.99+bb"]
[worker]
env = ["LM_LICENSE_FILE", "OMP_NUM_THREADS=1"]
prologue = "module load xfoil"
)");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(settings_.Number("queue.aging_seconds"), 60);
  EXPECT_FALSE(settings_.Flag("throttle.enabled"));
  EXPECT_EQ(settings_.Integer("cache.max_size_mb"), 250);
  EXPECT_EQ(settings_.Number("cache.default_ttl_seconds"), 1.5);
  EXPECT_EQ(settings_.Number("cache.ttl.airfoil_polar"), 3600);
  EXPECT_EQ(settings_.Number("monitor.warn.cpu_percent"), 70);
  EXPECT_EQ(settings_.Integer("resources.fluent"), 4);
  EXPECT_EQ(settings_.Number("resources.fence_seconds"), 30);
  EXPECT_EQ(settings_.Text("solvers.xfoil.default"), "6.99+1a2b");
  EXPECT_EQ(settings_.List("solvers.xfoil.same").size(), 2u);
  EXPECT_EQ(settings_.List("worker.env").at(1), "OMP_NUM_THREADS=1");
  EXPECT_EQ(settings_.Get("cache.max_size_mb")->origin, Origin::kFile);
}

struct BadFile {
  const char* text;
  int line;
  const char* part;
};

TEST_F(SettingsFileTest, ErrorsNameTheLine) {
  const BadFile files[] = {
      {"[cache]\nmax_size_bm = 1\n", 2, "did you mean cache.max_size_mb"},
      {"[cache]\n\nmax_size_mb = \"500\"\n", 3, "cache.max_size_mb is a whole number, not '500'"},
      {"[cache]\nmax_size_mb = 1.5\n", 2, "a whole number"},
      {"cache.max_size_mb = 0\n", 1, "from 1 to 1000000000"},
      {"\n\n[cahce]\n", 3, "unknown setting 'cahce'"},
      {"cache = 5\n", 1, "unknown setting 'cache'"},
      {"[cache.max_size_mb]\nx = 1\n", 1, "unknown setting"},
      {"[solvers.xfoil.default]\n", 1, "unknown setting"},
      {"[throttle]\nenabled = 1\n", 2, "true or false"},
      {"[worker]\nenv = [1, 2]\n", 2, "list of texts"},
      {"[worker]\nenv = [\"A,B\"]\n", 2, "comma"},
      {"[jobs]\nretention_hours = 1979-05-27\n", 2, "jobs.retention_hours"},
      {"[jobs]\nretention_hours = nan\n", 2, "from 0"},
      {"[jobs]\nretention_hours = inf\n", 2, "from 0"},
      {"[jobs]\nretention_hours 7\n", 2, ""},
      {"[jobs]\nretention_hours = 1\nretention_hours = 2\n", 3, ""},
  };
  for (const BadFile& file : files) {
    const Status loaded = Load(file.text);
    ASSERT_FALSE(loaded.has_value()) << file.text;
    EXPECT_EQ(loaded.error().code, ErrorCode::kUsage);
    const std::string place = path() + ":" + std::to_string(file.line) + ": ";
    EXPECT_EQ(loaded.error().message.rfind(place, 0), 0u) << file.text << loaded.error().message;
    EXPECT_NE(loaded.error().message.find(file.part), std::string::npos) << loaded.error().message;
    EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(SettingsFileTest, NothingOfABadFileIsTaken) {
  ASSERT_TRUE(Load("cache.max_size_mb = 7\n").has_value());
  ASSERT_FALSE(Load("cache.max_entries = 8\ncache.max_size_mb = 9\nzebra = 1\n").has_value());
  EXPECT_EQ(settings_.Integer("cache.max_size_mb"), 7);
  EXPECT_EQ(settings_.Integer("cache.max_entries"), 100000);
}

TEST_F(SettingsFileTest, LoadingAgainReplacesTheFile) {
  ASSERT_TRUE(Load("cache.max_size_mb = 7\ncache.max_entries = 8\n").has_value());
  ASSERT_TRUE(Load("cache.max_size_mb = 9\n").has_value());
  EXPECT_EQ(settings_.Integer("cache.max_size_mb"), 9);
  EXPECT_EQ(settings_.Integer("cache.max_entries"), 100000);
}

TEST_F(SettingsFileTest, ANamedFileMustExistAndTheDefaultOneNeedNot) {
  const Environment environment = {{"XDG_CONFIG_HOME", dir_.path()}, {"ICARUS_CACHE_MAX_ENTRIES", "3"}};
  const auto without = LoadSettings("", environment);
  ASSERT_TRUE(without.has_value()) << without.error().message;
  EXPECT_EQ(without->Integer("cache.max_entries"), 3);
  const auto missing = LoadSettings(dir_ / "missing.toml", environment);
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("missing.toml"), std::string::npos);

  ASSERT_TRUE(MakeDirectories(dir_ / "icarus", 0700).has_value());
  ASSERT_TRUE(WriteFileAtomically(dir_ / "icarus/config.toml", "cache.max_size_mb = 1\ncache.max_entries = 2\n", 0600)
                  .has_value());
  const auto with = LoadSettings("", environment);
  ASSERT_TRUE(with.has_value());
  EXPECT_EQ(with->Integer("cache.max_size_mb"), 1);
  EXPECT_EQ(with->Integer("cache.max_entries"), 3) << "the environment stands above the file";
  ASSERT_TRUE(WriteFileAtomically(dir_ / "icarus/config.toml", "nonsense", 0600).has_value());
  EXPECT_FALSE(LoadSettings("", environment).has_value()) << "a default file that is there must be right";
}

}  // namespace
}  // namespace icarus
