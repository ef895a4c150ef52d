#include "squall/core/catalog.hpp"

#include "squall/core/json.hpp"

namespace squall {

std::optional<std::string> type_of(const json& j, std::string_view where, Problems& problems) {
  if (j.is_object() && j.contains("@type") && j["@type"].is_string()) return j["@type"].get<std::string>();
  problems.add(where, "should be an object with an '@type'");
  return std::nullopt;
}

void report_unknown_type(std::string_view type, const std::vector<std::string>& known, std::string_view where,
                         Problems& problems) {
  problems.add(where, concat("unknown type '", type, "'", did_you_mean(type, known), "; known are: ", join(known)));
}

}  // namespace squall
