#include "worker/solvers/xfoil/march.h"

#include <algorithm>
#include <cmath>

#include "common/analysis/march_grid.h"
#include "common/base/text.h"

namespace icarus::worker {
namespace {

constexpr double kAlphaPrinted = 6e-4;  // degrees; the polar file has three decimals
constexpr int kQuarter = 4;             // steps that one grid step is divided into for a second attempt
constexpr int kMaxQuartered = 4;        // grid steps that are bridged like that
constexpr int kMaxRestarts = 1;

constexpr const char* kStopped = "the solver had to be stopped at this angle";
constexpr const char* kTriedAgain = ", nor in smaller steps, nor from a fresh boundary layer";

struct GridPoint {
  enum class State { kUnreached, kConverged, kFailed, kInterrupted };
  State state = State::kUnreached;
  std::optional<PolarRow> row;
  int segment = 0;  // index at which the ASEQ that computed it began
};

// One direction of the march. Index k stands for the angle sign * k * march.
struct Side {
  int sign = 1;
  int first = 0;
  int last = -1;
  std::map<int, GridPoint> points;
  std::string stopped;  // why indices after the last reached one were not

  const GridPoint* Find(int k) const {
    const auto found = points.find(k);
    return found == points.end() ? nullptr : &found->second;
  }
};

// Where an angle lies on the grid.
struct Place {
  int sign;
  int index;  // of the nearest grid point, toward zero on a tie
  bool on_grid;
};

// Decimal noise of k * march is cut off, so that commands read like a person's.
double Snap(double angle) { return std::round(angle * 1e9) / 1e9; }

std::string Aseq(double from, double to, double step) {
  return "ASEQ " + FormatNumber(Snap(from)) + " " + FormatNumber(Snap(to)) + " " + FormatNumber(Snap(step));
}

std::string Alfa(double angle) { return "ALFA " + FormatNumber(angle); }

// Commands for a fresh process, and the number of points that they ask for; the last one is the angle that is wanted.
struct Attempt {
  std::vector<std::string> commands;
  std::size_t points = 0;

  Attempt Then(const std::string& command, std::size_t more) && {
    commands.push_back(command);
    points += more;
    return std::move(*this);
  }
};

// The way to a grid point by the march.
struct Approach {
  Attempt march;
  int index = 0;
};

class March {
 public:
  March(double step, PolarRunner& runner, const std::function<void(double, const std::string&)>& on_progress)
      : step_(step), runner_(runner), on_progress_(on_progress) {
    down_.sign = -1;
    down_.first = 1;
  }

  MarchResult Run(const std::vector<double>& aoa);

 private:
  Side& SideOf(int sign) { return sign > 0 ? up_ : down_; }
  double Angle(const Side& side, int k) const { return Snap(side.sign * k * step_); }
  Place PlaceOf(double aoa) const;
  void Plan(const std::vector<double>& aoa);
  RunReport RunCommands(const std::vector<std::string>& commands, std::size_t expected, bool counts);
  bool WalkSide(Side& side);
  bool Record(Side& side, int from, const RunReport& report);
  Approach ApproachBelow(const Side& side, int k) const;
  std::optional<PolarRow> RunAttempts(const std::vector<Attempt>& attempts, double aoa);
  std::optional<PolarRow> RunAttempt(const Attempt& attempt, double aoa);
  std::vector<Attempt> GridAttempts(const Side& side, int k) const;
  std::vector<Attempt> BranchAttempts(const Side& side, int k, double aoa) const;
  void Resolve(double aoa);
  void ResolveGrid(double aoa, const Side& side, int k);
  void ResolveBranch(double aoa, const Side& side, int k);
  void Finish(double aoa, const std::optional<PolarRow>& row, bool second_attempt, const std::string& reason);

