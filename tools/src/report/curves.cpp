// The log of a run as curves.
#include <algorithm>
#include <sstream>

#include "squall/tools/model_report.hpp"

namespace squall {

std::vector<LogCurve> read_curves(const std::string& metrics) {
  std::vector<LogCurve> curves;
  std::istringstream lines(metrics);
  double number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    const json j = json::parse(line, nullptr, false);
    if (!j.is_object()) continue;  // the last line of a run that was killed
    for (const auto& [name, value] : j.items()) {
      if (!value.is_number() || name == "phase" || name == "epoch" || name == "update" || name == "seconds") continue;
      auto found = std::ranges::find(curves, name, &LogCurve::name);
      if (found == curves.end()) {
        curves.push_back({name, {}});
        found = curves.end() - 1;
      }
      found->points.emplace_back(number, value.get<double>());
    }
  }
  return curves;
}

}  // namespace squall
