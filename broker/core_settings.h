// What the core obeys, from the settings in force.
#pragma once

#include "broker/core/core_config.h"
#include "common/config/settings.h"

namespace icarus::broker {

// limits.events_mb.
std::uint64_t EventsLimit(const Settings& settings);

CoreConfig MakeCoreConfig(const Settings& settings);

}  // namespace icarus::broker
