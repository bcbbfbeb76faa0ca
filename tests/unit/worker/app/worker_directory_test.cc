#include "worker/worker_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/files.h"
#include "tests/support/temp_dir.h"

namespace icarus::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class WorkerDirectoryTest : public ::testing::Test {
 protected:
  icarus::testing::TempDir dir_;
  Home home_{dir_.path()};
};

TEST_F(WorkerDirectoryTest, IsHeldByOne) {
  const auto first = WorkerDirectory::Open(home_, "w0", "");
  ASSERT_TRUE(first.has_value());
  const auto second = WorkerDirectory::Open(home_, "w0", "");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(ErrorCode::kRefused, second.error().code);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_TRUE(WorkerDirectory::Open(home_, "w1", "").has_value());
}

TEST_F(WorkerDirectoryTest, ASuccessorLearnsWhomItReplacesUnlessThatLeftInGoodOrder) {
  {
    auto first = WorkerDirectory::Open(home_, "w0", "");
    EXPECT_EQ("", first->predecessor());
    ASSERT_TRUE(first->WriteInstance("one"));
  }
  {
    auto second = WorkerDirectory::Open(home_, "w0", "");
    EXPECT_EQ("one", second->predecessor());
    second->ForgetInstance();
  }
  EXPECT_EQ("", WorkerDirectory::Open(home_, "w0", "")->predecessor());
}

TEST_F(WorkerDirectoryTest, RemovesWhatADeadPredecessorLeft) {
  const std::string left = home_.worker_dir("w0") + "/scratch/3/work";
  ASSERT_TRUE(MakeDirectories(left, 0700));
  const auto directory = WorkerDirectory::Open(home_, "w0", "");
  ASSERT_TRUE(directory.has_value());
  EXPECT_FALSE(PathExists(left));
  EXPECT_TRUE(PathExists(directory->scratch()));
  EXPECT_TRUE(PathExists(directory->outbox()));
}

TEST_F(WorkerDirectoryTest, TouchesInASharedScratchOnlyWhatIsItsOwn) {
  ASSERT_TRUE(MakeDirectories(dir_ / "shared/other", 0700));
  const auto directory = WorkerDirectory::Open(home_, "w0", dir_ / "shared");
  ASSERT_TRUE(directory.has_value());
  EXPECT_THAT(directory->scratch(), StartsWith(dir_ / "shared/icarus-w0-"));
  EXPECT_TRUE(PathExists(dir_ / "shared/other"));
}

TEST_F(WorkerDirectoryTest, ANameThatIsNoFileNameIsRefused) {
  for (const char* name : {"", "..", "a/b", ".hidden", "a b"}) {
    const auto directory = WorkerDirectory::Open(home_, name, "");
    ASSERT_FALSE(directory.has_value()) << name;
    EXPECT_EQ(ErrorCode::kUsage, directory.error().code);
  }
}

TEST_F(WorkerDirectoryTest, SocketsOfADeadPredecessorAreRemovedAndThoseOfOthersStay) {
  const std::string sockets = dir_.path() + "/run";
  ASSERT_TRUE(MakeDirectories(sockets, 0700));
  const auto mine = WorkerDirectory::Open(home_, "w0", "");
  const auto other = WorkerDirectory::Open(home_, "w1", "");
  const std::string prefix = mine->PrepareValueSockets(sockets);
  const std::string foreign = other->PrepareValueSockets(sockets);
  EXPECT_NE(prefix, foreign);
  EXPECT_THAT(prefix, StartsWith(sockets + "/v"));
  EXPECT_LE(prefix.size(), sockets.size() + 1 + 8);
  for (const std::string& path : {prefix + "1", foreign + "1", sockets + "/clients"}) {
    ASSERT_TRUE(WriteFileAtomically(path, "", 0600));
  }
  EXPECT_EQ(prefix, mine->PrepareValueSockets(sockets));
  EXPECT_FALSE(PathExists(prefix + "1"));
  EXPECT_TRUE(PathExists(foreign + "1"));
  EXPECT_TRUE(PathExists(sockets + "/clients"));
}

}  // namespace
}  // namespace icarus::worker
