// DiskReserve: a file that is nothing but room. When the disk is full it is given up, so that results can still be
// written while submissions are refused; when there is room again it is made again.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace icarus::broker {

inline constexpr std::uint64_t kReserveBytes = 64u << 20;

class DiskReserve {
 public:
  // The file is <dir>/reserve. `min_free_bytes`: with less free the disk counts as full. `bytes` 0: there is no
  // reserve.
  DiskReserve(const std::string& dir, std::uint64_t bytes, std::uint64_t min_free_bytes);

  // Looks at the disk: gives the reserve up when it is full, makes it when it would leave half as much again. Any
  // thread.
  void Review();
  // There is one, or none is wanted. Any thread.
  bool held() const;

 private:
  bool Make();

  const std::string dir_;
  const std::string path_;
  const std::uint64_t bytes_;
  const std::uint64_t min_free_bytes_;
  mutable std::mutex mutex_;
  bool held_ = false;
};

}  // namespace icarus::broker
