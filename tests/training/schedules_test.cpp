#include <cmath>
#include <set>

#include "training_support.hpp"

using namespace training_test;

namespace {

std::vector<double> sequence(const json& j, Index count, Index interval = 1) {
  const auto schedule = make<Schedule>(j);
  std::vector<double> out;
  for (Index i = 0; i < count; ++i) out.push_back(schedule->value(i, interval));
  return out;
}

void near(const std::vector<double>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(wanted[i]).epsilon(1e-14));
}

}  // namespace

TEST_CASE("Linear goes down in equal steps and stays") {
  const json j = {{"@type", "Linear"}, {"initial_value", 1.0}, {"final_value", 0.5}, {"num_changes", 5}};
  near(sequence(j, 8), {1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5});
  near(sequence(j, 7, 3), {1, 1, 1, 0.9, 0.9, 0.9, 0.8});
  CHECK(mentions(complaint([] { make<Schedule>({{"@type", "Linear"}, {"num_changes", 0}}); }), "num_changes"));
}

TEST_CASE("Exponential multiplies between bounds, of which 1e308 is none") {
  near(sequence({{"@type", "Exponential"}, {"initial_value", 1.0}, {"factor", 0.5}, {"minimum", 0.2}}, 5),
       {1, 0.5, 0.25, 0.2, 0.2});
  near(sequence(
           {{"@type", "Exponential"}, {"initial_value", 1.0}, {"factor", 3.0}, {"minimum", -1e308}, {"maximum", 1e308}},
           4),
       {1, 3, 9, 27});
  near(sequence({{"@type", "Exponential"}, {"initial_value", 1.0}, {"factor", 3.0}, {"maximum", 10}}, 4, 2),
       {1, 1, 3, 3});
}

TEST_CASE("MultiStep takes the value of the last step") {
  near(sequence({{"@type", "MultiStep"}, {"initial_value", 0.4}, {"steps", {2, 5}}, {"values", {0.2, 0.05}}}, 7),
       {0.4, 0.4, 0.2, 0.2, 0.2, 0.05, 0.05});
  // As brainstorm writes it, with its endless last step.
  near(sequence(
           {{"@type", "MultiStep"}, {"initial_value", 0.4}, {"steps", {0, 2, 5, 1e308}}, {"values", {0.4, 0.2, 0.05}}},
           7),
       {0.4, 0.4, 0.2, 0.2, 0.2, 0.05, 0.05});
  CHECK(mentions(complaint([] {
                   make<Schedule>({{"@type", "MultiStep"}, {"steps", {1, 2}}, {"values", {1}}});
                 }),
                 "equal length"));
  CHECK_THROWS_AS(sequence({{"@type", "MultiStep"}, {"steps", {1}}, {"values", {1}}}, 1, 2), ConfigError);
}

TEST_CASE("DecreaseAfterEpoch is constant for T epochs and goes by epochs always") {
  const json j = {{"@type", "DecreaseAfterEpoch"}, {"initial_value", 0.6}, {"T", 3}};
  near(sequence(j, 6), {0.6, 0.6, 0.6, 0.6 * 3 / 4, 0.6 * 3 / 5, 0.3});
  json by_update = j;
  by_update["timescale"] = "update";
  Problems problems;
  CHECK(Scheduled::from_json(by_update, "x", catalog(), problems).at({3, 1000}) == Approx(0.45));
  CHECK(problems.empty());
}

TEST_CASE("Constant begins with a share of its value where wanted") {
  near(sequence({{"@type", "Constant"}, {"value", 0.5}}, 2), {0.5, 0.5});
  near(sequence({{"@type", "Constant"}, {"value", 0.5}, {"factor", 0.5}, {"num_changes", 2}}, 4),
       {0.25, 0.25, 0.5, 0.5});
}

TEST_CASE("Step multiplies every so often or smoothly and MultiStep by a factor") {
  const json step = {{"@type", "Step"}, {"initial_value", 8.0}, {"factor", 0.5}, {"step_size", 2}};
  near(sequence(step, 5), {8, 8, 4, 4, 2});
  json smooth = step;
  smooth["smooth"] = true;
  near(sequence(smooth, 3), {8, 8 * std::sqrt(0.5), 4});
  near(sequence({{"@type", "MultiStep"}, {"initial_value", 8.0}, {"steps", {1, 3, 3}}, {"factor", 0.5}}, 5),
       {8, 4, 4, 1, 1});
}

