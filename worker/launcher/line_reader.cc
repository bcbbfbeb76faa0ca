#include "worker/launcher/line_reader.h"

namespace icarus::worker {

void LineReader::Add(std::string_view bytes) {
  if (taken_ > 0) {
    held_.erase(0, taken_);
    searched_ -= taken_;
    taken_ = 0;
  }
  held_ += bytes;
}

void LineReader::Finish() {
  if (held_bytes() > 0) held_ += '\n';
}

std::optional<LineReader::Line> LineReader::Next() {
  while (true) {
    const std::size_t end = held_.find('\n', searched_);
    if (end == std::string::npos) break;
    Line line;
    line.too_long = end - taken_ > limit_;
    if (!line.too_long && !skipping_) line.text = held_.substr(taken_, end - taken_);
    taken_ = searched_ = end + 1;
    const bool told = skipping_;
    skipping_ = false;
    if (!told) return line;
  }
  searched_ = held_.size();
  if (held_bytes() <= limit_ && !skipping_) return std::nullopt;
  const bool told = skipping_;
  skipping_ = true;
  held_.clear();
  held_.shrink_to_fit();
  taken_ = searched_ = 0;
  if (told) return std::nullopt;
  return Line{{}, true};
}

}  // namespace icarus::worker
