#include "client/cli/analysis_text.h"
#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "common/analysis/catalogue.h"

namespace icarus::client {
namespace {

// Which workers have which solver; nothing when no broker answers, for the catalogue is there without one.
std::vector<WorkerInfo> AskWorkers(Session& session) {
  const auto client = session.Broker();
  if (!client) return {};
  auto reply = (*client)->Ask<ListWorkersReply>(ListWorkers{});
  return reply ? std::move(reply->workers) : std::vector<WorkerInfo>{};
}

}  // namespace

Result<int> RunAnalyses(Session& session) {
  const Catalogue& catalogue = Catalogue::BuiltIn();
  const std::string& name = session.options().action.key;
  if (!name.empty()) {
    ICARUS_ASSIGN(const Manifest* manifest, catalogue.Get(name));
    const std::vector<WorkerInfo> workers = AskWorkers(session);
    if (!session.text()) {
      session.PrintDocument(AnalysisJson(*manifest, workers));
    } else if (!session.quiet()) {
      session.Print(AnalysisText(*manifest, workers, session.style()));
    }
    return kExitDone;
  }
  const std::vector<WorkerInfo> workers = AskWorkers(session);
  Json all = Json::array();
  for (const Manifest& manifest : catalogue.manifests()) all.push_back(AnalysisJson(manifest, workers));
  if (!session.text()) {
    session.PrintDocument(all);
  } else if (session.quiet()) {
    for (const Manifest& manifest : catalogue.manifests()) session.Print(manifest.analysis + "\n");
  } else {
    session.Print(CatalogueText(catalogue.manifests(), workers, session.style()));
  }
  return kExitDone;
}

}  // namespace icarus::client
