// The processor's handler gives the same bits for any number of threads, and the same numbers, rounding apart, with the
// kernels of every instruction set. Sizes are large enough for several tiles and odd enough for ragged ones.
#include <cmath>
#include <cstdlib>
#include <deque>

#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/dense.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/ops/random.hpp"
#include "squall/handlers/make_handler.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

struct Result {
  std::string name;
  HostArray values;
};

// Runs operations on one handler and keeps their results.
class Session {
 public:
  explicit Session(const std::shared_ptr<Handler>& handler) : h_(handler) {}
  Handler& handler() { return *h_; }
  Tensor empty(const Shape& shape, DType dtype) {
    blocks_.emplace_back(h_->memory(), static_cast<std::size_t>(shape.elements()) * size_of(dtype) + 1);
    const Tensor t(blocks_.back().data(), dtype, shape);
    h_->memory().zero(t);
    return t;
  }
  Tensor empty(const Shape& shape) { return empty(shape, h_->dtype()); }
  Tensor random(const Shape& shape) {
    const Tensor t = empty(shape);
    h_->random().uniform({17, blocks_.size()}, -1.0, 1.0, t);
    return t;
  }
  Tensor classes(Index rows, Index count) {
    const Tensor t = empty({rows}, DType::I32);
    for (Index i = 0; i < rows; ++i) t.as<std::int32_t>()[i] = static_cast<std::int32_t>(i * 7 % count);
    return t;
  }
  template <class P>
  P& ready(std::unique_ptr<P> plan) {
    plan->set_workspace(empty({static_cast<Index>(plan->workspace_bytes())}, DType::U8).data());
    plan->set_reserve(empty({static_cast<Index>(plan->reserve_bytes())}, DType::U8).data());
    plans_.push_back(std::move(plan));
    return static_cast<P&>(*plans_.back());
  }
  void keep(const std::string& name, const Tensor& t) { results.push_back({name, h_->memory().to_host(t)}); }
  std::deque<Result> results;

 private:
  std::shared_ptr<Handler> h_;
  std::deque<DeviceBlock> blocks_;
  std::deque<std::unique_ptr<Plan>> plans_;
};

void products(Session& s) {
  const Tensor a = s.random({301, 203}), b = s.random({203, 517}), c = s.random({301, 517});
  const Tensor ab = s.random({301, 517}), ct = s.random({203, 517}), cb = s.random({301, 203});
  s.handler().linalg().matmul(a, b, Sink(ab, Write::Add));
  s.handler().linalg().matmul(ConstMatrix(a).T(), c, ct);
  s.handler().linalg().matmul(c, ConstMatrix(b).T(), cb);
  s.keep("a b", ab);
  s.keep("aT c", ct);
  s.keep("c bT", cb);
}

void reductions(Session& s) {
  const Tensor narrow = s.random({5003, 31}), wide = s.random({67, 2051});
  const Tensor rows = s.empty({31}), wide_rows = s.empty({2051}), columns = s.empty({67}), all = s.empty({1});
  s.handler().linalg().sum_rows(narrow, rows);
  s.handler().linalg().sum_rows(wide, wide_rows);
  s.handler().linalg().sum_columns(wide, columns);
  s.handler().linalg().sum_all(narrow, all);
  const Tensor soft = s.empty({67, 2051}), places = s.empty({67}, DType::I32), gathered = s.empty({5003, 31});
  s.handler().linalg().softmax(wide, soft);
  s.handler().linalg().argmax_columns(wide, places);
  s.handler().linalg().scatter_add_rows(narrow, s.classes(5003, 11), Matrix(gathered.slice(0, 11)));
  for (const auto& [name, t] : {std::pair{"sum_rows", rows},
                                {"sum_rows wide", wide_rows},
                                {"sum_columns", columns},
                                {"sum_all", all},
                                {"softmax", soft},
                                {"argmax", places},
                                {"scatter", gathered}})
    s.keep(name, t);
}

