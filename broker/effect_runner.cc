#include "broker/effect_runner.h"

#include "common/base/crash_point.h"
#include "common/base/logging.h"
#include "common/base/overloaded.h"

namespace icarus::broker {
namespace {

void LogNote(const Note& note) {
  if (!LogEnabled(note.warning ? LogLevel::kWarning : LogLevel::kInfo)) return;
  std::string text = note.event;
  for (const auto& [key, value] : note.fields) text += " " + key + "=" + value;
  Log(note.warning ? LogLevel::kWarning : LogLevel::kInfo, text, {});
}

}  // namespace

EffectRunner::EffectRunner(Gateway& gateway, JobStore& jobs, CacheStore& cache, LoopInbox& inbox,
                           CoreCallbacks callbacks, std::uint64_t last_sequence)
    : gateway_(gateway),
      jobs_(jobs),
      inbox_(inbox),
      callbacks_(std::move(callbacks)),
      gate_(last_sequence),
      durable_sequence_(last_sequence),
      commit_(jobs, [&inbox] { inbox.Post([] {}); }),
      cache_(cache, inbox, callbacks_.cache),
      page_thread_({4096, 256u << 20}, {1, 1}) {}

void EffectRunner::Run(std::vector<Effect> effects) {
  for (Effect& effect : gate_.Add(std::move(effects))) Deliver(effect);
}

void EffectRunner::Deliver(Effect& effect) {
  std::visit(Overloaded{
                 [&](SendMessage& send) {
                   TellSequence(send.message.payload);
                   gateway_.Send(send.role, send.instance, send.message);
                 },
                 [&](ReadTasks& read) { PostTaskRead(std::move(read)); },
                 [&](ReadCache& read) { cache_.Read(read.key, read.files); },
                 [&](PutCache& put) {
                   cache_.Put(put.key, {std::move(put.entry), std::move(put.body)}, put.replaces);
                 },
                 [&](UseCache& use) { cache_.Use(use.key, use.last_used); },
                 [&](RemoveCache& remove) { cache_.Remove(remove.keys); },
                 [&](ClearCache&) { cache_.Clear(); },
                 [&](ReleaseMemory& release) { Release(release); },
                 [&](SendAfterCache& after) { SendAfterCacheWrites(std::move(after.send)); },
                 [&](SettingLearned& learned) { callbacks_.on_setting_learned(learned.key, learned.value); },
                 [&](ForgetPeer& peer) { gateway_.Forget(peer.role, peer.instance); },
                 [&](Note& note) { LogNote(note); },
                 [](Persist&) {},
                 [](KeepEvent&) {},
             },
             effect);
}

// How far the store is goes to everyone who asks whether the broker is there: who has heard of more than a broker has
// on disk knows that its store was put back.
void EffectRunner::TellSequence(AnyMessage& payload) const {
  if (auto* welcome = payload.get_if<Welcome>()) welcome->sequence = durable_sequence_;
  if (auto* reply = payload.get_if<HeartbeatReply>()) reply->sequence = durable_sequence_;
  if (auto* ack = payload.get_if<ResultsAck>()) ack->sequence = durable_sequence_;
}

void EffectRunner::Release(const ReleaseMemory& release) {
  if (release.clear) cache_.Clear();
  cache_.ReleaseMemory(release.caches, [this, ticket = release.ticket](const CacheReleased& released) {
    callbacks_.on_memory_released(ticket, released);
  });
}

void EffectRunner::SendAfterCacheWrites(SendMessage send) {
  cache_.AfterWriting([this, send = std::move(send)](const Status& written) mutable {
    if (!written) {
      send.message.payload =
          ErrorReply{ErrorCode::kOverloaded,
                     "it is forgotten, but not gone from the disk yet: " + written.error().message, "", 10.0};
    }
    gateway_.Send(send.role, send.instance, send.message);
  });
}

Status EffectRunner::Pump(std::int64_t clock_ms) {
  while (auto outcome = commit_.TakeDone()) {
    if (outcome->status) {
      storage_reason_.clear();
      CrashPoint("promise.before");
      durable_sequence_ = outcome->sequence;
      for (Effect& effect : gate_.OnDurable(outcome->sequence)) {
        Deliver(effect);
        CrashPoint("promise.delivered");
      }
      callbacks_.on_durable();
    } else if (!outcome->final()) {
      storage_reason_ = "the disk is full: " + outcome->status.error().message;
      LogWarning("writing is held up: " + outcome->status.error().message);
    } else {
      return outcome->status;
    }
  }
  if (auto batch = gate_.Seal(clock_ms)) commit_.Submit(std::move(*batch));
  cache_.Pump(clock_ms);
  return {};
}

void EffectRunner::PostTaskRead(ReadTasks read) {
  const std::uint64_t ticket = read.ticket;
  auto job = [this, read = std::move(read)] {
    std::vector<std::optional<TaskRecord>> records;
    std::vector<Body> bodies;
    auto tasks = jobs_.ReadTasks(read.job, read.indices, read.bodies);
    if (!tasks) LogError("reading results failed: " + tasks.error().message);
    for (std::size_t i = 0; tasks && i < read.indices.size(); ++i) {
      const bool there = (*tasks)[i].has_value();
      records.push_back(there ? std::optional<TaskRecord>((*tasks)[i]->record) : std::nullopt);
      bodies.push_back(there ? (*tasks)[i]->body : nullptr);
    }
    inbox_.Post([this, ticket = read.ticket, records = std::move(records), bodies = std::move(bodies)]() mutable {
      callbacks_.on_tasks_read(ticket, records, std::move(bodies));
    });
  };
  if (page_thread_.TryPost(Lane::kUrgent, std::move(job))) return;
  inbox_.Post([this, ticket] { callbacks_.on_tasks_read(ticket, {}, {}); });
}

}  // namespace icarus::broker
