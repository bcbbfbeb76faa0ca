#include "common/transport/principal.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace icarus {
namespace {

TEST(Principal, ReadsTheUidOfAKernelVerifiedAddress) {
  EXPECT_EQ(PeerUid("localhost:1000:100:4711"), uid_t{1000});
  EXPECT_EQ(PeerUid(":1000:100:4711"), uid_t{1000});
  EXPECT_EQ(PeerUid(":0:0:1"), uid_t{0});
  EXPECT_EQ(PeerUid(":4294967294:1:1"), uid_t{4294967294});
}

TEST(Principal, AnAddressOfAnotherTransportVouchesForNobody) {
  for (const char* address :
       {"", "127.0.0.1", "::1", "::1:2:3", ":1:2", ":1:2:3:4", ":a:0:0", "::0:0", ":0:0:", ":99999999999:0:1", "0:0:0",
        "::ffff:127.0.0.1", "example:0:0:1", "localhost", "localhost:0:0:1:1"}) {
    EXPECT_FALSE(PeerUid(address).has_value()) << address;
    PrincipalTable table;
    EXPECT_EQ(table.Of(address), (Principal{"insecure", false})) << address;
  }
}

TEST(Principal, RootAndOurOwnUserAreAdmins) {
  PrincipalTable table;
  EXPECT_EQ(table.Of(":0:0:1"), (Principal{"root", true}));
  EXPECT_TRUE(table.Of(":" + std::to_string(::geteuid()) + ":0:1").admin);
}

TEST(Principal, AUserWithoutAnAccountIsANumber) {
  PrincipalTable table;
  EXPECT_EQ(table.Of(":3999999999:0:1"), (Principal{"uid:3999999999", false}));
}

}  // namespace
}  // namespace icarus
