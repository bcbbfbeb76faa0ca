// The verbs, a function each in verbs/. A verb returns the exit code; an error is reported by the caller and becomes
// its code (exit_codes.h).
#pragma once

#include <string>

#include "client/cli/session.h"
#include "common/base/result.h"

namespace icarus::client {

Result<int> RunUp(Session& session);
Result<int> RunDown(Session& session);
Result<int> RunSubmit(Session& session);
Result<int> RunRun(Session& session);
Result<int> RunList(Session& session);
Result<int> RunShow(Session& session);
Result<int> RunExplain(Session& session);
Result<int> RunWait(Session& session);
Result<int> RunWatch(Session& session);
Result<int> RunResult(Session& session);
Result<int> RunGet(Session& session);
Result<int> RunLogs(Session& session);
Result<int> RunCancel(Session& session);
Result<int> RunRetry(Session& session);
Result<int> RunWorkers(Session& session);
Result<int> RunAnalyses(Session& session);
Result<int> RunCache(Session& session);
Result<int> RunConfig(Session& session);
Result<int> RunEvents(Session& session);
Result<int> RunEstimate(Session& session);
Result<int> RunDiff(Session& session);
Result<int> RunDoctor(Session& session);
Result<int> RunMaintenance(Session& session);
Result<int> RunEmergencyCleanup(Session& session);

using VerbFunction = Result<int> (*)(Session&);

// Null for a name that is no verb.
VerbFunction FindVerb(const std::string& name);

}  // namespace icarus::client
