// A directory of a test's own, removed with all that is in it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "common/base/check.h"
#include "common/base/files.h"

namespace icarus::testing {

class TempDir {
 public:
  TempDir() : path_("/tmp/icarus-test-XXXXXX") { ICARUS_CHECK(::mkdtemp(path_.data()) != nullptr); }
  ~TempDir() { EXPECT_TRUE(RemoveTree(path_).has_value()); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace icarus::testing
