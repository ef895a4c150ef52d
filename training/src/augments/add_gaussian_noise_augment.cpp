// Normal noise on top of the data.
#include "augments/per_field.hpp"

namespace squall {

namespace {

struct AddGaussianNoiseOptions {
  json std_dict = 0.1, mean_dict = 0;
  static constexpr auto fields =
      std::tuple{field("std_dict", &AddGaussianNoiseOptions::std_dict, "deviation, by field or for the first one"),
                 field("mean_dict", &AddGaussianNoiseOptions::mean_dict, "mean, by field or for all of these")};
};

class AddGaussianNoise final : public DescribedAs<Augment, AddGaussianNoise, AddGaussianNoiseOptions> {
 public:
  static constexpr std::string_view kType = "AddGaussianNoise";
  static constexpr std::string_view kDoc = "Adds normally distributed noise.";
  void plan(std::vector<DataField>& fields) override {
    deviations_ = per_field<double>(options.std_dict, fields, kType, "std_dict");
    same_fields(options.mean_dict, deviations_, kType, "mean_dict");
    for (const auto& d : deviations_) {
      means_.push_back(beside(options.mean_dict, d.field, 0.0, kType, "mean_dict"));
      DataField& field = field_named(fields, d.field);
      if (!is_real(field.dtype)) field.dtype = DType::F32;
    }
  }
  void apply(Batch& batch, Rng& rng) override {
    for (std::size_t d = 0; d < deviations_.size(); ++d) {
      HostArray& a = array_named(batch, deviations_[d].field);
      make_real(a, spare_);
      for (Index i = 0; i < a.elements(); ++i)
        a.set_value(i, a.value(i) + means_[d] + deviations_[d].value * rng.normal());
    }
  }

 private:
  std::vector<FieldValue<double>> deviations_;
  std::vector<double> means_;
  HostArray spare_;
};

}  // namespace

void register_add_gaussian_noise_augment(Catalog& catalog) { catalog.of<Augment>().add<AddGaussianNoise>(); }

}  // namespace squall
