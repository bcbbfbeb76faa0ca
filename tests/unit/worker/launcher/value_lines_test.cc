// What programs write about intermediate values, as bytes, as lines, as JSON and as requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/limits.h"
#include "worker/launcher/json_members.h"
#include "worker/launcher/line_reader.h"
#include "worker/launcher/value_message.h"

namespace icarus::worker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(LineReader& reader) {
  std::vector<std::string> lines;
  while (const auto line = reader.Next()) lines.push_back(line->too_long ? "(too long)" : line->text);
  return lines;
}

TEST(LineReaderTest, LinesComeHoweverTheirBytesDo) {
  LineReader reader(100);
  reader.Add("one\ntw");
  EXPECT_THAT(Lines(reader), ElementsAre("one"));
  reader.Add("o");
  EXPECT_THAT(Lines(reader), ElementsAre());
  reader.Add("\n\nthree\nfo");
  EXPECT_THAT(Lines(reader), ElementsAre("two", "", "three"));
  EXPECT_EQ(reader.held_bytes(), 2u);
  reader.Finish();
  EXPECT_THAT(Lines(reader), ElementsAre("fo"));
  reader.Finish();
  EXPECT_THAT(Lines(reader), ElementsAre());
}

TEST(LineReaderTest, ALongLineIsToldOnceAndSkippedToItsEnd) {
  LineReader reader(4);
  reader.Add("1234\n12345\nab\n");
  EXPECT_THAT(Lines(reader), ElementsAre("1234", "(too long)", "ab"));
  reader.Add("12345");
  EXPECT_THAT(Lines(reader), ElementsAre("(too long)")) << "before its end";
  EXPECT_EQ(reader.held_bytes(), 0u);
  reader.Add("6789012345");
  EXPECT_THAT(Lines(reader), ElementsAre());
  EXPECT_EQ(reader.held_bytes(), 0u);
  reader.Add("6\nok\n");
  EXPECT_THAT(Lines(reader), ElementsAre("ok"));
}

std::string CanonicalOf(const std::string& json) {
  const auto members = ReadJsonMembers(R"({"key":)" + json + "}", "key");
  return members ? members->at("key") : "error: " + members.error().message;
}

TEST(JsonMembersTest, EqualJsonIsEqualTextInTheCanonicalMember) {
  EXPECT_EQ(CanonicalOf(R"({ "b" : [1.0, 1e0, 10e-1, -0.0], "a": {"y":2,"x":1} })"),
            R"({"a":{"x":1,"y":2},"b":[1,1,1,0]})");
  EXPECT_EQ(CanonicalOf(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})") << "the last counts, as for other readers";
  EXPECT_EQ(CanonicalOf(R"("ä\n")"), CanonicalOf("\"ä\\u000a\""));
  EXPECT_EQ(CanonicalOf("1e17"), CanonicalOf("100000000000000000"));
  EXPECT_EQ(CanonicalOf("[[],{},[{}],null,true,false,\"\"]"), "[[],{},[{}],null,true,false,\"\"]");
  EXPECT_NE(CanonicalOf("1"), CanonicalOf("\"1\""));
}

TEST(JsonMembersTest, LargeWholeNumbersStayApart) {
  EXPECT_EQ(CanonicalOf("9007199254740993"), "9007199254740993");
  EXPECT_NE(CanonicalOf("9007199254740993"), CanonicalOf("9007199254740992"));
  EXPECT_NE(CanonicalOf("18446744073709551615"), CanonicalOf("18446744073709551614"));
  EXPECT_NE(CanonicalOf("-9223372036854775807"), CanonicalOf("-9223372036854775808"));
  EXPECT_THAT(CanonicalOf("18446744073709551616"), HasSubstr("more than 64 bits"));
}

TEST(JsonMembersTest, OtherMembersKeepTheirNumbersAndTheirOrder) {
  const auto members =
      ReadJsonMembers(R"({"value": {"b": 1.0, "a": [1e5, -0, 12345678901234567890123]}, "n":2})", "key");
  ASSERT_TRUE(members) << members.error().message;
  EXPECT_EQ(members->at("value"), R"({"b":1.0,"a":[1e5,0,12345678901234567890123]})");
  EXPECT_EQ(members->at("n"), "2");
}

TEST(JsonMembersTest, WhatIsNoObjectSaysSoShortly) {
  for (const std::string text :
       {"", "5", "[1]", "{", "{\"a\":1} x", "{\"a\":NaN}", "{'a':1}", "\"a\"", "{\"a\":1e999}"}) {
    const auto members = ReadJsonMembers(text, "key");
    ASSERT_FALSE(members) << text;
    EXPECT_THAT(members.error().message, HasSubstr("it is no JSON")) << text;
  }
  const auto huge = ReadJsonMembers("{\"a\":\"" + std::string(1 << 20, 'x'), "key");
  ASSERT_FALSE(huge);
  EXPECT_LT(huge.error().message.size(), 300u);
  const auto foreign = ReadJsonMembers("{\"a\":\"\xff\"}", "key");
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, Not(HasSubstr("\xff"))) << "it goes into a line of JSON itself";
}

