#include "client/output/result_diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "client/output/text_table.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

std::set<std::string> ParamNames(const std::vector<TaskResult>& results) {
  std::set<std::string> names;
  for (const TaskResult& result : results) {
    for (const auto& [name, value] : result.item.task.params) names.insert(name);
  }
  return names;
}

// What makes two tasks the same.
std::string IdentityOf(const TaskResult& result, const std::set<std::string>& common) {
  ValueMap params;
  for (const auto& [name, value] : result.item.task.params) {
    if (common.contains(name)) params.emplace(name, value);
  }
  std::string text = result.item.task.target + "\n";
  AppendCanonical(text, params);
  return text;
}

std::multimap<std::string, const TaskResult*> ByIdentity(const std::vector<TaskResult>& results,
                                                         const std::set<std::string>& common) {
  std::multimap<std::string, const TaskResult*> found;
  for (const TaskResult& result : results) {
    if (result.item.task.state == TaskState::kCompleted) found.emplace(IdentityOf(result, common), &result);
  }
  return found;
}

class Comparison {
 public:
  explicit Comparison(ResultDiff& diff) : diff_(diff) {}

  void Compare(const TaskResult& a, const TaskResult& b) {
    ++diff_.compared;
    if (a.body.columns.empty() && b.body.columns.empty()) return CompareFiles(a, b);
    std::multimap<std::string, const std::vector<Value>*> rows_of_b;
    for (const auto& row : b.body.rows) rows_of_b.emplace(PointOf(row), &row);
    for (const auto& row : a.body.rows) {
      const auto found = rows_of_b.find(PointOf(row));
      if (found == rows_of_b.end()) {
        ++diff_.points_only_a;
        continue;
      }
      CompareRow(a, row, b, *found->second);
      rows_of_b.erase(found);
    }
    diff_.points_only_b += rows_of_b.size();
  }

  void Finish() {
    for (const std::string& name : order_) {
      ColumnDifference& column = columns_.at(name);
      if (column.points > 0) column.rms = std::sqrt(column.rms / static_cast<double>(column.points));
      diff_.columns.push_back(column);
    }
  }

 private:
  static std::map<std::string, ContentHash> FilesOf(const ResultBody& body) {
    std::map<std::string, ContentHash> files;
    for (const FileRef& file : body.files) files[file.name] = file.hash;
    if (body.stdout_file) files["stdout"] = body.stdout_file->hash;
    return files;
  }

  void CompareFiles(const TaskResult& a, const TaskResult& b) {
    const auto of_a = FilesOf(a.body), of_b = FilesOf(b.body);
    std::set<std::string> names;
    for (const auto* files : {&of_a, &of_b}) {
      for (const auto& [name, hash] : *files) names.insert(name);
    }
    for (const std::string& name : names) {
      const auto in_a = of_a.find(name), in_b = of_b.find(name);
      const bool same = in_a != of_a.end() && in_b != of_b.end() && in_a->second == in_b->second;
      if (!same) diff_.files.push_back({name, a.ref(), b.ref()});
    }
  }

  static std::string PointOf(const std::vector<Value>& row) { return row.empty() ? "" : FormatValue(row[0]); }

  void CompareRow(const TaskResult& a, const std::vector<Value>& row_a, const TaskResult& b,
                  const std::vector<Value>& row_b) {
    for (std::size_t i = 1; i < a.body.columns.size() && i < row_a.size(); ++i) {
      const std::string& name = a.body.columns[i];
      const auto in_b = std::find(b.body.columns.begin(), b.body.columns.end(), name);
      const auto j = static_cast<std::size_t>(in_b - b.body.columns.begin());
      if (in_b == b.body.columns.end() || j >= row_b.size()) continue;
      if (row_a[i].is_null() && row_b[j].is_null()) continue;
      const auto [at, is_new] = columns_.try_emplace(name);
      if (is_new) order_.push_back(name);
      ColumnDifference& column = at->second;
      column.column = name;
      ++column.points;
      if (!row_a[i].is_number() || !row_b[j].is_number()) {
        if (!(row_a[i] == row_b[j])) ++column.beyond;
        continue;
      }
      Add(column, a.ref(), b.ref(), row_a[0], row_a[i].number(), row_b[j].number());
    }
  }

