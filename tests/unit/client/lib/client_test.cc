#include "client/lib/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "common/config/access_file.h"
#include "common/protocol/result_codec.h"
#include "common/transport/wake_fd.h"
#include "tests/unit/client/lib/fake_broker.h"
#include "tests/unit/client/temp_directory.h"

namespace icarus::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Message> Silence(const Message&) { return {}; }

std::vector<Message> Reply(AnyMessage payload, std::vector<Body> bodies = {}) {
  return {Message{0, std::move(payload), std::move(bodies)}};
}

// Far enough for a busy machine; what hangs fails.
TimePoint Soon() { return std::chrono::steady_clock::now() + seconds(60); }

JobSummary Job(std::uint64_t id, TaskState state) {
  JobSummary job;
  job.job = JobId(id);
  job.state = state;
  job.total = 1;
  job.counts.assign(kTaskStateCount, 0);
  job.counts[static_cast<std::size_t>(state)] = 1;
  return job;
}

class ClientTest : public testing::Test {
 protected:
  std::unique_ptr<Client> Connect(milliseconds patience = seconds(20)) {
    ConnectOptions options;
    options.home = home_;
    options.patience = patience;
    options.watch_patience = patience;
    auto client = Client::Connect(options);
    EXPECT_TRUE(client) << client.error().message;
    return client ? std::move(*client) : nullptr;
  }

  TempDirectory directory_;
  Home home_{directory_.path()};
};

TEST_F(ClientTest, AsksAndGetsTheAnswer) {
  FakeBroker broker(home_, "one", [](const Message& message) {
    const auto& cancel = message.payload.get<Cancel>();
    return Reply(CancelReply{cancel.job.value, 3});
  });
  const auto client = Connect();
  const auto reply = client->Ask<CancelReply>(Cancel{JobId(7), {}, "why"});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->cancelled, 7U);
  const auto hellos = broker.ReceivedOf<Hello>();
  ASSERT_EQ(hellos.size(), 1U);
  EXPECT_EQ(hellos[0].role, PeerRole::kClient);
  EXPECT_FALSE(hellos[0].instance.empty());
}

TEST_F(ClientTest, AnErrorReplyIsTheError) {
  FakeBroker broker(home_, "one", [](const Message&) {
    return Reply(ErrorReply{ErrorCode::kNotFound, "there is no job 7", "job", std::nullopt});
  });
  const auto reply = Connect()->Ask<CancelReply>(Cancel{JobId(7), {}, ""});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reply.error().field, "job");
}

TEST_F(ClientTest, AnAnswerOfAnotherKindIsAProtocolError) {
  FakeBroker broker(home_, "one", [](const Message&) { return Reply(RetryReply{1}); });
  const auto reply = Connect()->Ask<CancelReply>(Cancel{JobId(7), {}, ""});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kProtocol);
}

TEST_F(ClientTest, ManyCallsAreAnsweredEachWithItsOwn) {
  FakeBroker broker(home_, "one", [](const Message& message) {
    return Reply(CancelReply{message.payload.get<Cancel>().job.value, 0});
  });
  const auto client = Connect();
  std::vector<std::uint64_t> answers;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    client->CallAsync(Cancel{JobId(i), {}, ""}, {}, [&answers, i](Result<Message> message) {
      ASSERT_TRUE(message);
      EXPECT_EQ(message->payload.get<CancelReply>().cancelled, i);
      answers.push_back(i);
    });
  }
  const auto end = client->RunUntil([&] { return answers.size() == 2000; }, Soon());
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(*end, RunEnd::kDone);
}

TEST_F(ClientTest, WithoutAnAccessFileThereIsNoBroker) {
  ConnectOptions options;
  options.home = home_;
  const auto client = Client::Connect(options);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(client.error().message, HasSubstr("icarus up"));
}

TEST_F(ClientTest, TheFileOfABrokerThatWasKilledIsNotWaitedFor) {
  { FakeBroker broker(home_, "one", Silence); }
  ASSERT_TRUE(ReadAccessFile(home_.access_file()));
  ConnectOptions options;
  options.home = home_;
  options.patience = std::chrono::hours(1);
  const auto client = Client::Connect(options);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::kUnavailable);
}

