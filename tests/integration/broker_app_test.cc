// The broker as it runs, in this process: real sockets, a real store, a client and a worker that speak the wire.
#include "broker/broker_app.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/config/access_file.h"
#include "common/model/limits.h"
#include "common/protocol/result_codec.h"
#include "common/transport/dealer_socket.h"
#include "common/transport/poll_loop.h"
#include "tests/support/temp_dir.h"

namespace icarus::broker {
namespace {

constexpr auto kDeadline = std::chrono::seconds(30);

// A peer that says Hello and then sends and receives one message at a time.
class Peer {
 public:
  Peer(TransportContext& context, const std::string& endpoint) {
    socket_ = *DealerSocket::Connect(context, endpoint);
    EXPECT_TRUE(socket_->WaitWritable(kDeadline).value_or(false));
    loop_.Add(*socket_);
  }

  void Send(AnyMessage payload, std::vector<Body> bodies = {}) {
    EXPECT_TRUE(socket_->Send(Message{++correlation_, std::move(payload), std::move(bodies)}).has_value());
  }

  // The next message of this type; others are passed over.
  template <class T>
  std::optional<T> Await(std::vector<Body>* bodies = nullptr) {
    const auto until = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < until) {
      while (auto received = socket_->Receive()) {
        if (!*received) return std::nullopt;
        if (bodies != nullptr) *bodies = (*received)->bodies;
        if (auto* found = (*received)->payload.get_if<T>()) return std::move(*found);
      }
      EXPECT_TRUE(loop_.Wait(std::chrono::seconds(1)).has_value());
    }
    return std::nullopt;
  }

 private:
  std::unique_ptr<DealerSocket> socket_;
  PollLoop loop_;
  std::uint64_t correlation_ = 0;
};

class BrokerAppTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // The broker reads SIGTERM from a descriptor; it must not end this process.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
    Start();
  }
  void TearDown() override {
    Stop();
    context_.reset();
  }

  void Start() {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    BrokerOptions options;
    options.home.dir = directory_.path();
    options.ready_fd = fds[1];
    thread_ = std::thread([this, options] { status_ = RunBroker(options); });
    char answer[64] = {};
    ASSERT_GT(::read(fds[0], answer, sizeof answer - 1), 0);
    ::close(fds[0]);
    ASSERT_EQ(std::string(answer), "ok\n");
    if (!context_) context_ = *TransportContext::Create();
    const auto access = ReadAccessFile(options.home.access_file());
    ASSERT_TRUE(access.has_value());
    client_ = std::make_unique<Peer>(*context_, access->client_endpoints.front());
    Hello hello;
    hello.instance = "client";
    client_->Send(AnyMessage(hello));
    ASSERT_TRUE(client_->Await<Welcome>());
    worker_ = std::make_unique<Peer>(*context_, access->worker_endpoints.front());
    hello.role = PeerRole::kWorker;
    hello.instance = "worker";
    hello.worker = WorkerHello{};
    hello.worker->name = "w";
    hello.worker->slots = 4;
    hello.worker->solvers = {{"noop", "1+1"}, {"panel", "1+1"}};
    worker_->Send(AnyMessage(hello));
    ASSERT_TRUE(worker_->Await<Welcome>());
  }

  void Stop() {
    client_.reset();
    worker_.reset();
    if (!thread_.joinable()) return;
    ::kill(::getpid(), SIGTERM);
    thread_.join();
    EXPECT_TRUE(status_.has_value());
  }

  SubmitReply Submit(const std::string& analysis, const std::string& id) {
    icarus::Submit request;
    request.id = id;
    request.spec.analysis = analysis;
    if (analysis == "airfoil_polar") {
      request.spec.solver = "panel";
      request.spec.sweep.targets.push_back({"naca0012", ""});
      request.spec.sweep.base["reynolds"] = Value(1e6);
    } else {
      request.spec.sweep.axes.push_back(Axis{{AxisColumn{"i", *ParseValues("0:9:1")}}});
    }
    client_->Send(AnyMessage(request));
    auto reply = client_->Await<SubmitReply>();
    EXPECT_TRUE(reply.has_value());
    return reply.value_or(SubmitReply{});
  }

  // Answers everything that is dispatched until `count` tasks are done.
  void Work(std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
      const auto dispatch = worker_->Await<Dispatch>();
      ASSERT_TRUE(dispatch.has_value());
      Results results;
      std::vector<Body> bodies;
      for (const DispatchGroup& group : dispatch->groups) {
        for (const DispatchTask& task : group.tasks) {
          ExecutionResult result;
          result.execution = task.execution;
          result.token = task.token;
          result.body = static_cast<std::int32_t>(bodies.size());
          results.results.push_back(result);
          bodies.push_back(std::make_shared<const std::string>("value"));
          ++done;
        }
      }
      worker_->Send(AnyMessage(results), bodies);
      ASSERT_TRUE(worker_->Await<ResultsAck>());
    }
  }

  testing::TempDir directory_;
  std::unique_ptr<TransportContext> context_;
  std::unique_ptr<Peer> client_;
  std::unique_ptr<Peer> worker_;
  std::thread thread_;
  Status status_;
};

