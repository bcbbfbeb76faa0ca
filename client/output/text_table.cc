#include "client/output/text_table.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace icarus::client {
namespace {

constexpr std::size_t kGap = 2;        // blanks between columns
constexpr std::size_t kNarrowest = 8;  // a column that gives way keeps this much

std::size_t LineWidth(const std::vector<std::size_t>& widths) {
  std::size_t total = widths.empty() ? 0 : kGap * (widths.size() - 1);
  for (const std::size_t width : widths) total += width;
  return total;
}

void TrimRight(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

}  // namespace

void TextTable::AddColumn(const std::string& title, Align align) {
  ICARUS_CHECK(rows_.empty());
  columns_.push_back({Printable(title), align});
}

void TextTable::AddRow(std::vector<Cell> cells) {
  ICARUS_CHECK(cells.size() == columns_.size());
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

void TextTable::DropEmptyColumns() {
  for (std::size_t c = columns_.size(); c-- > 0;) {
    const bool used = std::any_of(rows_.begin(), rows_.end(), [c](const auto& row) { return !row[c].text.empty(); });
    if (used) continue;
    const auto at = static_cast<std::ptrdiff_t>(c);
    columns_.erase(columns_.begin() + at);
    for (auto& row : rows_) row.erase(row.begin() + at);
  }
}

std::vector<std::size_t> TextTable::ColumnWidths(std::size_t limit) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = DisplayWidth(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[c].text));
    widths.push_back(width);
  }
  while (limit > 0 && LineWidth(widths) > limit) {
    std::size_t widest = columns_.size();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].align != Align::kLeft || widths[c] <= kNarrowest) continue;
      if (widest == columns_.size() || widths[c] > widths[widest]) widest = c;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
  }
  return widths;
}

void TextTable::AppendLine(std::string& out, const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                           const TextStyle& style) const {
  std::string line;
  std::size_t used = 0;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::size_t gap = c == 0 ? 0 : kGap;
    const std::size_t room =
        style.width == 0 ? widths[c] : std::min(widths[c], style.width - std::min(style.width, used + gap));
    if (room == 0 && widths[c] > 0) break;
    const std::string text = Ellipsize(cells[c].text, room);
    const std::string padding(room - DisplayWidth(text), ' ');
    line.append(gap, ' ');
    if (columns_[c].align == Align::kRight) line += padding;
    line += Paint(text, cells[c].colour, style.colour);
    if (columns_[c].align == Align::kLeft) line += padding;
    used += gap + room;
  }
  TrimRight(line);
  out += line + "\n";
}

std::string TextTable::Render(const TextStyle& style) const {
  const std::vector<std::size_t> widths = ColumnWidths(style.width);
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Colour::kBold);
  std::string out;
  AppendLine(out, titles, widths, style);
  for (const auto& row : rows_) AppendLine(out, row, widths, style);
  return out;
}

}  // namespace icarus::client