TEST_F(ClientTest, ASilentBrokerIsUnavailableAndTheClientGoesOn) {
  auto broker = std::make_unique<FakeBroker>(home_, "one", Silence);
  const auto client = Connect(milliseconds(200));
  broker.reset();  // nobody listens any more
  for (int i = 0; i < 2; ++i) {
    const auto reply = client->Ask<CancelReply>(Cancel{JobId(7), {}, ""});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  }
}

TEST_F(ClientTest, WhatABrokerThatRestartedDidNotAnswerIsSentAgainUnderTheSameIds) {
  auto first = std::make_unique<FakeBroker>(home_, "one", Silence);
  const auto client = Connect();
  std::optional<Result<Message>> answer;
  client->CallAsync(Submit{"my id", JobSpec{}}, {},
                    [&](Result<Message> message) { answer.emplace(std::move(message)); });
  // The first broker has it, and goes without an answer.
  auto end = client->RunUntil([&] { return first->ReceivedOf<Submit>().size() == 1; },
                              std::chrono::steady_clock::now() + milliseconds(1));
  for (int i = 0; i < 2000 && end && *end == RunEnd::kDeadline; ++i) {
    end = client->RunUntil([&] { return first->ReceivedOf<Submit>().size() == 1; },
                           std::chrono::steady_clock::now() + milliseconds(10));
  }
  ASSERT_EQ(first->ReceivedOf<Submit>().size(), 1U);
  std::uint64_t correlation = 0;
  for (const Message& message : first->received()) {
    if (message.payload.is<Submit>()) correlation = message.correlation;
  }
  first.reset();
  FakeBroker second(home_, "two", [](const Message&) { return Reply(SubmitReply{JobId(7), 1, 0, 0, false, {}}); });
  ASSERT_TRUE(client->RunUntil([&] { return answer.has_value(); }, Soon()));
  ASSERT_TRUE(answer.has_value());
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->payload.get<SubmitReply>().job, JobId(7));
  const auto submits = second.ReceivedOf<Submit>();
  ASSERT_EQ(submits.size(), 1U);
  EXPECT_EQ(submits[0].id, "my id");
  EXPECT_EQ((*answer)->correlation, correlation);
  EXPECT_EQ(second.ReceivedOf<Hello>().size(), 1U);  // and the greeting came before it
  EXPECT_TRUE(second.received().front().payload.is<Hello>());
}

TEST_F(ClientTest, ABrokerThatHasForgottenTheClientIsGreetedAgain) {
  std::atomic<int> submits = 0;
  FakeBroker* self = nullptr;
  FakeBroker broker(home_, "one", [&](const Message& message) -> std::vector<Message> {
    if (!message.payload.is<Submit>()) return {};
    if (++submits > 1) return Reply(SubmitReply{JobId(7), 1, 0, 0, false, {}});
    self->Forget();
    return {};
  });
  self = &broker;
  const auto reply = Connect()->Ask<SubmitReply>(Submit{"id", JobSpec{}});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(broker.ReceivedOf<Hello>().size(), 2U);
}

TEST_F(ClientTest, AWatchIsAcknowledgedAndEndsWhenTheJobsHave) {
  FakeBroker broker(home_, "one", [](const Message& message) -> std::vector<Message> {
    if (const auto* watch = message.payload.get_if<Watch>()) {
      if (watch->jobs.empty()) return {};
      return Reply(JobUpdate{1, {Job(7, TaskState::kRunning), Job(8, TaskState::kCompleted)}});
    }
    if (const auto* ack = message.payload.get_if<UpdateAck>(); ack != nullptr && ack->sequence == 1) {
      return Reply(JobUpdate{2, {Job(7, TaskState::kFailed)}});
    }
    return {};
  });
  const auto client = Connect();
  const auto outcome = client->Wait({JobId(7), JobId(8)}, Soon());
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->end, RunEnd::kDone);
  ASSERT_EQ(outcome->jobs.size(), 2U);
  EXPECT_EQ(outcome->jobs[0].state, TaskState::kFailed);
  EXPECT_EQ(outcome->jobs[1].state, TaskState::kCompleted);
}

