// Choosing masks: golden vectors, exclusivity, counts, capacity, quotas, scores, rescaling.
#include "squall/training/rsn2.hpp"

#include "masks/mask_nets.hpp"
#include "squall/training/mask_model.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// One unit per task with five inputs and no bias; its weights are the magnitudes that are ranked. The gradient of the
// loss is a multiple of the input, so inputs are the gradients that are ranked.
struct OneUnit {
  explicit OneUnit(const std::vector<Values>& scores)
      : names(task_names(static_cast<int>(scores.size()))),
        network(architecture(names, static_cast<Index>(scores[0].size())), catalog(), make_handler("cpu:f64")) {
    Values all;
    auto source = std::make_shared<DataSource>();
    for (std::size_t t = 0; t < scores.size(); ++t) {
      all.insert(all.end(), scores[t].begin(), scores[t].end());
      const auto inputs = static_cast<Index>(scores[t].size());
      source->fields.emplace_back(names[t], HostArray::of(Shape{1, inputs}, scores[t]));
      source->fields.emplace_back(names[t] + "_targets", HostArray::of(Shape{1, 1}, Values{1000}));
    }
    const auto inputs = static_cast<Index>(scores[0].size());
    network.set_parameter("y.W", HostArray::of(Shape{static_cast<Index>(scores.size()), 1, inputs}, all));
    data = std::make_unique<Undivided>(source);
  }
  static Architecture architecture(const std::vector<std::string>& names, Index inputs) {
    Architecture a;
    json shapes = json::object();
    for (const auto& n : names) {
      shapes[n] = json{"T", "B", inputs};
      shapes[n + "_targets"] = json{"T", "B", 1};
    }
    a.input(shapes);
    a.add("y", "MultiMaskedDense", {{"tasks", names}, {"units", 1}, {"use_bias", false}});
    for (const auto& n : names) {
      a.connect({"Input", n, "y", n});
      a.add("diff_" + n, "SquaredDifference");
      a.add("Loss_" + n, "Loss");
      a.connect({"y", n, "diff_" + n, "inputs_1"});
      a.connect({"Input", n + "_targets", "diff_" + n, "inputs_2"});
      a.connect({"diff_" + n, "default", "Loss_" + n, "default"});
    }
    return a;
  }
  MaskReport apply(const Rsn2& rule) { return rule.apply(network, tasks_of(names), data.get(), 1); }
  std::vector<Bytes> masks() {
    const auto keep = network.store().mask(*network.store().find("y", "W"));
    REQUIRE(keep.has_value());
    std::vector<Bytes> out;
    for (Index t = 0; t < keep->shape()[0]; ++t) {
      const HostArray one = HostArray::copy_of(keep->view().at(t));
      out.emplace_back(one.span<std::uint8_t>().begin(), one.span<std::uint8_t>().end());
    }
    return out;
  }
  std::vector<std::string> names;
  Network network;
  std::unique_ptr<Undivided> data;
};

const std::vector<Values> kTwo{{5, 4, 3, 2, 1}, {1, 5, 2, 4, 3}};

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("The correct selection on the golden vectors", "[rsn2]") {
  for (const std::string score : {"magnitude", "gradients", "weight_gradient"}) {
    for (const Quota quota : {Quota::Unit, Quota::Tensor, Quota::Global}) {
      OneUnit unit(kTwo);
      Rsn2 rule = rsn2(60, score);
      rule.options.quota = quota;
      unit.apply(rule);
      CHECK(unit.masks() == std::vector<Bytes>{{1, 1, 0, 0, 0}, {0, 0, 0, 1, 1}});
    }
  }
  OneUnit shared(kTwo);
  Rsn2 rule = rsn2(60);
  rule.options.exclusive = false;
  shared.apply(rule);
  CHECK(shared.masks() == std::vector<Bytes>{{1, 1, 0, 0, 0}, {0, 1, 0, 1, 0}});
}

