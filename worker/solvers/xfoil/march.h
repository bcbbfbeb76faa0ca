// The rule by which xfoil reaches an angle of attack. It makes an angle's value depend on the section, the flow and the
// grid alone, never on the other angles that were asked for.
//
//  1. Grid. From 0 degrees outward in steps of `march`, upward and downward each with a fresh boundary layer:
//     `ASEQ 0 max march` and `ASEQ -march min -march`. XFOIL itself goes on after an angle that does not converge and
//     stops after four in a row. How far the march goes does not change what came before.
//  2. An angle of the grid that did not converge is tried again apart, so that the march is not disturbed: in quarter
//     steps from the last converged angle before it (0 degrees: from `march` inward), then from a fresh boundary layer
//     at once, by way of the angle one step above, by way of the one below. Only the first kMaxRescued failures of a
//     side are.
//  3. An angle off the grid branches from the nearest angle of the grid (toward zero on a tie; from the last converged
//     one before it if that one is not) in a process of its own that repeats the march up to there; failing that, from
//     a fresh boundary layer at once, then by way of its other neighbour on the grid.
//  4. Where the watchdog had to end the process, the march goes on at the next angle of the grid with a fresh boundary
//     layer, once a side.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "worker/solvers/xfoil/polar_file.h"

namespace icarus::worker {

inline constexpr int kMaxRescued = 8;

// What one process made of a list of commands.
struct RunReport {
  enum class End {
    kFinished,     // every point came to its end, or the sequence stopped by itself (`halted`)
    kInterrupted,  // the watchdog ended it during the point after the last one reported
    kBroken,       // crashed or left early: the attempt ends here
  };
  std::vector<std::optional<PolarRow>> points;  // in order; nothing where it did not converge
  bool halted = false;
  End end = End::kFinished;
  std::string reason;  // of kInterrupted and kBroken
};

// Runs commands of XFOIL's OPER menu in a fresh process with the task's section and flow, polar accumulation on.
class PolarRunner {
 public:
  virtual ~PolarRunner() = default;
  // `expected`: points that the commands ask for. `on_points` is called with the number that came to their end so far.
  virtual RunReport Run(const std::vector<std::string>& commands, std::size_t expected,
                        const std::function<void(std::size_t)>& on_points) = 0;
};

struct MarchResult {
  std::map<double, PolarRow> rows;        // by requested angle
  std::map<double, std::string> missing;  // the reason, by requested angle
  std::vector<double> rescued;            // angles that took a second attempt
  bool watchdog = false;                  // some gap is the watchdog's: another run may fill it
  std::optional<std::string> broken;      // why the attempt ended early; rows are what there was
};

// `aoa` and `march` in degrees; aoa rising, each once. `on_progress` gets a fraction and a message.
MarchResult RunMarch(const std::vector<double>& aoa, double march, PolarRunner& runner,
                     const std::function<void(double, const std::string&)>& on_progress);

}  // namespace icarus::worker
