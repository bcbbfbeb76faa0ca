// ColumnFormat: one sensible precision for all numbers of a column, so that they can be compared by eye.
#pragma once

#include <string>
#include <vector>

#include "common/model/value.h"

namespace icarus::client {

class ColumnFormat {
 public:
  // By the column's name where engineers have a custom (cl 4 decimals, cd 5), else by the range of its numbers: five
  // significant digits of the largest, none that are not there; general notation when the numbers span decades.
  static ColumnFormat For(const std::string& column, const std::vector<double>& numbers);

  // Numbers in this format, anything else as FormatValue shows it; "–" for null.
  std::string Format(const Value& value) const;

 private:
  enum class Style : std::uint8_t { kFixed, kGeneral };
  Style style_ = Style::kFixed;
  int decimals_ = 0;
};

}  // namespace icarus::client