void elements(Session& s) {
  const Tensor x = s.random({100003}), y = s.empty({100003}), dx = s.random({100003});
  for (Activation f : {Activation::Tanh, Activation::Sigmoid, Activation::El, Activation::Rel}) {
    s.handler().elementwise().activate(f, x, y);
    s.handler().elementwise().activate_back(f, y, x, Sink(dx, Write::Add));
    s.keep("activation", y);
    s.keep("activation back", dx);
  }
  s.handler().random().gaussian({5, 6}, 0.5, 2.0, y);
  s.keep("gaussian", y);
  s.handler().random().bernoulli({5, 6}, 0.3, y);
  s.keep("bernoulli", y);
  const Tensor write = s.empty({100003}, DType::U8), m = s.random({100003}), v = s.empty({100003});
  s.handler().random().bernoulli({7, 6}, 0.5, write);
  s.handler().optim().momentum({x, dx, m, {}, {}, write}, 0.1, 0.9);
  s.handler().optim().update({x, dx, m, v, {}, write}, formulas::Adam{0.1, 0.9, 0.99, 1e-8});
  s.keep("parameters", x);
  s.keep("state", m);
}

void dense(Session& s, Index rows, Activation f) {
  const DenseSpec spec{rows, 301, 403, f, true};
  const Tensor x = s.random({rows, 301}), w = s.random({403, 301}), b = s.random({403}), y = s.empty({rows, 403});
  const Tensor dy = s.random({rows, 403}), dx = s.random({rows, 301}), dw = s.random({403, 301}), db = s.random({403});
  DensePlan& plan = s.ready(s.handler().dense().plan(spec));
  plan.forward(x, {w, nullptr}, b, y);
  plan.backward(x, {w, nullptr}, y, dy, Sink(dx, Write::Add), dw, Sink(db, Write::Add));
  s.keep("dense y", y);
  s.keep("dense dx", dx);
  s.keep("dense dw", dw);
  s.keep("dense db", db);
}

PackedWeight sparse(Index rows, Index columns, WeightFormat format) {
  std::vector<float> values(static_cast<std::size_t>(rows * columns), 0.0F);
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < columns; ++c) {
      const bool kept = r % 5 != 3 && c % 7 != 2 && (r * 31 + c * 17) % 11 < 1 + r % 4;
      if (kept) values[static_cast<std::size_t>(r * columns + c)] = 0.01F * static_cast<float>((r + 3 * c) % 19) - 0.1F;
    }
  PackedWeight packed = PackedWeight::from_dense(values, rows, columns);
  packed.format = format;
  return packed;
}

void packed(Session& s, std::deque<PackedWeight>& weights) {
  for (WeightFormat format : {WeightFormat::Dense, WeightFormat::Compacted, WeightFormat::Sparse}) {
    for (Index rows : {1, 2, 5, 77, 700}) {
      weights.push_back(sparse(403, 301, format));
      const Tensor x = s.random({rows, 301}), b = s.random({403}), y = s.empty({rows, 403});
      const DenseSpec spec{rows, 301, 403, Activation::Tanh, true, &weights.back()};
      s.ready(s.handler().dense().plan(spec)).forward(x, {{}, &weights.back()}, b, y);
      s.keep(concat("packed ", name_of(format), " ", rows), y);
    }
    for (Index images : {1, 21}) {
      const Window w{13, 15, 6, 3, 3, 1, 2, 1, 1, 2, 0};
      weights.push_back(sparse(37, 54, format));
      const Tensor x = s.random({images, 13, 15, 6}), b = s.random({37});
      const Tensor y = s.empty({images, w.out_h(), w.out_w(), 37});
      const ConvSpec spec{images, w, 37, Activation::Rel, true, &weights.back()};
      s.ready(s.handler().conv().plan(spec)).forward(x, {{}, &weights.back()}, b, y);
      s.keep(concat("packed convolution ", name_of(format), " ", images), y);
      Window deep;
      deep.channels = 6;
      deep.set(0, {5, 3, 1, 1, 1, 1});
      deep.set(1, {9, 1, 2, 1, 0, 0});
      deep.set(2, {11, 3, 1, 2, 1, 2});
      const Tensor voxels = s.random(deep.images(images)), maps = s.empty(deep.maps(images, 37));
      const ConvSpec deep_spec{images, deep, 37, Activation::Rel, true, &weights.back()};
      s.ready(s.handler().conv().plan(deep_spec)).forward(voxels, {{}, &weights.back()}, b, maps);
      s.keep(concat("packed deep convolution ", name_of(format), " ", images), maps);
    }
  }
}

