// A multiple of the identity with noise.
#include "initializers/shapes.hpp"

namespace squall {

namespace {

struct IdentityOptions {
  double scale = 1.0, std = 0.01;
  bool enforce_square = true;
  static constexpr auto fields =
      std::tuple{field("scale", &IdentityOptions::scale, "value on the diagonal"),
                 field("std", &IdentityOptions::std, "deviation of the noise everywhere"),
                 field("enforce_square", &IdentityOptions::enforce_square, "refuse matrices that are not square")};
};

class Identity final : public DescribedAs<Initializer, Identity, IdentityOptions> {
 public:
  static constexpr std::string_view kType = "Identity";
  static constexpr std::string_view kDoc = "scale times the identity plus normal noise.";
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    if (p.shape.rank() != 2) unsuited(kType, p, "a matrix");
    if (options.enforce_square && p.shape[0] != p.shape[1])
      unsuited(kType, p, "a square matrix (or enforce_square: false)");
    fill_normal(values, 0, options.std, rng);
    for (Index i = 0; i < std::min(p.shape[0], p.shape[1]); ++i)
      values[static_cast<std::size_t>(i * p.shape[1] + i)] += options.scale;
  }
};

}  // namespace

void register_identity_init(Catalog& catalog) { catalog.of<Initializer>().add<Identity>(); }

}  // namespace squall
