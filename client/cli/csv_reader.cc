#include "client/cli/csv_reader.h"

namespace icarus::client {
namespace {

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
  }

  Result<std::vector<std::vector<std::string>>> Read() {
    while (at_ < text_.size()) {
      ICARUS_TRY(ReadRecord());
    }
    return std::move(records_);
  }

 private:
  Status ReadRecord() {
    std::vector<std::string> record;
    while (true) {
      ICARUS_ASSIGN(std::string cell, ReadCell());
      record.push_back(std::move(cell));
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      break;
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    const bool blank = record.size() == 1 && record[0].find_first_not_of(" \t") == std::string::npos;
    if (!blank) records_.push_back(std::move(record));
    return {};
  }

  Result<std::string> ReadCell() {
    if (at_ < text_.size() && text_[at_] == '"') return ReadQuoted();
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  Result<std::string> ReadQuoted() {
    const std::size_t line = line_;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        cell += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell += '"';
        ++at_;
      } else {
        ++at_;
        if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') break;
        return cell;
      }
    }
    return UsageError("line " + std::to_string(line) + " has a quote that does not end its cell", "from");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::vector<std::vector<std::string>> records_;
};

}  // namespace

Result<std::vector<std::vector<std::string>>> ParseCsv(std::string_view text) { return CsvReader(text).Read(); }

}  // namespace icarus::client
