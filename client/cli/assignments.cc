#include "client/cli/assignments.h"

#include <cctype>

namespace icarus::client {
namespace {

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}

// Whether a name and '=' begin at this place.
bool BeginsAssignment(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && IsNameCharacter(text[length])) ++length;
  const bool starts_like_name =
      length > 0 && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '_');
  return starts_like_name && length < text.size() && text[length] == '=';
}

}  // namespace

Result<std::pair<std::string, std::string>> SplitAssignment(const std::string& text, const std::string& what) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    const std::string option = (what.size() == 1 ? "-" : "--") + what;
    return UsageError(option + " '" + text + "' is not of the form NAME=VALUE", what);
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<std::map<std::string, std::string>> ParseAssignments(const std::vector<std::string>& texts,
                                                            const std::string& what) {
  std::map<std::string, std::string> values;
  for (const std::string& text : texts) {
    ICARUS_ASSIGN(auto assignment, SplitAssignment(text, what));
    const std::string name = assignment.first;
    if (!values.insert(std::move(assignment)).second) {
      return UsageError("--" + what + " " + name + " is given twice", name);
    }
  }
  return values;
}

Result<std::vector<std::pair<std::string, std::string>>> SplitZip(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> parts;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool cut = i == text.size() || (text[i] == ',' && BeginsAssignment(std::string_view(text).substr(i + 1)));
    if (!cut) continue;
    ICARUS_ASSIGN(auto part, SplitAssignment(text.substr(start, i - start), "zip"));
    parts.push_back(std::move(part));
    start = i + 1;
  }
  return parts;
}

}  // namespace icarus::client
