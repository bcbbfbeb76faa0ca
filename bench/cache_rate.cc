// What the cache answers through an open client, with entries that icarus-bench-cache-fill has put, drawn at random.
//
//   icarus-bench-cache-rate [--entries N] [--count N] [--sweep N] [--window N]
//
// A read: the entry's value and what is known of it, by its key (`icarus cache get`); nothing is written.
// A hit: a job of one task is submitted, stored, synced, answered from the cache, and its result fetched.
// Both one at a time and with --window of them on their way; then the hits of one job of --sweep tasks, from its
// submission until all its results are here. Prints one JSON object. Uses the broker of $ICARUS_HOME.
#include <functional>

#include "bench/cached_noops.h"
#include "bench/open_client.h"
#include "bench/program.h"

namespace icarus::bench {
namespace {

constexpr std::uint64_t kWarmUp = 50;

class Measurement {
 public:
  Measurement(client::Client& client, CachedNoops noops, const Options& options)
      : client_(client),
        noops_(std::move(noops)),
        entries_(Number(options, "--entries")),
        count_(Number(options, "--count")),
        sweep_(Number(options, "--sweep")),
        window_(Number(options, "--window")) {}

  Status Run() {
    ICARUS_ASSIGN(Times reads, OneAtATime(&Measurement::Read));
    ICARUS_ASSIGN(Times hits, OneAtATime(&Measurement::Hit));
    ICARUS_ASSIGN(const double reads_per_s, InFlight(&Measurement::Read));
    ICARUS_ASSIGN(const double hits_per_s, InFlight(&Measurement::Hit));
    ICARUS_ASSIGN(const Swept sweep, RunSweep());
    std::printf("{\"read_p50_us\":%.1f,\"read_p99_us\":%.1f,\"reads_per_s\":%.0f,", reads.Micros(0.5),
                reads.Micros(0.99), reads_per_s);
    std::printf("\"hit_p50_us\":%.1f,\"hit_p99_us\":%.1f,\"hits_per_s\":%.0f,", hits.Micros(0.5), hits.Micros(0.99),
                hits_per_s);
    std::printf("\"sweep_hits_per_s\":%.0f,\"sweep_from_cache\":%.4f}\n", sweep.per_s, sweep.from_cache);
    return {};
  }

 private:
  // Begins one; it calls End when its value is here.
  using Begin = Status (Measurement::*)(std::uint64_t entry);

  static std::uint64_t Number(const Options& options, std::string_view name) {
    return static_cast<std::uint64_t>(options.find(name)->second);
  }

  Status Read(std::uint64_t entry) {
    ListCache request;
    ICARUS_ASSIGN(const ContentHash key, noops_.KeyOf(entry));
    request.keys = {key};
    request.read = CacheRead::kSend;
    client_.CallAsync(request, {}, [this](const Result<Message>& answer) {
      End(answer && answer->payload.is<ListCacheReply>() && answer->bodies.size() == 1, "an entry is not there");
    });
    return {};
  }

  Status Hit(std::uint64_t entry) {
    client_.CallAsync(Submit{RandomHex(16), noops_.One(entry)}, {}, [this](const Result<Message>& answer) {
      const SubmitReply* reply = answer ? answer->payload.get_if<SubmitReply>() : nullptr;
      reply != nullptr ? WaitFor(reply->job) : End(false, "a submission was refused");
    });
    return {};
  }

  void WaitFor(JobId job) {
    const auto watch = std::make_shared<std::uint64_t>(0);
    *watch = client_.Watch({job}, [this, job, watch](const Result<JobUpdate>& update) {
      if (!update) return End(false, "a watch ended early");
      if (update->jobs.empty() || !IsFinal(update->jobs.front().state)) return;
      client_.EndWatch(*watch);
      Fetch(job);
    });
  }

  void Fetch(JobId job) {
    client_.CallAsync(FetchResults{job, 0, 1}, {}, [this](const Result<Message>& answer) {
      const ResultPage* page = answer ? answer->payload.get_if<ResultPage>() : nullptr;
      End(page != nullptr && page->items.size() == 1 && IsFromCache(page->items[0].via) && answer->bodies.size() == 1,
          "a task was not answered from the cache");
    });
  }

  void End(bool good, const char* otherwise) {
    ++ended_;
    if (!good && !error_) error_ = Error::Make(ErrorCode::kInternal, otherwise);
  }

  Status WaitUntilEnded(std::uint64_t count) {
    ICARUS_TRY(client_.RunUntil([&] { return error_ || ended_ >= count; }));
    if (error_) return *error_;
    return {};
  }

  Result<Times> OneAtATime(Begin begin) {
    Times times;
    ended_ = 0;
    for (std::uint64_t i = 0; i < count_ + kWarmUp; ++i) {
      const double began = Now();
      ICARUS_TRY((this->*begin)(random_.Below(entries_)));
      ICARUS_TRY(WaitUntilEnded(i + 1));
      if (i >= kWarmUp) times.Add(Now() - began);
    }
    return times;
  }

  // How many a second.
  Result<double> InFlight(Begin begin) {
    const std::uint64_t total = 10 * count_;
    const double began = Now();
    ended_ = 0;
    for (std::uint64_t i = 0; i < total; ++i) {
      ICARUS_TRY((this->*begin)(random_.Below(entries_)));
      if (i + 1 >= window_) ICARUS_TRY(WaitUntilEnded(i + 2 - window_));
    }
    ICARUS_TRY(WaitUntilEnded(total));
    return static_cast<double>(total) / (Now() - began);
  }

  struct Swept {
    double per_s = 0;
    double from_cache = 0;  // of all its tasks; the others were computed although they are in the cache
  };
  Result<Swept> RunSweep() {
    const std::uint64_t count = std::min(sweep_, entries_);
    const double began = Now();
    ICARUS_ASSIGN(const JobSpec spec, noops_.Sweep(0, entries_ / count, count));
    ICARUS_ASSIGN(const JobSummary job, RunJob(client_, spec));
    std::uint64_t here = 0;
    ICARUS_TRY(client_.FetchResults(job.job, 0, 0, [&](const ResultItem& item, const ResultBody& body) -> Status {
      if (IsFromCache(item.via) && !body.rows.empty()) ++here;
      return {};
    }));
    const auto all = static_cast<double>(count);
    return Swept{all / (Now() - began), static_cast<double>(here) / all};
  }

  client::Client& client_;
  const CachedNoops noops_;
  const std::uint64_t entries_, count_, sweep_, window_;
  Random random_{1};
  std::uint64_t ended_ = 0;
  std::optional<Error> error_;
};

Status Measure(const Options& options) {
  ICARUS_ASSIGN(auto client, OpenClient());
  ICARUS_ASSIGN(CachedNoops noops, CachedNoops::Of(*client));
  return Measurement(*client, std::move(noops), options).Run();
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  return icarus::bench::RunProgram("icarus-bench-cache-rate", argc, argv,
                                   {{"--entries", 10'000}, {"--count", 1000}, {"--sweep", 10'000}, {"--window", 1000}},
                                   icarus::bench::Measure);
}
