#include "broker/storage/load_relay.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/overloaded.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kBatch = 256;     // records that are handed over at once
constexpr std::size_t kMostAhead = 16;  // batches that wait to be taken

struct Setting {
  std::string key, value;
};
struct Task {
  TaskRef task;
  TaskRecord record;
};
struct EventsNote {
  std::uint64_t first = 0, next = 0, bytes = 0;
};
using Item = std::variant<StoreMeta, Setting, JobRecord, JobStatusRecord, Task, DispatchRecord, EventsNote>;
using Batch = std::vector<Item>;

// Between the two threads.
class Belt {
 public:
  void Put(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return batches_.size() < kMostAhead; });
    batches_.push_back(std::move(batch));
    changed_.notify_all();
  }
  void End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  // False: there are no more.
  bool Take(Batch& batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !batches_.empty(); });
    if (batches_.empty()) return false;
    batch = std::move(batches_.front());
    batches_.pop_front();
    changed_.notify_all();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> batches_;
  bool ended_ = false;
};

// The reader's end of the belt.
class Loading {
 public:
  explicit Loading(Belt& belt) : belt_(belt) { batch_.reserve(kBatch); }

  StoreVisitor visitor() {
    StoreVisitor visitor;
    visitor.on_meta = [this](const StoreMeta& meta) { Put(meta); };
    visitor.on_setting = [this](std::string key, std::string value) { Put(Setting{std::move(key), std::move(value)}); };
    visitor.on_job = [this](JobRecord job) { Put(std::move(job)); };
    visitor.on_status = [this](JobStatusRecord status) { Put(std::move(status)); };
    visitor.on_task = [this](TaskRef task, TaskRecord record) { Put(Task{task, std::move(record)}); };
    visitor.on_dispatch = [this](DispatchRecord record) { Put(std::move(record)); };
    visitor.on_events = [this](std::uint64_t first, std::uint64_t next, std::uint64_t bytes) {
      Put(EventsNote{first, next, bytes});
    };
    return visitor;
  }
  void End() {
    if (!batch_.empty()) belt_.Put(std::move(batch_));
    belt_.End();
  }

 private:
  void Put(Item item) {
    batch_.push_back(std::move(item));
    if (batch_.size() < kBatch) return;
    belt_.Put(std::exchange(batch_, {}));
    batch_.reserve(kBatch);
  }

  Belt& belt_;
  Batch batch_;
};

void Tell(const StoreVisitor& visitor, Item& item) {
  std::visit(Overloaded{
                 [&](StoreMeta& meta) { visitor.on_meta(meta); },
                 [&](Setting& setting) { visitor.on_setting(std::move(setting.key), std::move(setting.value)); },
                 [&](JobRecord& job) { visitor.on_job(std::move(job)); },
                 [&](JobStatusRecord& status) { visitor.on_status(std::move(status)); },
                 [&](Task& task) { visitor.on_task(task.task, std::move(task.record)); },
                 [&](DispatchRecord& record) { visitor.on_dispatch(std::move(record)); },
                 [&](EventsNote& note) {
                   if (visitor.on_events) visitor.on_events(note.first, note.next, note.bytes);
                 },
             },
             item);
}

}  // namespace

Status ReadAhead(const StoreVisitor& visitor, const std::function<Status(const StoreVisitor&)>& read) {
  Belt belt;
  Status status;
  std::thread reader([&] {
    Loading loading(belt);
    status = read(loading.visitor());
    loading.End();
  });
  Batch batch;
  while (belt.Take(batch)) {
    for (Item& item : batch) Tell(visitor, item);
  }
  reader.join();
  return status;
}

}  // namespace icarus::broker
