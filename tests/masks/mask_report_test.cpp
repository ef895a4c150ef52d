// The report: counts, densities, overlaps, names, in every form.
#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

const TensorMaskReport& tensor(const MaskReport& report, const std::string& name) {
  for (const auto& t : report.tensors)
    if (t.parameter == name) return t;
  FAIL("no tensor " << name);
  return report.tensors.front();
}

HostArray bytes(const Shape& shape, const Bytes& values) { return HostArray::of(shape, values); }

}  // namespace

TEST_CASE("A network without masks has nothing to report", "[report]") {
  Net net;
  const MaskReport report = report_masks(net.network);
  CHECK(report.tensors.empty());
  CHECK(report.overlap() == 0);
  CHECK(report.density("a") == 1);
  CHECK(report.text() == "no masks\n");
}

TEST_CASE("Counts, overlaps and dead units of given masks", "[report]") {
  NetOptions o;
  o.names = task_names(3);
  Net net(o);
  Bytes keep(3 * 12 * 9, 0);
  const auto set = [&](int task, int unit, int input) {
    keep[static_cast<std::size_t>(task * 108 + unit * 9 + input)] = 1;
  };
  for (int i = 0; i < 9; ++i) set(0, 0, i);   // a: all of unit 0
  for (int u = 0; u < 12; ++u) set(1, u, 0);  // b: one of each unit
  for (int u = 0; u < 3; ++u) set(2, u, 0);   // c: three that b has, one of them a's, too
  net.network.store().set_mask(net.entry("hidden"), bytes(Shape{3, 12, 9}, keep));
  const MaskReport report = report_masks(net.network);
  const auto& t = tensor(report, "hidden.W");
  CHECK(t.tasks == o.names);
  CHECK(t.sliced);
  CHECK(t.elements == 108);
  CHECK(t.kept == std::vector<Index>{9, 12, 3});
  CHECK(t.dead_units == std::vector<Index>{11, 0, 9});
  CHECK(t.overlap == std::vector<std::vector<Index>>{{9, 1, 1}, {1, 12, 3}, {1, 3, 3}});
  CHECK(t.owned_twice == 3);
  CHECK(t.free == 108 - 9 - 11);
  CHECK(report.overlap() == 3);
  CHECK(report.density("b") == Approx(12.0 / 108));
  const json j = report.to_json();
  CHECK(j["overlap"] == 3);
  CHECK(j["density"]["c"] == 3.0 / 108);
  CHECK(j["tensors"][0]["tasks"]["a"]["dead_units"] == 11);
}

TEST_CASE("The report is the same in masked, packed and stored form", "[report]") {
  Net net;
  const MaskReport packed = rsn2(80).apply(net.network, net.tasks, nullptr, 1);
  CHECK(packed.overlap() == 0);
  CHECK(packed.density("a") == Approx((12.0 * 2 + 4.0 * 3) / (108 + 48)));
  net.network.store().unpack({&net.entry("hidden"), &net.entry("out")});
  CHECK(report_masks(net.network).to_json()["tensors"] == packed.to_json()["tensors"]);
  for (const std::string layer : {"hidden", "out"}) {
    const HostArray values = net.value(layer).cast(DType::F32);
    std::vector<PackedWeight> slices;
    for (int t = 0; t < 2; ++t) {
      const HostArray one = slice(values, t);
      slices.push_back(PackedWeight::from_dense(one.span<float>(), one.shape()[0], one.shape()[1], net.mask(layer, t)));
    }
    net.network.store().set_stored(net.entry(layer), slices);
  }
  CHECK(report_masks(net.network).to_json()["tensors"] == packed.to_json()["tensors"]);
  CHECK_THROWS_WITH(rsn2(80).apply(net.network, net.tasks, nullptr, 1), Catch::Contains("stored for inference"));
}

