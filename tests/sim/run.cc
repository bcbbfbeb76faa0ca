#include "tests/sim/run.h"

#include <algorithm>
#include <memory>

#include "tests/sim/client_node.h"
#include "tests/sim/worker_node.h"

namespace icarus::sim {
namespace {

constexpr Time kFaultsLast = 90 * kSecond;
constexpr Time kSettles = 900 * kSecond;         // with hung attempts, backoffs and leases, all within it
constexpr std::uint64_t kMostSteps = 1'000'000;  // some ten thousand are usual
constexpr Time kGrace = 120 * kSecond;           // after which no task is at two workers

class Simulation {
 public:
  explicit Simulation(const RunOptions& options)
      : options_(options),
        random_(options.seed * 0x9E3779B97F4A7C15ULL + 1),
        plan_(FaultPlan::Draw(random_, options.without)),
        network_(scheduler_, random_, plan_, trace_),
        config_(DrawConfig(random_)),
        oracle_(store_, config_.max_concurrent > 0 ? 0 : config_.aging_ms) {
    if (options.trace) trace_.Keep();
  }

  RunReport Run() {
    Build();
    for (auto& worker : workers_) worker->Start();
    broker_->Start();
    for (auto& client : clients_) client->Start();
    ArmClients();
    ArmFaults();
    while (Step(kFaultsLast) && oracle_.violations().empty()) continue;
    if (oracle_.violations().empty()) Settle();
    return Report();
  }

 private:
  bool Step(Time until) {
    if (scheduler_.steps() > kMostSteps) {
      oracle_.Fail("it does not come to rest: more than " + std::to_string(kMostSteps) + " steps");
      return false;
    }
    return scheduler_.Step(until);
  }

