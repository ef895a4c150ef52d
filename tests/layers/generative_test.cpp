// What variational autoencoders and noise-contrastive estimation need: properties of the layers, and their formulas.
#include "layers/cases.hpp"
#include "layers/network_differences.hpp"

namespace {

using namespace squall;
using namespace squall::testing;
using Values = std::vector<double>;
constexpr auto kLabels = CaseInput::Values::Labels;

SQUALL_LAYER_CASES(GaussianSample,
                   {.name = "vector",
                    .inputs = {{"mean", {4}}, {"log_variance", {4}}},
                    .coupled = true,
                    .tolerance_f32 = 1e-4,
                    .rejects = {{.inputs = {{"mean", {4}}, {"log_variance", {3}}}, .says = {"same shape"}}}})

SQUALL_LAYER_CASES(GaussianDivergence,
                   {.name = "matrix",
                    .inputs = {{"mean", {2, 3}}, {"log_variance", {2, 3}}},
                    .tolerance_f32 = 1e-4,
                    .rejects = {{.inputs = {{"mean", {4}}, {"log_variance", {3}}}, .says = {"same shape"}}}})

SQUALL_LAYER_CASES(
    Nce,
    {.name = "log-uniform noise",
     .options = {{"classes", 6}, {"samples", 4}},
     .inputs = {{"default", {3}}, {"targets", {1}, kLabels, 6}},
     .tolerance_f32 = 1e-4,
     .rejects = {{.options = {{"samples", 3}}, .says = {"option 'classes' should be a positive whole number, not 0"}},
                 {.options = {{"classes", 6}, {"samples", 3}, {"probabilities", {1, 2}}},
                  .says = {"option 'probabilities' has 2 numbers, but there are 6 classes"}},
                 {.options = {{"classes", 2}, {"samples", 3}, {"probabilities", {1, 0}}},
                  .says = {"numbers above 0 only, not 0"}}}},
    {.name = "given noise without accidental hits",
     .options = {{"classes", 3}, {"samples", 5}, {"probabilities", {0.5, 0.3, 0.2}}, {"remove_accidental_hits", true}},
     .inputs = {{"default", {2, 4}}, {"targets", {2, 1}, kLabels, 3}},
     .tolerance_f32 = 1e-4},
    {.name = "negative sampling",
     .options = {{"classes", 4}, {"samples", 2}, {"distribution", "uniform"}, {"subtract_log_probability", false}},
     .inputs = {{"default", {3}}, {"targets", {1}, kLabels, 4}},
     .tolerance_f32 = 1e-4})

TEST_CASE("a sample has its mean and its deviation and is the mean in evaluation") {
  Architecture a;
  a.input({{"mean", {"B", 1}}, {"log_variance", {"B", 1}}});
  const Port sample = a.add("Sample", "GaussianSample");
  a["Input.mean"] >> ("mean" - sample);
  a["Input.log_variance"] >> ("log_variance" - sample);
  sample >> a.add("Loss", "Loss");
  const auto net = inspectable(a);
  const Index n = 20000;
  net->provide({{{"mean", HostArray::of(Shape{n, 1}, Values(n, 3.0))},
                 {"log_variance", HostArray::of(Shape{n, 1}, Values(n, std::log(0.25)))}}});
  net->forward(Mode::Train);
  double sum = 0, squares = 0;
  for (const double v : net->get("Sample.outputs.default").doubles()) sum += v - 3, squares += (v - 3) * (v - 3);
  CHECK(std::abs(sum / n) < 4 * 0.5 / std::sqrt(n));
  CHECK(squares / n == Approx(0.25).epsilon(4 * std::sqrt(2.0 / n)));
  net->forward(Mode::Eval);
  CHECK(net->get("Sample.outputs.default").doubles() == Values(n, 3.0));
}

// Input -> encoder -> mean, log_variance -> sample -> decoder -> Bce; the divergence beside it.
Architecture autoencoder() {
  Architecture a;
  a.input({{"default", {"B", 5}}});
  const Port code = a["Input.default"] >> a.add("Encoder", "Dense", {{"units", 4}, {"activation", "tanh"}});
  const Port mean = code >> a.add("Mean", "Dense", {{"units", 2}});
  const Port spread = code >> a.add("Spread", "Dense", {{"units", 2}});
  const Port sample = a.add("Sample", "GaussianSample"), far = a.add("Divergence", "GaussianDivergence");
  for (const Port& reader : {sample, far}) {
    mean >> ("mean" - reader);
    spread >> ("log_variance" - reader);
  }
  sample >> a.add("Decoder", "Dense", {{"units", 5}, {"activation", "sigmoid"}}) >>
      a.add("Error", "Bce", {{"reduction", "none"}});
  a["Input.default"] >> a["Error.targets"];
  a["Error.loss"] >> a.add("Reconstruction", "Loss");
  a["Divergence.loss"] >> a.add("KL", "Loss");
  return a;
}

TEST_CASE("the loss of a variational autoencoder is the mean of cross entropy and divergence and has its derivative") {
  const auto net = inspectable(autoencoder());
  fill_with_numbers(*net);
  HostArray data(DType::F64, Shape{4, 5});
  for (Index i = 0; i < 20; ++i) data.set_value(i, i % 3 == 0 ? 1 : 0);
  net->provide({{{"default", data}}});
  const double loss = loss_of(*net);
  const Values y = net->get("Decoder.outputs.default").doubles(), mean = net->get("Mean.outputs.default").doubles(),
               log_variance = net->get("Spread.outputs.default").doubles(), t = data.doubles();
  double want = 0;
  for (std::size_t i = 0; i < 20; ++i) want -= t[i] * std::log(y[i]) + (1 - t[i]) * std::log(1 - y[i]);
  for (std::size_t i = 0; i < 8; ++i)
    want -= 0.5 * (1 + log_variance[i] - mean[i] * mean[i] - std::exp(log_variance[i]));
  CHECK(loss == Approx(want / 4));
  CHECK(check_gradients(*net) == 24 + 10 + 10 + 15);
}

struct NceNet {
  NceNet(const json& options, Index rows) {
    Architecture a;
    a.input({{"default", {"B", 3}}, {"targets", {"B", 1}}});
    a["Input.default"] >> a.add("Layer", "Dense", {{"units", 3}, {"activation", "tanh"}}) >>
        a.add("NCE", "Nce", options);
    a["Input.targets"] >> a["NCE.targets"];
    a["NCE.loss"] >> a.add("Loss", "Loss");
    net = inspectable(a);
    net->pin("NCE.predictions");
    fill_with_numbers(*net);
    HostArray targets(DType::I32, Shape{rows, 1});
    for (Index i = 0; i < rows; ++i) targets.set_value(i, static_cast<double>(i % options["classes"].get<Index>()));
    net->provide({{{"default", numbers(Shape{rows, 3}, "data")}, {"targets", targets}}});
  }
  std::unique_ptr<Network> net;
};

TEST_CASE("noise-contrastive estimation is its formula with the noise that was drawn") {
  for (const bool subtract : {true, false})
    for (const bool remove : {true, false}) {
      const Values q{0.5, 0.25, 0.125, 0.125};
      const NceNet n({{"classes", 4},
                      {"samples", 6},
                      {"probabilities", q},
                      {"subtract_log_probability", subtract},
                      {"remove_accidental_hits", remove}},
                     4);
      const double loss = loss_of(*n.net);
      const HostArray x = n.net->get("Layer.outputs.default"), W = n.net->get("NCE.parameters.W"),
                      bias = n.net->get("NCE.parameters.bias"), noise = n.net->get("NCE.internals.noise");
      const auto score = [&](Index row, Index c, bool shifted) {
        double s = bias.value(c);
        for (Index i = 0; i < 3; ++i) s += W.value(3 * c + i) * x.value(3 * row + i);
        return shifted && subtract ? s - std::log(6 * q[static_cast<std::size_t>(c)]) : s;
      };
      double want = 0;
      int hits = 0;
      for (Index row = 0; row < 4; ++row) {
        want += std::log1p(std::exp(-score(row, row, true)));
        for (Index k = 0; k < 6; ++k) {
          const auto c = static_cast<Index>(noise.value(k));
          hits += c == row ? 1 : 0;
          if (c != row || !remove) want += std::log1p(std::exp(score(row, c, true)));
        }
        double whole = 0;
        for (Index c = 0; c < 4; ++c) whole += std::exp(score(row, c, false));
        CHECK(n.net->get("NCE.outputs.predictions").value(4 * row + 2) ==
              Approx(std::exp(score(row, 2, false)) / whole));
      }
      CHECK(hits == 6);  // four rows of different classes: all noise is somebody's
      CHECK(loss == Approx(want / 4));
      CHECK(check_gradients(*n.net, {"Loss"}) == 12 + 12 + 4);
    }
}

TEST_CASE("noise comes as often as its distribution says and again with the seed") {
  const auto drawn = [](const json& more) {
    json options{{"classes", 5}, {"samples", 20000}};
    options.update(more);
    const NceNet n(options, 1);
    loss_of(*n.net);
    return n.net->get("NCE.internals.noise");
  };
  const std::vector<std::pair<json, Values>> cases{
      {{{"distribution", "uniform"}}, {0.2, 0.2, 0.2, 0.2, 0.2}},
      {json::object(),
       {std::log(2.0) / std::log(6.0), std::log(1.5) / std::log(6.0), std::log(4.0 / 3) / std::log(6.0),
        std::log(1.25) / std::log(6.0), std::log(1.2) / std::log(6.0)}},
      {{{"probabilities", {1, 2, 3, 4, 10}}}, {0.05, 0.1, 0.15, 0.2, 0.5}}};
  for (const auto& [options, want] : cases) {
    const HostArray noise = drawn(options);
    CHECK(noise == drawn(options));
    Values count(5, 0.0);
    for (const double c : noise.doubles()) count.at(static_cast<std::size_t>(c)) += 1;
    for (std::size_t c = 0; c < 5; ++c)
      CHECK(std::abs(count[c] / 20000 - want[c]) < 4 * std::sqrt(want[c] * (1 - want[c]) / 20000));
  }
}

}  // namespace