  void Add(ColumnDifference& column, TaskRef task_a, TaskRef task_b, const Value& at, double a, double b) const {
    const double distance = std::abs(a - b);
    column.rms += distance * distance;  // the sum, until Finish
    if (distance > diff_.rtol * std::max(std::abs(a), std::abs(b))) ++column.beyond;
    if (distance <= column.max && column.points > 1) return;
    column.max = distance;
    column.worst_a = task_a;
    column.worst_b = task_b;
    column.at = at;
    column.a = a;
    column.b = b;
  }

  ResultDiff& diff_;
  std::map<std::string, ColumnDifference> columns_;
  std::vector<std::string> order_;
};

Json TasksJson(const std::vector<TaskRef>& tasks) {
  Json list = Json::array();
  for (const TaskRef task : tasks) list.push_back(FormatTask(task));
  return list;
}

}  // namespace

bool ResultDiff::equal() const {
  return files.empty() && only_a.empty() && only_b.empty() && points_only_a == 0 && points_only_b == 0 &&
         std::all_of(columns.begin(), columns.end(), [](const ColumnDifference& one) { return one.beyond == 0; });
}

ResultDiff CompareResults(const std::vector<TaskResult>& a, const std::vector<TaskResult>& b, double rtol) {
  ResultDiff diff;
  diff.rtol = rtol;
  std::set<std::string> common;
  const std::set<std::string> names_a = ParamNames(a), names_b = ParamNames(b);
  std::set_intersection(names_a.begin(), names_a.end(), names_b.begin(), names_b.end(),
                        std::inserter(common, common.end()));
  auto left = ByIdentity(b, common);
  Comparison comparison(diff);
  for (const TaskResult& result : a) {
    if (result.item.task.state != TaskState::kCompleted) continue;
    const auto found = left.find(IdentityOf(result, common));
    if (found == left.end()) {
      diff.only_a.push_back(result.ref());
      continue;
    }
    comparison.Compare(result, *found->second);
    left.erase(found);
  }
  for (const auto& [identity, result] : left) diff.only_b.push_back(result->ref());
  std::sort(diff.only_b.begin(), diff.only_b.end());
  comparison.Finish();
  return diff;
}

Json ResultDiffJson(const ResultDiff& diff) {
  Json columns = Json::array();
  for (const ColumnDifference& one : diff.columns) {
    columns.push_back({{"column", one.column},
                       {"points", one.points},
                       {"max", NumberJson(one.max)},
                       {"rms", NumberJson(one.rms)},
                       {"beyond", one.beyond},
                       {"worst",
                        {{"tasks", {FormatTask(one.worst_a), FormatTask(one.worst_b)}},
                         {"at", ValueJson(one.at)},
                         {"values", {NumberJson(one.a), NumberJson(one.b)}}}}});
  }
  Json files = Json::array();
  for (const FileDifference& one : diff.files) {
    files.push_back({{"file", one.file}, {"tasks", {FormatTask(one.a), FormatTask(one.b)}}});
  }
  return {{"equal", diff.equal()},
          {"rtol", NumberJson(diff.rtol)},
          {"compared", diff.compared},
          {"only_in_first", TasksJson(diff.only_a)},
          {"only_in_second", TasksJson(diff.only_b)},
          {"points_only_in_first", diff.points_only_a},
          {"points_only_in_second", diff.points_only_b},
          {"columns", columns},
          {"files", files}};
}

std::string ResultDiffText(const ResultDiff& diff, const TextStyle& style) {
  TextTable table;
  table.AddColumn("column");
  for (const char* title : {"points", "max", "rms", "beyond"}) table.AddColumn(title, Align::kRight);
  table.AddColumn("worst");
  for (const ColumnDifference& one : diff.columns) {
    const std::string worst = one.max == 0
                                  ? ""
                                  : FormatTask(one.worst_a) + ", " + FormatTask(one.worst_b) + " at " +
                                        FormatValue(one.at) + ": " + FormatNumber(one.a) + ", " + FormatNumber(one.b);
    table.AddRow({one.column, std::to_string(one.points), FormatNumber(one.max), FormatNumber(one.rms),
                  Cell(one.beyond > 0 ? std::to_string(one.beyond) : "", Colour::kRed), worst});
  }
  std::string text = diff.columns.empty() ? "" : table.Render(style);
  for (const FileDifference& one : diff.files) {
    text += one.file + " of " + FormatTask(one.a) + " and " + FormatTask(one.b) + " differ\n";
  }
  return text;
}

}  // namespace icarus::client
