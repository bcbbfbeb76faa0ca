// Reads what XFOIL writes to its terminal, as it comes: which points converged, and the signs that it has gone astray.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace icarus::worker {

class OutputReader {
 public:
  struct Limits {
    std::size_t bytes_a_point = 16u << 20;
    std::size_t nans_a_point = 1000;
  };

  explicit OutputReader(Limits limits) : limits_(limits) {}

  // False once a point wrote more than the limits allow: the run is a flood and should be ended.
  bool Feed(std::string_view bytes);

  // A truth value for each point that came to its end: converged or not, in order.
  const std::vector<bool>& points() const { return points_; }
  // The sequence stopped by itself after four points in a row that did not converge.
  bool halted() const { return halted_; }
  // The first line in which it refused what it was told; empty if none.
  const std::string& complaint() const { return complaint_; }
  // "6.99" from the banner; empty if there was none.
  const std::string& version() const { return version_; }
  // The last line that is not blank.
  const std::string& last_line() const { return last_line_; }

 private:
  void ReadLine(std::string_view line);
  void EndPoint(bool converged);

  Limits limits_;
  std::string line_;
  std::vector<bool> points_;
  bool halted_ = false;
  std::string complaint_;
  std::string version_;
  std::string last_line_;
  std::size_t bytes_ = 0;  // since the last point's end
  std::size_t nans_ = 0;
};

}  // namespace icarus::worker
