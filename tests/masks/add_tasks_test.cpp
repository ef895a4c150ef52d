// Tasks that come to a trained network later: free weights only, and earlier tasks stay as they are, bit for bit.
#include "squall/training/add_tasks.hpp"

#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

NetOptions options_for(int tasks, bool images) {
  NetOptions o;
  o.names = task_names(tasks);
  o.images = images;
  o.norm = !images;
  return o;
}

Rsn2 share_of(double sparsity, const std::string& eligible) {
  Rsn2 r = rsn2(sparsity);
  r.options.eligible = eligible;
  r.options.mode = Rsn2Mode::Sequential;
  return r;
}

// What every slice but the last holds.
std::vector<HostArray> foreign(Net& net, const std::string& layer) {
  std::vector<HostArray> out;
  const HostArray all = net.value(layer);
  for (int t = 0; t + 1 < net.entry(layer).tasks(); ++t) out.push_back(slice(all, t));
  return out;
}

void add_one_by_one(bool images, const std::string& eligible, const json& rule) {
  std::unique_ptr<Net> net;
  std::vector<HostArray> says;
  for (int tasks = 1; tasks <= 5; ++tasks) {
    CAPTURE(tasks);
    const NetOptions o = options_for(tasks, images);
    auto grown = std::make_unique<Net>(o);
    if (net) {
      const TakenTasks taken = take_tasks(net->network, grown->network);
      CHECK(taken.added == std::vector<std::string>{o.names.back()});
      for (int t = 0; t + 1 < tasks; ++t)
        REQUIRE(changed(output_of(*grown, o.names[static_cast<std::size_t>(t)]), says[static_cast<std::size_t>(t)]) ==
                0);
    }
    net = std::move(grown);
    share_of(88, eligible).apply(net->network, std::span(&net->tasks.back(), 1), nullptr, 1);
    const auto before = foreign(*net, "hidden");
    Stepper stepper = make_stepper(rule);
    stepper.start(net->network);
    const HostArray untrained = output_of(*net, o.names.back());
    train(*net, stepper, 12, {o.names.back()});
    CHECK(changed(output_of(*net, o.names.back()), untrained) > 0);
    const auto after = foreign(*net, "hidden");
    for (std::size_t t = 0; t < before.size(); ++t) CHECK(changed(before[t], after[t]) == 0);
    for (std::size_t t = 0; t < says.size(); ++t) REQUIRE(changed(output_of(*net, o.names[t]), says[t]) == 0);
    says.push_back(output_of(*net, o.names.back()));
    for (const std::string layer : {"hidden", "out"}) CHECK(report_masks(net->network).overlap() == 0);
  }
  const MaskReport report = report_masks(net->network);
  for (const auto& tensor : report.tensors)
    for (std::size_t t = 0; t < 5; ++t) {
      if (eligible == "shared_reading" && t > 0) CHECK(tensor.kept[t] == tensor.kept[t - 1] + tensor.owned[t]);
      if (eligible == "free") CHECK(tensor.kept[t] == tensor.owned[t]);
    }
}

}  // namespace

TEST_CASE("Five tasks that come one by one leave those before them alone bit for bit", "[add_tasks]") {
  for (const bool images : {false, true})
    for (const std::string eligible : {"free", "shared_reading"})
      for (const json& rule : {json{{"@type", "Adam"}, {"learning_rate", 0.01}},
                               json{{"@type", "Momentum"}, {"learning_rate", 0.02}, {"momentum", 0.9}},
                               json{{"@type", "AdamW"}, {"weight_decay", 0.1}},
                               json{{"@type", "Sgd"}, {"momentum", 0.9}, {"weight_decay", 0.1}}}) {
        CAPTURE(images, eligible, rule.dump());
        add_one_by_one(images, eligible, rule);
      }
}

TEST_CASE("Task after task in one network may read what earlier ones own", "[add_tasks]") {
  NetOptions o;
  o.names = task_names(3);
  Net net(o);
  std::vector<HostArray> says;
  for (std::size_t t = 0; t < 3; ++t) {
    share_of(70, "shared_reading").apply(net.network, std::span(&net.tasks[t], 1), nullptr, 1);
    Stepper stepper = make_stepper({{"@type", "AdamW"}, {"weight_decay", 0.1}});
    stepper.start(net.network);
    train(net, stepper, 10, {o.names[t]});
    for (std::size_t e = 0; e < says.size(); ++e) CHECK(changed(output_of(net, o.names[e]), says[e]) == 0);
    says.push_back(output_of(net, o.names[t]));
  }
  REQUIRE(net.entry("hidden").form == ParameterForm::Packed);
  const auto owners = net.entry("hidden").mask.span<std::uint8_t>();
  for (int t = 0; t < 3; ++t) {
    const Bytes read = net.mask("hidden", t);
    for (std::size_t i = 0; i < owners.size(); ++i) CHECK(read[i] == (owners[i] <= t ? 1 : 0));
  }
  CHECK(report_masks(net.network).overlap() == 0);
}

TEST_CASE("Slices go by the names of their tasks", "[add_tasks]") {
  NetOptions o;
  Net old(o);
  rsn2(60).apply(old.network, old.tasks, nullptr, 1);
  o.names = {"c", "b", "a"};
  Net grown(o);
  CHECK(tasks_differ(make_architecture(NetOptions{}), grown.network.graph()));
  CHECK_FALSE(tasks_differ(make_architecture(o), grown.network.graph()));
  take_tasks(old.network, grown.network);
  CHECK(changed(slice(grown.value("hidden"), 2), slice(old.value("hidden"), 0)) == 0);
  CHECK(changed(slice(grown.value("hidden"), 1), slice(old.value("hidden"), 1)) == 0);
  CHECK(grown.mask("hidden", 2) == old.mask("hidden", 0));
  CHECK(count(grown.mask("hidden", 0)) == 108);  // waits
  for (const std::string task : {"a", "b"}) CHECK(changed(output_of(grown, task), output_of(old, task)) == 0);
}

TEST_CASE("What does not fit is told and changes nothing", "[add_tasks]") {
  NetOptions o;
  o.names = task_names(3);
  Net old(o);
  o.names = {"a", "b", "d"};
  Net other(o);
  const HostArray before = other.value("hidden");
  CHECK_THROWS_WITH(take_tasks(old.network, other.network),
                    Catch::Contains("layer 'hidden' has no task 'c'") && Catch::Contains("lose none"));
  CHECK(changed(other.value("hidden"), before) == 0);
  o.names = task_names(4);
  o.units = 13;
  Net wider(o);
  const TakenTasks taken = take_tasks(old.network, wider.network);
  REQUIRE(!taken.parameters.empty());
  CHECK(taken.parameters[0] == "hidden.W was (3, 12, 9) and is (4, 13, 9); only the number of tasks may differ");
}

TEST_CASE("A task for which the others left too little is refused with numbers", "[add_tasks]") {
  NetOptions o;
  Net old(o);
  rsn2(50).apply(old.network, old.tasks, nullptr, 1);
  o.names = task_names(3);
  Net grown(o);
  take_tasks(old.network, grown.network);
  CHECK_THROWS_WITH(share_of(50, "free").apply(grown.network, std::span(&grown.tasks[2], 1), nullptr, 1),
                    Catch::Contains("hidden.W has 9 weights per unit, of which earlier tasks own") &&
                        Catch::Contains("use fewer tasks"));
}
