#include "broker/blob_service.h"

#include <variant>

#include "common/base/clock.h"
#include "common/base/logging.h"

namespace icarus::broker {
namespace {
constexpr std::int64_t kAbandonedAfterMs = 7 * 86'400'000ll;  // an upload that nobody went on with
}  // namespace

BlobService::BlobService(BlobStore store, Gateway& gateway, LoopInbox& inbox)
    : store_(std::move(store)), gateway_(gateway), inbox_(inbox), thread_({4096, 256u << 20}, {1, 1}) {}

Result<std::unique_ptr<BlobService>> BlobService::Start(const std::string& dir, Gateway& gateway, LoopInbox& inbox) {
  ICARUS_ASSIGN(BlobStore store, BlobStore::Open(dir));
  const Status swept = store.RemoveUploadsBefore(ReadClocks().wall_ms - kAbandonedAfterMs);
  if (!swept) LogWarning("abandoned uploads stay: " + swept.error().message);
  return std::unique_ptr<BlobService>(new BlobService(std::move(store), gateway, inbox));
}

bool BlobService::Handle(const Received& received) {
  if (const auto* put = received.message.payload.get_if<BlobPut>()) {
    Put(received, *put);
    return true;
  }
  if (const auto* get = received.message.payload.get_if<BlobGet>()) {
    Get(received, *get);
    return true;
  }
  return false;
}

void BlobService::Answer(PeerRole role, const std::string& instance, Message message) {
  inbox_.Post([this, role, instance, message = std::move(message)] { gateway_.Send(role, instance, message); });
}

void BlobService::Refuse(const Received& received) {
  Error error = Error::Make(ErrorCode::kOverloaded, "too many file transfers at once");
  error.retry_after_s = 1;
  Answer(received.role, received.caller.instance, Message{received.message.correlation, ToErrorReply(error), {}});
}

void BlobService::Put(const Received& received, const BlobPut& request) {
  const Body body = received.message.bodies.empty() ? nullptr : received.message.bodies.front();
  auto job = [this, role = received.role, instance = received.caller.instance,
              correlation = received.message.correlation, request, body] {
    // An empty file is complete with its first, empty chunk.
    const bool asks = body == nullptr && request.size > 0;
    const auto progress =
        asks ? store_.Locate(request.hash, request.size)
             : store_.PutChunk(request.hash, request.size, request.offset, body ? *body : std::string());
    if (!progress) return Answer(role, instance, Message{correlation, ToErrorReply(progress.error()), {}});
    Answer(role, instance,
           Message{correlation, BlobPutReply{request.hash, progress->next_offset, progress->complete}, {}});
  };
  if (!thread_.TryPost(Lane::kUrgent, job, body ? body->size() : 0)) Refuse(received);
}

void BlobService::Get(const Received& received, const BlobGet& request) {
  auto job = [this, role = received.role, instance = received.caller.instance,
              correlation = received.message.correlation, request] {
    auto chunk = store_.GetChunk(request.hash, request.offset, request.length);
    if (!chunk) return Answer(role, instance, Message{correlation, ToErrorReply(chunk.error()), {}});
    Answer(role, instance,
           Message{correlation,
                   BlobData{request.hash, request.offset, chunk->size},
                   {std::make_shared<const std::string>(std::move(chunk->bytes))}});
  };
  if (!thread_.TryPost(Lane::kUrgent, job)) Refuse(received);
}

}  // namespace icarus::broker
