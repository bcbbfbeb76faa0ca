// The keys of the job store. Their byte order is the order in which Load reports: meta, settings, each job with its
// status and its tasks, dispatches; the bodies and events come last, apart, so that one pass over everything else never
// touches them.
//
//   01                                meta
//   02 name                           setting
//   03 job(8) 00                      job
//   03 job(8) 01                      status of the job
//   03 job(8) 02 index(4)             task
//   04 id(8)                          dispatch
//   05 job(8) index(4)                body of a task
//   06 number(8)                      events, by the number of the first
//
// Numbers are big-endian, so that byte order is numeric order. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/ids.h"

namespace icarus::broker {

enum class KeyKind : std::uint8_t { kMeta, kSetting, kJob, kStatus, kTask, kDispatch, kBody, kEvents };

// What a key names. The members that its kind has not are left at zero.
struct StoreKey {
  KeyKind kind = KeyKind::kMeta;
  JobId job;
  TaskIndex index = 0;
  std::uint64_t dispatch = 0;
  std::uint64_t event = 0;
  std::string setting;
  friend bool operator==(const StoreKey&, const StoreKey&) = default;
};

// Half-open: first <= key < last.
struct KeyRange {
  std::string first;
  std::string last;
};

std::string MetaKey();
std::string SettingKey(std::string_view name);
std::string JobKey(JobId job);
std::string StatusKey(JobId job);
std::string TaskKey(TaskRef task);
std::string DispatchKey(std::uint64_t id);
std::string BodyKey(TaskRef task);
std::string EventsKey(std::uint64_t first);

// Job, status and tasks of a job.
KeyRange JobRange(JobId job);
KeyRange BodyRange(JobId job);
KeyRange EventsRange();
// Everything but the bodies and events.
KeyRange RecordRange();

// nullopt: no key of this schema.
std::optional<StoreKey> ParseKey(std::string_view key);

// For messages: "the record of task 7.2", "the setting 'cache.max_size_mb'"; a foreign key as hex.
std::string DescribeKey(std::string_view key);

}  // namespace icarus::broker
