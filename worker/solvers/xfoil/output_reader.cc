#include "worker/solvers/xfoil/output_reader.h"

#include <array>

#include "common/base/text.h"

namespace icarus::worker {
namespace {

constexpr std::size_t kMaxLine = 4096;  // a longer one is read in pieces
constexpr std::size_t kMaxShown = 200;
constexpr std::string_view kBanner = "XFOIL Version";
constexpr std::array<std::string_view, 5> kComplaints = {"not recognized", "NOT COMPLETED", "No airfoil available",
                                                         "not implemented", "File OPEN error"};

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t CountNans(std::string_view line) {
  std::size_t count = 0;
  for (std::size_t at = line.find("NaN"); at != std::string_view::npos; at = line.find("NaN", at + 3)) ++count;
  return count;
}

}  // namespace

bool OutputReader::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = kMaxLine - line_.size();
    const std::size_t take = std::min(end == std::string_view::npos ? bytes.size() : end, room);
    line_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    bytes_ += take;
    const bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) bytes.remove_prefix(1);
    if (ended || line_.size() == kMaxLine) {
      ReadLine(line_);
      line_.clear();
    }
    if (bytes_ > limits_.bytes_a_point || nans_ > limits_.nans_a_point) return false;
  }
  return true;
}

void OutputReader::EndPoint(bool converged) {
  points_.push_back(converged);
  bytes_ = 0;
  nans_ = 0;
}

void OutputReader::ReadLine(std::string_view line) {
  nans_ += CountNans(line);
  const auto shown = Trim(line).substr(0, kMaxShown);
  if (!shown.empty()) last_line_ = shown;
  if (Contains(line, "Point added to stored polar")) EndPoint(true);
  if (Contains(line, "VISCAL:  Convergence failed")) EndPoint(false);
  if (Contains(line, "Sequence halted since")) halted_ = true;
  if (version_.empty() && Contains(line, kBanner)) {
    version_ = Trim(line.substr(line.find(kBanner) + kBanner.size()));
  }
  for (const auto complaint : kComplaints) {
    if (complaint_.empty() && Contains(line, complaint)) complaint_ = shown;
  }
}

}  // namespace icarus::worker
