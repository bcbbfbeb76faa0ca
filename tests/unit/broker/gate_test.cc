// What may leave before the disk has it, and who is behind a connection: the two pure parts at the broker's edge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/core/batch_gate.h"
#include "broker/net/peer_directory.h"

namespace icarus::broker {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = PeerDirectory::Sender::Kind;

Effect Promise() { return SendMessage{PeerRole::kClient, "c", Message{}, true}; }
Effect Plain() { return SendMessage{PeerRole::kClient, "c", Message{}, false}; }
Effect Write() { return Persist{DeleteJob{JobId(1)}}; }

std::vector<Effect> Effects(std::initializer_list<Effect> effects) { return effects; }

TEST(BatchGate, APromiseWaitsForEverythingThatItsTurnWrites) {
  BatchGate gate(7);
  EXPECT_THAT(gate.Add(Effects({Promise(), Plain(), Write()})), SizeIs(1)) << "also for what is written after it";
  const auto batch = gate.Seal(5);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->sequence, 8u);
  EXPECT_EQ(batch->clock_ms, 5);
  EXPECT_THAT(batch->records, SizeIs(1));
  EXPECT_THAT(gate.OnDurable(8), SizeIs(1));
  EXPECT_FALSE(gate.has_unwritten());
}

TEST(BatchGate, APromiseWithoutRecordsWaitsForTheBatchInFlight) {
  BatchGate gate(0);
  gate.Add(Effects({Write()}));
  gate.Seal(0);
  EXPECT_THAT(gate.Add(Effects({Promise()})), IsEmpty()) << "it may tell of what is not durable yet";
  EXPECT_THAT(gate.OnDurable(1), SizeIs(1));
  EXPECT_THAT(gate.Add(Effects({Promise()})), SizeIs(1)) << "nothing is under way";
}

TEST(BatchGate, OneBatchIsInFlightAndTheNextReleasesItsOwn) {
  BatchGate gate(0);
  gate.Add(Effects({Write(), Promise()}));
  ASSERT_TRUE(gate.Seal(0));
  gate.Add(Effects({Write(), Promise(), Promise()}));
  EXPECT_FALSE(gate.Seal(0));
  EXPECT_THAT(gate.OnDurable(1), SizeIs(1));
  EXPECT_FALSE(gate.in_flight());
  ASSERT_TRUE(gate.Seal(0));
  EXPECT_THAT(gate.OnDurable(2), SizeIs(2));
}

TEST(PeerDirectory, AMessageIsTakenOnlyOfWhoHasGreetedAndInOrder) {
  PeerDirectory peers;
  EXPECT_EQ(peers.OnMessage("r1", {1, 2}).kind, Kind::kUnknown);
  EXPECT_TRUE(peers.OnHello("r1", "w", {1, 1}));
  EXPECT_EQ(peers.OnMessage("r1", {1, 2}).instance, "w");
  EXPECT_EQ(peers.OnMessage("r1", {1, 2}).kind, Kind::kStale) << "twice";
  EXPECT_EQ(peers.OnMessage("r1", {1, 4}).kind, Kind::kUnknown) << "one is missing";
  EXPECT_EQ(peers.OnMessage("r1", {1, 3}).kind, Kind::kKnown) << "it was only late";
}

TEST(PeerDirectory, ANewSessionReplacesTheOldOneAndNotTheOtherWayRound) {
  PeerDirectory peers;
  EXPECT_TRUE(peers.OnHello("r1", "w", {1, 1}));
  EXPECT_TRUE(peers.OnHello("r2", "w", {2, 1}));
  EXPECT_FALSE(peers.OnHello("r1", "w", {1, 1})) << "an old greeting that comes late";
  EXPECT_FALSE(peers.OnHello("r2", "w", {2, 1})) << "the same one again";
  EXPECT_EQ(*peers.RoutingIdOf("w"), "r2");
  EXPECT_EQ(peers.OnMessage("r1", {1, 2}).kind, Kind::kUnknown);
  EXPECT_EQ(peers.OnMessage("r2", {1, 2}).kind, Kind::kStale) << "of the session before";
  EXPECT_EQ(peers.NextStamp("w").session, 2u);
  EXPECT_EQ(peers.NextStamp("w").number, 2u);
  peers.Forget("w");
  EXPECT_EQ(peers.RoutingIdOf("w"), nullptr);
  EXPECT_EQ(peers.size(), 0u);
}

TEST(PeerDirectory, AWordAboutASessionIsTakenOnceAndOnlyInIt) {
  SessionNumbers peer;
  peer.Begin(4);
  EXPECT_EQ(peer.OnArrival({4, 0}), SessionNumbers::Arrival::kNext);
  EXPECT_EQ(peer.OnArrival({3, 0}), SessionNumbers::Arrival::kOld);
  peer.Begin(5);
  EXPECT_EQ(peer.OnArrival({4, 0}), SessionNumbers::Arrival::kOld) << "of a burst, only the first begins a session";
  EXPECT_EQ(peer.OnArrival({0, 0}), SessionNumbers::Arrival::kNext) << "a peer that does not number";
}

}  // namespace
}  // namespace icarus::broker
