// So many weights of each tensor, by pattern.
#include "squall/core/pass_plan.hpp"
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

struct CountShareOptions {
  json keep = json::object();
  static constexpr auto fields =
      std::tuple{field("keep", &CountShareOptions::keep,
                       "patterns LAYER.PARAMETER to the number of weights a task keeps of the tensor or, below 1, to "
                       "its density")};
};

// The sparsity at which a share of n weights, rounded as all are, is `keep`.
double sparsity_for(double n, double keep) {
  if (keep < 1) return 100 * (1 - keep);
  return n < 2 || keep >= n ? 0 : 100 * (n - keep - 0.5) / (n - 1);
}

class CountShare final : public DescribedAs<Share, CountShare, CountShareOptions> {
 public:
  static constexpr std::string_view kType = "CountShare";
  static constexpr std::string_view kDoc =
      "Numbers of weights, or densities, by pattern; other tensors lose the percentage.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (!options.keep.is_object()) return problems.add(where, "option 'keep' should be patterns to numbers");
    for (const auto& [pattern, keep] : options.keep.items())
      if (!keep.is_number() || !(keep.get<double>() > 0))
        problems.add(where, concat("option 'keep': ", pattern, " should keep a number above 0, not ", keep.dump()));
  }
  std::vector<double> sparsities(std::span<const SharedTensor> tensors, double sparsity) const override {
    std::vector<double> out(tensors.size(), sparsity);
    for (std::size_t i = 0; i < tensors.size(); ++i)
      for (const auto& [pattern, keep] : options.keep.items())
        if (matches(pattern, tensors[i].name)) {
          out[i] = sparsity_for(static_cast<double>(tensors[i].shape.elements()), keep.get<double>());
          break;
        }
    return out;
  }
};

}  // namespace

void register_count_share(Catalog& catalog) {
  catalog.of<Share>().add<CountShare>();
  catalog.of<Share>().alias("counts", "CountShare");
}

}  // namespace squall
