// Attempts that go on elsewhere: the notice before a stop, files saved meanwhile, and what is handed over.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/unit/worker/core/core_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

FileRef FileNamed(const std::string& name, const std::string& content) {
  FileRef file;
  file.name = name;
  file.hash = HashBytes(content);
  file.size = content.size();
  return file;
}
OutputBlob BlobOf(const FileRef& file) { return OutputBlob{file.hash, file.size, "/outbox/" + file.name}; }

class KeepTest : public CoreTest {
 protected:
  void Begin(KeepSpec keep, std::int64_t timeout_ms = 0, std::optional<Instant> time_limit = {}) {
    CoreOptions options = TestOptions(1);
    options.time_limit = time_limit;
    options.drain = Milliseconds(2'000);
    Make(std::move(options));
    Connect();
    DispatchGroup group = MakeGroup("command", {1});
    group.timeout_ms = timeout_ms;
    group.command.emplace();
    group.command->argv = {"true"};
    group.command->keep = std::move(keep);
    DispatchGroups({group});
    ASSERT_THAT(StartedNow(), ElementsAre(1));
  }
  static KeepSpec Notice(std::int64_t ms) { return KeepSpec{{"state"}, 0, SIGUSR1, ms}; }
  static KeepSpec Every(std::int64_t ms) { return KeepSpec{{"state"}, ms, 0, 0}; }
  void Uploaded(AttemptId id) {
    core_->OnBlobUploaded(id, std::nullopt, now_);
    Turn();
  }
  void ExpectSound() { EXPECT_EQ("", core_->Broken()); }

  const FileRef file_ = FileNamed("state", "12");
};

TEST_F(KeepTest, TheNoticeComesBeforeTheTimeLimitAndTheEndAfterItIsATimeout) {
  Begin(Notice(3'000), 10'000);
  After(6'999);
  EXPECT_THAT(Did<SignalAttempt>(), IsEmpty());
  After(1);
  ASSERT_THAT(Did<SignalAttempt>(), SizeIs(1));
  EXPECT_EQ(SIGUSR1, Did<SignalAttempt>()[0].signal);
  After(1'000);
  EXPECT_THAT(Did<SignalAttempt>(), IsEmpty()) << "once";
  AttemptEnd end = Failed(TaskErrorKind::kNonzeroExit, "ended with exit code 3");
  end.kept = {file_};
  end.blobs = {BlobOf(file_)};
  Finish(1, std::move(end));
  ASSERT_THAT(Did<UploadBlob>(), SizeIs(1));
  Uploaded(AttemptOf(1));
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_EQ(TaskState::kTimedOut, ResultsNow()[0].outcome);
  EXPECT_THAT(*ResultsNow()[0].kept, ElementsAre(file_));
}

TEST_F(KeepTest, WhatDoesNotHeedTheNoticeIsKilledInTime) {
  Begin(Notice(3'000), 10'000);
  After(7'000);
  After(3'000);
  EXPECT_THAT(Did<KillAttempt>(), SizeIs(1));
}

TEST_F(KeepTest, AProgramThatEndsWellAfterTheNoticeHasCompleted) {
  Begin(Notice(3'000), 10'000);
  After(7'000);
  Finish(1);
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_EQ(TaskState::kCompleted, ResultsNow()[0].outcome);
}

TEST_F(KeepTest, AWorkerThatKnowsItsEndGivesNoticeBeforeIt) {
  Begin(Notice(5'000), 0, Milliseconds(10'000));  // it kills at 12 s
  After(6'999);
  EXPECT_THAT(Did<SignalAttempt>(), IsEmpty());
  After(1);
  EXPECT_THAT(Did<SignalAttempt>(), SizeIs(1));
  EXPECT_THAT(Sent<icarus::Drain>(), SizeIs(1)) << "what it gives back is not to come again";
}

TEST_F(KeepTest, ATaskWhoseNoticeIsDueAlreadyIsNotBegun) {
  CoreOptions options = TestOptions(1);
  options.time_limit = Milliseconds(10'000);
  options.drain = Milliseconds(2'000);
  Make(std::move(options));
  Connect();
  After(8'000);
  DispatchGroup group = MakeGroup("command", {1});
  group.command.emplace();
  group.command->argv = {"true"};
  group.command->keep = Notice(5'000);
  DispatchGroups({group});
  EXPECT_THAT(StartedNow(), IsEmpty());
  EXPECT_THAT(Returned(), ElementsAre(1));
  EXPECT_THAT(Sent<icarus::Drain>(), SizeIs(1));
}

TEST_F(KeepTest, AWorkerThatIsToldToLeaveGivesNoticeAtOnceAndHandsOver) {
  Begin(Notice(5'000));
  core_->OnDrain(Instant(Milliseconds(2'000)), now_);
  Turn();
  EXPECT_THAT(Did<SignalAttempt>(), SizeIs(1));
  AttemptEnd end = Failed(TaskErrorKind::kSolverCrashed, "ended by signal 10");
  end.kept = {file_};
  end.blobs = {BlobOf(file_), BlobOf(FileNamed("output", "unwanted"))};
  end.body = std::make_shared<const std::string>("body");
  Finish(1, std::move(end));
  ASSERT_THAT(Did<UploadBlob>(), SizeIs(1)) << "its outputs are of no use";
  Uploaded(AttemptOf(1));
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_EQ(TaskState::kCancelled, ResultsNow()[0].outcome);
  EXPECT_EQ(-1, ResultsNow()[0].body);
  EXPECT_THAT(*ResultsNow()[0].kept, ElementsAre(file_));
  EXPECT_THAT(Returned(), IsEmpty());
  EXPECT_THAT(Did<Exit>(), IsEmpty()) << "the broker does not have it yet";
  Ack({1});
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

TEST_F(KeepTest, WithoutAnythingKeptItIsReturnedAsEver) {
  Begin(Notice(5'000));
  core_->OnDrain(Instant(Milliseconds(2'000)), now_);
  Turn();
  Finish(1, Failed(TaskErrorKind::kNonzeroExit, "3"));
  EXPECT_THAT(Returned(), ElementsAre(1));
  EXPECT_THAT(ResultsNow(), IsEmpty());
}

TEST_F(KeepTest, WhyNothingWasKeptIsTold) {
  Begin(Notice(5'000));
  core_->OnDrain(Instant(Milliseconds(2'000)), now_);
  Turn();
  AttemptEnd end = Failed(TaskErrorKind::kNonzeroExit, "3");
  end.keep_problem = "too many files";
  Finish(1, std::move(end));
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_THAT(ResultsNow()[0].error->message, ::testing::HasSubstr("too many files"));
  EXPECT_TRUE(ResultsNow()[0].kept && ResultsNow()[0].kept->empty());
}

TEST_F(KeepTest, WhatIsUploadedWhenTheTimeToLeaveHasComeIsStillDelivered) {
  Begin(Notice(5'000));
  core_->OnDrain(Instant(Milliseconds(2'000)), now_);
  After(2'000);
  EXPECT_THAT(Did<KillAttempt>(), SizeIs(1));
  AttemptEnd end = Killed();
  end.kept = {file_};
  end.blobs = {BlobOf(file_)};
  Finish(1, std::move(end));
  After(1'000);
  EXPECT_THAT(Returned(), IsEmpty());
  Uploaded(AttemptOf(1));
  EXPECT_THAT(ResultsNow(), SizeIs(1));
}

TEST_F(KeepTest, WhatCannotBeUploadedIsReturnedWithoutIt) {
  Begin(Notice(5'000));
  core_->OnDrain(Instant(Milliseconds(2'000)), now_);
  Turn();
  AttemptEnd end = Failed(TaskErrorKind::kNonzeroExit, "3");
  end.kept = {file_};
  end.blobs = {BlobOf(file_)};
  Finish(1, std::move(end));
  core_->OnBlobUploaded(AttemptOf(1), Error::Make(ErrorCode::kOverloaded, "full"), now_);
  Turn();
  EXPECT_THAT(Returned(), ElementsAre(1));
}

TEST_F(KeepTest, ASaveIsToldWhenItsFilesAreStoredAndNotTwice) {
  Begin(Every(2'000));
  After(2'000);
  ASSERT_THAT(Did<SaveAttempt>(), SizeIs(1));
  const AttemptId save = Did<SaveAttempt>()[0].save;
  core_->OnAttemptSaved(save, {file_}, {BlobOf(file_)});
  Turn();
  ASSERT_THAT(Did<UploadBlob>(), SizeIs(1));
  EXPECT_EQ(save, Did<UploadBlob>()[0].attempt);
  ExpectSound();
  Uploaded(save);
  ASSERT_THAT(Sent<TaskEvents>(), SizeIs(1));
  EXPECT_THAT(Sent<TaskEvents>()[0].saved->at(0).files, ElementsAre(file_));
  EXPECT_THAT(Did<ForgetAttempt>(), SizeIs(1)) << "the copies may go";
  After(2'000);
  ASSERT_THAT(Did<SaveAttempt>(), SizeIs(1));
  core_->OnAttemptSaved(Did<SaveAttempt>()[0].save, {file_}, {BlobOf(file_)});
  Turn();
  EXPECT_THAT(Did<UploadBlob>(), IsEmpty()) << "nothing has changed";
  EXPECT_THAT(Did<ForgetAttempt>(), SizeIs(1));
  ExpectSound();
  // A broker that has begun anew may have lost what was told last.
  core_->OnDisconnected(now_);
  Connect();
  After(2'000);
  ASSERT_THAT(Did<SaveAttempt>(), SizeIs(1));
  core_->OnAttemptSaved(Did<SaveAttempt>()[0].save, {file_}, {BlobOf(file_)});
  Turn();
  EXPECT_THAT(Did<UploadBlob>(), SizeIs(1));
}

TEST_F(KeepTest, ASlowSaveIsNotOvertakenAndGoesWithItsAttempt) {
  Begin(Every(2'000));
  After(2'000);
  const AttemptId save = Did<SaveAttempt>().at(0).save;
  After(2'000);
  EXPECT_THAT(Did<SaveAttempt>(), IsEmpty());
  core_->OnAttemptSaved(save, {file_}, {BlobOf(file_)});
  Turn();
  Finish(1);
  ASSERT_THAT(Did<ForgetAttempt>(), SizeIs(1));
  EXPECT_EQ(save, Did<ForgetAttempt>()[0].attempt);
  Uploaded(save);
  EXPECT_THAT(Sent<TaskEvents>(), IsEmpty());
  ExpectSound();
}

TEST_F(KeepTest, WhatAnEarlierAttemptKeptIsFetchedLikeAnInput) {
  Make(TestOptions(1));
  Connect();
  DispatchGroup group = MakeGroup("command", {1});
  group.command.emplace();
  group.command->argv = {"true"};
  group.tasks[0].kept = std::vector<FileRef>{file_};
  DispatchGroups({group});
  ASSERT_THAT(Did<FetchBlob>(), SizeIs(1));
  EXPECT_EQ(file_.hash, Did<FetchBlob>()[0].hash);
  core_->OnBlobFetched(file_.hash, std::nullopt, now_);
  Turn();
  EXPECT_THAT(StartedNow(), ElementsAre(1));
  EXPECT_TRUE(Did<StartAttempt>()[0].task.kept);
}

TEST_F(KeepTest, WithoutWhatWasKeptItBeginsAnew) {
  Make(TestOptions(1));
  Connect();
  DispatchGroup group = MakeGroup("command", {1});
  group.command.emplace();
  group.command->argv = {"true"};
  group.tasks[0].kept = std::vector<FileRef>{file_};
  DispatchGroups({group});
  core_->OnBlobFetched(file_.hash, Error::Make(ErrorCode::kNotFound, "gone"), now_);
  Turn();
  ASSERT_THAT(StartedNow(), ElementsAre(1));
  EXPECT_FALSE(Did<StartAttempt>()[0].task.kept);
}

}  // namespace
}  // namespace icarus::worker
