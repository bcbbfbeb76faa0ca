// The checks of `icarus doctor`, one function a subject.
#pragma once

#include <string>
#include <vector>

#include "client/cli/session.h"

namespace icarus::client {

struct HealthCheck {
  std::string check;
  bool ok = true;
  std::string detail;
  std::string remedy;  // empty when nothing is to be done
};

// All of them, in the order in which a person would look.
std::vector<HealthCheck> CheckMachine(Session& session);

}  // namespace icarus::client
