// The parts of a selection by themselves: scores, eligible weights, shares, scopes.
#include "squall/training/mask_parts.hpp"

#include "masks/mask_nets.hpp"
#include "squall/training/mask_model.hpp"

using namespace squall;
using namespace squall::test;

namespace {

Values score(const std::string& name, const Values& weights, const Values& gathered, Index columns = 1) {
  const auto made = make_part<WeightScore>(name, "score", catalog());
  return made->of({weights, gathered, 1, columns, 7, "w"});
}

Values shares(const json& share, const std::vector<SharedTensor>& tensors, double sparsity) {
  return make_part<Share>(share, "share", catalog())->sparsities(tensors, sparsity);
}

// Weights kept in all tensors together.
double kept(const std::vector<SharedTensor>& tensors, const Values& sparsities) {
  double sum = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    sum += static_cast<double>(tensors[i].shape.elements()) * (1 - sparsities[i] / 100);
  return sum;
}

Index units_kept(Net& net, const std::string& layer, int slice) { return count(net.mask(layer, slice)); }

}  // namespace

TEST_CASE("Scores rank by what their names say", "[parts]") {
  const Values w{-3, 2, 0, 1}, g{-1, -4, 5, 0.5};
  CHECK(score("magnitude", w, {}) == Values{3, 2, 0, 1});
  CHECK(score("gradients", w, g) == Values{1, 4, 5, 0.5});
  CHECK(score("absolute_gradients", w, {1, 4, 5, 0.5}) == Values{1, 4, 5, 0.5});
  CHECK(score("squared_gradients", w, {1, 16, 25, 0.25}) == Values{1, 16, 25, 0.25});
  CHECK(score("weight_gradient", w, g) == Values{3, 8, 0, 0.5});
  CHECK(score("activation_norm", w, {4, 9}, 2) == Values{6, 6, 0, 3});
  const Values random = score("random", w, {});
  CHECK(random == score("random", {9, 9, 9, 9}, {}));
  CHECK(random[0] != random[1]);
}

TEST_CASE("Gradients of minibatches are gathered as the score asks", "[parts]") {
  const NetOptions o;
  for (const std::string name : {"gradients", "absolute_gradients", "squared_gradients"}) {
    CAPTURE(name);
    Net whole(o), parts(o);
    auto one = batches(o, 32, 32), four = batches(o, 32, 8);
    MaskModelRun run;
    run.data = &one;
    mask_model(whole.network, whole.tasks, mask_model_options(60, name), run);
    run.data = &four;
    mask_model(parts.network, parts.tasks, mask_model_options(60, name), run);
    const bool same = whole.mask("hidden", 0) == parts.mask("hidden", 0);
    CHECK(same == (name == "gradients"));  // only the plain sum does not depend on the size of batches
  }
}

TEST_CASE("Activation norms are those of the layer's inputs", "[parts]") {
  NetOptions o;
  o.names = {"a"};
  Net net(o);
  auto data = batches(o, 32, 8);
  MaskModelRun run;
  run.data = &data;
  mask_model(net.network, net.tasks, mask_model_options(50, "activation_norm"), run);
  // By hand: |w| times the norm of each of the nine inputs.
  Values norms(9, 0);
  const auto source = make_data(o, 32);
  const HostArray& x = source->fields[0].second;
  for (Index i = 0; i < x.elements(); ++i) norms[static_cast<std::size_t>(i % 9)] += x.value(i) * x.value(i);
  Net fresh(o);
  const HostArray w = fresh.value("hidden");
  Values scores;
  for (Index i = 0; i < w.elements(); ++i)
    scores.push_back(std::fabs(w.value(i)) * std::sqrt(norms[static_cast<std::size_t>(i % 9)]));
  CHECK(net.mask("hidden") == select_top(scores, {}, 12, 9, 50, Quota::Tensor).keep);
  NetOptions images = o;
  images.images = true;
  Net conv(images);
  auto pictures = batches(images, 8, 8);
  run.data = &pictures;
  CHECK_NOTHROW(mask_model(conv.network, conv.tasks, mask_model_options(50, "activation_norm"), run));
  CHECK(count(conv.mask("conv")) == kept_of(90, 50));
}

TEST_CASE("Random graphs: large tensors become sparser and the total is kept", "[parts]") {
  const std::vector<SharedTensor> tensors{
      {"a.W", Shape{10, 20}, false}, {"b.W", Shape{300, 400}, false}, {"c.W", Shape{64, 3, 3, 32}, false}};
  double all = 0;
  for (const auto& t : tensors) all += static_cast<double>(t.shape.elements());
  for (const std::string name : {"er", "erk"})
    for (const double sparsity : {50.0, 80.0, 95.0}) {
      const Values s = shares(name, tensors, sparsity);
      CHECK(kept(tensors, s) == Approx(all * (1 - sparsity / 100)).epsilon(1e-9));
      CHECK(s[0] <= s[1]);
      for (const double v : s) CHECK((v >= -1e-9 && v <= 100));
    }
  // In proportion, where nothing is dense: (300 + 400) / (300 * 400) against (64 + 3 + 3 + 32) / (64 * 9 * 32).
  const Values s = shares("erk", tensors, 99);
  CHECK((100 - s[1]) / (100 - s[2]) == Approx((700.0 / 120000) / (102.0 / 18432)).epsilon(1e-9));
  CHECK(kept(tensors, shares("erk", tensors, 0)) == Approx(all));
}

