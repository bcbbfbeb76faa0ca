// Value: what a parameter or a result cell holds: nothing, a truth value, a number, a word, or a list of these.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace icarus {

class Value {
 public:
  using List = std::vector<Value>;

  Value() = default;  // null
  explicit Value(bool v) : data_(v) {}
  explicit Value(double v) : data_(v) {}
  explicit Value(std::string v) : data_(std::move(v)) {}
  explicit Value(const char* v) : data_(std::string(v)) {}
  explicit Value(List v) : data_(std::move(v)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_number() const { return std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_list() const { return std::holds_alternative<List>(data_); }

  // REQUIRES the matching is_…().
  bool boolean() const { return std::get<bool>(data_); }
  double number() const { return std::get<double>(data_); }
  const std::string& string() const { return std::get<std::string>(data_); }
  const List& list() const { return std::get<List>(data_); }
  List& list() { return std::get<List>(data_); }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, double, std::string, List> data_;
};

// Named values, ordered by name: iteration is the canonical order.
using ValueMap = std::map<std::string, Value, std::less<>>;

// As a person reads it: 1000000, true, naca2412, [1,2,3].
std::string FormatValue(const Value& value);

// JSON text with sorted keys and shortest numbers: the canonical form that keys are hashed from.
void AppendCanonical(std::string& out, const Value& value);
void AppendCanonical(std::string& out, const ValueMap& values);
void AppendCanonicalString(std::string& out, std::string_view text);

}  // namespace icarus
