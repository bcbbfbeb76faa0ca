#include "broker/broker_app.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "broker/backup_service.h"
#include "broker/blob_service.h"
#include "broker/cache_service.h"
#include "broker/core/broker_core.h"
#include "broker/core_settings.h"
#include "broker/effect_runner.h"
#include "broker/event_service.h"
#include "broker/file_sweeper.h"
#include "broker/listening.h"
#include "broker/memory_pressure.h"
#include "broker/named_outputs.h"
#include "broker/net/gateway.h"
#include "broker/resident_memory.h"
#include "broker/storage/disk_reserve.h"
#include "broker/storage/disk_space.h"
#include "broker/storage/rocksdb_cache_store.h"
#include "broker/storage/rocksdb_job_store.h"
#include "common/base/crash_point.h"
#include "common/base/files.h"
#include "common/base/logging.h"
#include "common/base/version.h"
#include "common/config/access_file.h"
#include "common/transport/poll_loop.h"
#include "common/transport/signal_fd.h"

namespace icarus::broker {
namespace {

constexpr std::int64_t kBacklogRetryMs = 10;
constexpr std::int64_t kReviewSpaceMs = 1000;

Status CheckFileSystem(const BrokerOptions& options) {
  ICARUS_ASSIGN(const auto network, NetworkFileSystem(options.home.dir));
  if (!network || options.allow_network_store) return {};
  return Error::Make(ErrorCode::kRefused, options.home.dir + " is on a network file system (" + *network +
                                              "), where locks and syncs cannot be trusted; use a local --home, or "
                                              "--allow-network-store");
}

class Broker {
 public:
  explicit Broker(const BrokerOptions& options) : options_(options), settings_(options.settings) {}

  Status Start();
  Status Serve();

 private:
  Status OpenStores();
  void StartClock();
  Now Clock() const;
  Status Recover();
  Status Listen();
  Status WriteAccess();
  void ReceiveAll();
  void CheckSeen(const Received& received, const Hello& hello);
  void Handle(Received received);
  void TellChange(const std::string& what);
  void HandleConfig(const Caller& caller, const Config& request, std::uint64_t correlation);
  std::optional<std::chrono::nanoseconds> Timeout(bool backlog) const;
  Status Turn();
  void TellStorageState();
  void WatchMemory();
  Status NameFiles(Message& message);
  void SweepFiles();
  static CoreCallbacks MakeCallbacks(Broker& broker);
  static CacheService::Callbacks MakeCacheCallbacks(Broker& broker);

