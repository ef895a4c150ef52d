// Cuts a window out of each image, somewhere.
#include "augments/per_field.hpp"
#include "augments/window_copy.hpp"

namespace squall {

namespace {

struct RandomCropOptions {
  json shape_dict = json::array();
  static constexpr auto fields = std::tuple{field("shape_dict", &RandomCropOptions::shape_dict,
                                                  "[height, width] of the window, by field or for the first one")};
};

class RandomCrop final : public DescribedAs<Augment, RandomCrop, RandomCropOptions> {
 public:
  static constexpr std::string_view kType = "RandomCrop";
  static constexpr std::string_view kDoc =
      "Cuts a window out of each image at a random place, the same for all time steps.";
  void plan(std::vector<DataField>& fields) override {
    windows_ = per_field<std::vector<Index>>(options.shape_dict, fields, kType, "shape_dict");
    for (const auto& w : windows_) {
      DataField& field = field_named(fields, w.field);
      need_image(field, kType);
      if (w.value.size() != 2) raise<ConfigError>(kType, ": a window should be [height, width]");
      if (w.value[0] < 1 || w.value[1] < 1 || w.value[0] > field.features[0] || w.value[1] > field.features[1])
        raise<ConfigError>(kType, ": a window of ", w.value[0], " x ", w.value[1], " does not fit into '", field.name,
                           "' ", field.features);
      field.features = Shape{w.value[0], w.value[1], field.features[2]};
    }
  }
  void apply(Batch& batch, Rng& rng) override {
    for (const auto& w : windows_) {
      HostArray& a = array_named(batch, w.field);
      const Shape s = a.shape();
      const Index height = w.value[0], width = w.value[1];
      spare_.resize(a.dtype(), Shape{s[0], s[1], height, width, s[4]});
      for (Index b = 0; b < s[1]; ++b) {
        const Index y = rng.below(s[2] - height + 1), x = rng.below(s[3] - width + 1);
        for (Index t = 0; t < s[0]; ++t) copy_rectangle(a, spare_, t * s[1] + b, {y, x, 0, 0, height, width});
      }
      std::swap(a, spare_);
    }
  }

 private:
  std::vector<FieldValue<std::vector<Index>>> windows_;
  HostArray spare_;
};

}  // namespace

void register_random_crop_augment(Catalog& catalog) { catalog.of<Augment>().add<RandomCrop>(); }

}  // namespace squall
