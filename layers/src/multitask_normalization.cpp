// MultitaskNormalization: the share of each task in the sum over all tasks.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct MultitaskNormalizationOptions {
  std::vector<std::string> tasks;
  double epsilon = 0;
  static constexpr auto fields = std::tuple{
      field("tasks", &MultitaskNormalizationOptions::tasks,
            "names of the tasks; inputs and outputs are named after them"),
      field("epsilon", &MultitaskNormalizationOptions::epsilon, "added to the sum, so that it is never zero")};
};

class MultitaskNormalization final : public LayerOf<MultitaskNormalization, MultitaskNormalizationOptions> {
 public:
  static constexpr std::string_view kType = "MultitaskNormalization";
  static constexpr std::string_view kDoc =
      "y_t = x_t / (sum over all tasks + epsilon), element by element; all inputs have the same shape.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    for (const auto& task : options.tasks) {
      x_.push_back(d.input(task, "..."));
      require_equal(d, options.tasks[0], x_[0], task, x_.back());
      y_.push_back(d.output(task, d.like(x_[0])));
      d.backward_reads(y_.back());
    }
    d.tasks(options.tasks);
    sum_ = d.internal("sum", d.like(x_[0]));
    inner_ = d.internal("inner", d.like(x_[0]), {.life = Life::Backward});
    part_ = d.internal("part", d.like(x_[0]), {.life = Life::Backward});
  }
  void forward(Forward& f) const override {
    auto& e = f.handler().elementwise();
    const Tensor sum = f[sum_];
    e.unary(Unary::Copy, f[x_[0]], Sink(sum));
    for (std::size_t t = 1; t < x_.size(); ++t) e.unary(Unary::Copy, f[x_[t]], Sink(sum, Write::Add));
    if (options.epsilon != 0) e.affine(sum, 1.0, options.epsilon, Sink(sum));
    for (std::size_t t = 0; t < x_.size(); ++t)
      if (f.active(y_[t])) e.binary(Binary::Divide, f[x_[t]], sum, Sink(f[y_[t]]));
  }
  // dx_t = (dy_t - sum of dy y) / sum
  void backward(Backward& b) const override {
    auto& e = b.handler().elementwise();
    const Tensor inner = b[inner_], part = b[part_];
    e.fill(inner, 0.0);
    for (const Out y : y_)
      if (b.delta(y)) e.binary(Binary::Multiply, b.delta(y), b[y], Sink(inner, Write::Add));
    for (std::size_t t = 0; t < x_.size(); ++t) {
      const Sink dx = b.delta(x_[t]);
      if (!dx) continue;
      e.affine(inner, -1.0, 0.0, Sink(part));
      if (const Tensor dy = b.delta(y_[t])) e.unary(Unary::Copy, dy, Sink(part, Write::Add));
      e.binary(Binary::Divide, part, b[sum_], dx);
    }
  }

 private:
  std::vector<In> x_;
  std::vector<Out> y_;
  Internal sum_, inner_, part_;
};

void register_multitask_normalization(Catalog& catalog) { catalog.of<Layer>().add<MultitaskNormalization>(); }

}  // namespace squall
