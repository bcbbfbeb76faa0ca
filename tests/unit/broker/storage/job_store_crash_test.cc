// The job store across the sudden death of its process, and on a disk that is full.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "broker/storage/rocksdb_job_store.h"
#include "common/base/unique_fd.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_records.h"

namespace icarus::broker {
namespace {

// store_child with its output in a pipe; killed when the test ends.
class Child {
 public:
  Child(const char* mode, const std::string& dir) {
    int ends[2];
    ICARUS_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    output_.Reset(ends[0]);
    const UniqueFd input(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
    const std::string path = ICARUS_STORE_CHILD;
    char* const arguments[] = {const_cast<char*>(path.c_str()), const_cast<char*>(mode), const_cast<char*>(dir.c_str()),
                               nullptr};
    ICARUS_CHECK(::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Child() {
    if (pid_ > 0) Kill();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Appends to `text` until it holds `lines` lines or the child's output ends; false when neither happens within a
  // minute.
  bool ReadLines(std::string& text, std::size_t lines) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) < lines) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd waiting{output_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
      char buffer[4096];
      const ssize_t got = ::read(output_.get(), buffer, sizeof buffer);
      if (got <= 0) return got == 0;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    (void)Wait();
  }
  int Wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
};

// The last complete line: the child may have died in the middle of one.
std::uint64_t LastNumber(std::string text) {
  text.resize(text.rfind('\n') + 1);
  const std::size_t before = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  return std::stoull(text.substr(before == std::string::npos ? 0 : before + 1));
}

TEST(JobStoreCrash, EverythingReportedIsThereAfterKill9) {
  const testing::TempDir dir;
  const std::string store_dir = dir / "store";
  std::uint64_t last = 0;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    std::string reported;
    {
      Child child("write", store_dir);
      ASSERT_TRUE(child.ReadLines(reported, 100 * round));
      child.Kill();
      ASSERT_TRUE(child.ReadLines(reported, SIZE_MAX));
    }
    ASSERT_GT(LastNumber(reported), last);
    last = LastNumber(reported);

    const auto store = OpenStore(store_dir);
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->epoch(), 2 * round);
    // The one batch whose report was cut off may be there too.
    ASSERT_GE(store->meta().sequence, last);
    ASSERT_LE(store->meta().sequence, last + 1);
    EXPECT_EQ(LoadLines(*store).size(), 1 + 2 * store->meta().sequence);
    for (std::uint64_t sequence = 1; sequence <= last; ++sequence) {
      const auto tasks = store->ReadTasks(JobId(sequence), {0}, true);
      ASSERT_TRUE(tasks && tasks->at(0)) << sequence;
      EXPECT_EQ(tasks->at(0)->body->size(), 2000u);
    }
    last = store->meta().sequence;
  }
}

TEST(JobStoreCrash, AStoreThatAnotherProcessHasOpenIsRefused) {
  const testing::TempDir dir;
  const auto store = OpenStore(dir / "store");
  std::string said;
  {
    Child child("open", dir / "store");
    ASSERT_TRUE(child.ReadLines(said, 1));
    EXPECT_EQ(child.Wait(), 0);
  }
  EXPECT_EQ(said, "refused\n");
  EXPECT_TRUE(store->Commit({1, 0, {MakeJob(1)}}));
}

class FullDisk : public ::testing::TestWithParam<const char*> {};

TEST_P(FullDisk, LosesNothingAndIsWrittenAgainWhenThereIsSpace) {
  const testing::TempDir dir;
  Child child(GetParam(), dir.path());
  const int status = child.Wait();
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this user may not mount a file system";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

INSTANTIATE_TEST_SUITE_P(Guarded, FullDisk, ::testing::Values("full"));
INSTANTIATE_TEST_SUITE_P(WithReserve, FullDisk, ::testing::Values("full-reserve"));
INSTANTIATE_TEST_SUITE_P(Unguarded, FullDisk, ::testing::Values("full-unguarded"));

}  // namespace
}  // namespace icarus::broker
