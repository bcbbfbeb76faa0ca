#include "worker/net/blob_transfers.h"

#include <algorithm>
#include <utility>

namespace icarus::worker {
namespace {

constexpr BlobTransfers::Instant kAnswerWithin = Milliseconds(15'000);

std::optional<Error> ErrorOf(const Message& message) {
  const auto* reply = message.payload.get_if<ErrorReply>();
  if (reply == nullptr) return std::nullopt;
  return ToError(*reply);
}

BlobTransfers::Instant RetryAt(const Error& error, const Now& now) {
  const double seconds = std::clamp(error.retry_after_s.value_or(1.0), 0.1, 60.0);
  return now.monotonic + Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

void BlobTransfers::Fetch(const ContentHash& hash, std::uint64_t size) { fetch_orders_.push_back({hash, size}); }

void BlobTransfers::Upload(std::uint64_t owner, const ContentHash& hash, std::uint64_t size, const std::string& path) {
  upload_orders_.push_back({owner, hash, size, path});
}

void BlobTransfers::Forget(std::uint64_t owner) {
  if (upload_ && upload_orders_.front().owner == owner) {
    upload_.reset();
    upload_lane_ = {};
  }
  std::erase_if(upload_orders_, [&](const UploadOrder& order) { return order.owner == owner; });
}

void BlobTransfers::OnUp(const Now& now) {
  up_ = true;
  RestartFetch(std::nullopt);
  RestartUpload(std::nullopt);
  Pump(now);
}

void BlobTransfers::OnDown() { up_ = false; }

void BlobTransfers::RestartFetch(std::optional<Instant> paused_until) {
  fetch_lane_ = Lane{{}, Instant(0), paused_until};
  if (download_) download_->Restart();
}

void BlobTransfers::RestartUpload(std::optional<Instant> paused_until) {
  upload_lane_ = Lane{{}, Instant(0), paused_until};
  if (upload_) upload_->Restart();
}

std::optional<BlobTransfers::Instant> BlobTransfers::WakeAt(const Lane& lane) {
  if (lane.paused_until) return lane.paused_until;
  if (!lane.asked.empty()) return lane.answer_until;
  return std::nullopt;
}

void BlobTransfers::OnTick(const Now& now) {
  if (up_ && WakeAt(fetch_lane_) && now.monotonic >= *WakeAt(fetch_lane_)) RestartFetch(std::nullopt);
  if (up_ && WakeAt(upload_lane_) && now.monotonic >= *WakeAt(upload_lane_)) RestartUpload(std::nullopt);
  Pump(now);
}

std::optional<BlobTransfers::Instant> BlobTransfers::NextDeadline() const {
  if (!up_) return std::nullopt;
  const auto fetch = WakeAt(fetch_lane_);
  const auto upload = WakeAt(upload_lane_);
  if (!fetch || !upload) return fetch ? fetch : upload;
  return std::min(*fetch, *upload);
}

void BlobTransfers::Pump(const Now& now) {
  if (!fetch_lane_.paused_until) PumpFetch(now);
  if (!upload_lane_.paused_until) PumpUpload(now);
}

void BlobTransfers::Ask(Lane& lane, AnyMessage payload, std::vector<Body> bodies, const Now& now) {
  lane.asked.insert(++last_correlation_);
  lane.answer_until = now.monotonic + kAnswerWithin;
  callbacks_.send(Message{last_correlation_, std::move(payload), std::move(bodies)});
}

void BlobTransfers::PumpFetch(const Now& now) {
  while (!download_ && !fetch_orders_.empty()) {
    const FetchOrder order = fetch_orders_.front();
    if (cache_.Use(order.hash, now)) {
      EndFetch(std::nullopt, now);
      continue;
    }
    Result<BlobDownload> started = BlobDownload::Start(order.hash, order.size, cache_.PathOf(order.hash));
    if (started) {
      download_.emplace(std::move(*started));
    } else {
      EndFetch(started.error(), now);
    }
  }
  while (up_ && download_) {
    const auto request = download_->NextRequest();
    if (!request) return;
    Ask(fetch_lane_, *request, {}, now);
  }
}

void BlobTransfers::EndFetch(const std::optional<Error>& error, const Now& now) {
  const FetchOrder order = fetch_orders_.front();
  if (!error && download_) cache_.Added(order.hash, download_->size(), now);
  fetch_orders_.pop_front();
  download_.reset();
  fetch_lane_ = {};
  callbacks_.on_fetched(order.hash, error);
}

void BlobTransfers::PumpUpload(const Now& now) {
  while (!upload_orders_.empty()) {
    if (!upload_) {
      const UploadOrder& order = upload_orders_.front();
      Result<BlobUpload> started = BlobUpload::Start(order.hash, order.size, order.path);
      if (!started) {
        EndUpload(started.error());
        continue;
      }
      upload_.emplace(std::move(*started));
    }
    if (!up_) return;
    auto request = upload_->NextRequest();
    if (!request) {
      EndUpload(request.error());
      continue;
    }
    if (!*request) return;
    std::vector<Body> bodies;
    if ((*request)->body != nullptr) bodies.push_back((*request)->body);
    Ask(upload_lane_, (*request)->put, std::move(bodies), now);
  }
}

void BlobTransfers::EndUpload(const std::optional<Error>& error) {
  const std::uint64_t owner = upload_orders_.front().owner;
  upload_orders_.pop_front();
  upload_.reset();
  upload_lane_ = {};
  callbacks_.on_uploaded(owner, error);
}

bool BlobTransfers::OnMessage(const Message& message, const Now& now) {
  if (fetch_lane_.asked.erase(message.correlation) == 1) {
    OnFetchAnswer(message, now);
  } else if (upload_lane_.asked.erase(message.correlation) == 1) {
    OnUploadAnswer(message, now);
  } else {
    return message.correlation > 1'000 && message.correlation <= last_correlation_;  // of an earlier try
  }
  Pump(now);
  return true;
}

void BlobTransfers::OnFetchAnswer(const Message& message, const Now& now) {
  if (const auto error = ErrorOf(message)) {
    error->code == ErrorCode::kOverloaded ? RestartFetch(RetryAt(*error, now)) : EndFetch(error, now);
    return;
  }
  const auto* data = message.payload.get_if<BlobData>();
  if (data == nullptr) return EndFetch(ProtocolError("the broker gave an answer of another kind"), now);
  const Status taken = download_->OnData(*data, message.bodies.empty() ? nullptr : message.bodies.front());
  if (!taken) return EndFetch(taken.error(), now);
  fetch_lane_.answer_until = now.monotonic + kAnswerWithin;
  if (download_->done()) EndFetch(std::nullopt, now);
}

void BlobTransfers::OnUploadAnswer(const Message& message, const Now& now) {
  if (const auto error = ErrorOf(message)) {
    if (error->code == ErrorCode::kOverloaded) return RestartUpload(RetryAt(*error, now));
    if (error->code != ErrorCode::kProtocol || !upload_->StartOver()) return EndUpload(error);
    return RestartUpload(std::nullopt);
  }
  const auto* reply = message.payload.get_if<BlobPutReply>();
  if (reply == nullptr) return EndUpload(ProtocolError("the broker gave an answer of another kind"));
  const Status taken = upload_->OnReply(*reply);
  if (!taken) return EndUpload(taken.error());
  upload_lane_.answer_until = now.monotonic + kAnswerWithin;
  if (upload_->done()) EndUpload(std::nullopt);
}

}  // namespace icarus::worker
