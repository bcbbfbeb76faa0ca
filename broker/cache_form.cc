#include "broker/cache_form.h"

#include <nlohmann/json.hpp>
#include <string>

namespace icarus::broker {

bool IsFormOf(const CachedItem& item) {
  const nlohmann::json form = nlohmann::json::parse(item.form, nullptr, /*allow_exceptions=*/false);
  const auto is = [&form](const char* member, const std::string& text) {
    const auto found = form.find(member);
    return found != form.end() && found->is_string() && found->get_ref<const std::string&>() == text;
  };
  return form.is_object() && is("analysis", item.analysis) && is("solver", item.solver + "@" + item.identity) &&
         form.contains("params") && form["params"].is_object() && !form.contains("intermediate");
}

}  // namespace icarus::broker