TEST_CASE("The golden vectors where the original is degenerate", "[rsn2]") {
  const auto masks = [](const std::vector<Values>& scores, double percentile, const std::string& score) {
    OneUnit unit(scores);
    MaskModelRun run;
    run.data = unit.data.get();
    mask_model(unit.network, tasks_of(unit.names), mask_model_options(percentile, score), run);
    return unit.masks();
  };
  for (const std::string score : {"magnitude", "gradients"}) {
    CHECK(masks(kTwo, 60, score) == std::vector<Bytes>{{1, 1, 0, 0, 0}, {0, 0, 0, 1, 1}});
    CHECK(masks(kTwo, 20, score) == std::vector<Bytes>{{1, 1, 1, 1, 0}, {0, 0, 0, 0, 1}});
    CHECK(masks(kTwo, 50, score) == std::vector<Bytes>{{1, 1, 1, 0, 0}, {0, 0, 0, 1, 1}});
    const std::vector<Values> three{{5, 4, 3, 2, 1, 6}, {6, 5, 4, 3, 2, 1}, {1, 2, 3, 4, 5, 6}};
    CHECK(masks(three, 40, score) == std::vector<Bytes>{{1, 1, 1, 0, 0, 1}, {0, 0, 0, 1, 1, 0}, {0, 0, 0, 0, 0, 0}});
  }
}

TEST_CASE("Tasks that want more than there is are refused with numbers", "[rsn2]") {
  OneUnit unit(kTwo);
  const HostArray before = unit.network.get("y.parameters.W");
  CHECK(error_of([&] { unit.apply(rsn2(20)); }) ==
        "sparsify: y.W has 5 weights per unit, but 2 tasks at 20 % want 8; raise sparsity to at least 50 or use "
        "fewer tasks");
  CHECK(error_of([&] { unit.apply(rsn2(0)); }).find("but 2 tasks at 0 % want 10;") != std::string::npos);
  CHECK(unit.network.get("y.parameters.W") == before);
  CHECK_FALSE(unit.network.store().any_packed_or_masked());
  unit.apply(rsn2(50));  // what the message said
  CHECK(unit.masks() == std::vector<Bytes>{{1, 1, 1, 0, 0}, {0, 0, 0, 1, 1}});
}

TEST_CASE("Shares that only rounding makes too many are one less here and there", "[rsn2]") {
  for (const Quota quota : {Quota::Unit, Quota::Tensor, Quota::Global})
    for (const bool sequential : {false, true}) {
      CAPTURE(sequential);
      NetOptions o;
      o.names = task_names(5);
      Net net(o);
      REQUIRE(5 * kept_of(9, 80) == 10);
      Rsn2 rule = rsn2(80);
      rule.options.quota = quota;
      MaskReport report;
      if (sequential) {
        rule.options.mode = Rsn2Mode::Sequential;
        for (const auto& task : net.tasks) report = rule.apply(net.network, std::span(&task, 1), nullptr, 1);
      } else {
        report = rule.apply(net.network, net.tasks, nullptr, 1);
        CHECK_FALSE(report.warnings.empty());
      }
      CHECK(report.overlap() == 0);
      if (quota != Quota::Unit) continue;
      for (const int n : net.owners("hidden")) CHECK(n == 1);  // every weight has found an owner
      std::vector<Index> shorter(5, 0);
      for (int t = 0; t < 5; ++t) {
        const Bytes mask = net.mask("hidden", t);
        for (int u = 0; u < 12; ++u) {
          const auto kept = std::count(mask.begin() + u * 9, mask.begin() + (u + 1) * 9, 1);
          REQUIRE((kept == 2 || kept == 1));
          shorter[static_cast<std::size_t>(t)] += kept == 1 ? 1 : 0;
        }
      }
      CHECK(*std::ranges::max_element(shorter) == 3);  // 12 units, 5 tasks
      CHECK(*std::ranges::min_element(shorter) == 2);
      if (!sequential)
        CHECK(report.warnings[0] ==
              "hidden.W: 5 shares of 9 weights round up to 10; 1 of the tasks gets one less, others in each unit");
    }
}

TEST_CASE("A unit with fewer weights than tasks is refused", "[rsn2]") {
  OneUnit unit({{1}, {2}});
  CHECK(error_of([&] { unit.apply(rsn2(90)); }) ==
        "sparsify: y.W has 1 weight per unit, but 2 tasks at 90 % want 2; use fewer tasks");
}

TEST_CASE("The capacity error names what is right", "[rsn2]") {
  NetOptions o;
  o.names = task_names(3);
  o.images = true;
  Net net(o);
  Rsn2 rule = rsn2(60);
  CHECK(error_of([&] { rule.apply(net.network, net.tasks, nullptr, 1); }) ==
        "sparsify: conv.W has 18 weights per unit, but 3 tasks at 60 % want 21; raise sparsity to at least 64.8 or use "
        "fewer tasks");
  rule.options.quota = Quota::Tensor;
  CHECK(error_of([&] { rule.apply(net.network, net.tasks, nullptr, 1); }).find("conv.W has 90 weights, but") !=
        std::string::npos);
  rule.options.quota = Quota::Global;
  CHECK(error_of([&] { rule.apply(net.network, net.tasks, nullptr, 1); }).find("task 'c' wants") != std::string::npos);
  CHECK_FALSE(net.network.store().any_packed_or_masked());
}

