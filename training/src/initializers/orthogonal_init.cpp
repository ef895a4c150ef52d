// A random matrix with orthonormal rows or columns, whichever are fewer.
#include <Eigen/SVD>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

struct OrthogonalOptions {
  double scale = 1.0;
  static constexpr auto fields = std::tuple{field("scale", &OrthogonalOptions::scale, "length of the rows or columns")};
};

class Orthogonal final : public DescribedAs<Initializer, Orthogonal, OrthogonalOptions> {
 public:
  static constexpr std::string_view kType = "Orthogonal";
  static constexpr std::string_view kDoc = "Orthogonal rows or columns of length scale, from a random matrix.";
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    if (p.shape.rank() != 2) unsuited(kType, p, "a matrix");
    using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    fill_normal(values, 0, 1, rng);
    Eigen::Map<Rows> w(values.data(), p.shape[0], p.shape[1]);
    const Eigen::MatrixXd drawn = w;
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(drawn, Eigen::ComputeThinU | Eigen::ComputeThinV);
    if (p.shape[0] >= p.shape[1])
      w = options.scale * svd.matrixU();
    else
      w = options.scale * svd.matrixV().transpose();
  }
};

}  // namespace

void register_orthogonal_init(Catalog& catalog) { catalog.of<Initializer>().add<Orthogonal>(); }

}  // namespace squall
