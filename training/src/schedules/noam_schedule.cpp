// A line up, then the inverse root (Vaswani et al. 2017).
#include <algorithm>
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct NoamOptions {
  double scale = 1;
  Index model_size = 512, warmup = 4000;
  static constexpr auto fields = std::tuple{field("scale", &NoamOptions::scale, "factor"),
                                            field("model_size", &NoamOptions::model_size, "d, the width of the model"),
                                            field("warmup", &NoamOptions::warmup, "counts until the peak")};
};

class Noam final : public DescribedAs<Schedule, Noam, NoamOptions> {
 public:
  static constexpr std::string_view kType = "Noam";
  static constexpr std::string_view kDoc =
      "scale * d^-0.5 * min(t^-0.5, t * warmup^-1.5) with t = count + 1: the first update has t = 1.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.model_size < 1 || options.warmup < 1)
      problems.add(where, "options 'model_size' and 'warmup' should be at least 1");
  }
  double value(Index count, Index interval) const override {
    const double t = static_cast<double>(count / interval + 1);
    return options.scale / std::sqrt(static_cast<double>(options.model_size)) *
           std::min(1 / std::sqrt(t), t * std::pow(static_cast<double>(options.warmup), -1.5));
  }
};

}  // namespace

void register_noam_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Noam>(); }

}  // namespace squall
