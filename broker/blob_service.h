// Files by content, put and got in chunks by clients and workers. Needs no decision of the core: a thread of its own
// does it.
#pragma once

#include <memory>
#include <string>

#include "broker/net/gateway.h"
#include "broker/storage/blob_store.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"
#include "common/base/result.h"

namespace icarus::broker {

class BlobService {
 public:
  static Result<std::unique_ptr<BlobService>> Start(const std::string& dir, Gateway& gateway, LoopInbox& inbox);

  // Takes the message if it is about blobs; the answer follows later. The loop's thread.
  bool Handle(const Received& received);
  // For what any thread may do beside this one.
  const BlobStore& store() const { return store_; }

 private:
  BlobService(BlobStore store, Gateway& gateway, LoopInbox& inbox);
  void Put(const Received& received, const BlobPut& request);
  void Get(const Received& received, const BlobGet& request);
  void Answer(PeerRole role, const std::string& instance, Message message);
  void Refuse(const Received& received);

  BlobStore store_;
  Gateway& gateway_;
  LoopInbox& inbox_;
  IoThread thread_;
};

}  // namespace icarus::broker
