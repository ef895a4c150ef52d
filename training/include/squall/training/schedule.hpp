// Values that change while training goes on.
#pragma once

#include <memory>

#include "squall/core/catalog.hpp"
#include "squall/core/json.hpp"

namespace squall {

struct Progress {
  Index epoch = 0;   // finished epochs
  Index update = 0;  // finished updates
};

class Schedule : public Describable {
 public:
  static constexpr std::string_view kFamily = "schedule";
  // `count` is the number of finished epochs or updates, `interval` how often the value is asked for (brainstorm's n
  // and interval: k = count / interval).
  virtual double value(Index count, Index interval) const = 0;
  virtual bool always_by_epoch() const { return false; }  // counts epochs whatever it is asked for
};

// A number or {"@type": schedule, ..., "timescale": "epoch" | "update"} of an option.
class Scheduled {
 public:
  Scheduled(double constant = 0) : constant_(constant) {}  // NOLINT: a number is a schedule
  static Scheduled from_json(const json& j, std::string_view where, const Catalog& catalog, Problems& problems);
  double at(const Progress& p) const {
    if (!schedule_) return constant_;
    return schedule_->value(by_update_ && !schedule_->always_by_epoch() ? p.update : p.epoch, 1);
  }

 private:
  double constant_ = 0;
  std::shared_ptr<const Schedule> schedule_;
  bool by_update_ = false;
};

}  // namespace squall