TEST_F(ClientTest, AWatchGoesOnWithTheNextBroker) {
  auto first = std::make_unique<FakeBroker>(home_, "one", [](const Message& message) -> std::vector<Message> {
    if (!message.payload.is<Watch>()) return {};
    return Reply(JobUpdate{1, {Job(7, TaskState::kRunning)}});
  });
  const auto client = Connect();
  std::vector<TaskState> states;
  client->Watch({JobId(7)}, [&](Result<JobUpdate> update) {
    ASSERT_TRUE(update);
    states.push_back(update->jobs.front().state);
  });
  ASSERT_TRUE(client->RunUntil([&] { return states.size() == 1; }, Soon()));
  first.reset();
  FakeBroker second(home_, "two", [](const Message& message) -> std::vector<Message> {
    if (!message.payload.is<Watch>()) return {};
    return Reply(JobUpdate{1, {Job(7, TaskState::kCompleted)}});
  });
  ASSERT_TRUE(client->RunUntil([&] { return states.size() == 2; }, Soon()));
  EXPECT_THAT(states, ElementsAre(TaskState::kRunning, TaskState::kCompleted));
}

// As a process that is stopped (Ctrl-Z) while it shows an update.
TEST_F(ClientTest, TimeThatAnUpdateTakesHereIsNotTheBrokersSilence) {
  FakeBroker broker(home_, "one", [](const Message& message) -> std::vector<Message> {
    if (message.payload.is<Watch>()) return Reply(JobUpdate{1, {Job(7, TaskState::kRunning)}});
    if (message.payload.is<Heartbeat>()) return Reply(JobUpdate{2, {Job(7, TaskState::kCompleted)}});
    return {};
  });
  const milliseconds patience{3200};
  const auto client = Connect(patience);
  std::optional<Error> error;
  const std::uint64_t watch = client->Watch({JobId(7)}, [&](Result<JobUpdate> update) {
    if (!update) error = update.error();
    std::this_thread::sleep_for(patience + milliseconds(200));  // the stop itself; nothing is waited for
  });
  const auto end = client->RunUntil([&] { return error.has_value(); }, std::chrono::steady_clock::now() + patience);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(*end, RunEnd::kDeadline) << error->message;
  client->EndWatch(watch);
}

TEST_F(ClientTest, WaitingEndsAtItsDeadlineAndByInterrupt) {
  FakeBroker broker(home_, "one", [](const Message& message) -> std::vector<Message> {
    if (!message.payload.is<Watch>()) return {};
    return Reply(JobUpdate{1, {Job(7, TaskState::kRunning)}});
  });
  const auto client = Connect();
  auto outcome = client->Wait({JobId(7)}, std::chrono::steady_clock::now() + milliseconds(300));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->end, RunEnd::kDeadline);
  auto wake = WakeFd::Create();
  ASSERT_TRUE(wake);
  client->SetInterrupt(wake->fd());
  wake->Wake();
  outcome = client->Wait({JobId(7)}, Soon());
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->end, RunEnd::kInterrupted);
}

TEST_F(ClientTest, AWatchOfAJobThatIsNotThereFails) {
  FakeBroker broker(home_, "one", [](const Message&) {
    return Reply(ErrorReply{ErrorCode::kNotFound, "there is no job 7", "", std::nullopt});
  });
  const auto outcome = Connect()->Wait({JobId(7)}, Soon());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kNotFound);
}

ResultItem Item(TaskIndex index, std::int32_t body) {
  ResultItem item;
  item.task.index = index;
  item.task.state = TaskState::kCompleted;
  item.body = body;
  return item;
}