TEST_CASE("Literal masks on the golden vectors, through a network", "[rsn2]") {
  struct Case {
    std::string score;
    double sparsity;
    Bytes second;
  };
  const Bytes all(5, 1);
  for (const Case& c : {Case{"magnitude", 60, {0, 0, 0, 1, 0}}, Case{"gradients", 60, {0, 0, 0, 1, 1}},
                        Case{"magnitude", 20, {0, 0, 0, 0, 1}}, Case{"gradients", 20, all},
                        Case{"magnitude", 50, {0, 0, 0, 1, 1}}, Case{"gradients", 50, all}}) {
    OneUnit unit(kTwo);
    Rsn2 rule = rsn2(c.sparsity, c.score);
    rule.options.compat = "beyondml";
    const MaskReport report = unit.apply(rule);
    CHECK(unit.masks()[1] == c.second);
    CHECK(report.overlap() == (c.second == all ? count(unit.masks()[0]) : 0));
  }
  OneUnit shared(kTwo);
  Rsn2 rule = rsn2(60);
  rule.options.compat = "beyondml";
  rule.options.exclusive = false;
  shared.apply(rule);
  CHECK(shared.masks() == std::vector<Bytes>{{1, 1, 0, 0, 0}, {0, 1, 0, 1, 0}});
}

TEST_CASE("Literal masks prune biases and rescale nothing", "[rsn2]") {
  Net net;
  const HostArray before = net.value("hidden");
  Rsn2 rule = rsn2(80);
  rule.options.compat = "beyondml";
  rule.apply(net.network, net.tasks, nullptr, 1);
  CHECK(count(net.mask("hidden", 0, "bias")) == kept_of(12, 80));
  CHECK(count(net.mask("hidden", 0)) == kept_of(12 * 9, 80));
  const HostArray after = net.value("hidden");
  const Bytes mask = net.mask("hidden", 0);
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) REQUIRE(after.value(static_cast<Index>(i)) == before.value(static_cast<Index>(i)));
}

TEST_CASE("Exclusive masks share nothing, whatever the scores", "[rsn2]") {
  for (int tasks = 2; tasks <= 8; ++tasks)
    for (const std::string score : {"random", "magnitude"}) {
      NetOptions o;
      o.names = task_names(tasks);
      Net net(o);
      if (score == "magnitude") {  // most weights are zero
        HostArray w = net.value("hidden");
        Rng rng(static_cast<std::uint64_t>(tasks), "zeros");
        for (Index i = 0; i < w.elements(); ++i)
          if (rng.below(10) > 0) w.set_value(i, 0);
        net.network.set_parameter("hidden.W", w);
      }
      double sparsity = 0;  // the least that fits
      while (tasks * kept_of(9, sparsity) > 9 || tasks * kept_of(12, sparsity) > 12) ++sparsity;
      const MaskReport report = rsn2(sparsity, score).apply(net.network, net.tasks, nullptr, 5);
      for (const char* layer : {"hidden", "out"}) {
        for (const int n : net.owners(layer)) REQUIRE(n <= 1);
        CHECK(net.entry(layer).form == ParameterForm::Packed);
        const Index columns = net.entry(layer).slice_shape()[1];
        const Index rows = net.entry(layer).slice_shape()[0];
        for (int t = 0; t < tasks; ++t) {
          const Bytes mask = net.mask(layer, t);
          for (Index r = 0; r < rows; ++r)
            REQUIRE(std::count(mask.begin() + r * columns, mask.begin() + (r + 1) * columns, 1) ==
                    kept_of(columns, sparsity));
        }
      }
      CHECK(report.overlap() == 0);
    }
}

TEST_CASE("A score of zero is taken last and told", "[rsn2]") {
  OneUnit unit({{0, 0, 0, 0, 9}, {0, 0, 7, 0, 0}});
  Rsn2 rule = rsn2(60);
  const MaskReport report = unit.apply(rule);
  CHECK(unit.masks() == std::vector<Bytes>{{1, 0, 0, 0, 1}, {0, 1, 1, 0, 0}});
  CHECK(std::ranges::find(report.warnings, "y.W[a]: 1 of 2 kept weights have a score of 0") != report.warnings.end());
}

