// BlobTransfers: files between this worker and the broker's blob store, one each way at a time, each in chunks. What is
// lost with a connection is asked for again on the next one. Owned and used by one thread; never blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/protocol/messages.h"
#include "worker/net/blob_cache.h"
#include "worker/net/blob_download.h"
#include "worker/net/blob_upload.h"

namespace icarus::worker {

class BlobTransfers {
 public:
  using Instant = decltype(Now::monotonic);
  struct Callbacks {
    std::function<void(Message)> send;
    std::function<void(const ContentHash&, const std::optional<Error>&)> on_fetched;
    std::function<void(std::uint64_t owner, const std::optional<Error>&)> on_uploaded;
  };

  BlobTransfers(BlobCache cache, Callbacks callbacks) : cache_(std::move(cache)), callbacks_(std::move(callbacks)) {}

  const BlobCache& cache() const { return cache_; }

  // on_fetched follows, later than this call.
  void Fetch(const ContentHash& hash, std::uint64_t size);
  // on_uploaded follows with `owner`, unless Forget comes first.
  void Upload(std::uint64_t owner, const ContentHash& hash, std::uint64_t size, const std::string& path);
  void Forget(std::uint64_t owner);

  void OnUp(const Now& now);  // welcomed on a new or the old connection
  void OnDown();
  // True when the message answers one of ours.
  bool OnMessage(const Message& message, const Now& now);
  void OnTick(const Now& now);
  std::optional<Instant> NextDeadline() const;

 private:
  struct FetchOrder {
    ContentHash hash;
    std::uint64_t size = 0;
  };
  struct UploadOrder {
    std::uint64_t owner = 0;
    ContentHash hash;
    std::uint64_t size = 0;
    std::string path;
  };
  // What is common to both ways: requests under way, and when to try again.
  struct Lane {
    std::set<std::uint64_t> asked;        // correlation ids
    Instant answer_until{0};              // else what was asked is lost
    std::optional<Instant> paused_until;  // the broker has too much to do
  };

  static std::optional<Instant> WakeAt(const Lane& lane);
  void Pump(const Now& now);
  void PumpFetch(const Now& now);
  void PumpUpload(const Now& now);
  void EndFetch(const std::optional<Error>& error, const Now& now);
  void EndUpload(const std::optional<Error>& error);
  void Ask(Lane& lane, AnyMessage payload, std::vector<Body> bodies, const Now& now);
  void OnFetchAnswer(const Message& message, const Now& now);
  void OnUploadAnswer(const Message& message, const Now& now);
  void RestartFetch(std::optional<Instant> paused_until);
  void RestartUpload(std::optional<Instant> paused_until);

  BlobCache cache_;
  Callbacks callbacks_;
  bool up_ = false;
  std::uint64_t last_correlation_ = 1'000;  // below: the worker's other requests
  std::deque<FetchOrder> fetch_orders_;     // the first is the one under way, if `download_`
  std::optional<BlobDownload> download_;
  Lane fetch_lane_;
  std::deque<UploadOrder> upload_orders_;
  std::optional<BlobUpload> upload_;
  Lane upload_lane_;
};

}  // namespace icarus::worker
