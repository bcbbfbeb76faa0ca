#include "broker/core/job_packer.h"

#include <cstring>
#include <limits>
#include <type_traits>

#include "common/analysis/cache_key.h"
#include "common/base/check.h"
#include "common/model/limits.h"
#include "common/protocol/map_codec.h"

namespace icarus::broker {
namespace {

// Of the encoded record and status: a table of a million rows is not unpacked for a question about it.
constexpr std::size_t kMostBytes = 64u << 10;
constexpr std::size_t kMostDictionaries = 255;
static_assert(limits::kMaxPriority < std::numeric_limits<std::int16_t>::max());

enum Flag : std::uint8_t { kIdentified = 1, kProbes = 2, kInQueue = 4, kHeld = 8, kTimed = 16 };

}  // namespace

struct JobPacker::Head {
  std::int64_t submitted_at_ms = 0;
  std::int64_t moment_ms = 0;  // enqueued, or ended when it is finished
  std::uint32_t ready = 0;
  std::uint16_t user = 0;  // a number of JobPacker, as is the solver
  std::uint16_t solver = 0;
  std::int16_t priority = 0;
  std::uint16_t request_class = 0;
  std::uint16_t record_size = 0;
  std::uint16_t status_size = 0;
  std::uint16_t packed_size = 0;
  std::uint8_t dictionary = 0;
  std::uint8_t flags = 0;
  TaskState state = TaskState::kPending;
};

JobBrief BriefOf(const Job& job) {
  JobBrief brief;
  brief.user = &job.record().user;
  brief.solver = &job.spec().solver;
  brief.submitted_at_ms = job.record().submitted_at_ms;
  brief.enqueued_ms = job.enqueued_ms;
  brief.ended_ms = job.ended_ms;
  brief.priority = job.spec().priority;
  brief.request_class = job.request_class;
  brief.ready = job.ready();
  brief.state = job.state();
  brief.finished = job.finished();
  brief.released = job.tasks_released();
  brief.held = job.held();
  brief.timed = job.deadline_at_ms > 0 || job.spec().queue_timeout_ms > 0;
  brief.identified = !job.identity.empty();
  brief.probes = job.ReadsCache();
  brief.in_queue = job.in_queue;
  return brief;
}

bool JobPacker::CanPack(const Job& job) {
  if (job.is_too_large || job.retries != 0 || !job.active.empty() || !job.extras().empty()) return false;
  const bool is_probed = job.probe_next != 0 && job.probe_next < job.total();
  return job.finished() ? job.tasks_released() : job.IsUntouched() && !is_probed;
}

// Nothing when there are too many.
std::optional<std::uint16_t> JobPacker::NumberOf(const std::string& name) {
  const auto known = numbers_.find(name);
  if (known != numbers_.end()) return known->second;
  if (names_.size() > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  const auto number = static_cast<std::uint16_t>(names_.size());
  names_.push_back(&numbers_.emplace(name, number).first->first);
  return number;
}

PackedJob JobPacker::Pack(const Job& job) {
  const std::string record = codec::EncodeMap(job.record());
  const std::string status = codec::EncodeMap(job.StatusRecord());
  if (record.size() + status.size() >= kMostBytes) return {};
  const auto [known, is_new] =
      dictionary_of_.try_emplace(job.spec().analysis, static_cast<std::uint8_t>(dictionaries_.size()));
  if (is_new && dictionaries_.size() == kMostDictionaries) {
    dictionary_of_.erase(known);
    return {};
  }
  if (is_new) dictionaries_.push_back(std::make_unique<DictionaryCompressor>(record + status));
  const std::string bytes = dictionaries_[known->second]->Compress(record + status);
  if (bytes.size() >= kMostBytes) return {};

  const JobBrief brief = broker::BriefOf(job);
  if (brief.request_class > std::numeric_limits<std::uint16_t>::max()) return {};
  const std::optional<std::uint16_t> user = NumberOf(*brief.user);
  const std::optional<std::uint16_t> solver = NumberOf(*brief.solver);
  if (!user || !solver) return {};
  Head head;
  head.user = *user;
  head.solver = *solver;
  head.submitted_at_ms = brief.submitted_at_ms;
  head.moment_ms = brief.finished ? brief.ended_ms : brief.enqueued_ms;
  head.priority = static_cast<std::int16_t>(brief.priority);
  head.request_class = static_cast<std::uint16_t>(brief.request_class);
  head.ready = static_cast<std::uint32_t>(brief.ready);
  head.record_size = static_cast<std::uint16_t>(record.size());
  head.status_size = static_cast<std::uint16_t>(status.size());
  head.packed_size = static_cast<std::uint16_t>(bytes.size());
  head.dictionary = known->second;
  head.flags = static_cast<std::uint8_t>((brief.identified ? kIdentified : 0) | (brief.probes ? kProbes : 0) |
                                         (brief.in_queue ? kInQueue : 0) | (brief.held ? kHeld : 0) |
                                         (brief.timed ? kTimed : 0));
  head.state = brief.state;
  static_assert(std::is_trivially_copyable_v<Head>);
  PackedJob packed;
  packed.bytes_ = std::make_unique<char[]>(sizeof(Head) + bytes.size());
  std::memcpy(packed.bytes_.get(), &head, sizeof(Head));
  std::memcpy(packed.bytes_.get() + sizeof(Head), bytes.data(), bytes.size());
  return packed;
}

JobPacker::Head JobPacker::HeadOf(const PackedJob& packed) {
  Head head;
  std::memcpy(&head, packed.bytes_.get(), sizeof(Head));
  return head;
}

std::unique_ptr<Job> JobPacker::Unpack(const PackedJob& packed) const {
  const Head head = HeadOf(packed);
  const std::string_view compressed(packed.bytes_.get() + sizeof(Head), head.packed_size);
  const std::size_t size = std::size_t{head.record_size} + head.status_size;
  const Result<std::string> bytes = dictionaries_[head.dictionary]->Decompress(compressed, size);
  ICARUS_CHECK(bytes.has_value());
  const std::string_view all(*bytes);
  Result<JobRecord> record = codec::DecodeMap<JobRecord>(all.substr(0, head.record_size));
  const Result<JobStatusRecord> status = codec::DecodeMap<JobStatusRecord>(all.substr(head.record_size));
  ICARUS_CHECK(record.has_value() && status.has_value());
  const Manifest* manifest = catalogue_.Find(record->spec.analysis);
  const Result<std::uint32_t> total = record->spec.sweep.Count();
  ICARUS_CHECK(manifest != nullptr && total.has_value());
  auto job = std::make_unique<Job>(std::move(*record), *manifest, *total);
  job->RestoreStatus(*status);
  job->request_class = head.request_class;
  job->cacheable = IsCacheable(*manifest, job->spec());
  job->in_queue = (head.flags & kInQueue) != 0;
  job->is_unresolved = !IsFinal(head.state) && job->identity.empty();  // one that is open and packed is among them
  return job;
}

JobBrief JobPacker::BriefOf(const PackedJob& packed) const {
  const Head head = HeadOf(packed);
  JobBrief brief;
  brief.user = names_[head.user];
  brief.solver = names_[head.solver];
  brief.submitted_at_ms = head.submitted_at_ms;
  brief.finished = brief.released = IsFinal(head.state);
  (brief.finished ? brief.ended_ms : brief.enqueued_ms) = head.moment_ms;
  brief.priority = head.priority;
  brief.request_class = head.request_class;
  brief.ready = head.ready;
  brief.state = head.state;
  brief.held = (head.flags & kHeld) != 0;
  brief.timed = (head.flags & kTimed) != 0;
  brief.identified = (head.flags & kIdentified) != 0;
  brief.probes = (head.flags & kProbes) != 0;
  brief.in_queue = (head.flags & kInQueue) != 0;
  return brief;
}

void JobPacker::NoteQueued(PackedJob& packed) {
  Head head = HeadOf(packed);
  head.flags = static_cast<std::uint8_t>(head.flags | kInQueue);
  std::memcpy(packed.bytes_.get(), &head, sizeof(Head));
}

}  // namespace icarus::broker
