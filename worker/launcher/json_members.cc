#include "worker/launcher/json_members.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/model/value.h"

namespace icarus::worker {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostOfAReason = 160;  // the library quotes what it read last, which may be long

// Writes what it is told of, member by member of the outermost object.
class MemberWriter final : public nlohmann::json_sax<Json> {
 public:
  explicit MemberWriter(std::string_view canonical) : canonical_(canonical) {}

  bool null() override { return Scalar("null"); }
  bool boolean(bool value) override { return Scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return Whole(value); }
  bool number_unsigned(number_unsigned_t value) override { return Whole(value); }
  bool number_float(number_float_t value, const string_t& spelled) override;
  bool string(string_t& value) override {
    BeginValue();
    AppendCanonicalString(out_, value);
    return EndValue();
  }
  bool binary(binary_t&) override { return Fail("it holds binary data"); }
  bool start_object(std::size_t) override { return Open('{'); }
  bool start_array(std::size_t) override { return Open('['); }
  bool key(string_t& name) override;
  bool end_object() override;
  bool end_array() override {
    out_ += ']';
    levels_.pop_back();
    return EndValue();
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& why) override;

  JsonMembers TakeMembers() { return std::move(members_); }
  const std::string& problem() const { return problem_; }

 private:
  struct Member {
    std::string name;
    std::size_t begin = 0;  // in out_, of its name and value together
    std::size_t end = 0;
  };
  struct Level {
    bool is_object = false;
    bool is_empty = true;
    std::size_t begin = 0;        // in out_, behind the bracket
    std::vector<Member> members;  // only where they are sorted
  };

  bool Fail(std::string why) {
    problem_ = std::move(why);
    return false;
  }
  bool InMember() const { return levels_.size() > 1; }
  bool Open(char bracket);
  void BeginValue();
  bool EndValue();
  bool Scalar(std::string_view text) {
    BeginValue();
    out_ += text;
    return EndValue();
  }
  template <class Integer>
  bool Whole(Integer value);
  void SortMembers(Level& level);

  const std::string_view canonical_;
  bool sorts_ = false;  // in the canonical member
  std::string member_;  // of the outermost object
  std::string out_;     // its text so far
  std::vector<Level> levels_;
  JsonMembers members_;
  std::string problem_;
};

void MemberWriter::BeginValue() {
  if (levels_.size() < 2 || levels_.back().is_object) return;
  if (!std::exchange(levels_.back().is_empty, false)) out_ += ',';
}

// Behind a value of whatever kind.
bool MemberWriter::EndValue() {
  if (levels_.empty()) return Fail("it is no JSON object");
  if (levels_.size() == 1) {
    members_[member_] = std::exchange(out_, {});
    return true;
  }
  Level& level = levels_.back();
  if (level.is_object && sorts_) level.members.back().end = out_.size();
  return true;
}

bool MemberWriter::Open(char bracket) {
  if (levels_.empty() && bracket == '[') return Fail("it is no JSON object");
  // The outermost object is not part of its members.
  if (levels_.size() > limits::kValueNesting) {
    return Fail("it is nested deeper than the limit of " + std::to_string(limits::kValueNesting));
  }
  BeginValue();
  if (!levels_.empty()) out_ += bracket;
  levels_.push_back({bracket == '{', true, out_.size(), {}});
  return true;
}

bool MemberWriter::key(string_t& name) {
  if (!InMember()) {
    member_ = name;
    sorts_ = name == canonical_;
    return true;
  }
  Level& level = levels_.back();
  if (!std::exchange(level.is_empty, false) && !sorts_) out_ += ',';
  if (sorts_) level.members.push_back({name, out_.size(), 0});
  AppendCanonicalString(out_, name);
  out_ += ':';
  return true;
}

bool MemberWriter::end_object() {
  if (sorts_ && InMember()) SortMembers(levels_.back());
  const bool outermost = !InMember();
  levels_.pop_back();
  if (outermost) return true;
  out_ += '}';
  return EndValue();
}

void MemberWriter::SortMembers(Level& level) {
  std::vector<Member>& members = level.members;
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.name < b.name; });
  std::string sorted;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].name == members[i + 1].name) continue;
    if (!sorted.empty()) sorted += ',';
    sorted.append(out_, members[i].begin, members[i].end - members[i].begin);
  }
  out_.replace(level.begin, std::string::npos, sorted);
}

template <class Integer>
bool MemberWriter::Whole(Integer value) {
  // As a floating-point number where it is one, so that both spellings are equal; else its digits. A long double holds
  // either exactly.
  const auto rounded = static_cast<double>(value);
  const bool is_exact = static_cast<long double>(rounded) == static_cast<long double>(value);
  return Scalar(sorts_ && is_exact ? FormatNumber(rounded) : std::to_string(value));
}

bool MemberWriter::number_float(number_float_t value, const string_t& spelled) {
  if (!sorts_) return Scalar(spelled);
  if (spelled.find_first_of(".eE") == std::string::npos) {
    return Fail("it has a whole number of more than 64 bits; write that as a string");
  }
  return Scalar(FormatNumber(value));
}

bool MemberWriter::parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& why) {
  const std::string_view text = why.what();
  const auto behind = text.find("] ");  // "[json.exception.parse_error.101] "
  std::string reason(text.substr(behind == std::string_view::npos ? 0 : behind + 2, kMostOfAReason));
  // What it quotes may be no UTF-8, or be cut in a character.
  std::replace_if(
      reason.begin(), reason.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return Fail("it is no JSON: " + reason);
}

}  // namespace

Result<JsonMembers> ReadJsonMembers(std::string_view text, std::string_view canonical) {
  MemberWriter writer(canonical);
  if (!Json::sax_parse(text, &writer)) return UsageError(writer.problem());
  return writer.TakeMembers();
}

}  // namespace icarus::worker
