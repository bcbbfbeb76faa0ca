#include "broker/storage/key_schema.h"

#include <limits>

namespace icarus::broker {
namespace {

constexpr char kMetaPrefix = 1;
constexpr char kSettingPrefix = 2;
constexpr char kJobPrefix = 3;
constexpr char kDispatchPrefix = 4;
constexpr char kBodyPrefix = 5;
constexpr char kEventsPrefix = 6;

constexpr char kJobPart = 0;
constexpr char kStatusPart = 1;
constexpr char kTaskPart = 2;

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kIndexBytes = 4;

void AppendBigEndian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

std::uint64_t ReadBigEndian(std::string_view in) {
  std::uint64_t value = 0;
  for (const char c : in) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string Numbered(char prefix, std::uint64_t number) {
  std::string key;
  key.reserve(1 + kNumberBytes + 1 + kIndexBytes);
  key.push_back(prefix);
  AppendBigEndian(key, number, kNumberBytes);
  return key;
}

std::string JobPart(JobId job, char part) {
  std::string key = Numbered(kJobPrefix, job.value);
  key.push_back(part);
  return key;
}

KeyRange AllOfJob(char prefix, JobId job) {
  const bool last_of_all = job.value == std::numeric_limits<std::uint64_t>::max();
  return {Numbered(prefix, job.value),
          last_of_all ? std::string(1, static_cast<char>(prefix + 1)) : Numbered(prefix, job.value + 1)};
}

std::optional<StoreKey> ParseJobKey(std::string_view rest) {
  if (rest.size() < kNumberBytes + 1) return std::nullopt;
  StoreKey key;
  key.job = JobId(ReadBigEndian(rest.substr(0, kNumberBytes)));
  const char part = rest[kNumberBytes];
  rest.remove_prefix(kNumberBytes + 1);
  if (part == kTaskPart && rest.size() == kIndexBytes) {
    key.kind = KeyKind::kTask;
    key.index = static_cast<TaskIndex>(ReadBigEndian(rest));
    return key;
  }
  if (!rest.empty() || (part != kJobPart && part != kStatusPart)) return std::nullopt;
  key.kind = part == kJobPart ? KeyKind::kJob : KeyKind::kStatus;
  return key;
}

std::optional<StoreKey> ParseBodyKey(std::string_view rest) {
  if (rest.size() != kNumberBytes + kIndexBytes) return std::nullopt;
  StoreKey key;
  key.kind = KeyKind::kBody;
  key.job = JobId(ReadBigEndian(rest.substr(0, kNumberBytes)));
  key.index = static_cast<TaskIndex>(ReadBigEndian(rest.substr(kNumberBytes)));
  return key;
}

std::string KeyHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes.substr(0, 32)) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

}  // namespace

std::string MetaKey() { return std::string(1, kMetaPrefix); }
std::string SettingKey(std::string_view name) { return std::string(1, kSettingPrefix).append(name); }
std::string JobKey(JobId job) { return JobPart(job, kJobPart); }
std::string StatusKey(JobId job) { return JobPart(job, kStatusPart); }
std::string DispatchKey(std::uint64_t id) { return Numbered(kDispatchPrefix, id); }

std::string EventsKey(std::uint64_t first) { return Numbered(kEventsPrefix, first); }

std::string TaskKey(TaskRef task) {
  std::string key = JobPart(task.job, kTaskPart);
  AppendBigEndian(key, task.index, kIndexBytes);
  return key;
}

std::string BodyKey(TaskRef task) {
  std::string key = Numbered(kBodyPrefix, task.job.value);
  AppendBigEndian(key, task.index, kIndexBytes);
  return key;
}

KeyRange JobRange(JobId job) { return AllOfJob(kJobPrefix, job); }
KeyRange BodyRange(JobId job) { return AllOfJob(kBodyPrefix, job); }
KeyRange EventsRange() { return {std::string(1, kEventsPrefix), std::string(1, kEventsPrefix + 1)}; }
KeyRange RecordRange() { return {MetaKey(), std::string(1, kBodyPrefix)}; }

std::optional<StoreKey> ParseKey(std::string_view key) {
  if (key.empty()) return std::nullopt;
  const std::string_view rest = key.substr(1);
  StoreKey parsed;
  switch (key.front()) {
    case kMetaPrefix:
      if (!rest.empty()) return std::nullopt;
      return parsed;
    case kSettingPrefix:
      parsed.kind = KeyKind::kSetting;
      parsed.setting = rest;
      return parsed;
    case kJobPrefix: return ParseJobKey(rest);
    case kDispatchPrefix:
      if (rest.size() != kNumberBytes) return std::nullopt;
      parsed.kind = KeyKind::kDispatch;
      parsed.dispatch = ReadBigEndian(rest);
      return parsed;
    case kBodyPrefix: return ParseBodyKey(rest);
    case kEventsPrefix:
      if (rest.size() != kNumberBytes) return std::nullopt;
      parsed.kind = KeyKind::kEvents;
      parsed.event = ReadBigEndian(rest);
      return parsed;
    default: return std::nullopt;
  }
}

std::string DescribeKey(std::string_view key) {
  const std::optional<StoreKey> parsed = ParseKey(key);
  if (!parsed) return "the unknown key " + KeyHex(key);
  switch (parsed->kind) {
    case KeyKind::kMeta: return "the store's description";
    case KeyKind::kSetting: return "the setting '" + parsed->setting + "'";
    case KeyKind::kJob: return "the record of job " + std::to_string(parsed->job.value);
    case KeyKind::kStatus: return "the status of job " + std::to_string(parsed->job.value);
    case KeyKind::kTask: return "the record of task " + FormatTask({parsed->job, parsed->index});
    case KeyKind::kDispatch: return "the record of dispatch " + std::to_string(parsed->dispatch);
    case KeyKind::kEvents: return "the events from number " + std::to_string(parsed->event);
    case KeyKind::kBody: return "the result of task " + FormatTask({parsed->job, parsed->index});
  }
  return "the unknown key " + KeyHex(key);
}

}  // namespace icarus::broker