  static broker::CoreConfig DrawConfig(Random& random) {
    broker::CoreConfig config;
    config.unpacked_jobs = 0;  // every idle job is packed, every turn
    config.worker_lost_after_ms = 5'000 + static_cast<std::int64_t>(random.Below(10'000));
    config.reattach_grace_ms = 10'000 + static_cast<std::int64_t>(random.Below(20'000));
    config.aging_ms = 1'000 + static_cast<std::int64_t>(random.Below(100'000));
    config.max_worker_deaths = 2 + static_cast<std::uint32_t>(random.Below(4));
    if (random.Below(3) == 0) config.cache_max_entries = 1 + random.Below(6);
    if (random.Below(3) == 0) config.retention_ms = 0;
    if (random.Below(4) == 0) config.max_concurrent = 1 + random.Below(3);
    return config;
  }

  void Build() {
    BrokerNode::World around{scheduler_, random_, plan_, network_, store_, oracle_, trace_};
    broker_ = std::make_unique<BrokerNode>(around, config_);
    broker_->clock = DrawClock();
    const Time longest = (random_.Below(2) == 0 ? 200 : 8'000) * kMillisecond;
    for (std::uint64_t i = 0, count = 1 + random_.Below(3); i < count; ++i) {
      workers_.push_back(std::make_unique<WorkerNode>(
          WorkerNode::World{scheduler_, random_, plan_, network_, oracle_, trace_, *broker_},
          "w" + std::to_string(i + 1), 1 + static_cast<int>(random_.Below(3)), longest));
      workers_.back()->clock = DrawClock();
    }
    for (const char* user : {"alice", "bob", "admin"}) {
      clients_.push_back(std::make_unique<ClientNode>(
          ClientNode::World{scheduler_, random_, network_, oracle_, trace_, store_, jobs_}, user));
    }
  }

  NodeClock DrawClock() {
    NodeClock clock;
    clock.start = static_cast<Time>(random_.Below(1'000'000)) * kSecond;
    if (plan_.Has(Fault::kClock)) clock.rate = 0.99 + 0.02 * random_.Unit();
    return clock;
  }

  // Several requests a second, until the faults stop.
  void ArmClients() {
    for (auto& client : clients_) ArmClient(*client);
  }
  void ArmClient(ClientNode& client) {
    const Time pause = 100 * kMillisecond + static_cast<Time>(random_.Below(6 * kSecond));
    scheduler_.After(pause, [this, &client] {
      if (scheduler_.now() >= kFaultsLast - 5 * kSecond) return;
      if (client.open() < 20) client.DoSomething();
      jobs_.clear();
      for (const auto& [id, job] : store_.jobs) jobs_.push_back(id);
      ArmClient(client);
    });
  }

  void ArmFaults() {
    const Time pause = static_cast<Time>(static_cast<double>(random_.Below(8 * kSecond)) / plan_.rate) + kMillisecond;
    scheduler_.After(pause, [this] {
      if (scheduler_.now() >= kFaultsLast - kSecond) return;
      const auto fault = static_cast<Fault>(random_.Below(kFaultCount));
      if (plan_.Has(fault)) Strike(fault);
      ArmFaults();
    });
  }

  Time Draw(Time longest) { return static_cast<Time>(random_.Below(static_cast<std::uint64_t>(longest))); }
  WorkerNode& AnyWorker() { return *workers_[random_.Below(workers_.size())]; }
  std::string AnyPeer() {
    const auto peers = network_.peers();
    return peers.empty() ? "" : peers[random_.Below(peers.size())];
  }

  void Strike(Fault fault) {
    ++faults_;
    trace_.Add(scheduler_.now(), std::string("fault ") + FaultName(fault));
    switch (fault) {
      case Fault::kBrokerCrash: CrashBroker(); return;
      case Fault::kWorkerCrash: CrashWorker(AnyWorker()); return;
      case Fault::kPause:
        random_.Below(4) == 0 ? broker_->Pause(Draw(20 * kSecond)) : AnyWorker().Pause(Draw(40 * kSecond));
        return;
      case Fault::kPartition: {
        const std::uint64_t sides = 1 + random_.Below(3);
        network_.Partition(AnyPeer(), (sides & 1) != 0, (sides & 2) != 0, Draw(30 * kSecond));
        return;
      }
      case Fault::kReset: network_.Reset(AnyPeer()); return;
      case Fault::kClock:
        broker_->clock.wall_ms += static_cast<std::int64_t>(random_.Below(7'200'000)) - 3'600'000;
        AnyWorker().clock.wall_ms += static_cast<std::int64_t>(random_.Below(7'200'000)) - 3'600'000;
        return;
      case Fault::kDiskFull: broker_->FillDisk(Draw(15 * kSecond)); return;
      case Fault::kDiskError: broker_->FailDisk(); return;
      case Fault::kDrain: DrainWorker(AnyWorker()); return;
      default: return;  // single messages, attempts and values: they happen by themselves
    }
  }

  void CrashBroker() {
    broker_->Crash();
    scheduler_.After(Draw(8 * kSecond), [this] {
      if (!broker_->running()) broker_->Start();
    });
  }
  void CrashWorker(WorkerNode& worker) {
    worker.Crash();
    scheduler_.After(Draw(25 * kSecond), [&worker] {
      if (!worker.running()) worker.Start();
    });
  }
  void DrainWorker(WorkerNode& worker) {
    worker.Drain();
    scheduler_.After(30 * kSecond, [&worker] {
      if (!worker.running()) worker.Start();
    });
  }

  bool Settled() const {
    if (!broker_->running() || !broker_->core()->WhatIsLeft().empty()) return false;
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->open() == 0; });
  }

  // No faults any more: everything that was begun comes to its end, and all of it can be asked for.
  void Settle() {
    network_.Calm();
    broker_->Calm();
    for (auto& worker : workers_) worker->Calm();
    const Time began = scheduler_.now();
    scheduler_.After(10 * kSecond, [this] {
      if (!broker_->running()) broker_->Start();
      for (auto& worker : workers_) {
        if (!worker->running()) worker->Start();
      }
      workers_.push_back(std::make_unique<WorkerNode>(
          WorkerNode::World{scheduler_, random_, plan_, network_, oracle_, trace_, *broker_}, "last", 4, kSecond));
      workers_.back()->Calm();
      workers_.back()->Start();
    });
    bool grace_over = false;
    while (oracle_.violations().empty() && Step(began + kSettles)) {
      if (!grace_over && scheduler_.now() > began + kGrace) grace_over = true;
      if (grace_over) oracle_.CheckSingleHolders();
      if (scheduler_.now() > began + 20 * kSecond && Settled()) break;
    }
    if (!oracle_.violations().empty()) return;
    if (!Settled()) return oracle_.Fail("not settled: " + WhatIsOpen());
    for (auto& client : clients_) {
      for (const JobId job : client->own()) client->AskFor(job);
    }
    const Time asked = scheduler_.now();
    while (oracle_.violations().empty() && !Settled() && Step(asked + 60 * kSecond)) continue;
    if (oracle_.violations().empty() && !Settled()) oracle_.Fail("not answered: " + WhatIsOpen());
    // The last records of dispatches go with the next batch.
    while (scheduler_.Step(scheduler_.now() + kMillisecond) && scheduler_.now() < asked + 62 * kSecond) continue;
    oracle_.AtEnd(SingleRuns());
  }

  std::string WhatIsOpen() const {
    std::string text = broker_->running() ? broker_->core()->WhatIsLeft() : "no broker";
    for (const auto& client : clients_) {
      if (client->open() > 0) text += "; " + client->user() + " waits for " + client->DescribeOpen();
    }
    return text;
  }

  // A restart of the broker alone, however often, makes nothing run twice.
  bool SingleRuns() const {
    for (int i = 0; i < kFaultCount; ++i) {
      const auto fault = static_cast<Fault>(i);
      const bool harmless = fault == Fault::kBrokerCrash || fault == Fault::kDiskFull || fault == Fault::kDuplication;
      if (plan_.Has(fault) && !harmless) return false;
    }
    return true;
  }

  RunReport Report() {
    RunReport report;
    report.seed = options_.seed;
    report.steps = scheduler_.steps();
    report.faults = faults_ + network_.faults();
    report.checks = oracle_.checks();
    for (const auto& [id, job] : store_.jobs) report.tasks += job.tasks.size();
    trace_.Add(scheduler_.now(), "end, " + std::to_string(report.steps) + " steps, " + std::to_string(report.checks));
    report.hash = trace_.hash();
    report.plan = plan_.Describe();
    report.violations = oracle_.violations();
    report.trace.assign(trace_.lines().begin(), trace_.lines().end());
    return report;
  }

  RunOptions options_;
  Random random_;
  FaultPlan plan_;
  Scheduler scheduler_;
  Trace trace_;
  Network network_;
  const broker::CoreConfig config_;
  StoreImage store_;
  Oracle oracle_;
  std::unique_ptr<BrokerNode> broker_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  std::vector<std::unique_ptr<ClientNode>> clients_;
  std::vector<JobId> jobs_;
  std::uint64_t faults_ = 0;
};

}  // namespace

RunReport Run(const RunOptions& options) { return Simulation(options).Run(); }

}  // namespace icarus::sim
