// The canonical form says everything: what differs in anything that counts has another form, whatever characters and
// shapes its parts have.
#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/common/analysis/generators.h"

namespace icarus {
namespace {

// What goes into a form.
struct Parts {
  std::string analysis;
  std::string solver;
  std::string identity;
  std::uint32_t schema = 1;
  std::optional<Target> target;
  std::optional<CommandSpec> command;
  ValueMap params;
};

std::string FormOf(const Parts& parts) {
  Manifest manifest;
  manifest.analysis = parts.analysis;
  manifest.schema = parts.schema;
  return CanonicalForm(KeyParts{manifest, parts.solver, parts.identity, parts.target ? &*parts.target : nullptr,
                                parts.command ? &*parts.command : nullptr, parts.params});
}

// Short, of characters that mean something in a form.
std::string AnyWord() {
  return *rc::gen::oneOf(
      rc::gen::element<std::string>("true", "null", "1", "[1]", "", "a\",\"a", "\\u0001", "{}"),
      rc::gen::resize(4, rc::gen::container<std::string>(rc::gen::element('"', '\\', ',', ':', '{', ']', 'a', '\1'))));
}

Value AnyValue(int depth = 2) {
  switch (Below(depth > 0 ? 6 : 5)) {
    case 0: return Value();
    case 1: return Value(AnyBool());
    case 2: return Value(static_cast<double>(Below(3)));
    case 3: return Value(*rc::gen::suchThat<double>([](double number) { return std::isfinite(number); }));
    case 4: return Value(AnyWord());
    default: break;
  }
  Value::List list;
  for (int i = Below(3); i > 0; --i) list.push_back(AnyValue(depth - 1));
  return Value(std::move(list));
}

ValueMap AnyParams() {
  ValueMap params;
  for (int i = Below(3); i > 0; --i) params[AnyWord()] = AnyValue();
  return params;
}

std::vector<std::string> AnyWords() {
  std::vector<std::string> words;
  for (int i = Below(3); i > 0; --i) words.push_back(AnyWord());
  return words;
}

ContentHash AnyHash() { return HashBytes(std::to_string(Below(3))); }

FileRef AnyFile() {
  FileRef file{AnyWord(), AnyHash(), 0, 0644, {}};
  if (AnyBool()) file.mode = 0755;
  return file;
}

CommandSpec AnyCommand() {
  CommandSpec command;
  command.argv = AnyWords();
  command.outputs = AnyWords();
  for (int i = Below(3); i > 0; --i) command.env[AnyWord()] = AnyWord();
  for (int i = Below(3); i > 0; --i) command.inputs.push_back(AnyFile());
  if (AnyBool()) command.stdin_name = AnyWord() + "x";
  return command;
}

Target AnyTarget() { return AnyBool() ? Target{AnyWord(), ""} : Target{"file", AnyWord() + "x"}; }

Parts AnyParts() {
  Parts parts{AnyWord(), AnyWord(), AnyWord(), static_cast<std::uint32_t>(1 + Below(3)), {}, {}, AnyParams()};
  if (AnyBool()) parts.target = AnyTarget();
  if (AnyBool()) parts.command = AnyCommand();
  return parts;
}

// A value of `make` that is not this one.
template <class T, class Make>
T Other(const T& value, Make make) {
  for (int i = 0; i < 100; ++i) {
    if (T other = make(); !(other == value)) return other;
  }
  RC_DISCARD("no other value");
}

// Another value, or one that is printed alike: 1 and "1" and [1].
Value AnyRivalOf(const Value& value) {
  switch (Below(4)) {
    case 0: return Value(FormatValue(value));
    case 1: return Value(Value::List{value});
    case 2: return value;
    default: return AnyValue();
  }
}

RC_GTEST_PROP(CanonicalFormProperty, TellsParametersApart, ()) {
  ValueMap one = AnyParams(), other = one;
  one["p"] = AnyValue();
  other["p"] = AnyRivalOf(one["p"]);
  std::string form, other_form;
  AppendCanonical(form, one);
  AppendCanonical(other_form, other);
  RC_LOG() << form << " and " << other_form;
  RC_ASSERT((form == other_form) == (one == other));
}

RC_GTEST_PROP(CanonicalFormProperty, AnyChangeOfThePartsShows, ()) {
  const Parts parts = AnyParts();
  const auto differs = [form = FormOf(parts)](const Parts& changed, const char* what) {
    RC_LOG() << "the " << what << ": " << form;
    RC_ASSERT(FormOf(changed) != form);
  };
  Parts changed = parts;
  changed.analysis = Other(parts.analysis, AnyWord);
  differs(changed, "analysis");
  changed = parts;
  changed.solver = Other(parts.solver, AnyWord);
  differs(changed, "solver");
  changed = parts;
  changed.identity = Other(parts.identity, AnyWord);
  differs(changed, "identity");
  changed = parts;
  ++changed.schema;
  differs(changed, "schema");
  changed = parts;
  changed.params = Other(parts.params, AnyParams);
  differs(changed, "parameters");
  changed = parts;
  parts.target ? changed.target.reset() : static_cast<void>(changed.target = AnyTarget());
  differs(changed, "target");
  changed = parts;
  parts.command ? changed.command.reset() : static_cast<void>(changed.command = AnyCommand());
  differs(changed, "command");
}

RC_GTEST_PROP(CanonicalFormProperty, AnyChangeOfTheTargetShowsExceptAFilesName, ()) {
  Parts parts = AnyParts(), changed = parts;
  parts.target = AnyTarget();
  changed.target = Other(*parts.target, AnyTarget);
  RC_ASSERT(FormOf(parts) != FormOf(changed));
  parts.target = Target{AnyWord(), "1 0\n"};
  changed.target = Target{AnyWord(), "1 0\n"};
  RC_ASSERT(FormOf(parts) == FormOf(changed));
}

RC_GTEST_PROP(CanonicalFormProperty, AnyChangeOfTheCommandShows, ()) {
  Parts parts = AnyParts();
  parts.command = AnyCommand();
  parts.command->inputs.push_back(AnyFile());
  parts.command->env["NAME"] = AnyWord();
  const auto differs = [&](auto change, const char* what) {
    Parts changed = parts;
    change(*changed.command);
    RC_LOG() << "the " << what << ": " << FormOf(parts);
    RC_ASSERT(FormOf(changed) != FormOf(parts));
  };
  differs([](CommandSpec& command) { command.argv.push_back(AnyWord()); }, "number of arguments");
  differs([](CommandSpec& command) { command.argv = Other(command.argv, AnyWords); }, "arguments");
  differs([](CommandSpec& command) { command.outputs = Other(command.outputs, AnyWords); }, "outputs");
  differs([](CommandSpec& command) { command.env["NAME"] = Other(command.env["NAME"], AnyWord); }, "environment");
  differs([](CommandSpec& command) { command.env.erase("NAME"); }, "variable that went");
  FileRef& input = parts.command->inputs.back();
  differs([&](CommandSpec& c) { c.inputs.back().hash = Other(input.hash, AnyHash); }, "input's content");
  differs([&](CommandSpec& c) { c.inputs.back().name = Other(input.name, AnyWord); }, "input's name");
  differs([](CommandSpec& command) { command.inputs.back().mode ^= 0111; }, "input's mode");
  differs([](CommandSpec& command) { command.inputs.pop_back(); }, "input that went");
  differs([](CommandSpec& c) { c.stdin_name = c.stdin_name ? std::nullopt : std::optional<std::string>("in"); },
          "standard input");
}

RC_GTEST_PROP(CanonicalFormProperty, TwoArgumentsAreNotOne, ()) {
  Parts parts = AnyParts();
  parts.command = AnyCommand();
  const std::string first = AnyWord(), second = AnyWord();
  parts.command->argv.insert(parts.command->argv.end(), {first, second});
  for (const char* between : {"", ",", " ", "\",\"", "\\\",\\\"", "],["}) {
    Parts joined = parts;
    joined.command->argv.pop_back();
    joined.command->argv.back() = first + between + second;
    RC_ASSERT(FormOf(joined) != FormOf(parts));
  }
}

RC_GTEST_PROP(CanonicalFormProperty, HowAnInputTravelsDoesNotShow, ()) {
  Parts parts = AnyParts();
  parts.command = AnyCommand();
  parts.command->inputs.push_back(AnyFile());
  Parts sent = parts;
  sent.command->inputs.back().content = "content";
  RC_ASSERT(FormOf(parts) == FormOf(sent));
}

}  // namespace
}  // namespace icarus
