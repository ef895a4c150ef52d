// Mirrors images, left to right.
#include <cstring>

#include "augments/per_field.hpp"

namespace squall {

namespace {

struct FlipOptions {
  json prob_dict = 0.5;
  static constexpr auto fields =
      std::tuple{field("prob_dict", &FlipOptions::prob_dict, "probability, by field or for the first one")};
};

class Flip final : public DescribedAs<Augment, Flip, FlipOptions> {
 public:
  static constexpr std::string_view kType = "Flip";
  static constexpr std::string_view kDoc = "Mirrors images left to right, all time steps of an example alike.";
  void plan(std::vector<DataField>& fields) override {
    probabilities_ = per_field<double>(options.prob_dict, fields, kType, "prob_dict");
    for (const auto& p : probabilities_) {
      need_image(field_named(fields, p.field), kType);
      if (p.value < 0 || p.value > 1)
        raise<ConfigError>(kType, ": a probability should be between 0 and 1, not ", p.value);
    }
  }
  void apply(Batch& batch, Rng& rng) override {
    for (const auto& p : probabilities_) {
      HostArray& a = array_named(batch, p.field);
      for (Index b = 0; b < a.shape()[1]; ++b) {
        if (rng.uniform() >= p.value) continue;
        for (Index t = 0; t < a.shape()[0]; ++t) mirror(a, t * a.shape()[1] + b);
      }
    }
  }

 private:
  static void mirror(HostArray& a, Index image) {
    const Index height = a.shape()[2], width = a.shape()[3];
    const std::size_t pixel = static_cast<std::size_t>(a.shape()[4]) * size_of(a.dtype());
    auto* row = static_cast<std::byte*>(a.data()) + static_cast<std::size_t>(image * height * width) * pixel;
    for (Index y = 0; y < height; ++y, row += static_cast<std::size_t>(width) * pixel)
      for (Index x = 0; x < width / 2; ++x) {
        std::byte* left = row + static_cast<std::size_t>(x) * pixel;
        std::swap_ranges(left, left + pixel, row + static_cast<std::size_t>(width - 1 - x) * pixel);
      }
  }
  std::vector<FieldValue<double>> probabilities_;
};

}  // namespace

void register_flip_augment(Catalog& catalog) { catalog.of<Augment>().add<Flip>(); }

}  // namespace squall
