// Puts a border around images.
#include "augments/per_field.hpp"
#include "augments/window_copy.hpp"

namespace squall {

namespace {

struct PadOptions {
  json size_dict = 0, value_dict = 0;
  static constexpr auto fields =
      std::tuple{field("size_dict", &PadOptions::size_dict, "width of the border, by field or for the first one"),
                 field("value_dict", &PadOptions::value_dict, "its value, by field or for all of these")};
};

class Pad final : public DescribedAs<Augment, Pad, PadOptions> {
 public:
  static constexpr std::string_view kType = "Pad";
  static constexpr std::string_view kDoc = "Puts a border of one value on all four sides of images.";
  void plan(std::vector<DataField>& fields) override {
    sizes_ = per_field<Index>(options.size_dict, fields, kType, "size_dict");
    same_fields(options.value_dict, sizes_, kType, "value_dict");
    for (const auto& s : sizes_) {
      DataField& field = field_named(fields, s.field);
      need_image(field, kType);
      if (s.value < 0) raise<ConfigError>(kType, ": a border should not be negative, but it is ", s.value);
      values_.push_back(beside(options.value_dict, s.field, 0.0, kType, "value_dict"));
      field.features = Shape{field.features[0] + 2 * s.value, field.features[1] + 2 * s.value, field.features[2]};
    }
  }
  void apply(Batch& batch, Rng&) override {
    for (std::size_t k = 0; k < sizes_.size(); ++k) {
      const Index border = sizes_[k].value;
      HostArray& a = array_named(batch, sizes_[k].field);
      const Shape s = a.shape();
      spare_.resize(a.dtype(), Shape{s[0], s[1], s[2] + 2 * border, s[3] + 2 * border, s[4]});
      for (Index i = 0; i < spare_.elements(); ++i) spare_.set_value(i, values_[k]);
      for (Index image = 0; image < s[0] * s[1]; ++image)
        copy_rectangle(a, spare_, image, {0, 0, border, border, s[2], s[3]});
      std::swap(a, spare_);
    }
  }

 private:
  std::vector<FieldValue<Index>> sizes_;
  std::vector<double> values_;
  HostArray spare_;
};

}  // namespace

void register_pad_augment(Catalog& catalog) { catalog.of<Augment>().add<Pad>(); }

}  // namespace squall
