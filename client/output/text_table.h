// TextTable: aligned columns for people. Left or right by column, cut to a terminal, never cut elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/output/display.h"

namespace icarus::client {

enum class Align : std::uint8_t { kLeft, kRight };

// A cell's text is made printable when it is added; an empty one is shown as nothing.
struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
  Cell(std::string t, Colour c = Colour::kNone) : text(std::move(t)), colour(c) {}  // NOLINT: implicit by design
  Cell(const char* t) : text(t) {}                                                  // NOLINT: implicit by design
};

class TextTable {
 public:
  void AddColumn(const std::string& title, Align align = Align::kLeft);
  // REQUIRES as many cells as columns.
  void AddRow(std::vector<Cell> cells);
  // Leaves out the columns in which no row has text.
  void DropEmptyColumns();

  std::size_t row_count() const { return rows_.size(); }

  // A header line and a line a row, each ended by "\n", without trailing blanks, at most style.width columns: the
  // widest left-aligned columns give way first, then lines are cut at the right.
  std::string Render(const TextStyle& style) const;

 private:
  struct Column {
    std::string title;
    Align align;
  };
  std::vector<std::size_t> ColumnWidths(std::size_t limit) const;
  void AppendLine(std::string& out, const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                  const TextStyle& style) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace icarus::client
