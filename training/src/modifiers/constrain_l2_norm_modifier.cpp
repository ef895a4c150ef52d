// Bounds the length of the incoming weights of each unit.
#include "squall/core/catalog.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

namespace {

struct ConstrainL2NormOptions {
  double limit = 1;
  static constexpr auto fields =
      std::tuple{field("limit", &ConstrainL2NormOptions::limit, "greatest Euclidean norm of a row")};
};

class ConstrainL2Norm final : public DescribedAs<Modifier, ConstrainL2Norm, ConstrainL2NormOptions> {
 public:
  static constexpr std::string_view kType = "ConstrainL2Norm";
  static constexpr std::string_view kDoc =
      "Scales rows whose Euclidean norm is above limit down to it; vectors are left alone.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.limit <= 0) problems.add(where, "option 'limit' should be above 0");
  }
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext&) override {
    if (target.shape().rank() < 2) return;
    handler.optim().constrain_rows(Matrix(flatten(target, 1)), options.limit);
  }
};

}  // namespace

void register_constrain_l2_norm_modifier(Catalog& catalog) { catalog.of<Modifier>().add<ConstrainL2Norm>(); }

}  // namespace squall