void images(Session& s) {
  const Window w{17, 19, 5, 3, 3, 2, 1, 1, 1, 1, 1};
  const Shape in{31, 17, 19, 5}, out{31, w.out_h(), w.out_w(), 24}, kernel{24, 3, 3, 5};
  const Tensor x = s.random(in), weight = s.random(kernel), b = s.random({24}), y = s.empty(out), dy = s.random(out);
  const Tensor dx = s.random(in), dw = s.random(kernel), db = s.random({24});
  ConvPlan& conv = s.ready(s.handler().conv().plan({31, w, 24, Activation::Tanh, true}));
  conv.forward(x, {weight, nullptr}, b, y);
  conv.backward(x, {weight, nullptr}, y, dy, dx, Sink(dw, Write::Add), db);
  s.keep("convolution y", y);
  s.keep("convolution dx", dx);
  s.keep("convolution dw", dw);
  s.keep("convolution db", db);
  for (PoolKind kind : {PoolKind::Max, PoolKind::Avg}) {
    const Shape pooled{31, w.out_h(), w.out_w(), 5};
    const Tensor p = s.empty(pooled), dp = s.random(pooled);
    PoolPlan& pool = s.ready(s.handler().pool().plan({31, w, kind}));
    pool.forward(x, p);
    pool.backward(dp, dx);
    s.keep("pool", p);
    s.keep("pool dx", dx);
  }
}

// Depth, dilation and groups: the product of windows in groups, and the depthwise kernel.
void voxels(Session& s) {
  Window w;
  w.channels = 12;
  w.set(0, {7, 3, 1, 1, 1, 1});
  w.set(1, {13, 3, 2, 2, 2, 2});
  w.set(2, {11, 2, 1, 3, 1, 0});
  for (const Index groups : {3, 12}) {
    ConvSpec spec{21, w, 24, Activation::Tanh, true};
    spec.groups = groups;
    const Shape in = w.images(21), out = w.maps(21, 24), kernel = w.filters(24, 12 / groups);
    const Tensor x = s.random(in), weight = s.random(kernel), b = s.random({24}), y = s.empty(out), dy = s.random(out);
    const Tensor dx = s.random(in), dw = s.random(kernel), db = s.random({24});
    ConvPlan& conv = s.ready(s.handler().conv().plan(spec));
    conv.forward(x, {weight, nullptr}, b, y);
    s.keep("grouped convolution y", y);
    conv.backward(x, {weight, nullptr}, y, dy, dx, Sink(dw, Write::Add), db);
    for (const Tensor& t : {dx, dw, db}) s.keep("grouped convolution gradients", t);
    conv.input_gradient({weight, nullptr}, y, dx);
    s.keep("transposed convolution", dx);
  }
  PoolSpec adaptive{21, w, PoolKind::Max};
  adaptive.adaptive = {3, 5, 4};
  const Tensor x = s.random(w.images(21)), y = s.empty(adaptive.maps()), places = s.empty(adaptive.maps(), DType::I32);
  PoolPlan& pool = s.ready(s.handler().pool().plan(adaptive));
  pool.forward(x, y);
  pool.places(places);
  s.keep("adaptive pool", y);
  s.keep("adaptive pool places", places);
}

