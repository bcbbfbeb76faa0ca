// A directory of a test's own, removed with it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "common/base/files.h"

namespace icarus::client {

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = testing::TempDir() + "icarus-client-XXXXXX";  // TempDir ends with a slash
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDirectory() { EXPECT_TRUE(RemoveTree(path_)); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }

  // Writes a file below it and returns its path.
  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = path_ + "/" + name;
    EXPECT_TRUE(MakeDirectories(path.substr(0, path.rfind('/')), 0700));
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace icarus::client
