#include "client/cli/results.h"
#include "client/cli/verbs.h"

namespace icarus::client {

Result<int> RunResult(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const Selection selection, ResolveOne(*client, select.selectors));
  return PrintResult(session, selection);
}

}  // namespace icarus::client
