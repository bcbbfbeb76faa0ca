#include "client/output/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "client/output/derived.h"
#include "client/output/display.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr double kWindowSeconds = 15;
constexpr double kShortestSeconds = 0.2;
constexpr std::size_t kWidestBar = 40;
constexpr std::size_t kNarrowestBar = 8;
constexpr std::size_t kBrackets = 2;

double Seconds(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

// 99 % until all is done: 100 % is a promise.
int WholePercent(const ProgressCounts& counts) {
  if (counts.finished()) return 100;
  return std::min(99, static_cast<int>(std::floor(100 * counts.fraction())));
}

// One piece of the line. The higher `rank`, the sooner it is left out; 0 stays.
struct Piece {
  int rank;
  std::string text;
  Colour colour = Colour::kNone;
  bool is_bar = false;  // drawn at last, in the room that is left
};

std::size_t Width(const std::vector<Piece>& pieces) {
  std::size_t width = pieces.empty() ? 0 : 2 * (pieces.size() - 1);
  for (const Piece& piece : pieces) width += piece.is_bar ? kNarrowestBar + kBrackets : DisplayWidth(piece.text);
  return width;
}

void LeaveOut(std::vector<Piece>& pieces, std::size_t width) {
  while (Width(pieces) > width) {
    const auto next =
        std::max_element(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.rank < b.rank; });
    if (next == pieces.end() || next->rank == 0) return;
    pieces.erase(next);
  }
}

std::string Bar(double fraction, std::size_t cells, const BarStyle& style) {
  const auto full = static_cast<std::size_t>(std::floor(fraction * static_cast<double>(cells) + 1e-9));
  std::string filled;
  std::string rest;
  for (std::size_t i = 0; i < full; ++i) filled += style.unicode ? "█" : "#";
  for (std::size_t i = full; i < cells; ++i) rest += style.unicode ? "░" : "-";
  return "[" + Paint(filled, Colour::kGreen, style.colour) + Paint(rest, Colour::kGrey, style.colour) + "]";
}

// Never less than a second: the end itself is shown by the counts.
std::string EtaText(double seconds) { return "ETA " + FormatDuration(std::max(1.0, seconds)); }

std::vector<Piece> CountPieces(const ProgressCounts& counts) {
  std::vector<Piece> pieces;
  pieces.push_back({0, fmt::format("{}/{}", counts.done, counts.total)});
  pieces.push_back({1, fmt::format("{} %", WholePercent(counts))});
  if (counts.running > 0) pieces.push_back({7, fmt::format("{} running", counts.running)});
  if (counts.failed > 0) pieces.push_back({2, fmt::format("{} failed", counts.failed), Colour::kRed});
  if (counts.cancelled > 0) pieces.push_back({6, fmt::format("{} cancelled", counts.cancelled), Colour::kYellow});
  if (counts.cached > 0) pieces.push_back({9, fmt::format("{} cached", counts.cached)});
  return pieces;
}

}  // namespace

double ProgressCounts::fraction() const {
  if (total == 0) return 1;
  return std::clamp(work / static_cast<double>(total), 0.0, 1.0);
}

ProgressCounts CountProgress(const std::vector<JobSummary>& jobs) {
  ProgressCounts counts;
  for (const JobSummary& job : jobs) {
    const std::uint64_t done = FinalCount(job);
    counts.total += job.total;
    counts.done += done;
    counts.failed += CountOf(job, TaskState::kFailed) + CountOf(job, TaskState::kTimedOut);
    counts.cancelled += CountOf(job, TaskState::kCancelled);
    counts.running += CountOf(job, TaskState::kRunning);
    counts.cached += job.cached;
    const double reported = std::clamp(job.progress, 0.0, 1.0) * static_cast<double>(job.total);
    counts.work += std::max(reported, static_cast<double>(done));
  }
  return counts;
}

