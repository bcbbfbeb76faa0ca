#include "common/config/access_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace icarus {
namespace {

class AccessFileTest : public ::testing::Test {
 protected:
  AccessFile Sample() const {
    AccessFile access;
    access.client_endpoints = {"ipc:///run/x/clients", "tcp://10.0.0.1:5555"};
    access.worker_endpoints = {"ipc:///run/x/workers", "tcp://10.0.0.1:5556"};
    access.host = here_;
    access.instance = "broker-1";
    access.pid = ::getpid();
    access.program = "icarus-broker 0.1.0";
    return access;
  }
  Home home() const { return Home{dir_.path()}; }
  std::string path() const { return home().access_file(); }

  testing::TempDir dir_;
  HostIdentity here_{"alpha", "boot-a"};
};

TEST_F(AccessFileTest, ReadsWhatWasWritten) {
  ASSERT_TRUE(WriteAccessFile(path(), Sample()).has_value());
  const auto access = FindBroker(home(), here_);
  ASSERT_TRUE(access.has_value()) << access.error().message;
  EXPECT_EQ(access->client_endpoints, Sample().client_endpoints);
  EXPECT_EQ(access->worker_endpoints, Sample().worker_endpoints);
  EXPECT_EQ(access->host.name, "alpha");
  EXPECT_EQ(access->host.boot_id, "boot-a");
  EXPECT_EQ(access->instance, "broker-1");
  EXPECT_EQ(access->pid, ::getpid());
  EXPECT_EQ(access->program, "icarus-broker 0.1.0");
}

TEST_F(AccessFileTest, OnlyItsOwnerMayReadIt) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(WriteAccessFile(path(), Sample()).has_value());
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(AccessFileTest, AMissingOneSaysHowToStart) {
  const auto access = FindBroker(home(), here_);
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(access.error().message, "no broker runs at " + dir_.path() + ": start one with 'icarus up'");
}

TEST_F(AccessFileTest, AnotherHostIsNamed) {
  AccessFile elsewhere = Sample();
  elsewhere.client_endpoints = {"ipc:///run/x/clients"};
  elsewhere.worker_endpoints = {"ipc:///run/x/workers"};
  ASSERT_TRUE(WriteAccessFile(path(), elsewhere).has_value());
  const auto access = FindBroker(home(), {"beta", "boot-b"});
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code, ErrorCode::kRefused);
  EXPECT_NE(access.error().message.find("alpha"), std::string::npos) << access.error().message;
  EXPECT_TRUE(ReadAccessFile(path()).has_value()) << "as written, for those who ask where the broker is";
}

TEST_F(AccessFileTest, FromAnotherHostOnlyTcpIsLeft) {
  ASSERT_TRUE(WriteAccessFile(path(), Sample()).has_value());
  const auto access = FindBroker(home(), {"beta", "boot-b"});
  ASSERT_TRUE(access.has_value());
  EXPECT_EQ(access->client_endpoints, std::vector<std::string>{"tcp://10.0.0.1:5555"});
  EXPECT_EQ(access->worker_endpoints, std::vector<std::string>{"tcp://10.0.0.1:5556"});
}

TEST_F(AccessFileTest, AfterARestartOfTheMachineNoBrokerRuns) {
  AccessFile old = Sample();
  old.client_endpoints = {"ipc:///run/x/clients"};
  old.worker_endpoints.clear();
  ASSERT_TRUE(WriteAccessFile(path(), old).has_value());
  const auto access = FindBroker(home(), {"alpha", "boot-later"});
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code, ErrorCode::kUnavailable);
}

TEST_F(AccessFileTest, AContainerOfTheSameMachineIsHere) {
  ASSERT_TRUE(WriteAccessFile(path(), Sample()).has_value());
  EXPECT_EQ(FindBroker(home(), {"container", "boot-a"})->client_endpoints.size(), 2u);
}

TEST_F(AccessFileTest, WhatIsNoneIsSaid) {
  for (const char* text : {"", "{", "[]", "{}", "7", R"({"client_endpoints":7})", "\xff\xfe"}) {
    ASSERT_TRUE(WriteFileAtomically(path(), text, 0600).has_value());
    const auto access = ReadAccessFile(path());
    ASSERT_FALSE(access.has_value()) << text;
    EXPECT_EQ(access.error().code, ErrorCode::kCorruption) << text;
    EXPECT_NE(access.error().message.find(path()), std::string::npos);
  }
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  EXPECT_EQ(ReadAccessFile(path()).error().code, ErrorCode::kRefused);
}

TEST_F(AccessFileTest, OnlyTheBrokerThatWroteItRemovesIt) {
  EXPECT_TRUE(RemoveAccessFile(path(), "broker-1").has_value());
  ASSERT_TRUE(WriteAccessFile(path(), Sample()).has_value());
  ASSERT_TRUE(RemoveAccessFile(path(), "broker-0").has_value());
  EXPECT_TRUE(PathExists(path()));
  ASSERT_TRUE(RemoveAccessFile(path(), "broker-1").has_value());
  EXPECT_FALSE(PathExists(path()));
}

TEST_F(AccessFileTest, KnowsWhetherTheBrokerIsAlive) {
  AccessFile access = Sample();
  EXPECT_TRUE(BrokerProcessExists(access, here_));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  access.pid = child;
  EXPECT_FALSE(BrokerProcessExists(access, here_));
  EXPECT_TRUE(BrokerProcessExists(access, {"beta", "boot-b"})) << "nothing is known of another machine";
}

TEST(Host, ThisHostIsItself) {
  const HostIdentity here = ThisHost();
  EXPECT_FALSE(here.name.empty());
  EXPECT_EQ(here.boot_id.find_first_of(" \n"), std::string::npos);
  EXPECT_TRUE(here.SameMachine(ThisHost()));
}

}  // namespace
}  // namespace icarus