TEST_CASE("The order of tasks decides who chooses first", "[rsn2]") {
  OneUnit unit(kTwo);
  Rsn2 rule = rsn2(60);
  rule.options.order = {"b", "a"};
  unit.apply(rule);
  CHECK(unit.masks() == std::vector<Bytes>{{1, 0, 1, 0, 0}, {0, 1, 0, 1, 0}});
  rule.options.order = {"b", "ab"};
  OneUnit other(kTwo);
  CHECK_THROWS_WITH(other.apply(rule), Catch::Contains("order names 'ab', which is no task"));
  rule.options.order = {"b", "b"};
  CHECK_THROWS_WITH(other.apply(rule), Catch::Contains("twice"));
}

TEST_CASE("Quotas: each unit, the tensor, all tensors of a task", "[rsn2]") {
  const auto kept = [](Quota quota) {
    Net net;
    HostArray w = net.value("hidden");  // the first unit's weights are the largest of all
    for (Index t = 0; t < 2; ++t)
      for (Index i = 0; i < 9; ++i) w.set_value(t * 108 + i, 5 + static_cast<double>(i));
    net.network.set_parameter("hidden.W", w);
    Rsn2 rule = rsn2(80);
    rule.options.quota = quota;
    const MaskReport report = rule.apply(net.network, net.tasks, nullptr, 1);
    const Bytes hidden = net.mask("hidden", 0);
    return std::vector<Index>{std::count(hidden.begin(), hidden.begin() + 9, 1), count(hidden),
                              count(net.mask("out", 0)), static_cast<Index>(report.warnings.size())};
  };
  const Index unit = kept_of(9, 80);
  CHECK(kept(Quota::Unit) == std::vector<Index>{unit, 12 * unit, 4 * kept_of(12, 80), 0});
  const auto tensor = kept(Quota::Tensor);
  CHECK(tensor[0] == 9);
  CHECK(tensor[1] == kept_of(108, 80));
  CHECK(tensor[2] == kept_of(48, 80));
  const auto global = kept(Quota::Global);
  CHECK(global[1] + global[2] == kept_of(108 + 48, 80));
}

TEST_CASE("Units without incoming weights are told", "[rsn2]") {
  Net net;
  HostArray w = net.value("hidden");
  for (Index i = 0; i < w.elements(); ++i) w.set_value(i, i % 108 < 18 ? 100 + static_cast<double>(i % 7) : 0.001);
  net.network.set_parameter("hidden.W", w);
  Rsn2 rule = rsn2(90);  // 11 of 108: all in the first two units for the first task
  rule.options.quota = Quota::Tensor;
  const MaskReport report = rule.apply(net.network, net.tasks, nullptr, 1);
  CHECK(std::ranges::find(report.warnings, "hidden.W[a]: 10 of 12 units keep no incoming weight") !=
        report.warnings.end());
  for (const auto& tensor : report.tensors)
    if (tensor.parameter == "hidden.W") CHECK(tensor.dead_units[0] == 10);
}

TEST_CASE("Biases are pruned only when asked for, and exclusively", "[rsn2]") {
  Net dense;
  rsn2(80).apply(dense.network, dense.tasks, nullptr, 1);
  CHECK(dense.entry("hidden", "bias").form == ParameterForm::Plain);
  Net net;
  Rsn2 rule = rsn2(80);
  rule.options.biases = true;
  rule.apply(net.network, net.tasks, nullptr, 1);
  CHECK(count(net.mask("hidden", 0, "bias")) == kept_of(12, 80));
  for (const int n : net.owners("hidden", "bias")) CHECK(n <= 1);
  OneUnit none(kTwo);  // no bias at all: nothing to refuse
  rule.options.sparsity = 60;
  none.apply(rule);
}

TEST_CASE("A head of one task is masked alone", "[rsn2]") {
  NetOptions o;
  o.names = task_names(3);
  o.heads = true;
  Net net(o);
  REQUIRE(3 * kept_of(12, 63) > 12);  // would not fit into one head
  const MaskReport report = rsn2(63).apply(net.network, net.tasks, nullptr, 1);
  for (const std::string head : {"out_a", "out_b", "out_c"}) {
    CHECK(net.entry(head).form == ParameterForm::Masked);
    CHECK(count(net.mask(head)) == 4 * kept_of(12, 63));
  }
  for (const auto& tensor : report.tensors)
    if (tensor.parameter == "out_b.W") CHECK(tensor.tasks == std::vector<std::string>{"b"});
  CHECK(report.overlap() == 0);
}

