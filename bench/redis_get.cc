// GETs of a Redis server on a Unix socket, keys drawn at random: one at a time, and --window of them in one pipeline.
//
//   icarus-bench-redis-get SOCKET [--entries N] [--count N] [--window N] [--payload BYTES]
//
// Sets the keys first. Prints one JSON object: {"get_p50_us":…,"get_p99_us":…,"gets_per_s":…}.
#include <hiredis/hiredis.h>

#include <memory>

#include "bench/program.h"
#include "common/base/random.h"

namespace icarus::bench {
namespace {

constexpr std::uint64_t kWarmUp = 50;

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

class Measurement {
 public:
  Measurement(const char* socket, const Options& options)
      : redis_(redisConnectUnix(socket)),
        entries_(Number(options, "--entries")),
        count_(Number(options, "--count")),
        window_(Number(options, "--window")),
        payload_(Number(options, "--payload"), 'x') {}

  Status Run() {
    if (redis_ == nullptr || redis_->err != 0) return Error::Make(ErrorCode::kUnavailable, "no Redis at this socket");
    ICARUS_TRY(SetAll());
    ICARUS_ASSIGN(Times gets, OneAtATime());
    ICARUS_ASSIGN(const double gets_per_s, Pipelined());
    std::printf("{\"get_p50_us\":%.1f,\"get_p99_us\":%.1f,\"gets_per_s\":%.0f}\n", gets.Micros(0.5), gets.Micros(0.99),
                gets_per_s);
    return {};
  }

 private:
  static std::size_t Number(const Options& options, std::string_view name) {
    return static_cast<std::size_t>(options.find(name)->second);
  }

  // As long as a key of the result cache.
  static std::string KeyOf(std::uint64_t entry) {
    std::string key = std::to_string(entry);
    return std::string(32 - key.size(), '0') + key;
  }

  void BeginGet() {
    const std::string key = KeyOf(random_.Below(entries_));
    redisAppendCommand(redis_.get(), "GET %b", key.data(), key.size());
  }

  Status EndGet() {
    void* answer = nullptr;
    if (redisGetReply(redis_.get(), &answer) != REDIS_OK) return Error::Make(ErrorCode::kIo, redis_->errstr);
    const std::unique_ptr<redisReply, Free> reply(static_cast<redisReply*>(answer));
    if (reply->len != payload_.size()) return Error::Make(ErrorCode::kInternal, "a value is not there");
    return {};
  }

  Status SetAll() {
    for (std::uint64_t i = 0; i < entries_; ++i) {
      const std::string key = KeyOf(i);
      const std::unique_ptr<redisReply, Free> reply(static_cast<redisReply*>(
          redisCommand(redis_.get(), "SET %b %b", key.data(), key.size(), payload_.data(), payload_.size())));
      if (reply == nullptr || reply->type == REDIS_REPLY_ERROR) return Error::Make(ErrorCode::kIo, "a SET failed");
    }
    return {};
  }

  Result<Times> OneAtATime() {
    Times times;
    for (std::uint64_t i = 0; i < count_ + kWarmUp; ++i) {
      const double began = Now();
      BeginGet();
      ICARUS_TRY(EndGet());
      if (i >= kWarmUp) times.Add(Now() - began);
    }
    return times;
  }

  // How many a second.
  Result<double> Pipelined() {
    const std::uint64_t rounds = 100 * count_ / window_ + 1;
    const double began = Now();
    for (std::uint64_t round = 0; round < rounds; ++round) {
      for (std::uint64_t i = 0; i < window_; ++i) BeginGet();
      for (std::uint64_t i = 0; i < window_; ++i) ICARUS_TRY(EndGet());
    }
    return static_cast<double>(rounds * window_) / (Now() - began);
  }

  const std::unique_ptr<redisContext, Free> redis_;
  const std::uint64_t entries_, count_, window_;
  const std::string payload_;
  Random random_{1};
};

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "icarus-bench-redis-get: the socket is missing\n");
    return 2;
  }
  return icarus::bench::RunProgram(
      "icarus-bench-redis-get", argc - 1, argv + 1,
      {{"--entries", 10'000}, {"--count", 1000}, {"--window", 1000}, {"--payload", 1024}},
      [argv](const icarus::bench::Options& options) { return icarus::bench::Measurement(argv[1], options).Run(); });
}