TEST_CASE("Slices that wait for their task overlap nothing", "[report]") {
  NetOptions o;
  o.names = task_names(3);
  Net net(o);
  Rsn2 rule = rsn2(80);
  rule.options.mode = Rsn2Mode::Sequential;
  const MaskReport first = rule.apply(net.network, std::span(&net.tasks[0], 1), nullptr, 1);
  CHECK(first.overlap() == 0);
  CHECK(tensor(first, "hidden.W").kept == std::vector<Index>{24, 108, 108});
  CHECK(tensor(first, "hidden.W").free == 108 - 24);
  CHECK(first.density("b") == 1);
  CHECK(report_masks(net.network).to_json() == first.to_json());
  CHECK_THAT(report_masks(net.network).text(), Catch::Contains("task 'b' has no masks yet") &&
                                                   Catch::Contains("task 'c' has no masks yet") &&
                                                   !Catch::Contains("task 'a' has no masks yet"));
  const MaskReport second = rule.apply(net.network, std::span(&net.tasks[1], 1), nullptr, 1);
  CHECK(second.overlap() == 0);
  CHECK(report_masks(net.network).overlap() == 0);
  CHECK(tensor(second, "hidden.W").free == 108 - 48);
}

TEST_CASE("What is not sliced is named after its task", "[report]") {
  NetOptions o;
  o.heads = true;
  Net net(o);
  std::vector<Task> tasks = net.tasks;
  rsn2(60).apply(net.network, tasks, nullptr, 1);
  CHECK(tensor(report_masks(net.network), "out_b.W").tasks == std::vector<std::string>{"b"});
  tasks[1].name = "second";
  CHECK(tensor(report_masks(net.network, tasks), "out_b.W").tasks == std::vector<std::string>{"second"});

  Architecture a;  // no multi layer, one loss
  a.input({{"default", {"T", "B", 6}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("y", "MaskedDense", {{"units", 3}}) >> a.add("ce", "SoftmaxCE");
  a.connect({"Input", "targets", "ce", "targets"});
  a["ce.loss"] >> a.add("Loss", "Loss");
  Network one(a, catalog(), make_handler("cpu:f32"));
  one.initialize({{"default", {{"@type", "Gaussian"}, {"std", 1.0}}}}, 1);
  Task task;
  const MaskReport report = rsn2(50).apply(one, std::span(&task, 1), nullptr, 1);
  CHECK(tensor(report, "y.W").tasks == std::vector<std::string>{"default"});
  CHECK(report.density("default") == 0.5);
  CHECK(report.overlap() == 0);
}

TEST_CASE("Layers that tasks share are told in sequential mode", "[report]") {
  Architecture a;
  a.input({{"a", {"T", "B", 6}}, {"t", {"T", "B", 1}}, {"u", {"T", "B", 1}}});
  a["Input.a"] >> a.add("trunk", "FullyConnected", {{"size", 5}});
  for (const std::string n : {"x", "y"}) {
    a["trunk"] >> a.add("head_" + n, "MaskedDense", {{"units", 3}}) >> a.add("ce_" + n, "SoftmaxCE");
    a.connect({"Input", n == "x" ? "t" : "u", "ce_" + n, "targets"});
    a["ce_" + n + ".loss"] >> a.add("Loss_" + n, "Loss");
  }
  Network net(a, catalog(), make_handler("cpu:f32"));
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 1.0}}}}, 1);
  Task task;
  task.name = "x";
  task.input = "a";
  task.targets = "t";
  task.loss = "Loss_x";
  Rsn2 rule = rsn2(50);
  rule.options.mode = Rsn2Mode::Sequential;
  const MaskReport report = rule.apply(net, std::span(&task, 1), nullptr, 1);
  REQUIRE(report.warnings.size() == 1);
  CHECK(
      report.warnings[0] ==
      "training task 'x' alone also moves trunk.W, trunk.bias, which other tasks use; freeze it after the first task");
}

TEST_CASE("The table of the report", "[report]") {
  Net net;
  MaskReport report = rsn2(80).apply(net.network, net.tasks, nullptr, 1);
  report.warnings.push_back("something to know");
  CHECK(report.text() ==
        "parameter  weights            a            b  free  owned twice\n"
        "hidden.W       108  24 (22.2 %)  24 (22.2 %)    60            0\n"
        "out.W           48  12 (25.0 %)  12 (25.0 %)    24            0\n"
        "density                  23.1 %       23.1 %                  0\n"
        "note: something to know\n");
}