TEST_CASE("Cosine goes down and up or with restarts down again at once") {
  const json j = {{"@type", "Cosine"}, {"initial_value", 1.0}, {"final_value", 0.5}, {"num_changes", 2}};
  near(sequence(j, 6), {1, 0.75, 0.5, 0.75, 1, 0.75});
  json again = {{"@type", "CosineRestarts"}, {"initial_value", 1.0}, {"period", 2}};
  near(sequence(again, 5), {1, 0.5, 1, 0.5, 1});
  again["period_factor"] = 2;
  near(sequence(again, 7), {1, 0.5, 1, (1 + std::sqrt(0.5)) / 2, 0.5, (1 - std::sqrt(0.5)) / 2, 1});
}

TEST_CASE("Polynomial ends at its final value") {
  near(
      sequence(
          {{"@type", "Polynomial"}, {"initial_value", 1.0}, {"final_value", 0.2}, {"num_changes", 2}, {"power", 2}}, 4),
      {1, 0.4, 0.2, 0.2});
}

TEST_CASE("OneCycle and Cyclic go to their peak and back") {
  const json one = {{"@type", "OneCycle"}, {"initial_value", 0.1}, {"peak_value", 1.0}, {"final_value", 0.0},
                    {"total", 7},          {"peak_at", 3.0 / 7},   {"way", "linear"}};
  near(sequence(one, 8), {0.1, 0.55, 1, 0.75, 0.5, 0.25, 0, 0});
  const json cyclic = {{"@type", "Cyclic"}, {"initial_value", 1.0}, {"peak_value", 2.0}, {"up", 1},
                       {"down", 2},         {"fade", "halves"}};
  near(sequence(cyclic, 7), {1, 2, 1.5, 1, 1.5, 1.25, 1});
  CHECK(mentions(complaint([] { make<Schedule>({{"@type", "OneCycle"}, {"total", 1}}); }), "total"));
}

TEST_CASE("Sequential begins each part anew") {
  const json warm = {{"@type", "Linear"}, {"initial_value", 0.0}, {"final_value", 1.0}, {"num_changes", 2}};
  const json then = {{"@type", "Exponential"}, {"initial_value", 1.0}, {"factor", 0.5}};
  near(sequence({{"@type", "Sequential"}, {"milestones", {2}}, {"schedules", {warm, then}}}, 5),
       {0, 0.5, 1, 0.5, 0.25});
  CHECK(mentions(complaint([&] {
                   make<Schedule>({{"@type", "Sequential"}, {"schedules", {warm, then}}});
                 }),
                 "one more"));
}

TEST_CASE("Noam rises in a line and falls with the root from the first update on") {
  const auto v = sequence({{"@type", "Noam"}, {"model_size", 4}, {"warmup", 4}}, 16);
  near({v[0], v[3], v[15]}, {0.5 / 8, 0.25, 0.125});
}

TEST_CASE("Every schedule and every activation is made again from what it describes itself as") {
  const json half = {{"@type", "Constant"}, {"value", 0.5}};
  for (const auto& type : catalog().of<Schedule>().names()) {
    INFO(type);
    json j = {{"@type", type}};
    if (type == "Sequential") j.update({{"milestones", {2}}, {"schedules", {half, half}}});
    const json once = make<Schedule>(j)->describe();
    CHECK(make<Schedule>(json::parse(once.dump()))->describe() == once);
    CHECK(once["@type"] == type);
  }
  std::set<std::string> different;
  for (const char* name : {"sigmoid", "relu", "leaky_relu", "gelu", "gelu_tanh", "tanh", "affine", "linear", "elu",
                           "exponential", "selu", "hardsigmoid", "softplus"}) {
    INFO(name);
    const json once = make<Layer>({{"@type", "Activation"}, {"function", name}})->describe();
    CHECK(make<Layer>(json::parse(once.dump()))->describe() == once);
    different.insert(once.dump());
  }
  CHECK(different.size() == 13);
}