TEST_F(BrokerAppTest, ASweepIsAcceptedRunStoredAndFetched) {
  const SubmitReply submitted = Submit("noop", "a");
  EXPECT_EQ(submitted.tasks, 10u);
  Work(10);
  client_->Send(AnyMessage(FetchResults{submitted.job, 0, 0}));
  std::vector<Body> bodies;
  const auto page = client_->Await<ResultPage>(&bodies);
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->items.size(), 10u);
  for (const ResultItem& item : page->items) {
    EXPECT_EQ(item.task.state, TaskState::kCompleted);
    EXPECT_EQ(*bodies.at(static_cast<std::size_t>(item.body)), "value");
  }
}

TEST_F(BrokerAppTest, AResultComesFromTheCacheAlsoAfterARestart) {
  Submit("airfoil_polar", "a");
  Work(1);
  Stop();
  Start();
  const SubmitReply again = Submit("airfoil_polar", "b");
  EXPECT_EQ(again.cached, 1u);
  client_->Send(AnyMessage(FetchResults{again.job, 0, 0}));
  // The value is read by another thread: ask until the task has it.
  std::vector<Body> bodies;
  auto page = client_->Await<ResultPage>(&bodies);
  while (page && page->items.at(0).task.state != TaskState::kCompleted) {
    client_->Send(AnyMessage(FetchResults{again.job, 0, 0}));
    page = client_->Await<ResultPage>(&bodies);
  }
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->items.at(0).via, ResultVia::kCache);
  EXPECT_EQ(*bodies.at(0), "value");
}

TEST_F(BrokerAppTest, FilesAreStoredByContent) {
  const std::string content(300'000, 'x');
  const ContentHash hash = HashBytes(content);
  std::uint64_t offset = 0;
  while (offset < content.size()) {
    const std::string chunk = content.substr(offset, limits::kChunkBytes);
    client_->Send(AnyMessage(BlobPut{hash, content.size(), offset}), {std::make_shared<const std::string>(chunk)});
    const auto reply = client_->Await<BlobPutReply>();
    ASSERT_TRUE(reply.has_value());
    offset = reply->next_offset;
  }
  worker_->Send(AnyMessage(BlobGet{hash, 290'000, limits::kChunkBytes}));
  std::vector<Body> bodies;
  const auto data = worker_->Await<BlobData>(&bodies);
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(data->size, content.size());
  EXPECT_EQ(bodies.at(0)->size(), 10'000u);
}

// An entry as another cache has it.
CachedItem Foreign(const std::string& form) {
  CachedItem item;
  item.key = HashBytes(form);
  item.form = form;
  item.analysis = "airfoil_polar";
  item.solver = "panel";
  item.identity = "1+1";
  item.computed_at_ms = 4'000'000'000'000;  // its clock is wrong
  item.compute_s = 1;
  item.size_bytes = 1;  // which is not believed
  item.body = 0;
  return item;
}

TEST_F(BrokerAppTest, AnImportIsTakenForWhatItIsAndNotForWhatItSays) {
  const std::string form = R"({"analysis":"airfoil_polar","params":{},"schema":1,"solver":"panel@1+1","target":"x"})";
  ResultBody result;
  result.columns = {"cl"};
  result.rows = {{Value(0.5)}};
  const Body body = std::make_shared<const std::string>(EncodeResultBody(result));
  const auto import = [&](const CachedItem& item) {
    ImportCache request;
    request.items.push_back(item);
    client_->Send(AnyMessage(request), {body});
    return client_->Await<ImportCacheReply>().value_or(ImportCacheReply{});
  };
  CachedItem other_solver = Foreign(form);
  other_solver.solver = "xfoil";
  for (const CachedItem& wrong :
       {other_solver, Foreign("no JSON"), Foreign(R"({"analysis":"airfoil_polar","solver":"panel@1+1"})"),
        Foreign(R"({"analysis":"airfoil_polar","intermediate":"k","params":{},"solver":"panel@1+1"})")}) {
    const ImportCacheReply refused = import(wrong);
    EXPECT_EQ(refused.rejected, 1u) << wrong.form;
    EXPECT_NE(refused.problems.at(0).find("no form of its analysis"), std::string::npos) << refused.problems.at(0);
  }
  EXPECT_EQ(import(Foreign(form)).imported, 1u);
  client_->Send(AnyMessage(ListCache{}));
  const auto list = client_->Await<ListCacheReply>();
  ASSERT_TRUE(list && list->items.size() == 1);
  EXPECT_EQ(list->items[0].size_bytes, body->size());
  EXPECT_LE(list->items[0].computed_at_ms, ReadClocks().wall_ms);
}

TEST_F(BrokerAppTest, SettingsTakeEffectAndAreKept) {
  client_->Send(AnyMessage(Config{ConfigVerb::kSet, "cache.max_entries", "5"}));
  auto reply = client_->Await<ConfigReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->entries.at(0).value, "5");
  Stop();
  Start();
  client_->Send(AnyMessage(Config{ConfigVerb::kGet, "cache.max_entries", ""}));
  reply = client_->Await<ConfigReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->entries.at(0).value, "5");
  EXPECT_EQ(reply->entries.at(0).origin, "live");
}

}  // namespace
}  // namespace icarus::broker
