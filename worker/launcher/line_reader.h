// LineReader: bytes in as they come, lines out. Holds at most one unfinished line of `limit` bytes beside what was
// added last: a longer line is told once, when it passes the limit, and skipped to its end.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace icarus::worker {

class LineReader {
 public:
  explicit LineReader(std::size_t limit) : limit_(limit) {}

  struct Line {
    std::string text;       // without its end
    bool too_long = false;  // more than the limit; there is no text
  };
  void Add(std::string_view bytes);
  // No more comes: what has no end is a line, too.
  void Finish();
  std::optional<Line> Next();

  std::size_t held_bytes() const { return held_.size() - taken_; }

 private:
  std::size_t limit_;
  std::string held_;
  std::size_t taken_ = 0;     // of held_
  std::size_t searched_ = 0;  // of held_; up to here there is no line end behind taken_
  bool skipping_ = false;
};

}  // namespace icarus::worker
