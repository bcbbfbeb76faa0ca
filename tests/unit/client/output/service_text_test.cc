#include "client/output/service_text.h"

#include <gtest/gtest.h>

namespace icarus::client {
namespace {

TEST(ServiceText, Workers) {
  WorkerInfo worker;
  worker.name = "w1";
  worker.host = "node1";
  worker.state = "held";
  worker.held_reason = "memory 92 %";
  worker.slots = 2;
  worker.running = 1;
  worker.completed = 40;
  worker.solvers = {{"panel", "1"}, {"xfoil", "6.99+1a2b3c4d"}};
  worker.telemetry.cpu_percent = 49.6;
  worker.telemetry.memory_percent = 92;
  worker.telemetry.disk_percent = 10;
  worker.telemetry.wall_ms = 1;
  EXPECT_EQ(WorkerTableText({worker}, {}),
            "worker  host   busy   cpu  memory  disk  done  state              solvers\n"
            "w1      node1   1/2  50 %    92 %  10 %    40  held: memory 92 %  panel 1, xfoil 6.99\n");
  EXPECT_EQ(WorkerTableText({}, {}), "no workers; start one with: icarus up\n");
}

TEST(ServiceText, Cache) {
  CacheReply reply;
  reply.entries = 500;
  reply.max_entries = 100000;
  reply.bytes = 50u << 20;
  reply.max_bytes = 500u << 20;
  reply.hits = 3;
  reply.misses = 1;
  reply.joined = 2;
  EXPECT_EQ(CacheText(reply),
            "entries     500 of 100000 (0.5 %)\n"
            "size        50.0 MiB of 500.0 MiB (10.0 %)\n"
            "hits        3 of 4 (75.0 %)\n"
            "joined      2 (equal work that was under way)\n"
            "evictions   0\n"
            "expirations 0\n");
}

TEST(ServiceText, Settings) {
  const std::vector<ConfigEntry> entries = {{"cache.max_size_mb", "500", "default"}};
  EXPECT_EQ(ConfigText(entries, true, {}), "key                value  origin\ncache.max_size_mb  500    default\n");
  EXPECT_EQ(ConfigText(entries, false, {}), "key                value\ncache.max_size_mb  500\n");
}

TEST(ServiceText, ErrorsAreOneLine) {
  EXPECT_EQ(ErrorLine(UsageError("no analysis\n'foo'")), "icarus: no analysis 'foo'");
  Error error = Error::Make(ErrorCode::kOverloaded, "the queue is full");
  error.retry_after_s = 2;
  EXPECT_EQ(ErrorLine(error), "icarus: the queue is full; try again in 2.0 s");
}

}  // namespace
}  // namespace icarus::client
