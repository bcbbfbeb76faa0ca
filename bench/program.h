// What the measuring programs have in common: options that are numbers, times, and the way they end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/text.h"

namespace icarus::bench {

using Options = std::map<std::string, std::int64_t, std::less<>>;

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Runs `measure` with `defaults`, overridden by pairs `--name NUMBER` of the command line, each above 0. Returns the
// exit code.
template <class Measure>
int RunProgram(const char* program, int argc, char** argv, Options options, Measure measure) {
  for (int i = 1; i < argc; i += 2) {
    const auto option = options.find(std::string_view(argv[i]));
    const auto number = i + 1 < argc ? ParseInteger(argv[i + 1]) : std::nullopt;
    if (option == options.end() || !number || *number <= 0) {
      std::fprintf(stderr, "%s: %s is no option with a number above 0\n", program, argv[i]);
      return 2;
    }
    option->second = *number;
  }
  const Status done = measure(options);
  if (done) return 0;
  std::fprintf(stderr, "%s: %s\n", program, done.error().message.c_str());
  return 1;
}

// Durations of one kind.
class Times {
 public:
  void Add(double seconds) { seconds_.push_back(seconds); }
  // `share` of them took less: 0.5 is the median. REQUIRES that there are some.
  double Quantile(double share) {
    std::sort(seconds_.begin(), seconds_.end());
    return seconds_[static_cast<std::size_t>(share * static_cast<double>(seconds_.size()))];
  }
  double Micros(double share) { return Quantile(share) * 1e6; }

 private:
  std::vector<double> seconds_;
};

}  // namespace icarus::bench
