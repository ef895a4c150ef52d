#include "squall/training/schedule.hpp"

namespace squall {

Scheduled Scheduled::from_json(const json& j, std::string_view where, const Catalog& catalog, Problems& problems) {
  Scheduled out;
  if (j.is_number()) {
    out.constant_ = j.get<double>();
    return out;
  }
  if (!j.is_object()) {
    problems.add(where, concat("should be a number or a schedule, not ", j.dump()));
    return out;
  }
  json description = j;
  if (const auto timescale = description.find("timescale"); timescale != description.end()) {
    if (*timescale != "epoch" && *timescale != "update")
      problems.add(where, concat("option 'timescale' should be one of epoch, update, not ", timescale->dump()));
    out.by_update_ = *timescale == "update";
    description.erase("timescale");
  }
  out.schedule_ = catalog.of<Schedule>().make(description, where, catalog, problems);
  return out;
}

}  // namespace squall
