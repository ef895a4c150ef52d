// Batches whose rows belong to different tasks.
#include "squall/core/random.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/tools/convert.hpp"
#include "squall/tools/predict.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

std::vector<Task> make_tasks(const std::vector<std::string>& names) {
  std::vector<Task> tasks;
  for (const auto& name : names) {
    Task t;
    t.name = t.input = name;
    t.output = "out." + name;
    tasks.push_back(t);
  }
  return tasks;
}

// Images or vectors of three tasks with exclusive weights.
struct Model {
  static inline const std::vector<std::string> names{"a", "b", "c"};
  Catalog catalog = make_catalog();
  Network network;
  std::vector<Task> tasks = make_tasks(names);
  Shape features;
  explicit Model(bool images) : network(architecture(images), catalog, make_handler("cpu:f32")) {
    features = images ? Shape{8, 8, 2} : Shape{20};
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.3}}}}, 5);
    for (const auto& entry : network.store().entries()) {
      if (!entry.info->maskable) continue;
      ParameterEntry& e = *network.store().find(network.graph().node(entry.node).name, entry.info->name);
      HostArray keep(DType::U8, e.info->shape);
      const Index slice = e.slice_shape().elements();
      Rng rng(2, entry.info->name);
      for (Index i = 0; i < slice; ++i) {
        const double drawn = rng.uniform() * 5;
        for (Index t = 0; t < 3; ++t)
          if (drawn >= static_cast<double>(t) && drawn < static_cast<double>(t + 1)) keep.set_value(t * slice + i, 1);
      }
      network.store().set_mask(e, keep);
    }
  }
  static Architecture architecture(bool images) {
    Architecture a;
    json shapes = json::object();
    for (const auto& n : names) shapes[n] = images ? json{"T", "B_" + n, 8, 8, 2} : json{"T", "B_" + n, 20};
    a.input(shapes);
    if (images) a.add("first", "MultiMaskedConv2D", {{"tasks", names}, {"filters", 6}, {"activation", "rel"}});
    if (!images) a.add("first", "MultiMaskedDense", {{"tasks", names}, {"units", 40}, {"activation", "rel"}});
    a.add("out", "MultiMaskedDense", {{"tasks", names}, {"units", 5}, {"activation", "tanh"}});
    for (const auto& n : names) {
      a.connect({"Input", n, "first", n});
      a.connect({"first", n, "out", n});
    }
    return a;
  }
  HostArray examples(Index n) const {
    HostArray x(DType::F32, features.with_front(n).with_front(1));
    Rng rng(3, "examples");
    for (Index i = 0; i < x.elements(); ++i) x.set_value(i, rng.normal());
    return x;
  }
};

std::vector<Index> drawn_tasks(Index n, std::uint64_t seed) {
  std::vector<Index> out;
  Rng rng(seed, "tasks");
  for (Index i = 0; i < n; ++i) out.push_back(static_cast<Index>(rng.uniform() * 3));
  return out;
}

HostArray row_of(const HostArray& all, Index row) {
  return HostArray::copy_of(ConstTensor(all.view()).at(0).slice(row, 1));
}

HostArray rows_of(const HostArray& all, const std::vector<Index>& rows) {
  HostArray out(all.dtype(), all.shape().from(2).with_front(static_cast<Index>(rows.size())).with_front(1));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const HostArray row = row_of(all, rows[i]);
    std::memcpy(out.view().at(0).slice(static_cast<Index>(i), 1).data(), row.data(), row.bytes());
  }
  return out;
}

}  // namespace

TEST_CASE("mixed rows get what each task alone gives them bit for bit") {
  for (const bool images : {false, true})
    for (const bool packed : {false, true}) {
      INFO((images ? "images " : "vectors ") << (packed ? "packed" : "masked"));
      Model m(images);
      std::vector<std::string> heads;
      for (const auto& t : m.tasks) heads.push_back(t.output);
      if (packed) convert_to_sparse(m.network, heads, {1, 16}, 1);
      const Index n = 53;
      const HostArray x = m.examples(n);
      const auto of_row = drawn_tasks(n, 1);
      const MixedPredictions mixed = predict_mixed(m.network, m.tasks, x, of_row);
      const HostArray all = mixed.together();
      REQUIRE(all.shape() == Shape{1, n, 5});
      for (std::size_t t = 0; t < 3; ++t) {
        const HostArray alone = predict(m.network, m.tasks[t], rows_of(x, mixed.rows[t]));
        CHECK(mixed.outputs[t] == alone);
        CHECK(rows_of(all, mixed.rows[t]) == alone);
        for (const Index r : mixed.rows[t]) CHECK(of_row[static_cast<std::size_t>(r)] == static_cast<Index>(t));
      }
    }
}

TEST_CASE("what a mixed row gets does not depend on where it stands") {
  for (const bool images : {false, true}) {
    Model m(images);
    std::vector<std::string> heads;
    for (const auto& t : m.tasks) heads.push_back(t.output);
    convert_to_sparse(m.network, heads, {1, 16}, 1);
    const Index n = 61;
    const HostArray x = m.examples(n);
    const auto of_row = drawn_tasks(n, 2);
    const HostArray straight = predict_mixed(m.network, m.tasks, x, of_row).together();
    std::vector<Index> order;
    for (Index i = 0; i < n; ++i) order.push_back(i * 17 % n);
    std::vector<Index> shuffled;
    for (const Index r : order) shuffled.push_back(of_row[static_cast<std::size_t>(r)]);
    const HostArray other = predict_mixed(m.network, m.tasks, rows_of(x, order), shuffled).together();
    for (std::size_t i = 0; i < order.size(); ++i)
      CHECK(row_of(other, static_cast<Index>(i)) == row_of(straight, order[i]));
  }
}

TEST_CASE("mixed rows of one task or of none, and rows of tasks that are not there") {
  Model m(false);
  const HostArray x = m.examples(4);
  const MixedPredictions only_b = predict_mixed(m.network, m.tasks, x, std::vector<Index>{1, 1, 1, 1});
  CHECK(only_b.outputs[0].empty());
  CHECK(only_b.together() == predict(m.network, m.tasks[1], x));
  CHECK_THROWS_WITH(predict_mixed(m.network, m.tasks, x, std::vector<Index>{0, 1, 3, 0}),
                    Catch::Contains("row 2 belongs to task 3") && Catch::Contains("0 to 2"));
  CHECK_THROWS_AS(predict_mixed(m.network, m.tasks, x, std::vector<Index>{0, -1, 0, 0}), DataError);
  CHECK_THROWS_AS(predict_mixed(m.network, m.tasks, x, std::vector<Index>{0, 1}), ShapeError);
  MixedPredictions different;
  different.rows = {{0}, {1}};
  different.outputs = {HostArray(DType::F32, Shape{1, 1, 5}), HostArray(DType::F32, Shape{1, 1, 1})};
  CHECK_THROWS_WITH(different.together(), Catch::Contains("different shapes"));
}