void RateMeter::Observe(double amount, Nanoseconds now) {
  if (!last_) {
    last_ = now;
    amount_ = amount;
    return;
  }
  const double elapsed = Seconds(now - *last_);
  if (elapsed <= 0) return;  // counted with the next interval
  const double keep = std::exp(-elapsed / kWindowSeconds);
  weighted_ = weighted_ * keep + std::max(0.0, amount - amount_);
  seconds_ = seconds_ * keep + elapsed;
  last_ = now;
  amount_ = std::max(amount_, amount);
}

std::optional<double> RateMeter::PerSecond(Nanoseconds now) const {
  if (seconds_ < kShortestSeconds || weighted_ <= 0) return std::nullopt;
  const double rate = weighted_ / seconds_;
  const double idle = Seconds(now - *last_) - 1 / rate;
  if (idle <= 0) return rate;
  const double keep = std::exp(-idle / kWindowSeconds);
  return weighted_ * keep / (seconds_ * keep + idle);
}

void ProgressBar::Observe(const ProgressCounts& counts, Nanoseconds now) {
  counts_ = counts;
  observed_ = now;
  tasks_.Observe(static_cast<double>(counts.done), now);
  computed_.Observe(counts.work - static_cast<double>(counts.cached), now);
}

std::optional<double> ProgressBar::EtaSeconds(Nanoseconds now) const {
  auto rate = computed_.PerSecond(now);
  if (!rate) rate = tasks_.PerSecond(now);
  if (!rate || counts_.finished()) return std::nullopt;
  const double left = (static_cast<double>(counts_.total) - counts_.work) / *rate;
  const double since = std::min(Seconds(now - observed_), 1 / *rate);
  return std::max(0.0, left - since);
}

std::string ProgressBar::Line(std::string_view label, const BarStyle& style, Nanoseconds now) const {
  std::vector<Piece> pieces;
  if (!label.empty()) pieces.push_back({4, Printable(label)});
  pieces.push_back({5, {}, Colour::kNone, true});
  for (Piece& piece : CountPieces(counts_)) pieces.push_back(std::move(piece));
  if (const auto rate = tasks_.PerSecond(now)) pieces.push_back({8, FormatRate(*rate)});
  if (const auto eta = EtaSeconds(now)) pieces.push_back({3, EtaText(*eta)});
  LeaveOut(pieces, style.width);
  if (Width(pieces) > style.width) return Ellipsize(pieces.front().text, style.width);
  const std::size_t spare = style.width - Width(pieces);
  std::string line;
  for (const Piece& piece : pieces) {
    if (!line.empty()) line += "  ";
    line += piece.is_bar ? Bar(counts_.fraction(), std::min(kNarrowestBar + spare, kWidestBar), style)
                         : Paint(piece.text, piece.colour, style.colour);
  }
  return line;
}

std::string ProgressBar::LogLine(std::string_view label, Nanoseconds now) const {
  std::string line = label.empty() ? "" : Printable(label) + ": ";
  line += fmt::format("{} of {} done ({} %)", counts_.done, counts_.total, WholePercent(counts_));
  if (counts_.running > 0) line += fmt::format(", {} running", counts_.running);
  if (counts_.failed > 0) line += fmt::format(", {} failed", counts_.failed);
  if (counts_.cancelled > 0) line += fmt::format(", {} cancelled", counts_.cancelled);
  if (counts_.cached > 0) line += fmt::format(", {} cached", counts_.cached);
  if (const auto rate = tasks_.PerSecond(now)) line += ", " + FormatRate(*rate);
  if (const auto eta = EtaSeconds(now)) line += ", " + EtaText(*eta);
  return line;
}

std::string FormatRate(double per_second) {
  if (per_second >= 100) return fmt::format("{:.0f}/s", per_second);
  if (per_second >= 0.5) return fmt::format("{:.1f}/s", per_second);
  if (per_second >= 0.5 / 60) return fmt::format("{:.1f}/min", per_second * 60);
  return fmt::format("{:.1f}/h", per_second * 3600);
}

}  // namespace icarus::client