  double step_;
  PolarRunner& runner_;
  const std::function<void(double, const std::string&)>& on_progress_;
  Side up_;
  Side down_;
  double total_ = 0;
  double done_ = 0;
  bool last_interrupted_ = false;
  MarchResult result_;
};

Place March::PlaceOf(double aoa) const {
  const double steps = std::abs(aoa) / step_;
  const double nearest = std::round(steps);
  const int sign = aoa < 0 ? -1 : 1;
  if (IsOnMarchGrid(aoa, step_)) return {nearest == 0 ? 1 : sign, static_cast<int>(nearest), true};
  return {sign, static_cast<int>(std::ceil(steps - 0.5 - kOnMarchGrid)), false};
}

void March::Plan(const std::vector<double>& aoa) {
  for (const double angle : aoa) {
    const Place place = PlaceOf(angle);
    Side& side = SideOf(place.sign);
    side.last = std::max(side.last, place.index);
    if (!place.on_grid) total_ += 1;
  }
  for (const Side* side : {&up_, &down_}) total_ += std::max(0, side->last - side->first + 1);
}

// `counts`: its points are part of the progress.
RunReport March::RunCommands(const std::vector<std::string>& commands, std::size_t expected, bool counts) {
  const double before = done_;
  RunReport report = runner_.Run(commands, expected, [&](std::size_t points) {
    if (!counts) return;
    done_ = before + static_cast<double>(points);
    on_progress_(done_ / total_, FormatNumber(done_) + " of " + FormatNumber(total_) + " angles");
  });
  if (report.points.size() > expected) report.points.resize(expected);
  last_interrupted_ = report.end == RunReport::End::kInterrupted;
  if (last_interrupted_) result_.watchdog = true;
  if (report.end == RunReport::End::kBroken) result_.broken = report.reason;
  return report;
}

// Enters the points of a march that began at index `from`; false when that march went on to its end or was stopped.
bool March::Record(Side& side, int from, const RunReport& report) {
  int k = from;
  for (const auto& row : report.points) {
    const bool matches = row && std::abs(row->alpha - Angle(side, k)) < kAlphaPrinted;
    side.points[k] = {matches ? GridPoint::State::kConverged : GridPoint::State::kFailed, matches ? row : std::nullopt,
                      from};
    ++k;
  }
  if (k > side.last) return false;
  if (report.end == RunReport::End::kInterrupted) {
    side.points[k] = {GridPoint::State::kInterrupted, std::nullopt, from};
    side.stopped = "the solver had to be stopped at " + FormatNumber(Angle(side, k)) + " (" + report.reason + ")";
    return true;
  }
  side.stopped = "the march stopped at " + FormatNumber(Angle(side, k - 1)) + ": four angles in a row did not converge";
  return false;
}

// False when the attempt is broken.
bool March::WalkSide(Side& side) {
  int restarts = 0;
  int from = side.first;
  while (from <= side.last) {
    const auto expected = static_cast<std::size_t>(side.last - from + 1);
    const std::string command = Aseq(Angle(side, from), Angle(side, side.last), side.sign * step_);
    const RunReport report = RunCommands({command}, expected, true);
    const bool interrupted = Record(side, from, report);
    if (result_.broken) return false;
    if (!interrupted || restarts == kMaxRestarts) return true;
    ++restarts;
    from += static_cast<int>(report.points.size()) + 1;
  }
  return true;
}

// The way to the last converged grid point below index k, or to 0 degrees if there is none.
Approach March::ApproachBelow(const Side& side, int k) const {
  for (int i = k - 1; i >= side.first; --i) {
    const GridPoint* point = side.Find(i);
    if (point == nullptr || point->state != GridPoint::State::kConverged) continue;
    const std::string command = Aseq(Angle(side, point->segment), Angle(side, i), side.sign * step_);
    return {{{command}, static_cast<std::size_t>(i - point->segment + 1)}, i};
  }
  return {{{Aseq(0, 0, step_)}, 1}, 0};
}

// The row at `aoa`, which the attempt ends with; nothing when it did not converge.
std::optional<PolarRow> March::RunAttempt(const Attempt& attempt, double aoa) {
  const RunReport report = RunCommands(attempt.commands, attempt.points, false);
  if (report.points.size() != attempt.points || !report.points.back()) return std::nullopt;
  if (std::abs(report.points.back()->alpha - aoa) >= kAlphaPrinted) return std::nullopt;
  return report.points.back();
}

// The first row that one of them gives. One that the watchdog had to end is the last: the next would likely hang too.
std::optional<PolarRow> March::RunAttempts(const std::vector<Attempt>& attempts, double aoa) {
  for (const Attempt& attempt : attempts) {
    const auto row = RunAttempt(attempt, aoa);
    if (row || result_.broken || last_interrupted_) return row;
  }
  return std::nullopt;
}

std::vector<Attempt> March::GridAttempts(const Side& side, int k) const {
  const double aoa = Angle(side, k);
  const double quarter = side.sign * step_ / kQuarter;
  std::vector<Attempt> attempts;
  if (k == 0) {
    attempts.push_back({{Aseq(step_, 0, -quarter)}, kQuarter + 1});
  } else if (Approach below = ApproachBelow(side, k); k - below.index <= kMaxQuartered) {
    const std::string steps = Aseq(Angle(side, below.index) + quarter, aoa, quarter);
    attempts.push_back(std::move(below.march).Then(steps, static_cast<std::size_t>(kQuarter * (k - below.index))));
  }
  attempts.push_back({{Alfa(aoa)}, 1});
  attempts.push_back({{Alfa(Angle(side, k + 1)), Alfa(aoa)}, 2});
  attempts.push_back({{Alfa(Angle(side, k - 1)), Alfa(aoa)}, 2});
  return attempts;
}

// `k`: the nearest grid point.
std::vector<Attempt> March::BranchAttempts(const Side& side, int k, double aoa) const {
  const int other = std::abs(aoa) > k * step_ ? k + 1 : k - 1;  // across the angle
  return {ApproachBelow(side, k + 1).march.Then(Alfa(aoa), 1),
          {{Alfa(aoa)}, 1},
          {{Alfa(Angle(side, other)), Alfa(aoa)}, 2}};
}

void March::Finish(double aoa, const std::optional<PolarRow>& row, bool second_attempt, const std::string& reason) {
  if (result_.broken) return;
  if (!row) {
    result_.missing[aoa] = reason;
    return;
  }
  result_.rows[aoa] = *row;
  if (second_attempt) result_.rescued.push_back(aoa);
}

void March::ResolveGrid(double aoa, const Side& side, int k) {
  const GridPoint* point = side.Find(k);
  if (point == nullptr) return Finish(aoa, std::nullopt, false, side.stopped);
  if (point->state == GridPoint::State::kConverged) return Finish(aoa, point->row, false, "");
  int failures = 0;
  for (const auto& [index, other] : side.points) {
    if (index <= k && other.state != GridPoint::State::kConverged) ++failures;
  }
  const std::string how = point->state == GridPoint::State::kInterrupted ? kStopped : "did not converge";
  if (failures > kMaxRescued) return Finish(aoa, std::nullopt, false, how);
  Finish(aoa, RunAttempts(GridAttempts(side, k), Angle(side, k)), true, how + kTriedAgain);
}

void March::ResolveBranch(double aoa, const Side& side, int k) {
  done_ += 1;
  if (k >= side.first && side.Find(k) == nullptr) return Finish(aoa, std::nullopt, false, side.stopped);
  const auto attempts = BranchAttempts(side, k, aoa);
  std::optional<PolarRow> row = RunAttempt(attempts.front(), aoa);
  const bool second_attempt = !row;
  if (!row && !result_.broken && !last_interrupted_) row = RunAttempts({attempts.begin() + 1, attempts.end()}, aoa);
  Finish(
      aoa, row, second_attempt,
      last_interrupted_ ? kStopped : std::string("did not converge from the nearest angle of the grid") + kTriedAgain);
  on_progress_(std::min(1.0, done_ / total_), "aoa " + FormatNumber(aoa));
}

void March::Resolve(double aoa) {
  const Place place = PlaceOf(aoa);
  const Side& side = SideOf(place.sign);
  place.on_grid ? ResolveGrid(aoa, side, place.index) : ResolveBranch(aoa, side, place.index);
}

MarchResult March::Run(const std::vector<double>& aoa) {
  Plan(aoa);
  for (Side* side : {&up_, &down_}) {
    if (!WalkSide(*side)) break;
  }
  for (const double angle : aoa) {
    if (result_.broken) {
      // What the march had is kept; nothing more is started.
      const Place place = PlaceOf(angle);
      const GridPoint* point = SideOf(place.sign).Find(place.index);
      if (place.on_grid && point != nullptr && point->row) result_.rows[angle] = *point->row;
    } else {
      Resolve(angle);
    }
  }
  return result_;
}

}  // namespace

MarchResult RunMarch(const std::vector<double>& aoa, double march, PolarRunner& runner,
                     const std::function<void(double, const std::string&)>& on_progress) {
  return March(march, runner, on_progress).Run(aoa);
}

}  // namespace icarus::worker
