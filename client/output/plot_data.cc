#include "client/output/plot_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "client/output/plot_scale.h"
#include "client/output/result_table.h"
#include "client/output/words.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr double kGap = NAN;
constexpr std::size_t kMostPanels = 3;
constexpr std::size_t kNamedTargets = 3;  // in the title

struct Words {
  std::string_view name;
  std::string_view label;   // of an axis
  std::string_view symbol;  // before a value, in labels of series
  std::string_view unit;    // after it
};
constexpr std::array<Words, 11> kWords = {{{"aoa", "angle of attack α (°)", "α", "°"},
                                           {"beta", "sideslip β (°)", "β", "°"},
                                           {"cl", "lift coefficient cl", "", ""},
                                           {"cd", "drag coefficient cd", "", ""},
                                           {"cm", "pitching moment coefficient cm", "", ""},
                                           {"reynolds", "Reynolds number", "Re", ""},
                                           {"mach", "Mach number", "M", ""},
                                           {"ncrit", "Ncrit", "Ncrit", ""},
                                           {"velocity", "velocity (m/s)", "V", " m/s"},
                                           {"altitude", "altitude (m)", "altitude", " m"},
                                           {"time", "time (s)", "t", " s"}}};

const Words* FindWords(std::string_view name) {
  const auto found = std::find_if(kWords.begin(), kWords.end(), [&](const Words& w) { return w.name == name; });
  return found == kWords.end() ? nullptr : &*found;
}

std::string AxisLabel(const std::string& name) {
  const Words* words = FindWords(name);
  return words == nullptr ? Printable(name) : std::string(words->label);
}

// "Re 2×10⁵", "V 30 m/s", "panels 160"
std::string ParamText(const std::string& name, const Value& value) {
  const Words* words = FindWords(name);
  const std::string symbol = words == nullptr || words->symbol.empty() ? name : std::string(words->symbol);
  const std::string text = value.is_number() ? FormatScientific(value.number()) : FormatValue(value);
  return Printable(symbol + " " + text) + (words == nullptr ? "" : std::string(words->unit));
}

double NumberOf(const Value& value) { return value.is_number() ? value.number() : kGap; }

// Where a panel's coordinate comes from: a column of the rows, or a parameter of their tasks.
struct Coordinate {
  std::string name;
  std::optional<std::size_t> column;
  std::optional<std::size_t> param;

  double Of(const ResultTable& table, const ResultRow& row) const {
    if (column) return NumberOf(row.cells[*column]);
    return param ? NumberOf(table.tasks[row.task].params[*param]) : kGap;
  }
};

Coordinate ColumnNamed(const ResultTable& table, const std::string& name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return {name, std::nullopt, std::nullopt};
  return {name, static_cast<std::size_t>(found - table.columns.begin()), std::nullopt};
}

bool HasNumbers(const ResultTable& table, const Coordinate& coordinate) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const ResultRow& row) {
    return row.kind != RowKind::kMissing && !std::isnan(coordinate.Of(table, row));
  });
}

// Series by what tells them apart: target, solver, the parameters that vary but x.
class SeriesIndex {
 public:
  SeriesIndex(const ResultTable& table, const Coordinate& x) : table_(table), x_(x) {
    for (const ResultTask& task : table.tasks) {
      const std::string key = Label(task, true);
      const auto [at, is_new] = index_.emplace(key, labels_.size());
      if (is_new) labels_.push_back(Label(task, false));
      of_task_.push_back(at->second);
    }
  }
  const std::vector<std::string>& labels() const { return labels_; }
  std::size_t Of(const ResultRow& row) const { return of_task_[row.task]; }

 private:
  std::string Label(const ResultTask& task, bool exact) const {
    std::string label;
    const auto add = [&](const std::string& part) { label += (label.empty() ? "" : ", ") + part; };
    if (table_.target_varies) add(Printable(task.target));
    if (table_.solver_varies) add(Printable(task.solver));
    for (std::size_t p = 0; p < table_.params.size(); ++p) {
      if (!table_.params[p].varies || x_.param == p) continue;
      add(exact ? FormatValue(task.params[p]) : ParamText(table_.params[p].name, task.params[p]));
    }
    return label;
  }

  const ResultTable& table_;
  const Coordinate& x_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::string> labels_;
  std::vector<std::size_t> of_task_;
};

std::vector<std::vector<PlotPoint>> Points(const ResultTable& table, const SeriesIndex& index, const Coordinate& x,
                                           const Coordinate& y) {
  std::vector<std::vector<PlotPoint>> series(index.labels().size());
  for (const ResultRow& row : table.rows) {
    auto& points = series[index.Of(row)];
    const bool has_values = row.kind == RowKind::kPoint || row.kind == RowKind::kPartial;
    points.push_back(has_values ? PlotPoint{x.Of(table, row), y.Of(table, row)} : PlotPoint{kGap, kGap});
  }
  return series;
}

bool AnyDrawn(const std::vector<PlotPoint>& points) {
  return std::any_of(points.begin(), points.end(), [](const PlotPoint& point) { return point.drawn(); });
}

// What the reader of an empty or half-empty panel has to know.
std::string PanelNote(const std::vector<std::vector<PlotPoint>>& series, const std::string& column) {
  const auto drawn = static_cast<std::size_t>(std::count_if(series.begin(), series.end(), AnyDrawn));
  if (drawn == series.size()) return {};
  if (drawn == 0) return fmt::format("{} was not computed", column);
  const std::size_t without = series.size() - drawn;
  return fmt::format("{} of {} curves {} no {}", without, series.size(), without == 1 ? "has" : "have", column);
}

