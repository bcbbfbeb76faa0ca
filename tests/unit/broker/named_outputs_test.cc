#include "broker/named_outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icarus::broker {
namespace {

using ::testing::HasSubstr;

FileRef Reference(const std::string& content) {
  FileRef file;
  file.name = content + ".txt";
  file.hash = HashBytes(content);
  return file;
}
const NameFile kAllButGone = [](const ContentHash& file) { return file != HashBytes("gone"); };

ExecutionResult ResultWith(const std::string& content) {
  ExecutionResult result;
  result.body = 3;
  result.blobs = {HashBytes("here"), HashBytes(content)};
  return result;
}

TEST(NamedOutputs, AnInputThatIsNotHereIsNamed) {
  Submit request;
  request.spec.command.emplace();
  FileRef awaited;
  awaited.name = "awaited";
  FileRef inside = Reference("gone");
  inside.content = "gone";
  request.spec.command->inputs = {Reference("here"), awaited, inside};
  EXPECT_TRUE(NameInputs(request, kAllButGone));
  request.spec.command->inputs.push_back(Reference("gone"));
  const Status named = NameInputs(request, kAllButGone);
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(named.error().field, "input");
  EXPECT_THAT(named.error().message, HasSubstr("'gone.txt'"));
}

TEST(NamedOutputs, AResultWithoutItsFileIsGivenBack) {
  Results message;
  message.results = {ResultWith("there"), ResultWith("gone"), ResultWith("gone")};
  message.results[2].outcome = TaskState::kTimedOut;
  message.results[2].error = TaskError{TaskErrorKind::kTimedOut, "too long", std::nullopt, std::nullopt};
  NameOutputs(message, kAllButGone);
  EXPECT_EQ(message.results[0].outcome, TaskState::kCompleted);
  EXPECT_EQ(message.results[0].body, 3);
  const ExecutionResult& lost = message.results[1];
  EXPECT_EQ(lost.outcome, TaskState::kCancelled);
  EXPECT_EQ(lost.error->kind, TaskErrorKind::kOutputMissing);
  EXPECT_THAT(lost.error->message, HasSubstr("not there any more"));
  EXPECT_TRUE(lost.body == -1 && !lost.blobs && !lost.cacheable);
  EXPECT_EQ(message.results[2].outcome, TaskState::kTimedOut) << "it keeps its own reason";
  EXPECT_FALSE(message.results[2].blobs);
}

TEST(NamedOutputs, WhatIsGoneOfWhatWasKeptIsNotKept) {
  Results message;
  message.results.resize(2);
  message.results[0].kept = {Reference("here")};
  message.results[1].kept = {Reference("here"), Reference("gone")};
  NameOutputs(message, kAllButGone);
  EXPECT_TRUE(message.results[0].kept);
  EXPECT_FALSE(message.results[1].kept);
  TaskEvents events;
  events.saved = std::vector<SavedFiles>{{ExecutionId(1), Token(1), {Reference("gone")}},
                                         {ExecutionId(2), Token(2), {Reference("here")}}};
  NameSaved(events, kAllButGone);
  ASSERT_EQ(events.saved->size(), 1u);
  EXPECT_EQ(events.saved->front().execution, ExecutionId(2));
}

}  // namespace
}  // namespace icarus::broker
