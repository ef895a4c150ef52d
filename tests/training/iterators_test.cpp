#include <atomic>
#include <set>

#include "training_support.hpp"

using namespace training_test;

namespace {

// Example i holds the numbers i, i + 0.5 and the label i.
std::shared_ptr<DataSource> numbered(Index n, const std::string& prefix = "") {
  std::vector<float> x;
  std::vector<std::int32_t> y;
  for (Index i = 0; i < n; ++i) {
    x.push_back(static_cast<float>(i));
    x.push_back(static_cast<float>(i) + 0.5F);
    y.push_back(static_cast<std::int32_t>(i));
  }
  return source(
      {{prefix + "default", HostArray::of(Shape{n, 2}, x)}, {prefix + "targets", HostArray::of(Shape{n, 1}, y)}});
}

// The labels of each batch of a pass, after checking that the other field belongs to them.
std::vector<std::vector<int>> labels(DataIterator& it, Index epoch, Index first = 0, const std::string& prefix = "") {
  std::vector<std::vector<int>> out;
  Batch batch;
  it.restart(epoch, first);
  while (it.next(batch)) {
    const HostArray& y = *batch.find(prefix + "targets");
    const HostArray& x = *batch.find(prefix + "default");
    out.emplace_back();
    for (Index i = 0; i < y.elements(); ++i) {
      out.back().push_back(static_cast<int>(y.value(i)));
      CHECK(x.value(2 * i + 1) == y.value(i) + 0.5);
    }
  }
  return out;
}
std::vector<int> flat(const std::vector<std::vector<int>>& batches) {
  std::vector<int> all;
  for (const auto& b : batches) all.insert(all.end(), b.begin(), b.end());
  return all;
}

}  // namespace

TEST_CASE("Minibatches covers every example once, the last batch being smaller") {
  Minibatches it(numbered(10), {.batch_size = 4, .seed = 3});
  CHECK(it.batches() == 3);
  CHECK(it.examples() == 10);
  CHECK(it.fields()[0].features == Shape{2});
  const auto a = labels(it, 0), b = labels(it, 1);
  CHECK(a[2].size() == 2);
  auto all = flat(a);
  CHECK(all != flat(b));
  std::ranges::sort(all);
  for (int i = 0; i < 10; ++i) CHECK(all[static_cast<std::size_t>(i)] == i);
  CHECK(labels(it, 0) == a);  // a pass can be repeated
  Minibatches same(numbered(10), {.batch_size = 4, .seed = 3}), other(numbered(10), {.batch_size = 4, .seed = 4});
  CHECK(labels(same, 1) == b);
  CHECK(labels(other, 1) != b);
}

TEST_CASE("Shuffling mixes examples, not only batches") {
  Minibatches it(numbered(40), {.batch_size = 4});
  std::set<std::set<int>> batches;
  for (const auto& b : labels(it, 0)) batches.insert({b.begin(), b.end()});
  Index consecutive = 0;
  for (const auto& b : batches) consecutive += *b.rbegin() - *b.begin() == 3 ? 1 : 0;
  CHECK(consecutive < 3);
}

TEST_CASE("A pass continues at any batch") {
  Minibatches it(numbered(10), {.batch_size = 3});
  const auto whole = labels(it, 5);
  for (Index first = 0; first <= 4; ++first)
    CHECK(labels(it, 5, first) == std::vector<std::vector<int>>(whole.begin() + first, whole.end()));
}

TEST_CASE("Unshuffled batches are in order, and Undivided is one of them") {
  Minibatches it(numbered(5), {.batch_size = 2, .shuffle = false});
  CHECK(labels(it, 3) == std::vector<std::vector<int>>{{0, 1}, {2, 3}, {4}});
  Undivided all(numbered(5));
  CHECK(all.batches() == 1);
  CHECK(labels(all, 0) == std::vector<std::vector<int>>{{0, 1, 2, 3, 4}});
}

TEST_CASE("Batches have time first, and are filled without allocating again") {
  Minibatches it(numbered(8), {.batch_size = 4});
  Batch batch;
  it.restart(0);
  it.next(batch);
  CHECK(batch.fields[0].second.shape() == Shape{1, 4, 2});
  CHECK(batch.fields[1].second.dtype() == DType::I32);
  const void* place = batch.fields[0].second.data();
  it.next(batch);
  CHECK(batch.fields[0].second.data() == place);
}

TEST_CASE("Sequences are cut to the longest one of a batch") {
  // Three sequences of lengths 2, 4 and 1 in (T, N, 1).
  std::vector<float> x, m;
  const int lengths[3] = {2, 4, 1};
  for (int t = 0; t < 5; ++t)
    for (int n = 0; n < 3; ++n) {
      x.push_back(static_cast<float>(10 * t + n));
      m.push_back(t < lengths[n] ? 1.0F : 0.0F);
    }
  const auto data =
      source({{"default", HostArray::of(Shape{5, 3, 1}, x)}, {"mask", HostArray::of(Shape{5, 3, 1}, m)}}, true);
  Minibatches it(data, {.batch_size = 1, .shuffle = false});
  Batch batch;
  std::vector<Index> steps;
  while (it.next(batch)) steps.push_back(batch.fields[0].second.shape()[0]);
  CHECK(steps == std::vector<Index>{2, 4, 1});
  Minibatches two(data, {.batch_size = 2, .shuffle = false});
  two.next(batch);
  CHECK(batch.find("default")->doubles() == std::vector<double>{0, 1, 10, 11, 20, 21, 30, 31});
  Minibatches uncut(data, {.batch_size = 1, .shuffle = false, .cut_to = ""});
  uncut.next(batch);
  CHECK(batch.fields[0].second.shape() == Shape{5, 1, 1});
}

