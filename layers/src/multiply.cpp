// Multiply: the product of several inputs.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct MultiplyOptions {
  std::vector<std::string> tasks;
  static constexpr auto fields = std::tuple{field("tasks", &MultiplyOptions::tasks, "names of the inputs")};
};

class Multiply final : public LayerOf<Multiply, MultiplyOptions> {
 public:
  static constexpr std::string_view kType = "Multiply";
  static constexpr std::string_view kDoc = "The product of its inputs, element by element; all have the same shape.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    for (const auto& task : options.tasks) {
      x_.push_back(d.input(task, "..."));
      require_equal(d, options.tasks[0], x_[0], task, x_.back());
      d.backward_reads(x_.back());
    }
    y_ = d.output("default", d.like(x_[0]));
    scratch_ = d.internal("scratch", d.like(x_[0]), {.life = Life::Backward});
  }
  void forward(Forward& f) const override {
    ElementwiseOps& ops = f.handler().elementwise();
    ops.unary(Unary::Copy, f[x_[0]], f[y_]);
    for (std::size_t i = 1; i < x_.size(); ++i) ops.binary(Binary::Multiply, f[y_], f[x_[i]], f[y_]);
  }
  // The product of all others, so that zeros need no division.
  void backward(Backward& b) const override {
    ElementwiseOps& ops = b.handler().elementwise();
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const Sink dx = b.delta(x_[i]);
      if (!dx) continue;
      ops.unary(Unary::Copy, b.delta(y_), b[scratch_]);
      for (std::size_t k = 0; k < x_.size(); ++k)
        if (k != i) ops.binary(Binary::Multiply, b[scratch_], b[x_[k]], b[scratch_]);
      ops.unary(Unary::Copy, b[scratch_], dx);
    }
  }

 private:
  std::vector<In> x_;
  Out y_;
  Internal scratch_;
};

void register_multiply(Catalog& catalog) { catalog.of<Layer>().add<Multiply>(); }

}  // namespace squall
