// The harness finds what is wrong with a layer: one defect for each property.
#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/layers/layers.hpp"
#include "squall/testing/layer_case.hpp"
#include "support/catch.hpp"

namespace {

using namespace squall;

struct FlawedOptions {
  std::string flaw;
  json anything;
  static constexpr auto fields = std::tuple{field("flaw", &FlawedOptions::flaw, "what is wrong"),
                                            field("anything", &FlawedOptions::anything, "takes every value")};
};

// default = x^2, second = 3 x; right unless `flaw` says otherwise.
class Flawed final : public LayerOf<Flawed, FlawedOptions> {
 public:
  static constexpr std::string_view kType = "Flawed";
  static constexpr std::string_view kDoc = "for tests of the harness";

  void declare(Declare& d) override {
    if (is("optional") && !d.connected("default")) return;
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    second_ = d.output("second", d.like(x_));
    copy_ = d.internal("copy", d.like(x_), {.life = is("life") ? Life::Forward : Life::Both});
    noise_ = d.internal("noise", d.like(x_));
    if (!is("reads")) d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    auto& ops = f.handler().elementwise();
    const Tensor y = f[y_];
    ops.unary(Unary::Copy, f[x_], f[copy_]);
    ops.unary(Unary::Square, f[x_], y);
    ops.affine(f[x_], 3.0, 0.0, f[second_]);
    if (is("stale")) ops.binary(Binary::Add, y, f[noise_], y);
    if (is("input")) ops.fill(Tensor(const_cast<void*>(f[x_].data()), y.dtype(), Shape{1}), 0.5);
    if (is("bounds")) ops.fill(Tensor(y.data(), y.dtype(), Shape{y.elements() + 1}), 0.0);
    if (is("precision") && y.dtype() == DType::F32) ops.affine(y, 1.001, 0.0, y);
    if (is("batch")) ops.affine(y, 1.0 / static_cast<double>(f.batch(x_)), 0.0, y);
    if (is("random")) ops.affine(y, ++runs_, 0.0, y);
    if (is("allocates")) scratch_ = std::make_unique<double>(1.0);
  }
  void backward(Backward& b) const override {
    auto& ops = b.handler().elementwise();
    Sink dx = b.delta(x_);
    if (!dx) return;
    if (is("sink")) dx.mode = Write::Overwrite;
    if (const Tensor dy = b.delta(y_)) {
      ops.affine(dy, is("slope") ? 2.001 : 2.0, 0.0, dy);
      ops.binary(Binary::Multiply, dy, is("life") ? ConstTensor(b[copy_]) : b[x_], dx);
      dx.mode = Write::Add;
    }
    const Tensor dsecond = b.delta(second_);
    if (dsecond || is("empty")) ops.affine(dsecond, 3.0, 0.0, dx);
  }

 private:
  bool is(std::string_view flaw) const { return options.flaw == flaw; }
  In x_;
  Out y_, second_;
  Internal copy_, noise_;
  mutable double runs_ = 0;
  mutable std::unique_ptr<double> scratch_;
};

std::vector<std::string> findings(const std::string& flaw, const std::string& only) {
  Catalog catalog;
  register_layers(catalog);
  catalog.of<Layer>().add<Flawed>();
  testing::LayerCase c;
  c.name = flaw;
  c.type = "Flawed";
  c.options = {{"flaw", flaw}};
  c.inputs = {{"default", {4}}};
  testing::CheckOptions options;
  options.handlers = {"cpu:f64", "cpu:f32"};
  options.sizes = {{2, 3}};
  options.only = {only};
  return testing::check_layer(c, catalog, options);
}

TEST_CASE("the harness finds one defect for each property, and none where there is none") {
  const std::vector<std::pair<std::string, std::string>> flaws{
      {"slope", "L1"},      {"reads", "L1"}, {"sink", "L2"},      {"stale", "L3"}, {"input", "L4"},
      {"bounds", "L5"},     {"life", "L6"},  {"precision", "L7"}, {"batch", "L8"}, {"random", "L9"},
      {"allocates", "L10"}, {"any", "L11"},  {"optional", "L12"}, {"empty", "L13"}};
  for (const auto& [flaw, property] : flaws) {
    INFO(flaw << " should be found by " << property);
    const auto found = findings(flaw, property);
    CHECK_FALSE(found.empty());
    if (!found.empty()) CHECK(found[0].starts_with(property + " Flawed '" + flaw + "'"));
    if (property == "L11") continue;  // the option that takes everything is there in any case
    INFO("without the flaw: " << (findings("", property).empty() ? "" : findings("", property)[0]));
    CHECK(findings("", property).empty());
  }
}

}  // namespace
