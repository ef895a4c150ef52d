// Class indices as rows of zeros and ones.
#include <cmath>
#include <cstring>

#include "augments/per_field.hpp"

namespace squall {

namespace {

struct HotOptions {
  json vocab_size_dict = 0;
  static constexpr auto fields = std::tuple{
      field("vocab_size_dict", &HotOptions::vocab_size_dict, "number of classes, by field or for the first one")};
};

template <class D>
class Hot : public DescribedAs<Augment, D, HotOptions> {
 public:
  void plan(std::vector<DataField>& fields) override {
    sizes_ = per_field<Index>(this->options.vocab_size_dict, fields, D::kType, "vocab_size_dict");
    for (const auto& s : sizes_) {
      DataField& field = field_named(fields, s.field);
      if (s.value < 1) raise<ConfigError>(D::kType, ": the number of classes should be at least 1, not ", s.value);
      if (field.features.rank() < 1 || (D::kSingle && field.features[-1] != 1))
        raise<ConfigError>(D::kType, ": '", field.name, "' should hold ", D::kSingle ? "one index" : "indices",
                           " each, not ", field.features);
      field.features = field.features.with_last(s.value);
      field.dtype = DType::F32;
    }
  }
  void apply(Batch& batch, Rng&) override {
    for (const auto& s : sizes_) {
      HostArray& a = array_named(batch, s.field);
      const Index columns = a.shape()[-1];
      spare_.resize(DType::F32, a.shape().with_last(s.value));
      std::memset(spare_.data(), 0, spare_.bytes());
      for (Index i = 0; i < a.elements(); ++i) {
        const double index = a.value(i);
        if (!(index >= 0 && index < static_cast<double>(s.value)) || std::nearbyint(index) != index)
          raise<DataError>(D::kType, ": '", s.field, "' holds ", index, ", which is no class of 0 to ", s.value - 1);
        spare_.set_value(i / columns * s.value + static_cast<Index>(index), 1);
      }
      std::swap(a, spare_);
    }
  }

 private:
  std::vector<FieldValue<Index>> sizes_;
  HostArray spare_;
};

class OneHot final : public Hot<OneHot> {
 public:
  static constexpr std::string_view kType = "OneHot";
  static constexpr std::string_view kDoc = "An index becomes a row with a single 1.";
  static constexpr bool kSingle = true;
};
class MultiHot final : public Hot<MultiHot> {
 public:
  static constexpr std::string_view kType = "MultiHot";
  static constexpr std::string_view kDoc = "Several indices become one row with a 1 for each.";
  static constexpr bool kSingle = false;
};

}  // namespace

void register_hot_augment(Catalog& catalog) {
  catalog.of<Augment>().add<OneHot>();
  catalog.of<Augment>().add<MultiHot>();
}

}  // namespace squall
