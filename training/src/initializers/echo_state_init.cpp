// Recurrent weights of a given spectral radius.
#include <Eigen/Eigenvalues>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

struct EchoStateOptions {
  double spectral_radius = 1.0;
  static constexpr auto fields = std::tuple{
      field("spectral_radius", &EchoStateOptions::spectral_radius, "largest absolute value of the eigenvalues")};
};

class EchoState final : public DescribedAs<Initializer, EchoState, EchoStateOptions> {
 public:
  static constexpr std::string_view kType = "EchoState";
  static constexpr std::string_view kDoc = "Uniform numbers, rescaled to a spectral radius.";
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    if (p.shape.rank() != 2 || p.shape[0] != p.shape[1]) unsuited(kType, p, "a square matrix");
    fill_uniform(values, -0.5, 0.5, rng);
    if (values.empty()) return;
    Eigen::Map<Eigen::MatrixXd> w(values.data(), p.shape[0], p.shape[0]);  // transposed: the same eigenvalues
    const Eigen::EigenSolver<Eigen::MatrixXd> solver(w, false);
    w *= options.spectral_radius / solver.eigenvalues().cwiseAbs().maxCoeff();
  }
};

}  // namespace

void register_echo_state_init(Catalog& catalog) { catalog.of<Initializer>().add<EchoState>(); }

}  // namespace squall