void rows(Session& s) {
  const Index n = 6007, c = 13;
  const Tensor x = s.random({n, c}), y = s.empty({n, c}), dy = s.random({n, c}), dx = s.empty({n, c});
  const Tensor gamma = s.random({c}), beta = s.random({c}), mu = s.random({c}), sigma = s.random({c});
  BatchNormPlan& norm = s.ready(s.handler().norm().plan(BatchNormSpec{n, c}));
  norm.forward(x, gamma, beta, mu, sigma, true, y);
  norm.backward(x, gamma, mu, sigma, true, dy, dx, gamma, beta);
  for (const Tensor& t : {y, dx, gamma, beta, mu, sigma}) s.keep("batch norm", t);
  const Tensor loss = s.empty({n}), targets = s.classes(n, c);
  SoftmaxCePlan& ce = s.ready(s.handler().loss().plan({n, c}));
  ce.forward(x, targets, y, loss);
  ce.backward(y, targets, loss, dx);
  for (const Tensor& t : {y, loss, dx}) s.keep("softmax cross entropy", t);
}

std::deque<Result> run_all(std::string_view name, int threads) {
  std::deque<PackedWeight> weights;
  Session s(make_handler(name, {threads}));
  products(s);
  reductions(s);
  elements(s);
  for (Index n : {1, 7, 130, 1100}) dense(s, n, n == 130 ? Activation::Softmax : Activation::Tanh);
  packed(s, weights);
  images(s);
  voxels(s);
  rows(s);
  return std::move(s.results);
}

// Sets an environment variable for a while.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value, 1);
  }
  ~Setting() { old_.empty() ? unsetenv(name_) : setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

void check_close(const std::deque<Result>& got, const std::deque<Result>& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    double worst = 0;
    for (Index e = 0; e < got[i].values.elements(); ++e) {
      const double w = want[i].values.value(e);
      worst = std::max(worst, std::abs(got[i].values.value(e) - w) / std::max(1.0, std::abs(w)));
    }
    INFO(want[i].name << ", result " << i);
    CHECK(worst <= tolerance);
  }
}

std::vector<std::string> usable_isas() {
  const std::string line = handler_report().front();
  std::vector<std::string> found;
  for (const char* isa : {"portable", "avx2", "avx512"})
    if (line.substr(line.find("usable")).find(isa) != std::string::npos) found.emplace_back(isa);
  return found;
}

}  // namespace

TEST_CASE("one, two and four threads give the same bits") {
  const std::string name = GENERATE("cpu:f32", "cpu:f64");
  const auto one = run_all(name, 1);
  for (int threads : {2, 4}) {
    const auto many = run_all(name, threads);
    REQUIRE(many.size() == one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      INFO(name << ", " << threads << " threads, " << one[i].name << ", result " << i);
      CHECK(many[i].values == one[i].values);
    }
  }
}

TEST_CASE("every instruction set and library gives the same numbers") {
  const auto want = run_all("cpu:f64", 1);
  for (const std::string& isa : usable_isas()) {
    for (const char* blas : {"own", "openblas"}) {
      const Setting one("SQUALL_ISA", isa.c_str());
      const Setting two("SQUALL_BLAS", blas);
      const bool missing =
          std::string_view(blas) == "openblas" && handler_report().back().find("not found") != std::string::npos;
      if (missing) continue;
      INFO(isa << ", " << blas);
      check_close(run_all("cpu:f64", 2), want, 1e-9);
    }
  }
}

TEST_CASE("the instruction set can be chosen, and a wrong choice is explained") {
  for (const std::string& isa : usable_isas()) {
    const Setting set("SQUALL_ISA", isa.c_str());
    CHECK(handler_report().front().starts_with("cpu kernels: " + isa));
  }
  const Setting set("SQUALL_ISA", "avx513");
  CHECK_THROWS_WITH(make_handler("cpu"), Catch::Contains("avx513") && Catch::Contains("portable"));
}