TEST_CASE("Numbers and densities by pattern", "[parts]") {
  const std::vector<SharedTensor> tensors{{"a.W", Shape{10, 20}, false}, {"b.W", Shape{5, 7}, false}};
  const json counts = {{"@type", "counts"}, {"keep", {{"a.*", 33}, {"b.W", 0.2}}}};
  const Values s = shares(counts, tensors, 90);
  CHECK(kept_of(200, s[0]) == 33);
  CHECK(s[1] == Approx(80));
  CHECK_THROWS_WITH(shares({{"@type", "counts"}, {"keep", {{"a.W", -1}}}}, tensors, 90),
                    Catch::Contains("a.W should keep a number above 0, not -1"));
  for (Index k = 1; k <= 200; ++k)
    CHECK(kept_of(200, shares({{"@type", "counts"}, {"keep", {{"a.W", k}}}}, tensors, 90)[0]) == k);
}

TEST_CASE("A share of a layer or of the network lets tensors compete", "[parts]") {
  NetOptions o;
  o.names = {"a"};
  const auto total = [&](const char* quota) {
    Net net(o);
    HostArray w = net.value("out");
    for (Index i = 0; i < w.elements(); ++i) w.set_value(i, w.value(i) * 100);
    net.network.store().set(net.entry("out"), w);
    Rsn2 rule = rsn2(70);
    read_value(json(quota), rule.options.quota);
    rule.options.rescale = false;
    rule.apply(net.network, net.tasks, nullptr, 1);
    return std::pair{units_kept(net, "hidden", 0), units_kept(net, "out", 0)};
  };
  CHECK(total("layer") == std::pair{kept_of(108, 70), kept_of(48, 70)});
  CHECK(total("global") == std::pair{kept_of(156, 70) - 47, Index{47}});  // all large ones but the smallest
}

TEST_CASE("Fair shares are exclusive while masks are still dense", "[parts]") {
  for (const int tasks : {2, 3, 5, 8})
    for (const double sparsity : {0.0, 1.0, 30.0, 60.0}) {
      NetOptions o;
      o.names = task_names(tasks);
      Net net(o);
      Rsn2 rule = rsn2(sparsity, "random");
      rule.options.eligible = "fair";
      rule.options.quota = Quota::Tensor;
      rule.apply(net.network, net.tasks, nullptr, 3);
      for (const int n : net.owners("hidden")) CHECK(n <= 1);
      for (int t = 0; t < tasks; ++t)
        CHECK(units_kept(net, "hidden", t) >= std::min<Index>(108 / tasks - 1, kept_of(108, sparsity)));
    }
}

TEST_CASE("Tasks read what those before them own and write their own", "[parts]") {
  NetOptions o;
  o.names = task_names(3);
  Net net(o);
  Rsn2 rule = rsn2(80);
  rule.options.eligible = "shared_reading";
  rule.options.rescale = false;
  rule.apply(net.network, net.tasks, nullptr, 1);
  REQUIRE(net.entry("hidden").form == ParameterForm::Packed);
  const auto owners = net.entry("hidden").mask.span<std::uint8_t>();
  for (int t = 0; t < 3; ++t) {
    const Bytes read = net.mask("hidden", t);
    for (std::size_t i = 0; i < owners.size(); ++i) CHECK(read[i] == (owners[i] <= t ? 1 : 0));
  }
  // Training the last task moves its own weights, and nothing that it only reads.
  const HostArray before = net.value("hidden");
  const HostArray a = output_of(net, "a"), b = output_of(net, "b");
  Stepper stepper = make_stepper({{"@type", "Adam"}, {"weight_decay", 0.1}});
  stepper.start(net.network);
  train(net, stepper, 5, {"c"});
  CHECK(output_of(net, "a") == a);
  CHECK(output_of(net, "b") == b);
  CHECK(changed(slice(net.value("hidden"), 2), slice(before, 2)) ==
        std::count(owners.begin(), owners.end(), std::uint8_t{2}));
}

TEST_CASE("Options of a selection that make no sense are told with their place", "[parts]") {
  const NetOptions o;
  Net net(o);
  const auto error = [&](const std::function<void(Rsn2Options&)>& change) {
    Rsn2 rule = rsn2(90);
    change(rule.options);
    try {
      rule.apply(net.network, net.tasks, nullptr, 1);
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  CHECK(error([](auto& r) {
          r.sparsity = 101;
        }).find("sparsity: is the percentage that is pruned, 0 to 100, not 101") != std::string::npos);
  CHECK(error([](auto& r) { r.sparsity = -1; }).find("0 to 100, not -1") != std::string::npos);
  CHECK(error([](auto& r) { r.score = "magnitud"; }).find("magnitud") != std::string::npos);
  CHECK(error([](auto& r) { r.share = {{"@type", "erk"}, {"x", 1}}; }).find("share") != std::string::npos);
  CHECK(error([](auto& r) { r.eligible = 3; }).find("eligible") != std::string::npos);
  CHECK(error([](auto& r) { r.score = "gradients"; }) ==
        "sparsify: the score GradientScore needs training data, and there is none");
  CHECK_FALSE(net.network.store().any_packed_or_masked());
}
