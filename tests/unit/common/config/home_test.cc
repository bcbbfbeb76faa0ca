#include "common/config/home.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace icarus {
namespace {

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(Home, TheFirstThatIsGivenCounts) {
  Environment environment = {{"HOME", "/u"}};
  EXPECT_EQ(LocateHome("", environment)->dir, "/u/.local/state/icarus");
  environment["XDG_STATE_HOME"] = "relative/counts/not";
  EXPECT_EQ(LocateHome("", environment)->dir, "/u/.local/state/icarus");
  environment["XDG_STATE_HOME"] = "/state";
  EXPECT_EQ(LocateHome("", environment)->dir, "/state/icarus");
  environment["ICARUS_HOME"] = "/from/environment/";
  EXPECT_EQ(LocateHome("", environment)->dir, "/from/environment");
  EXPECT_EQ(LocateHome("/from/flag", environment)->dir, "/from/flag");
  EXPECT_EQ(LocateHome("relative", environment)->dir.front(), '/');
}

TEST(Home, IsMadeForItsOwnerAlone) {
  const testing::TempDir dir;
  const mode_t before = ::umask(0);
  const auto home = ResolveHome(dir / "a/b", {});
  ::umask(before);
  ASSERT_TRUE(home.has_value()) << home.error().message;
  EXPECT_EQ(home->dir, dir / "a/b");
  EXPECT_EQ(ModeOf(home->dir), 0700u);
  EXPECT_EQ(home->worker_dir("n1"), dir / "a/b/workers/n1");
  EXPECT_TRUE(ResolveHome(dir / "a/b", {}).has_value());
}

TEST(Home, OneThatCannotBeUsedIsRefusedByName) {
  const testing::TempDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir / "file", "", 0600).has_value());
  for (const std::string& path : {dir / "file", dir / "file/below", std::string("/proc/icarus")}) {
    const auto home = ResolveHome(path, {});
    ASSERT_FALSE(home.has_value()) << path;
    EXPECT_EQ(home.error().code, ErrorCode::kRefused);
    EXPECT_NE(home.error().message.find(path), std::string::npos) << home.error().message;
  }
}

class SocketDirectoryTest : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  Home home_{dir_ / "home"};
  Environment environment_ = {{"XDG_RUNTIME_DIR", dir_ / "run"}, {"TMPDIR", dir_ / "tmp"}};

  void SetUp() override {
    for (const char* name : {"home", "run", "tmp"}) ASSERT_EQ(::mkdir((dir_ / name).c_str(), 0700), 0);
  }
};

TEST_F(SocketDirectoryTest, LiesInTheRuntimeDirectory) {
  const auto directory = SocketDirectory(home_, environment_);
  ASSERT_TRUE(directory.has_value()) << directory.error().message;
  EXPECT_EQ(directory->rfind(dir_ / "run/icarus-", 0), 0u) << *directory;
  EXPECT_EQ(ModeOf(*directory), 0700u);
  EXPECT_EQ(SocketDirectory(home_, environment_).value(), *directory) << "the same each time";
  ASSERT_EQ(::symlink(home_.dir.c_str(), (dir_ / "link").c_str()), 0);
  EXPECT_EQ(SocketDirectory(Home{dir_ / "link"}, environment_).value(), *directory) << "by whatever name";
  EXPECT_NE(SocketDirectory(Home{dir_ / "other"}, environment_).value(), *directory);
}

TEST_F(SocketDirectoryTest, FallsBackToTheTemporaryDirectory) {
  environment_["XDG_RUNTIME_DIR"] = dir_ / "missing";
  const auto directory = SocketDirectory(home_, environment_);
  ASSERT_TRUE(directory.has_value());
  EXPECT_EQ(directory->rfind(dir_ / "tmp/icarus-", 0), 0u) << *directory;
}

TEST_F(SocketDirectoryTest, AvoidsPathsThatAreTooLongForASocket) {
  const std::string long_dir = dir_ / std::string(80, 'x');
  ASSERT_EQ(::mkdir(long_dir.c_str(), 0700), 0);
  environment_["XDG_RUNTIME_DIR"] = long_dir;
  EXPECT_EQ(SocketDirectory(home_, environment_)->rfind(dir_ / "tmp/", 0), 0u);
  environment_["TMPDIR"] = long_dir;
  const auto directory = SocketDirectory(home_, environment_);
  ASSERT_TRUE(directory.has_value());
  EXPECT_LE((*directory + "/0123456789012345").size(), 107u);
  EXPECT_EQ(directory->rfind("/tmp/icarus-", 0), 0u);
  ASSERT_EQ(::rmdir(directory->c_str()), 0);
}

TEST_F(SocketDirectoryTest, DistrustsWhatSomebodyElseMayHavePutThere) {
  const std::string directory = SocketDirectory(home_, environment_).value();
  const auto expect_refused = [&](const char* why) {
    const auto again = SocketDirectory(home_, environment_);
    ASSERT_FALSE(again.has_value()) << why;
    EXPECT_EQ(again.error().code, ErrorCode::kRefused);
    EXPECT_NE(again.error().message.find(why), std::string::npos) << again.error().message;
  };
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  expect_refused("other users may enter it");
  ASSERT_EQ(::rmdir(directory.c_str()), 0);
  ASSERT_EQ(::symlink((dir_ / "tmp").c_str(), directory.c_str()), 0);
  expect_refused("not a directory");
  ASSERT_EQ(::unlink(directory.c_str()), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
    ASSERT_EQ(::chown(directory.c_str(), 12345, 12345), 0);
    expect_refused("another user");
  }
}

TEST(DefaultConfigFile, FollowsTheBaseDirectories) {
  EXPECT_EQ(DefaultConfigFile({{"HOME", "/u"}}), "/u/.config/icarus/config.toml");
  EXPECT_EQ(DefaultConfigFile({{"HOME", "/u"}, {"XDG_CONFIG_HOME", "/c"}}), "/c/icarus/config.toml");
}

}  // namespace
}  // namespace icarus
