#include "tests/sim/client_node.h"

#include <algorithm>

namespace icarus::sim {
namespace {

constexpr Time kPatience = 5 * kSecond;

Axis OneAxis(const std::string& name, const std::string& values) {
  return Axis{{AxisColumn{name, *ParseValues(values)}}};
}

}  // namespace

void ClientNode::Start() {
  world_.network.Connect(Peer(), PeerRole::kClient, [this](Message message) {
    heard_ = world_.scheduler.now();
    switch (numbers_.OnArrival(message.stamp)) {
      case SessionNumbers::Arrival::kNext: Take(message); break;
      case SessionNumbers::Arrival::kOld: break;
      case SessionNumbers::Arrival::kGap: SendHello(); break;
    }
  });
  SendHello();
  Tick();
}

// Nothing heard for a while: everything over a new connection.
void ClientNode::Tick() {
  const bool waits = !requests_.empty() || !watches_.empty();
  if (waits && world_.scheduler.now() - heard_ > kPatience) {
    heard_ = world_.scheduler.now();
    world_.network.Reset(Peer());
    SendHello();
  } else if (waits) {
    Send(Message{++last_correlation_, Heartbeat{}, {}});
  }
  world_.scheduler.After(2 * kSecond, [this] { Tick(); });
}

void ClientNode::SendHello() {
  numbers_.Begin(numbers_.session() + 1);
  Hello hello;
  hello.instance = "client-" + user_;
  hello_ = ++last_correlation_;
  Send(Message{hello_, hello, {}});
  for (auto& [correlation, request] : requests_) request.sent = false;
  SendOpen();
}

void ClientNode::SendOpen() {
  for (auto& [correlation, request] : requests_) {
    if (request.sent) continue;
    request.sent = true;
    request.sent_at = world_.scheduler.now();
    Send(Message{correlation, request.payload, {}});
  }
}

void ClientNode::Send(Message message) {
  message.stamp = numbers_.Next();
  world_.network.SendToBroker(Peer(), std::move(message));
}

void ClientNode::Ask(AnyMessage payload) {
  if (requests_.empty()) heard_ = world_.scheduler.now();
  requests_[++last_correlation_] = Request{std::move(payload), false, 0};
  SendOpen();
}

void ClientNode::Take(const Message& message) {
  if (const auto* reply = message.payload.get_if<HeartbeatReply>()) {
    if (!reply->known) SendHello();
    return;
  }
  if (const auto* update = message.payload.get_if<JobUpdate>()) {
    for (const JobSummary& job : update->jobs) world_.oracle.OnJobSeen(job);
    Send(Message{message.correlation, UpdateAck{update->sequence}, {}});
    const bool done =
        std::all_of(update->jobs.begin(), update->jobs.end(), [](const JobSummary& job) { return IsFinal(job.state); });
    if (requests_.contains(message.correlation) && done) {
      requests_.erase(message.correlation);
      Send(Message{message.correlation, Watch{}, {}});
    }
    return;
  }
  const auto found = requests_.find(message.correlation);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  TakeAnswer(request, message);
}

void ClientNode::TakeAnswer(const Request& request, const Message& message) {
  if (const auto* error = message.payload.get_if<ErrorReply>()) {
    if (error->code == ErrorCode::kInternal) world_.oracle.Fail("internal error: " + error->message);
    if (error->code != ErrorCode::kOverloaded) return;
    world_.scheduler.After(static_cast<Time>(error->retry_after_s.value_or(1) * 1e9),
                           [this, payload = request.payload] { Ask(payload); });
    return;
  }
  if (const auto* reply = message.payload.get_if<SubmitReply>()) {
    const auto& submit = request.payload.get<Submit>();
    world_.oracle.OnSubmitted(user_ + "/" + submit.id, reply->job, reply->tasks);
    if (std::find(own_.begin(), own_.end(), reply->job) == own_.end()) own_.push_back(reply->job);
  } else if (const auto* cancelled = message.payload.get_if<CancelReply>()) {
    const auto& cancel = request.payload.get<Cancel>();
    world_.oracle.OnCancelled(cancel.job, cancel.tasks, cancelled->cancelled);
  } else if (const auto* show = message.payload.get_if<ShowJobReply>()) {
    world_.oracle.OnJobSeen(show->job);
    for (const TaskSummary& task : show->items) world_.oracle.OnTaskSeen(user_, show->job.job, task);
  } else if (const auto* page = message.payload.get_if<ResultPage>()) {
    const JobId job = request.payload.get<FetchResults>().job;
    for (const ResultItem& item : page->items) {
      const Body body = item.body >= 0 ? message.bodies.at(static_cast<std::size_t>(item.body)) : nullptr;
      world_.oracle.OnResultSeen(user_, job, item, body);
    }
    if (page->next < page->total) Ask(FetchResults{job, page->next, 0});
  } else if (const auto* list = message.payload.get_if<ListJobsReply>()) {
    for (const JobSummary& job : list->jobs) world_.oracle.OnJobSeen(job);
  }
}

JobSpec ClientNode::DrawSpec() {
  Random& random = world_.random;
  JobSpec spec;
  if (random.Below(3) == 0) {
    spec.analysis = "noop";
    spec.sweep.axes.push_back(OneAxis("i", "0:" + std::to_string(random.Below(12)) + ":1"));
    spec.sweep.base["sleep_s"] = Value(static_cast<double>(random.Below(30)) / 10);
  } else {
    // Few keys for many tasks: they are shared, joined, and come from the cache.
    spec.analysis = "airfoil_polar";
    spec.solver = "panel";
    for (std::uint64_t i = 0; i <= random.Below(2); ++i) {
      spec.sweep.targets.push_back({random.Below(2) == 0 ? "naca0012" : "naca2412", ""});
    }
    const std::uint64_t first = 1 + random.Below(4);
    spec.sweep.axes.push_back(OneAxis(
        "reynolds", std::to_string(first) + "00000:" + std::to_string(first + random.Below(5)) + "00000:100000"));
    spec.cache = static_cast<CachePolicy>(random.Below(8) < 6 ? 0 : random.Below(3));
  }
  spec.priority = static_cast<std::int32_t>(random.Below(5));
  spec.timeout_ms = 20'000;
  spec.retries = static_cast<std::int32_t>(random.Below(3));
  if (random.Below(6) == 0) spec.queue_timeout_ms = 1'000 + static_cast<std::int64_t>(random.Below(20'000));
  if (random.Below(6) == 0) spec.deadline_ms = 1'000 + static_cast<std::int64_t>(random.Below(60'000));
  if (random.Below(6) == 0) {
    if (const auto upstream = DrawJob()) (random.Below(3) == 0 ? spec.after_any : spec.after).push_back(*upstream);
  }
  if (random.Below(12) == 0) spec.delay_ms = static_cast<std::int64_t>(random.Below(15'000));
  if (random.Below(8) == 0) spec.max_fails = static_cast<std::int64_t>(random.Below(3));
  if (random.Below(8) == 0) spec.max_running = 1;
  if (random.Below(10) == 0) spec.no_restart = true;
  if (random.Below(8) == 0) spec.resources.cpus = 2;
  return spec;
}

std::optional<JobId> ClientNode::DrawJob() {
  const std::vector<JobId>& from = user_ == "admin" ? world_.jobs : own_;
  if (from.empty()) return std::nullopt;
  // Of the last ones, mostly: something still happens there.
  const std::size_t back = world_.random.Below(std::min<std::size_t>(from.size(), 4));
  return from[from.size() - 1 - back];
}

void ClientNode::DoSomething() {
  Random& random = world_.random;
  if (user_ == "admin" && random.Below(12) == 0) {
    const Upkeep upkeep{random.Below(3) > 0};
    world_.trace.Add(world_.scheduler.now(), upkeep.emergency ? "emergency cleanup" : "maintenance");
    return Ask(upkeep);
  }
  const std::uint64_t choice = random.Below(16);
  if (choice < 5 || own_.empty()) {
    const std::string id = "s" + std::to_string(++submissions_);
    const Submit submit{id, DrawSpec()};
    Ask(submit);
    if (random.Below(6) == 0) Ask(submit);  // twice with one id
    return;
  }
  const auto job = DrawJob();
  if (!job) return;
  std::vector<TaskIndex> tasks;
  if (random.Below(2) == 0) tasks.push_back(static_cast<TaskIndex>(random.Below(3)));
  if (choice < 8) {
    world_.trace.Add(world_.scheduler.now(), user_ + " cancels in " + std::to_string(job->value) +
                                                 (tasks.empty() ? " all" : " task " + std::to_string(tasks[0])));
    world_.oracle.OnCancelAsked(*job);
    Ask(Cancel{*job, tasks, ""});
  } else if (choice < 11) {
    world_.trace.Add(world_.scheduler.now(), user_ + " retries in " + std::to_string(job->value) +
                                                 (tasks.empty() ? " all" : " task " + std::to_string(tasks[0])));
    world_.oracle.OnRetryAsked(*job, tasks);
    Ask(Retry{*job, tasks, user_ + std::to_string(last_correlation_)});
  } else if (choice < 13) {
    AskFor(*job);
  } else if (choice < 15) {
    Ask(Watch{{*job}});
  } else {
    Ask(ListJobs{});
  }
}

void ClientNode::AskFor(JobId job) {
  ShowJob show;
  show.job = job;
  Ask(show);
  Ask(FetchResults{job, 0, 0});
}

std::string ClientNode::DescribeOpen() const {
  std::string text;
  for (const auto& [correlation, request] : requests_) {
    text += (text.empty() ? "" : ", ") + std::to_string(correlation) + " " +
            std::string(MessageTypeName(request.payload.type()));
  }
  return text;
}

}  // namespace icarus::sim