TEST_F(ClientTest, ResultsComeInOrderByThePage) {
  FakeBroker broker(home_, "one", [](const Message& message) -> std::vector<Message> {
    const auto* fetch = message.payload.get_if<FetchResults>();
    if (fetch == nullptr) return {};
    ResultBody body;
    body.columns = {"page" + std::to_string(fetch->first)};
    ResultPage page;
    page.total = 5;
    for (std::uint64_t i = fetch->first; i < std::min<std::uint64_t>(fetch->first + 2, 5); ++i) {
      page.items.push_back(Item(static_cast<TaskIndex>(i), i % 2 == 0 ? 0 : -1));
      page.next = i + 1;
    }
    return Reply(page, {std::make_shared<const std::string>(EncodeResultBody(body))});
  });
  const auto client = Connect();
  std::vector<std::string> seen;
  const Status fetched = client->FetchResults(JobId(7), 0, 0, [&](ResultItem item, ResultBody body) -> Status {
    seen.push_back(std::to_string(item.task.index) + (body.columns.empty() ? "" : " " + body.columns.front()));
    return {};
  });
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_THAT(seen, ElementsAre("0 page0", "1", "2 page2", "3", "4 page4"));
}

TEST_F(ClientTest, ATableThatLiesInAFileComesWithTheResult) {
  ResultBody body;
  body.columns = {"n"};
  for (int i = 0; i < 200'000; ++i) body.rows.push_back({Value(i + 0.5)});
  body.missing = {{{{"n", Value(1.0)}}, "did not converge"}};
  const std::string table = TakeTable(body);
  body.table = FileRef{"table", HashBytes(table), table.size(), 0600, std::nullopt};
  std::atomic<bool> damage = false;
  FakeBroker broker(home_, "one", [&](const Message& message) -> std::vector<Message> {
    if (const auto* get = message.payload.get_if<BlobGet>()) {
      std::string piece = table.substr(get->offset, get->length);
      if (damage && !piece.empty()) piece[0] ^= 1;
      return Reply(BlobData{get->hash, get->offset, table.size()}, {std::make_shared<const std::string>(piece)});
    }
    ResultPage page;
    page.items.push_back(Item(0, 0));
    page.next = page.total = 1;
    return Reply(page, {std::make_shared<const std::string>(EncodeResultBody(body))});
  });
  const auto client = Connect();
  std::size_t rows = 0, missing = 0;
  const auto count = [&](const ResultItem&, const ResultBody& whole) -> Status {
    rows = whole.rows.size();
    missing = whole.missing.size();
    return {};
  };
  const Status fetched = client->FetchResults(JobId(7), 0, 0, count);
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(rows, 200'000u);
  EXPECT_EQ(missing, 1u);
  damage = true;
  std::optional<TaskError> error;
  const auto note = [&](const ResultItem& item, const ResultBody& whole) -> Status {
    error = item.task.error;
    rows = whole.rows.size();
    EXPECT_EQ(item.task.state, TaskState::kFailed);
    return {};
  };
  ASSERT_TRUE(client->FetchResults(JobId(7), 0, 0, note))
      << "it is the task's error, and the others have their results";
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, TaskErrorKind::kOutputMissing);
  EXPECT_THAT(error->message, HasSubstr("its table is lost"));
  EXPECT_EQ(rows, 0u);
  EXPECT_EQ(client->LoadTable(body).error().code, ErrorCode::kCorruption);
}

TEST_F(ClientTest, AResultThatNamesABodyThatIsNotThereIsRefused) {
  FakeBroker broker(home_, "one", [](const Message&) {
    ResultPage page;
    page.items.push_back(Item(0, 3));
    page.next = page.total = 1;
    return Reply(page);
  });
  const Status fetched = Connect()->FetchResults(JobId(7), 0, 0, [](ResultItem, ResultBody) -> Status { return {}; });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::kProtocol);
}

TEST_F(ClientTest, TheGreetingSaysWhoWeAre) {
  FakeBroker broker(home_, "one", Silence);
  const auto client = Connect();
  const auto welcome = client->Greet();
  ASSERT_TRUE(welcome) << welcome.error().message;
  EXPECT_EQ(welcome->user, "tester");
}

}  // namespace
}  // namespace icarus::client