TEST(JsonMembersTest, NestingHasALimitAndCostsNoStack) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(CanonicalOf(nested(limits::kValueNesting)), nested(limits::kValueNesting));
  EXPECT_THAT(CanonicalOf(nested(limits::kValueNesting + 1)), HasSubstr("limit of 64"));
  EXPECT_THAT(CanonicalOf(nested(1'000'000)), HasSubstr("limit of 64"));
}

std::string ProblemOf(const std::string& line) {
  const ValueLine said = ReadValueLine(line);
  const auto* bad = std::get_if<BadLine>(&said);
  return bad == nullptr ? "" : bad->message;
}

TEST(ValueMessageTest, ReadsWhatThePlugInProtocolSays) {
  const auto get = std::get<CacheGet>(ReadValueLine(R"({"type":"cache_get","id":1,"key":{"b":1.0,"a":2}})"));
  EXPECT_EQ(get.id, "1");
  EXPECT_EQ(get.key, R"({"a":2,"b":1})");
  EXPECT_EQ(std::get<CacheGet>(ReadValueLine(R"({"key":1,"id":"x\"y","type":"cache_get","more":[]})")).id, R"("x\"y")");
  const auto put =
      std::get<CachePut>(ReadValueLine(R"({"type":"cache_put","key":"k","value":{"x":1.0},"compute_s":2.5})"
                                       "\r"));
  EXPECT_EQ(put.key, "\"k\"");
  EXPECT_EQ(put.value, R"({"x":1.0})");
  EXPECT_EQ(put.compute_s, 2.5);
}

TEST(ValueMessageTest, SaysWhatIsWrongAndWhatIsAllowed) {
  EXPECT_THAT(ProblemOf("hello"), HasSubstr("cannot be read"));
  EXPECT_THAT(ProblemOf("{}"), AllOf(HasSubstr("no type"), HasSubstr("cache_get and cache_put")));
  EXPECT_THAT(ProblemOf(R"({"type":"cache_delete"})"), HasSubstr("\"cache_delete\"; there are cache_get"));
  EXPECT_THAT(ProblemOf(R"({"type":"cache_get","id":1})"), HasSubstr("cache_get needs the member 'key'"));
  EXPECT_THAT(ProblemOf(R"({"type":"cache_get","key":1})"), HasSubstr("'id'"));
  EXPECT_THAT(ProblemOf(R"({"type":"cache_get","key":1,"id":[1]})"), HasSubstr("number or a string"));
  EXPECT_THAT(ProblemOf(R"({"type":"cache_put","key":1})"), HasSubstr("'value'"));
  EXPECT_THAT(ProblemOf(R"({"type":"cache_put","key":1,"value":1,"compute_s":-1})"), HasSubstr("compute_s"));
  const std::string key(limits::kValueKeyBytes - 1, 'k');
  EXPECT_THAT(ProblemOf(R"({"type":"cache_put","value":1,"key":")" + key + "\"}"), HasSubstr("limit of 4096"));
  EXPECT_EQ(ProblemOf(R"({"type":"cache_put","value":1,"key":")" + key.substr(1) + "\"}"), "");
  const std::string value(limits::kMaxResultBytes - 1, 'v');
  EXPECT_THAT(ProblemOf(R"({"type":"cache_put","key":1,"value":")" + value + "\"}"), HasSubstr("limit of 8388608"));
}

TEST(ValueMessageTest, AnErrorHasTheIdOfItsLine) {
  EXPECT_EQ(std::get<BadLine>(ReadValueLine(R"({"type":"cache_get","id":7})")).id, "7");
  EXPECT_EQ(ErrorLine("7", "so \"it\" is"), R"({"type":"error","id":7,"message":"so \"it\" is"})"
                                            "\n");
  EXPECT_EQ(ErrorLine({}, "so"), R"({"type":"error","message":"so"})"
                                 "\n");
  EXPECT_THAT(TooLongLine(), HasSubstr(std::to_string(limits::kValueLineBytes)));
  const std::string value = "[1]";
  EXPECT_EQ(CacheValueLine("7", &value), R"({"type":"cache_value","id":7,"value":[1]})"
                                         "\n");
  EXPECT_EQ(CacheValueLine("7", nullptr), R"({"type":"cache_value","id":7,"value":null})"
                                          "\n");
}

TEST(ValueMessageTest, AQuotedTypeIsNotCutInACharacter) {
  std::string type;
  for (int i = 0; i < 30; ++i) type += "ä";
  const auto members = ReadJsonMembers(ErrorLine({}, ProblemOf("{\"type\":\"x" + type + "\"}")), "key");
  EXPECT_TRUE(members) << members.error().message;
}

}  // namespace
}  // namespace icarus::worker