  const BrokerOptions& options_;
  Settings settings_;
  std::string instance_ = RandomHex(16);
  std::optional<SignalFd> signals_;
  std::unique_ptr<RocksDbJobStore> job_store_;
  std::unique_ptr<RocksDbCacheStore> cache_store_;
  std::unique_ptr<TransportContext> context_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<LoopInbox> inbox_;
  std::unique_ptr<BrokerCore> core_;
  // What the runner's threads may be working for outlives it.
  std::unique_ptr<BlobService> blobs_;
  std::unique_ptr<CacheService> cache_entries_;
  std::unique_ptr<EffectRunner> runner_;
  std::mutex copying_files_;
  std::unique_ptr<BackupService> backups_;
  std::unique_ptr<FileSweeper> sweeper_;
  std::unique_ptr<EventService> events_;
  EventLog recovered_events_;
  Outbox out_;
  PollLoop loop_;
  bool more_messages_ = false;
  MemoryPressure memory_;
  std::string space_reason_;  // of RocksDbJobStore::ReviewSpace
  std::int64_t space_reviewed_ms_ = -kReviewSpaceMs;
  std::chrono::nanoseconds clock_offset_{0};
};

Status Broker::OpenStores() {
  const StorageLog log = [](const std::string& message) { LogWarning(message); };
  ICARUS_TRY(CheckFileSystem(options_));
  JobStoreOptions store;
  store.home = options_.home.dir;
  store.log = log;
  store.reserve_bytes = kReserveBytes;
  ICARUS_ASSIGN(job_store_, RocksDbJobStore::Open(options_.home.store(), store));
  ICARUS_ASSIGN(cache_store_, RocksDbCacheStore::Open(options_.home.cache(), log));
  return {};
}

// Broker time goes on where the last broker on this store left it.
void Broker::StartClock() { clock_offset_ = Milliseconds(job_store_->meta().clock_ms) - ReadClocks().monotonic; }

Now Broker::Clock() const {
  Now now = ReadClocks();
  now.monotonic += clock_offset_;
  return now;
}

Status Broker::Recover() {
  // Live settings first: the core starts with them.
  std::vector<JobRecord> jobs;
  Status wrong;
  const auto load = [&](const StoreVisitor& visitor) { return job_store_->Load(visitor); };
  const Now now = Clock();
  StoreVisitor visitor;
  visitor.on_meta = [](const StoreMeta&) {};
  visitor.on_setting = [&](std::string key, std::string value) {
    if (const Status set = settings_.Set(key, value, Origin::kLive); !set) {
      LogWarning("stored setting ignored: " + set.error().message, {{"key", key}});
    }
  };
  const auto core = [&]() -> BrokerCore& {
    if (!core_) {
      const StoreMeta& meta = job_store_->meta();
      core_ = std::make_unique<BrokerCore>(
          Catalogue::BuiltIn(), MakeCoreConfig(settings_),
          BrokerIdentity{instance_, ProgramVersion("icarus-broker"), meta.lineage, meta.epoch}, meta.epoch);
    }
    return *core_;
  };
  visitor.on_job = [&](JobRecord record) {
    if (const Status done = core().RecoverJob(std::move(record)); !done && wrong) wrong = done;
  };
  visitor.on_status = [&](JobStatusRecord status) { core().RecoverStatus(status); };
  visitor.on_task = [&](TaskRef task, TaskRecord record) { core().RecoverTask(task, record); };
  visitor.on_events = [&](std::uint64_t first, std::uint64_t next, std::uint64_t bytes) {
    recovered_events_.Load(first, next, bytes);
  };
  visitor.on_dispatch = [&](DispatchRecord record) { core().RecoverDispatch(record); };
  ICARUS_TRY(load(visitor));
  ICARUS_TRY(wrong);
  BrokerCore& recovered = core();
  recovered.RecoverLastJob(job_store_->meta().last_job);
  if (job_store_->meta().cache) recovered.RecoverCacheCounters(*job_store_->meta().cache);
  ICARUS_TRY(cache_store_->Load(
      [&](const ContentHash& key, CacheEntry entry) { recovered.RecoverCacheEntry(key, std::move(entry)); }));
  if (cache_store_->was_set_aside()) recovered.ForgetRecoveredCache();
  recovered_events_.SetLimit(EventsLimit(settings_));
  recovered.FinishRecovery(now, out_);
  LogInfo("store loaded", {{"jobs", recovered.jobs().size()}, {"epoch", job_store_->epoch()}});
  return {};
}

CoreCallbacks Broker::MakeCallbacks(Broker& broker) {
  CoreCallbacks callbacks;
  callbacks.cache.on_read = [&broker](const ContentHash& key, CacheReadEnd end, Body body) {
    broker.core_->OnCacheRead(key, end, std::move(body), broker.Clock(), broker.out_);
  };
  callbacks.cache.on_puts_lost = [&broker](const auto& keys) { broker.core_->OnCachePutsLost(keys); };
  callbacks.cache.on_state = [&broker](const std::string& why) {
    broker.core_->OnCacheState(why, broker.Clock(), broker.out_);
  };
  callbacks.cache.name_file = [&broker](const ContentHash& file) { return broker.blobs_->store().Name(file); };
  callbacks.cache.room = [&broker] { return broker.core_->cache_room(); };
  callbacks.on_tasks_read = [&broker](std::uint64_t ticket, const auto& records, std::vector<Body> bodies) {
    broker.core_->OnTasksRead(ticket, records, std::move(bodies), broker.Clock(), broker.out_);
  };
  callbacks.on_setting_learned = [&broker](const std::string& key, const std::string& value) {
    if (const Status set = broker.settings_.Set(key, value, Origin::kLive); !set) LogWarning(set.error().message);
  };
  callbacks.on_memory_released = [&broker](std::uint64_t ticket, const CacheReleased& released) {
    broker.core_->OnMemoryReleased(ticket, released.blocks, released.bytes, broker.out_);
  };
  callbacks.on_durable = [&broker] { broker.events_->OnDurable(); };
  return callbacks;
}

CacheService::Callbacks Broker::MakeCacheCallbacks(Broker& broker) {
  CacheService::Callbacks callbacks;
  callbacks.import = [&broker](const ContentHash& key, CacheEntry entry, Body body) {
    return broker.core_->ImportCached(key, std::move(entry), std::move(body), broker.out_);
  };
  callbacks.on_damage = [&broker](const ContentHash& key) { broker.core_->OnCacheDamage(key, broker.out_); };
  callbacks.name_file = [&broker](const ContentHash& file) { return broker.blobs_->store().Name(file); };
  callbacks.check_file = [&broker](const ContentHash& file) { return broker.blobs_->store().KeepIfWhole(file); };
  return callbacks;
}

Status Broker::Listen() {
  ICARUS_ASSIGN(const Listening plan, PlanEndpoints(options_));
  ICARUS_ASSIGN(context_, TransportContext::Create());
  ICARUS_ASSIGN(gateway_, Gateway::Bind(*context_, plan.clients, plan.workers));
  return {};
}

Status Broker::WriteAccess() {
  AccessFile access;
  access.client_endpoints = PlainEndpoints(gateway_->socket(PeerRole::kClient).endpoints());
  access.worker_endpoints = PlainEndpoints(gateway_->socket(PeerRole::kWorker).endpoints());
  access.host = ThisHost();
  access.instance = instance_;
  access.pid = ::getpid();
  access.program = ProgramVersion("icarus-broker");
  CrashPoint("broker.recovered");
  return WriteAccessFile(options_.home.access_file(), access);
}

// The order matters: the store's lock first, so that a second broker fails there and leaves the first unharmed; the
// epoch on disk before anything is answered; the access file last.
Status Broker::Start() {
  ICARUS_ASSIGN(signals_, SignalFd::Block({SIGTERM, SIGINT, SIGHUP}));
  ICARUS_TRY(OpenStores());
  StartClock();
  ICARUS_TRY(Recover());
  ICARUS_TRY(Listen());
  ICARUS_ASSIGN(inbox_, LoopInbox::Create());
  runner_ = std::make_unique<EffectRunner>(*gateway_, *job_store_, *cache_store_, *inbox_, MakeCallbacks(*this),
                                           job_store_->meta().sequence);
  runner_->events() = std::move(recovered_events_);
  events_ = std::make_unique<EventService>(*job_store_, *gateway_, *inbox_);
  ICARUS_ASSIGN(blobs_, BlobService::Start(options_.home.blobs(), *gateway_, *inbox_));
  backups_ = std::make_unique<BackupService>(*job_store_, options_.home.blobs(), copying_files_, *gateway_, *inbox_);
  sweeper_ = std::make_unique<FileSweeper>(blobs_->store(), *job_store_, *cache_store_, *inbox_, copying_files_);
  cache_entries_ = std::make_unique<CacheService>(runner_->cache(), *gateway_, *inbox_, MakeCacheCallbacks(*this));
  return WriteAccess();
}

void Broker::TellChange(const std::string& what) {
  runner_->events().SetLimit(EventsLimit(settings_));
  Event event;
  event.at_ms = Clock().wall_ms;
  event.kind = "setting_changed";
  event.detail = what;
  out_.Happened(std::move(event));
}

void Broker::HandleConfig(const Caller& caller, const Config& request, std::uint64_t correlation) {
  const auto fail = [&](const Error& error) {
    out_.Reply(PeerRole::kClient, caller.instance, correlation, ToErrorReply(error));
  };
  const bool changes = request.verb == ConfigVerb::kSet || request.verb == ConfigVerb::kUnset;
  if (changes && core_->is_read_only()) return fail(core_->ReadOnlyError(ErrorCode::kRefused));
  if (changes && !caller.admin) return fail(OnlyAnAdminMay("change settings"));
  ConfigReply reply;
  const auto add = [&](const SettingEntry& entry) {
    reply.entries.push_back({entry.key, entry.value, OriginName(entry.origin)});
  };
  if (request.verb == ConfigVerb::kList) {
    for (const SettingEntry& entry : settings_.List()) add(entry);
  } else {
    if (changes) {
      const Status done = request.verb == ConfigVerb::kSet ? settings_.Set(request.key, request.value, Origin::kLive)
                                                           : settings_.Unset(request.key, Origin::kLive);
      if (!done) return fail(done.error());
      if (request.verb == ConfigVerb::kSet) {
        out_.Write(PutSetting{request.key, request.value});
      } else {
        out_.Write(DeleteSetting{request.key});
      }
      const std::string says = request.verb == ConfigVerb::kSet ? request.key + "=" + request.value : request.key;
      TellChange(says + " by " + caller.user);
      core_->OnConfigChanged(MakeCoreConfig(settings_), Clock(), out_);
    }
    auto entry = settings_.Get(request.key);
    if (entry) add(*entry);
    if (!entry && request.verb != ConfigVerb::kUnset) return fail(entry.error());
  }
  out_.Reply(PeerRole::kClient, caller.instance, correlation, std::move(reply), /*promise=*/true);
}

// A worker or an admin who has heard of batches that this store does not have: it is an older copy of the one that was
// served then. Going on would give out numbers and results a second time.
void Broker::CheckSeen(const Received& received, const Hello& hello) {
  if (core_->is_read_only() || hello.lineage != job_store_->meta().lineage) return;
  if (hello.role != PeerRole::kWorker && !received.caller.admin) return;
  const std::uint64_t here = runner_->durable_sequence();
  if (hello.seen_sequence <= here) return;
  const std::string why =
      "its store ends at batch " + std::to_string(here) + ", but " + hello.program + " on " + hello.host +
      " has heard of batch " + std::to_string(hello.seen_sequence) +
      ": this is an older copy; stop this broker and serve the newer store, or begin a new history of this one "
      "with icarus-broker --salvage";
  LogError("read-only: " + why);
  core_->OnReadOnly(why);
}

void Broker::Handle(Received received) {
  const Now now = Clock();
  if (const auto* hello = received.message.payload.get_if<Hello>()) {
    CheckSeen(received, *hello);
    core_->OnHello(received.caller, *hello, received.message.correlation, now, out_);
    return;
  }
  core_->OnHeard(received.caller.instance, now);
  if (blobs_->Handle(received) || backups_->Handle(received) || events_->Handle(received)) return;
  // What would change the cache of a read-only broker goes to the core, which refuses it.
  const bool refused = core_->is_read_only() && received.message.payload.is<ImportCache>();
  if (!refused && cache_entries_->Handle(received)) return;
  if (const auto* config = received.message.payload.get_if<Config>();
      config != nullptr && received.role == PeerRole::kClient) {
    return HandleConfig(received.caller, *config, received.message.correlation);
  }
  if (const Status named = NameFiles(received.message); !named) {
    return out_.Reply(received.role, received.caller.instance, received.message.correlation,
                      ToErrorReply(named.error()));
  }
  Received unknown{received.role, received.caller, Message{}};
  const bool results = received.message.payload.is<Results>();
  if (!core_->OnMessage(received.caller, std::move(received.message), now, out_)) gateway_->AnswerUnknown(unknown);
  CrashPoint(results ? "broker.results" : "broker.message");
}

// What is going to be named by a record.
Status Broker::NameFiles(Message& message) {
  const NameFile name = [this](const ContentHash& file) { return blobs_->store().Name(file); };
  if (const auto* submit = message.payload.get_if<Submit>()) return NameInputs(*submit, name);
  if (auto* results = message.payload.get_if<Results>()) NameOutputs(*results, name);
  if (auto* events = message.payload.get_if<TaskEvents>()) NameSaved(*events, name);
  return {};
}

void Broker::SweepFiles() {
  if (core_->is_read_only()) return;
  sweeper_->Pump({runner_->changes(), runner_->decided_sequence(), runner_->durable_sequence()},
                 Clock().monotonic_ms());
}

// Results before submissions, and of each a bounded number.
void Broker::ReceiveAll() {
  more_messages_ = false;
  for (const PeerRole role : {PeerRole::kWorker, PeerRole::kClient}) {
    std::size_t taken = 0;
    while (taken < limits::kMessagesPerTurn) {
      auto received = gateway_->Receive(role);
      if (!received) break;
      ++taken;
      Handle(std::move(*received));
    }
    if (taken == limits::kMessagesPerTurn) more_messages_ = true;
  }
}

// A refused submission writes nothing, so that it is here that room is noticed again.
void Broker::TellStorageState() {
  const std::int64_t now = ReadClocks().monotonic_ms();
  if (now - space_reviewed_ms_ >= kReviewSpaceMs) {
    space_reviewed_ms_ = now;
    space_reason_ = job_store_->ReviewSpace();
    if (const auto bytes = ResidentBytes()) core_->OnMemory(*bytes);
    WatchMemory();
  }
  core_->OnStorageState(runner_->storage_reason().empty() ? space_reason_ : runner_->storage_reason());
}

// The cache's memory tier grows and shrinks with what the machine has.
void Broker::WatchMemory() {
  const std::optional<double> in_use = MemoryInUsePercent();
  if (!in_use) return;
  const double limit = settings_.Number("throttle.memory_percent");
  if (!memory_.Update(*in_use, limit, settings_.Number("throttle.resume_below_percent"))) return;
  const CacheMemory memory = memory_.is_short() ? CacheMemory::kShort : CacheMemory::kPlenty;
  LogInfo(memory_.is_short() ? "memory is short: the cache gives back what it keeps there" : "memory is there again",
          {{"in_use_percent", *in_use}});
  if (!runner_->cache().Post([memory](CacheStore& store) { store.SetMemory(memory); })) memory_ = MemoryPressure();
}

Status Broker::Turn() {
  TellStorageState();
  ReceiveAll();
  inbox_->RunAll();
  // A commit that has ended may have changed whether anything can be accepted.
  ICARUS_TRY(runner_->Pump(Clock().monotonic_ms()));
  TellStorageState();
  core_->EndTurn(Clock(), out_);
  runner_->Run(out_.Take());
  CrashPoint("broker.turn");
  ICARUS_TRY(runner_->Pump(Clock().monotonic_ms()));
  SweepFiles();
  return {};
}

std::optional<std::chrono::nanoseconds> Broker::Timeout(bool backlog) const {
  if (core_->HasMoreWork() || more_messages_) return std::chrono::nanoseconds(0);
  const std::int64_t now = Clock().monotonic_ms();
  std::optional<std::int64_t> due;
  for (const std::optional<std::int64_t> one :
       {core_->NextDeadlineMs(), runner_->events().DueMs(), runner_->cache().DueMs(), sweeper_->DueMs(),
        backlog ? std::optional(now + kBacklogRetryMs) : std::nullopt}) {
    if (one && (!due || *one < *due)) due = one;
  }
  if (!due) return std::nullopt;
  return std::chrono::milliseconds(std::max<std::int64_t>(0, *due - now));
}

Status Broker::Serve() {
  loop_.Add(gateway_->socket(PeerRole::kClient));
  loop_.Add(gateway_->socket(PeerRole::kWorker));
  loop_.Add(inbox_->fd());
  const auto signals = loop_.Add(signals_->fd());
  bool stopping = false;
  while (!stopping) {
    ICARUS_TRY(Turn());
    const bool backlog = gateway_->Flush();  // what the turn itself could not send, too
    ICARUS_TRY(loop_.Wait(Timeout(backlog)));
    if (!loop_.Readable(signals)) continue;
    while (const auto signal = signals_->Read()) {
      LogInfo("signal received, ending", {{"signal", signal->number}});
      stopping = true;
    }
  }
  // What has been decided is written and told before the end.
  while (runner_->has_unwritten() && runner_->storage_reason().empty()) {
    ICARUS_TRY(loop_.Wait(std::chrono::milliseconds(50)));
    inbox_->RunAll();
    ICARUS_TRY(runner_->Pump(Clock().monotonic_ms()));
  }
  return RemoveAccessFile(options_.home.access_file(), instance_);
}

void Announce(int fd, const std::string& line) {
  if (fd < 0) return;
  const std::string text = line + "\n";
  (void)!::write(fd, text.data(), text.size());
  ::close(fd);
}

}  // namespace

Status RunBroker(const BrokerOptions& options) {
  auto serving = std::make_unique<Broker>(options);
  Broker& broker = *serving;
  if (Status started = broker.Start(); !started) {
    Announce(options.ready_fd, started.error().message);
    return started;
  }
  LogInfo("serving", {{"home", options.home.dir}});
  Announce(options.ready_fd, "ok");
  const Status served = broker.Serve();
  if (!served && served.error().code != ErrorCode::kOverloaded) {
    // The state of the disk is unknown: nothing may be written or promised any more, not even by destructors.
    LogError("ending at once: " + served.error().message);
    std::_Exit(70);
  }
  serving.reset();  // which removes its sockets
  if (const auto directory = SocketDirectory(options.home, ProcessEnvironment())) ::rmdir(directory->c_str());
  return served;
}

}  // namespace icarus::broker