TEST_CASE("Sequences are cut to lengths that are given") {
  HostArray x(DType::F32, Shape{8, 5, 1});
  for (Index i = 0; i < 40; ++i) x.set_value(i, static_cast<double>(i));
  const auto data = source({{"default", x}}, true);
  const auto steps = [&](Index batch_size) {
    Minibatches it(data, {.batch_size = batch_size, .shuffle = false, .lengths = {5, 8, 3, 4, 0}});
    Batch batch;
    std::vector<Index> out;
    while (it.next(batch)) out.push_back(batch.fields[0].second.shape()[0]);
    return out;
  };
  CHECK(steps(2) == std::vector<Index>{8, 4, 1});  // a batch has at least one step
  CHECK(steps(1) == std::vector<Index>{5, 8, 3, 4, 1});
  const auto refused = [&](std::vector<Index> lengths) {
    return complaint([&] { Minibatches(data, {.lengths = std::move(lengths)}); });
  };
  CHECK(mentions(refused({1, 2}), "2 lengths are given for 5 sequences"));
  CHECK(mentions(refused({1, 2, 9, 1, 1}), "a length is 9, but sequences have 0 to 8 steps"));
  CHECK(mentions(complaint([&] { Minibatches(numbered(2), {.lengths = {1, 1}}); }), "the data have no time"));
}

TEST_CASE("Fields that do not belong together are refused") {
  const auto bad = source({{"a", HostArray(DType::F32, {4, 2})}, {"b", HostArray(DType::F32, {5, 2})}});
  CHECK(mentions(complaint([&] { Minibatches(bad, {}); }), "field 'b' has 5 examples, but 'a' has 4"));
  CHECK_THROWS_AS(Minibatches(numbered(3), {.batch_size = 0}), ConfigError);
}

namespace {
std::unique_ptr<Zipped> zipped(Mix mix) {
  std::vector<std::unique_ptr<DataIterator>> parts;
  parts.push_back(std::make_unique<Minibatches>(numbered(10, "a_"), MinibatchesOptions{.batch_size = 2}));
  parts.push_back(std::make_unique<Minibatches>(numbered(4, "b_"), MinibatchesOptions{.batch_size = 2, .stream = "b"}));
  return std::make_unique<Zipped>(std::move(parts), mix);
}
}  // namespace

TEST_CASE("Zipped iterators cycle, with new shuffles, until the longest ends") {
  const auto it = zipped(Mix::Cycle);
  CHECK(it->batches() == 5);
  CHECK(it->examples() == 10);
  CHECK(it->fields().size() == 4);
  const auto a = labels(*it, 0, 0, "a_"), b = labels(*it, 0, 0, "b_");
  CHECK(a.size() == 5);
  CHECK(std::set<int>(b[0].begin(), b[0].end()) != std::set<int>());
  std::set<int> first_pass;
  for (int k = 0; k < 2; ++k)
    first_pass.insert(b[static_cast<std::size_t>(k)].begin(), b[static_cast<std::size_t>(k)].end());
  CHECK(first_pass.size() == 4);
  // Some later pass of the short one differs from its first.
  const auto again = labels(*it, 1, 0, "b_");
  CHECK((std::vector(b.begin(), b.begin() + 2) != std::vector(b.begin() + 2, b.begin() + 4) ||
         std::vector(b.begin(), b.begin() + 2) != std::vector(again.begin(), again.begin() + 2)));
  for (Index first = 0; first < 5; ++first) {
    CHECK(labels(*it, 2, first, "b_").size() == static_cast<std::size_t>(5 - first));
    const auto whole = labels(*it, 2, 0, "b_");
    CHECK(labels(*it, 2, first, "b_") == std::vector<std::vector<int>>(whole.begin() + first, whole.end()));
  }
}

TEST_CASE("Zipped iterators can end with the shortest") {
  const auto it = zipped(Mix::Shortest);
  CHECK(it->batches() == 2);
  CHECK(it->examples() == 4);
  CHECK(labels(*it, 0, 0, "a_").size() == 2);
  CHECK(labels(*it, 0, 0, "a_") != labels(*it, 1, 0, "a_"));
}

TEST_CASE("Zipped iterators need different names") {
  std::vector<std::unique_ptr<DataIterator>> parts;
  parts.push_back(std::make_unique<Undivided>(numbered(3)));
  parts.push_back(std::make_unique<Undivided>(numbered(3)));
  CHECK(mentions(complaint([&] { Zipped(std::move(parts), Mix::Cycle); }), "'default'"));
}

TEST_CASE("Prefetch gives the same batches, and passes errors on") {
  Minibatches plain(numbered(11), {.batch_size = 3});
  Prefetch ahead(std::make_unique<Minibatches>(numbered(11), MinibatchesOptions{.batch_size = 3}));
  CHECK(labels(ahead, 2) == labels(plain, 2));
  CHECK(labels(ahead, 3, 2) == labels(plain, 3, 2));
  ahead.restart(0);  // given up half-way
  Batch batch;
  ahead.next(batch);
  CHECK(labels(ahead, 1) == labels(plain, 1));

  class Broken : public DataIterator {
   public:
    const std::vector<DataField>& fields() const override { return none_; }
    Index batches() const override { return 1; }
    Index examples() const override { return 1; }
    void restart(Index, Index) override {}
    bool next(Batch&) override { raise<DataError>("unreadable"); }

   private:
    std::vector<DataField> none_;
  };
  Prefetch broken(std::make_unique<Broken>());
  broken.restart(0);
  CHECK_THROWS_AS(broken.next(batch), DataError);
}
