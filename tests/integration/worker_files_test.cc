// Files that are too large for a message: inputs are fetched before the start, outputs delivered before the result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/files.h"
#include "tests/integration/fake_broker.h"
#include "tests/integration/worker_process.h"
#include "tests/support/temp_dir.h"

namespace icarus::testing {
namespace {

using ::testing::SizeIs;

std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i * 31 % 26);
  return bytes;
}

class WorkerFilesTest : public ::testing::Test {
 protected:
  DispatchGroup CopyGroup(const ContentHash& hash, std::uint64_t size, std::uint64_t execution = 1) {
    DispatchGroup group = CommandGroup({"cp", "in", "out"}, execution);
    group.command->inputs = {FileRef{"in", hash, size, 0644, {}}};
    group.command->outputs = {"out"};
    return group;
  }

  TempDir dir_;
  Home home_{dir_.path()};
  FakeBroker broker_{home_};
};

TEST_F(WorkerFilesTest, LargeFilesGoBothWaysInChunks) {
  const std::string content = Pattern(3'000'001);
  const ContentHash hash = HashBytes(content);
  broker_.files[hash] = content + "x";  // what comes is not what was named: refused
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CopyGroup(hash, content.size(), 1));
  auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskErrorKind::kInternal, result->error->kind);

  // The output has another name in the broker's store: put the input under a content of its own.
  broker_.files[hash] = content;
  DispatchGroup group = CommandGroup({"sh", "-c", "cat in in > out"}, 2);
  group.command->inputs = {FileRef{"in", hash, content.size(), 0644, {}}};
  group.command->outputs = {"out"};
  broker_.Dispatch(std::move(group));
  result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskState::kCompleted, result->outcome);
  const ContentHash doubled = HashBytes(content + content);
  ASSERT_THAT(result->blobs.value(), SizeIs(1));
  EXPECT_EQ(doubled, result->blobs->at(0));
  EXPECT_EQ(content + content, broker_.files[doubled]);
  const ResultBody body = broker_.BodyOf(*result);
  ASSERT_THAT(body.files, SizeIs(1));
  EXPECT_EQ(doubled, body.files[0].hash);
  EXPECT_TRUE(Eventually([&] { return std::filesystem::is_empty(home_.worker_dir("w0") + "/outbox"); }));
}

TEST_F(WorkerFilesTest, AFileIsFetchedOnce) {
  const std::string content = Pattern(600'000);
  const ContentHash hash = HashBytes(content);
  broker_.files[hash] = content;
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CopyGroup(hash, content.size(), 1));
  ASSERT_EQ(TaskState::kCompleted, broker_.Result().value().outcome);
  broker_.files.clear();
  broker_.Dispatch(CopyGroup(hash, content.size(), 2));
  EXPECT_EQ(TaskState::kCompleted, broker_.Result().value().outcome);
}

TEST_F(WorkerFilesTest, AnInputThatTheBrokerDoesNotHaveFailsTheTask) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CopyGroup(HashBytes("nowhere"), 100'000));
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ("an input could not be fetched: there is no such file", result->error->message);
}

}  // namespace
}  // namespace icarus::testing
