// What was measured while training, by dotted path: "validation.total_loss", "validation.digits.accuracy".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

namespace squall {

class Logs {
 public:
  void add(const std::string& path, double value) { series_[path].push_back(value); }
  // Null when there is none (yet). The last part compares without regard to case and underscores ("Accuracy").
  const std::vector<double>* find(std::string_view path) const;
  const std::map<std::string, std::vector<double>>& all() const { return series_; }
  json to_json() const;  // nested objects of lists; "nan", "inf", "-inf" for what JSON has no numbers for
  static Logs from_json(const json& j);

 private:
  std::map<std::string, std::vector<double>> series_;
};

}  // namespace squall
