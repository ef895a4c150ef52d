// Some elements become 1, some 0.
#include "augments/per_field.hpp"

namespace squall {

namespace {

struct AddSaltNPepperOptions {
  json prob_dict = 0.1, ratio_dict = 0.5;
  static constexpr auto fields = std::tuple{
      field("prob_dict", &AddSaltNPepperOptions::prob_dict, "probability of a change, by field or for the first one"),
      field("ratio_dict", &AddSaltNPepperOptions::ratio_dict, "share of salt (1) in it, by field or for all of these")};
};

class AddSaltNPepper final : public DescribedAs<Augment, AddSaltNPepper, AddSaltNPepperOptions> {
 public:
  static constexpr std::string_view kType = "AddSaltNPepper";
  static constexpr std::string_view kDoc = "Sets elements to 1 or 0 at random.";
  void plan(std::vector<DataField>& fields) override {
    probabilities_ = per_field<double>(options.prob_dict, fields, kType, "prob_dict");
    same_fields(options.ratio_dict, probabilities_, kType, "ratio_dict");
    for (const auto& p : probabilities_) {
      ratios_.push_back(beside(options.ratio_dict, p.field, 0.5, kType, "ratio_dict"));
      if (p.value < 0 || p.value > 1 || ratios_.back() < 0 || ratios_.back() > 1)
        raise<ConfigError>(kType, ": probabilities and ratios should be between 0 and 1");
    }
  }
  void apply(Batch& batch, Rng& rng) override {
    for (std::size_t k = 0; k < probabilities_.size(); ++k) {
      const double p = probabilities_[k].value, ratio = ratios_[k];
      HostArray& a = array_named(batch, probabilities_[k].field);
      for (Index i = 0; i < a.elements(); ++i) {
        const double r = rng.uniform();
        if (r >= 1 - p * ratio) a.set_value(i, 1);
        if (r < p * (1 - ratio)) a.set_value(i, 0);
      }
    }
  }

 private:
  std::vector<FieldValue<double>> probabilities_;
  std::vector<double> ratios_;
};

}  // namespace

void register_add_salt_n_pepper_augment(Catalog& catalog) { catalog.of<Augment>().add<AddSaltNPepper>(); }

}  // namespace squall