TEST_CASE("Layers that are not to be sparse, and tasks without maskable layers", "[rsn2]") {
  NetOptions o;
  o.sparsify = false;
  Net net(o);
  CHECK_THROWS_WITH(rsn2(90).apply(net.network, net.tasks, nullptr, 1),
                    Catch::Contains("task 'a': its loss 'Loss_a' reaches no weights that can be masked"));
}

TEST_CASE("Wrong options are refused", "[rsn2]") {
  Net net;
  const auto message = [&](const std::function<void(Rsn2Options&)>& change) {
    Rsn2 rule = rsn2(80);
    change(rule.options);
    return error_of([&] { rule.apply(net.network, net.tasks, nullptr, 1); });
  };
  CHECK(message([](auto& o) { o.sparsity = 101; }).find("0 to 100, not 101") != std::string::npos);
  CHECK(message([](auto& o) { o.sparsity = -1; }).find("0 to 100, not -1") != std::string::npos);
  CHECK(message([](auto& o) { o.score = "gradients"; }).find("needs training data") != std::string::npos);
  CHECK(message([](auto& o) { o.compat = "mann"; }).find("\"beyondml\" or left out") != std::string::npos);
  CHECK(message([](auto& o) { o.when = "end"; }).find("when: should be") != std::string::npos);
  CHECK(message([](auto& o) {
          o.compat = "beyondml";
          o.score = "random";
        }).find("gradients and magnitude only") != std::string::npos);
  CHECK_FALSE(net.network.store().any_packed_or_masked());
}

TEST_CASE("Masks that are there stay", "[rsn2]") {
  Net net;
  rsn2(80).apply(net.network, net.tasks, nullptr, 1);
  const HostArray before = net.value("hidden");
  const MaskReport report = rsn2(95, "random").apply(net.network, net.tasks, nullptr, 2);
  CHECK(net.value("hidden") == before);
  CHECK(std::ranges::find(report.warnings, "hidden.W[a] has a mask already, which stays") != report.warnings.end());
}

TEST_CASE("Random masks depend on seed and name only", "[rsn2]") {
  const auto mask = [](std::uint64_t seed, int tasks) {
    NetOptions o;
    o.names = task_names(tasks);
    Net net(o);
    rsn2(90, "random").apply(net.network, net.tasks, nullptr, seed);
    return net.mask("hidden", 0);
  };
  CHECK(mask(1, 2) == mask(1, 2));
  CHECK(mask(1, 2) == mask(1, 3));
  CHECK(mask(1, 2) != mask(2, 2));
}

TEST_CASE("Rescaling gives kept weights the deviation of their fan-in", "[rsn2]") {
  for (const bool images : {false, true}) {
    NetOptions o;
    o.images = images;
    o.units = 40;
    Net net(o);
    rsn2(80).apply(net.network, net.tasks, nullptr, 1);
    for (const std::string layer : {images ? "conv" : "hidden", "out"})
      for (int t = 0; t < 2; ++t) {
        const Bytes mask = net.mask(layer, t);
        const HostArray w = slice(net.value(layer), t);
        double squares = 0;
        for (Index i = 0; i < w.elements(); ++i) squares += w.value(i) * w.value(i);
        const double kept = static_cast<double>(count(mask));
        const double per_unit = kept / static_cast<double>(w.shape()[0]);
        const double gain = layer == "out" ? 1 : 2;  // linear, rel
        CHECK(std::sqrt(squares / kept) == Approx(std::sqrt(gain / per_unit)).epsilon(1e-5));
      }
  }
  Net net;
  const HostArray before = net.value("hidden");
  Rsn2 rule = rsn2(80);
  rule.options.rescale = false;
  rule.apply(net.network, net.tasks, nullptr, 1);
  const Bytes mask = net.mask("hidden", 1);
  const HostArray after = slice(net.value("hidden"), 1), then = slice(before, 1);
  for (Index i = 0; i < after.elements(); ++i)
    REQUIRE(after.value(i) == (mask[static_cast<std::size_t>(i)] ? then.value(i) : 0));
}

TEST_CASE("Options of Rsn2 go through JSON", "[rsn2]") {
  Rsn2 rule;
  Problems problems;
  read_fields(
      json{{"@type", "Rsn2"}, {"sparsity", 80}, {"score", "gradients"}, {"quota", "tensor"}, {"mode", "sequential"}},
      "sparsify", rule.options, problems);
  CHECK(problems.empty());
  CHECK(rule.options.score == "gradients");
  CHECK(rule.options.mode == Rsn2Mode::Sequential);
  CHECK(rule.describe()["quota"] == "tensor");
}
