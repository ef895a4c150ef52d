#include <Eigen/Eigenvalues>
#include <cmath>

#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace training_test;

namespace {

std::vector<double> fill(const json& j, const Shape& shape, const std::string& stream = "L.W") {
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  Rng rng(5, stream);
  make<Initializer>(j)->fill(values, {"L", "W", shape, false}, rng);
  return values;
}
double mean(const std::vector<double>& v) {
  double s = 0;
  for (const double x : v) s += x;
  return s / static_cast<double>(v.size());
}
double deviation(const std::vector<double>& v) {
  const double m = mean(v);
  double s = 0;
  for (const double x : v) s += (x - m) * (x - m);
  return std::sqrt(s / static_cast<double>(v.size()));
}
double largest(const std::vector<double>& v) {
  double m = 0;
  for (const double x : v) m = std::max(m, std::abs(x));
  return m;
}
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
Rows matrix(const std::vector<double>& v, Index rows) {
  return Eigen::Map<const Rows>(v.data(), rows, static_cast<Index>(v.size()) / rows);
}
bool unsuited(const json& j, const Shape& shape) {
  try {
    fill(j, shape);
  } catch (const InitializationError&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("Normal initializers have their mean and deviation, also for vectors") {
  const auto g = fill({{"@type", "Gaussian"}, {"std", 0.2}, {"mean", 1.0}}, {200, 100});
  CHECK(mean(g) == Approx(1).margin(0.01));
  CHECK(deviation(g) == Approx(0.2).epsilon(0.03));
  CHECK(deviation(fill({{"@type", "Gaussian"}}, {20000})) == Approx(0.1).epsilon(0.03));
  CHECK(deviation(fill({{"@type", "RandomNormal"}}, {200, 100})) == Approx(0.05).epsilon(0.03));
  CHECK(deviation(fill({{"@type", "HeNormal"}}, {200, 100})) == Approx(std::sqrt(2.0 / 100)).epsilon(0.03));
}

TEST_CASE("Uniform initializers keep their bounds and use them") {
  const auto between = [](const json& j, const Shape& shape, double limit) {
    INFO(j.dump());
    const auto v = fill(j, shape);
    CHECK(largest(v) <= limit);
    CHECK(largest(v) > 0.99 * limit);
    CHECK(mean(v) == Approx(0).margin(0.05 * limit));
  };
  between({{"@type", "Uniform"}}, {100, 50}, 0.1);
  between({{"@type", "Uniform"}, {"low", -0.3}}, {5000}, 0.3);
  between({{"@type", "DenseSqrtFanIn"}}, {100, 5, 10}, std::sqrt(6.0 / 50));
  between({{"@type", "DenseSqrtFanIn"}, {"scale", "tanh"}}, {100, 50}, std::sqrt(3.0 / 50));
  between({{"@type", "DenseSqrtFanIn"}, {"scale", "sigmoid"}}, {100, 50}, 4 * std::sqrt(3.0 / 50));
  between({{"@type", "DenseSqrtFanIn"}, {"scale", "linear"}}, {100, 50}, std::sqrt(1.0 / 50));
  between({{"@type", "DenseSqrtFanInOut"}}, {100, 50}, std::sqrt(12.0 / 150));
  between({{"@type", "DenseSqrtFanInOut"}, {"scale", "tanh"}}, {100, 50}, std::sqrt(6.0 / 150));
  between({{"@type", "DenseSqrtFanInOut"}, {"scale", "sigmoid"}}, {100, 50}, 4 * std::sqrt(6.0 / 150));
  between({{"@type", "DenseSqrtFanInOut"}, {"scale", 2.5}}, {100, 50}, 2.5 / std::sqrt(150.0));
  between({{"@type", "GlorotUniform"}}, {100, 50}, std::sqrt(6.0 / 150));
  between({{"@type", "GlorotUniform"}}, {32, 3, 3, 16}, std::sqrt(6.0 / (9 * 16 + 9 * 32)));
  const auto shifted = fill({{"@type", "Uniform"}, {"low", 1.0}, {"high", 2.0}}, {5000});
  CHECK(*std::ranges::min_element(shifted) >= 1);
  CHECK(mean(shifted) == Approx(1.5).margin(0.02));
}

TEST_CASE("Identity, Orthogonal and EchoState have their structure") {
  const auto exact = matrix(fill({{"@type", "Identity"}, {"scale", 2.0}, {"std", 0.0}}, {4, 4}), 4);
  CHECK(exact.isApprox(2 * Rows::Identity(4, 4)));
  const auto noisy = fill({{"@type", "Identity"}, {"enforce_square", false}}, {40, 60});
  CHECK(matrix(noisy, 40).diagonal().mean() == Approx(1).margin(0.02));
  const auto tall = matrix(fill({{"@type", "Orthogonal"}, {"scale", 3.0}}, {7, 4}), 7);
  CHECK((tall.transpose() * tall).isApprox(9 * Rows::Identity(4, 4), 1e-12));
  const auto wide = matrix(fill({{"@type", "Orthogonal"}}, {4, 7}), 4);
  CHECK((wide * wide.transpose()).isApprox(Rows::Identity(4, 4), 1e-12));
  const auto echo = matrix(fill({{"@type", "EchoState"}, {"spectral_radius", 1.5}}, {20, 20}), 20);
  CHECK(Eigen::EigenSolver<Eigen::MatrixXd>(echo).eigenvalues().cwiseAbs().maxCoeff() == Approx(1.5).epsilon(1e-12));
}

TEST_CASE("RandomWalk scales by the root of the size") {
  const auto linear = fill({{"@type", "RandomWalk"}}, {200, 200});
  CHECK(deviation(linear) == Approx(std::exp(1.0 / 400) / std::sqrt(200.0)).epsilon(0.02));
  const auto rel = fill({{"@type", "RandomWalk"}, {"act_func", "rel"}}, {200, 200});
  CHECK(deviation(rel) == Approx(std::sqrt(2.0) * std::exp(1.2 / 197.6) / std::sqrt(200.0)).epsilon(0.02));
}

TEST_CASE("Sparse initializers keep so many connections in each line") {
  const auto count = [](const Rows& m, bool by_column) {
    std::vector<Index> counts;
    for (Index i = 0; i < (by_column ? m.cols() : m.rows()); ++i)
      counts.push_back(by_column ? (m.col(i).array() != 0).count() : (m.row(i).array() != 0).count());
    return counts;
  };
  const json sub = {{"@type", "Gaussian"}};
  const auto columns =
      matrix(fill({{"@type", "SparseInputs"}, {"sub_initializer", sub}, {"connections", 3}}, {10, 6}), 10);
  CHECK(count(columns, true) == std::vector<Index>(6, 3));
  const auto rows =
      matrix(fill({{"@type", "SparseOutputs"}, {"sub_initializer", sub}, {"connections", 2}}, {10, 6}), 10);
  CHECK(count(rows, false) == std::vector<Index>(10, 2));
  const auto other = matrix(
      fill({{"@type", "SparseInputs"}, {"sub_initializer", 1}, {"connections", 2}, {"along", "row"}}, {10, 6}), 10);
  CHECK(count(other, false) == std::vector<Index>(10, 2));
  CHECK(other.sum() == 20);
}

TEST_CASE("LstmOptInit fills four blocks independently") {
  const auto blocks = [](const json& input_gate) {
    return matrix(fill({{"@type", "LstmOptInit"},
                        {"input_block", {{"@type", "Gaussian"}}},
                        {"input_gate", input_gate},
                        {"forget_gate", 2},
                        {"output_gate", {{"@type", "Uniform"}}}},
                       {8, 3}),
                  8);
  };
  const auto a = blocks(1), b = blocks({{"@type", "Gaussian"}});
  CHECK((a.middleRows(2, 2).array() == 1).all());
  CHECK((a.middleRows(4, 2).array() == 2).all());
  CHECK(a.topRows(2) == b.topRows(2));
  CHECK(a.bottomRows(2) == b.bottomRows(2));
  CHECK(a.bottomRows(2).cwiseAbs().maxCoeff() <= 0.1);
  CHECK(a.topRows(2).cwiseAbs().maxCoeff() > 0);
}

TEST_CASE("Initializers refuse shapes that do not suit them") {
  for (const char* type : {"DenseSqrtFanIn", "DenseSqrtFanInOut", "GlorotUniform", "HeNormal", "Identity", "Orthogonal",
                           "EchoState", "RandomWalk"})
    CHECK(unsuited({{"@type", type}}, {5}));
  for (const char* type : {"Identity", "EchoState", "RandomWalk"}) CHECK(unsuited({{"@type", type}}, {5, 4}));
  CHECK(unsuited({{"@type", "Orthogonal"}}, {5, 4, 3}));
  CHECK(unsuited({{"@type", "LstmOptInit"}}, {6, 4}));
  CHECK(unsuited({{"@type", "SparseInputs"}, {"sub_initializer", 1}}, {10, 30}));
  CHECK(unsuited({{"@type", "SparseOutputs"}, {"sub_initializer", 1}}, {30, 10}));
  CHECK(mentions(complaint([] {
                   make<Initializer>({{"@type", "DenseSqrtFanIn"}, {"scale", "tahn"}});
                 }),
                 "did you mean 'tanh'"));
  CHECK(mentions(complaint([] {
                   make<Initializer>({{"@type", "Uniform"}, {"low", 2}, {"high", 1}});
                 }),
                 "below 'high'"));
}

TEST_CASE("What a parameter gets depends on the seed and its name only") {
  const json patterns = {{"default", {{"@type", "Gaussian"}}}};
  const auto handler = squall::test::make_under_test("cpu:f64");
  Network a(classifier(4, 5, 3), catalog(), handler), b(classifier(4, 5, 3, 0.5), catalog(), handler);
  Network c(classifier(4, 5, 7), catalog(), squall::test::make_under_test("cpu:f32"));
  a.initialize(patterns, 1);
  b.initialize({{"Hid", {{"@type", "Gaussian"}}}, {"default", 0}}, 1);
  c.initialize(patterns, 1);
  CHECK(a.get("Hid.parameters.W") == b.get("Hid.parameters.W"));
  CHECK(a.get("Hid.parameters.W").cast(DType::F32) == c.get("Hid.parameters.W"));
  CHECK_FALSE(a.get("Hid.parameters.bias") == HostArray(DType::F64, {5}));
  b.initialize(patterns, 2);
  CHECK_FALSE(a.get("Hid.parameters.W") == b.get("Hid.parameters.W"));
}

TEST_CASE("A fallback takes over where an initializer does not suit") {
  Network n(classifier(4, 5, 3), catalog(), squall::test::make_under_test("cpu:f64"));
  n.initialize({{"default", {{"@type", "Orthogonal"}}}, {"fallback", 0.25}}, 1);
  CHECK(n.get("Hid.parameters.bias").doubles() == std::vector<double>(5, 0.25));
  CHECK(mentions(complaint([&] { n.initialize({{"default", {{"@type", "Orthogonal"}}}}, 1); }), "Hid.bias"));
}

TEST_CASE("A truncated normal has no number beyond its limit and the variance that is left") {
  const double left = 0.7737413;  // of the variance within two deviations
  const auto check = [&](json j, double variance) {
    j["@type"] = "TruncatedNormal";
    const auto v = fill(j, {400, 200});
    CHECK(largest(v) <= 2 * std::sqrt(variance));
    CHECK(largest(v) > 1.99 * std::sqrt(variance));
    CHECK(deviation(v) * deviation(v) == Approx(left * variance).epsilon(0.02));
  };
  check(json::object(), 1);
  check({{"fans", "glorot"}, {"std", 5.0 / 3}}, 25.0 / 9 * 2 / 600);
  check({{"fans", "he"}}, 2.0 / 200);
  CHECK(mean(fill({{"@type", "TruncatedNormal"}, {"mean", 3.0}}, {20000})) == Approx(3).margin(0.02));
  CHECK(unsuited({{"@type", "TruncatedNormal"}, {"fans", "he"}}, {7}));
}
