// What the core obeys, from the settings in force.
#pragma once

#include "broker/core/core_config.h"
#include "common/config/settings.h"

namespace icarus::broker {

CoreConfig MakeCoreConfig(const Settings& settings);

}  // namespace icarus::broker
