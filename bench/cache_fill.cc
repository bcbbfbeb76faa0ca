// Puts numbered entries of about 1 KiB into the cache, as `icarus cache import` does: 500 a message, four messages on
// their way. Each is looked up, checked, weighed and stored by the broker.
//
//   icarus-bench-cache-fill [--first I] [--count N] [--ttl-ms T]
//
// Prints one JSON object: {"puts_per_s":…,"entry_bytes":…}, timed until the last is in the store. Uses the broker of
// $ICARUS_HOME, which needs a worker.
#include "bench/cached_noops.h"
#include "bench/open_client.h"
#include "bench/program.h"
#include "common/base/clock.h"

namespace icarus::bench {
namespace {

constexpr std::uint64_t kAtOnce = 500;
constexpr std::uint64_t kWindow = 4;

class Filler {
 public:
  Filler(client::Client& client, CachedNoops noops, std::int64_t ttl_ms)
      : client_(client), noops_(std::move(noops)), ttl_ms_(ttl_ms) {}

  Status Fill(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t at = 0; at < count; at += kAtOnce) {
      ICARUS_TRY(WaitUntilOpen(kWindow - 1));
      ICARUS_TRY(Send(first + at, std::min(kAtOnce, count - at)));
    }
    ICARUS_TRY(WaitUntilOpen(0));
    // It is read where the puts are written, after them.
    ListCache last;
    last.limit = 1;
    ICARUS_TRY(client_.Ask<ListCacheReply>(last));
    return {};
  }

  std::uint64_t bytes() const { return bytes_; }

 private:
  Status WaitUntilOpen(std::uint64_t most) {
    ICARUS_TRY(client_.RunUntil([&] { return error_ || open_ <= most; }));
    if (error_) return *error_;
    return {};
  }

  Status Send(std::uint64_t first, std::uint64_t count) {
    ImportCache request;
    std::vector<Body> bodies;
    const std::int64_t wall_ms = ReadClocks().wall_ms;
    for (std::uint64_t i = first; i < first + count; ++i) {
      ICARUS_ASSIGN(CachedItem item, noops_.Entry(i));
      if (ttl_ms_ > 0) item.expires_at_ms = wall_ms + ttl_ms_;
      item.body = static_cast<std::int32_t>(bodies.size());
      bodies.push_back(std::make_shared<const std::string>(CachedNoops::ValueOf(i)));
      bytes_ += bodies.back()->size();
      request.items.push_back(std::move(item));
    }
    ++open_;
    client_.CallAsync(std::move(request), std::move(bodies), [this, count](const Result<Message>& answer) {
      --open_;
      if (!answer) {
        error_ = answer.error();
      } else if (const auto* reply = answer->payload.get_if<ImportCacheReply>(); reply != nullptr) {
        // Present: the client had to send the request twice.
        if (reply->imported + reply->present != count) error_ = NotTaken(*reply);
      }
    });
    return {};
  }

  static Error NotTaken(const ImportCacheReply& reply) {
    return Error::Make(ErrorCode::kInternal, std::to_string(reply.imported) + " imported, " +
                                                 std::to_string(reply.conflicts) + " conflicts, " +
                                                 std::to_string(reply.rejected) + " rejected" +
                                                 (reply.problems.empty() ? "" : ": " + reply.problems.front()));
  }

  client::Client& client_;
  const CachedNoops noops_;
  const std::int64_t ttl_ms_;
  std::uint64_t open_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<Error> error_;
};

Status Measure(const Options& options) {
  ICARUS_ASSIGN(auto client, OpenClient());
  ICARUS_ASSIGN(CachedNoops noops, CachedNoops::Of(*client));
  const auto count = static_cast<std::uint64_t>(options.at("--count"));
  Filler filler(*client, std::move(noops), options.at("--ttl-ms"));
  const double begin = Now();
  ICARUS_TRY(filler.Fill(static_cast<std::uint64_t>(options.at("--first")), count));
  std::printf("{\"puts_per_s\":%.0f,\"entry_bytes\":%.1f}\n", static_cast<double>(count) / (Now() - begin),
              static_cast<double>(filler.bytes()) / static_cast<double>(count));
  return {};
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  return icarus::bench::RunProgram("icarus-bench-cache-fill", argc, argv,
                                   {{"--first", 0}, {"--count", 10'000}, {"--ttl-ms", 0}}, icarus::bench::Measure);
}
