#include <algorithm>

#include "client/cli/exit_codes.h"
#include "client/cli/health_checks.h"
#include "client/cli/verbs.h"
#include "client/output/text_table.h"

namespace icarus::client {
namespace {

std::string ChecksText(const std::vector<HealthCheck>& checks, const TextStyle& style) {
  TextTable table;
  for (const char* title : {"check", "", "detail", "remedy"}) table.AddColumn(title);
  for (const HealthCheck& check : checks) {
    table.AddRow({check.check, Cell(check.ok ? "ok" : "FAILED", check.ok ? Colour::kGreen : Colour::kRed), check.detail,
                  check.remedy});
  }
  table.DropEmptyColumns();
  return table.Render(style);
}

}  // namespace

Result<int> RunDoctor(Session& session) {
  const std::vector<HealthCheck> checks = CheckMachine(session);
  if (session.text()) {
    if (!session.quiet()) session.Print(ChecksText(checks, session.style()));
  } else {
    Json all = Json::array();
    for (const HealthCheck& check : checks) {
      all.push_back(
          {{"check", check.check}, {"ok", check.ok}, {"detail", check.detail}, {"remedy", TextJson(check.remedy)}});
    }
    session.PrintDocument(all);
  }
  const bool well = std::all_of(checks.begin(), checks.end(), [](const HealthCheck& check) { return check.ok; });
  return well ? kExitDone : kExitIncomplete;
}

}  // namespace icarus::client