void AddPanel(PlotData& data, const ResultTable& table, const SeriesIndex& index, const std::string& title,
              const Coordinate& x, const Coordinate& y, const std::string& needed) {
  PlotPanel panel{title, AxisLabel(x.name), AxisLabel(y.name), {}, Points(table, index, x, y)};
  panel.note = PanelNote(panel.series, needed);
  data.panels.push_back(std::move(panel));
}

std::string Title(const ResultTable& table) {
  std::vector<std::string> targets;
  for (const ResultTask& task : table.tasks) {
    if (!task.target.empty() && std::find(targets.begin(), targets.end(), task.target) == targets.end()) {
      targets.push_back(task.target);
    }
  }
  if (targets.empty()) return fmt::format("job {}", table.tasks.front().ref.job.value);
  if (targets.size() > kNamedTargets) return fmt::format("{} targets", targets.size());
  std::string title;
  for (const std::string& target : targets) title += (title.empty() ? "" : ", ") + target;
  return Printable(title);
}

std::string Subtitle(const ResultTable& table) {
  const ResultTask& first = table.tasks.front();
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "  ·  ") + part; };
  if (!table.solver_varies && !first.solver.empty()) {
    const std::string version = SplitIdentity(table.identity).version;
    add(Printable(first.solver + (version.empty() ? "" : " " + version)));
  }
  const auto add_params = [&](bool known) {
    for (std::size_t p = 0; p < table.params.size(); ++p) {
      const ParamColumn& param = table.params[p];
      const bool shared = !param.varies && !first.params[p].is_null();
      if (shared && (FindWords(param.name) != nullptr) == known) add(ParamText(param.name, first.params[p]));
    }
  };
  add_params(true);
  add_params(false);
  return text;
}

std::string Footnote(const ResultTable& table) {
  std::uint64_t failed = 0;
  std::uint64_t unfinished = 0;
  for (const ResultTask& task : table.tasks) {
    if (!IsFinal(task.state))
      ++unfinished;
    else if (task.state != TaskState::kCompleted)
      ++failed;
  }
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (table.missing > 0) {
    add(Counted(table.missing, "point") + (table.missing == 1 ? " has" : " have") + " no result and " +
        (table.missing == 1 ? "leaves a gap" : "leave gaps"));
  }
  if (failed > 0) add(Counted(failed, "task") + " did not complete");
  if (unfinished > 0) add(Counted(unfinished, "task") + (unfinished == 1 ? " is" : " are") + " not finished");
  return text;
}

PlotData Start(const ResultTable& table, const SeriesIndex& index) {
  PlotData data;
  data.title = Title(table);
  data.subtitle = Subtitle(table);
  data.footnote = Footnote(table);
  data.labels = index.labels();
  return data;
}

PlotData PolarPlotData(const ResultTable& table) {
  const Coordinate aoa = ColumnNamed(table, "aoa");
  const Coordinate cl = ColumnNamed(table, "cl");
  const Coordinate cd = ColumnNamed(table, "cd");
  const SeriesIndex index(table, aoa);
  PlotData data = Start(table, index);
  AddPanel(data, table, index, "Lift curve", aoa, cl, "cl");
  AddPanel(data, table, index, "Drag polar", cd, cl, "cd");
  AddPanel(data, table, index, "Moment curve", aoa, ColumnNamed(table, "cm"), "cm");
  return data;
}

// The last parameter that varies and is a number in every task; only sensible with one row a task.
std::optional<Coordinate> VaryingParam(const ResultTable& table) {
  if (table.rows.size() != table.tasks.size()) return std::nullopt;
  for (std::size_t p = table.params.size(); p-- > 0;) {
    const bool numeric = std::all_of(table.tasks.begin(), table.tasks.end(),
                                     [p](const ResultTask& task) { return task.params[p].is_number(); });
    if (table.params[p].varies && numeric) return Coordinate{table.params[p].name, std::nullopt, p};
  }
  return std::nullopt;
}

Result<PlotData> GenericPlotData(const ResultTable& table) {
  std::vector<Coordinate> numeric;
  for (const std::string& column : table.columns) {
    const Coordinate coordinate = ColumnNamed(table, column);
    if (HasNumbers(table, coordinate)) numeric.push_back(coordinate);
  }
  Coordinate x;
  if (const auto param = VaryingParam(table)) {
    x = *param;
  } else if (!numeric.empty()) {
    x = numeric.front();
    numeric.erase(numeric.begin());
  }
  if (numeric.empty()) return UsageError("nothing to plot: the results have fewer than two columns of numbers");
  const SeriesIndex index(table, x);
  PlotData data = Start(table, index);
  for (std::size_t i = 0; i < std::min(kMostPanels, numeric.size()); ++i) {
    AddPanel(data, table, index, Printable(numeric[i].name), x, numeric[i], Printable(numeric[i].name));
  }
  return data;
}

}  // namespace

bool PlotPoint::drawn() const { return std::isfinite(x) && std::isfinite(y); }

Result<PlotData> BuildPlotData(const std::vector<TaskResult>& results) {
  const ResultTable table = FoldResults(results);
  const bool has_points = std::any_of(table.rows.begin(), table.rows.end(), [](const ResultRow& row) {
    return row.kind == RowKind::kPoint || row.kind == RowKind::kPartial;
  });
  if (!has_points) return UsageError("nothing to plot: no task has a result");
  if (ColumnNamed(table, "aoa").column && ColumnNamed(table, "cl").column) return PolarPlotData(table);
  return GenericPlotData(table);
}

}  // namespace icarus::client
