// SumLayer: the sum of several inputs.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct SumLayerOptions {
  std::vector<std::string> tasks;
  static constexpr auto fields = std::tuple{field("tasks", &SumLayerOptions::tasks, "names of the inputs")};
};

class SumLayer final : public LayerOf<SumLayer, SumLayerOptions> {
 public:
  static constexpr std::string_view kType = "SumLayer";
  static constexpr std::string_view kDoc = "The sum of its inputs, element by element; all have the same shape.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    for (const auto& task : options.tasks) {
      x_.push_back(d.input(task, "..."));
      require_equal(d, options.tasks[0], x_[0], task, x_.back());
    }
    y_ = d.output("default", d.like(x_[0]));
  }
  void forward(Forward& f) const override {
    for (std::size_t i = 0; i < x_.size(); ++i)
      f.handler().elementwise().unary(Unary::Copy, f[x_[i]], Sink(f[y_], i == 0 ? Write::Overwrite : Write::Add));
  }
  void backward(Backward& b) const override {
    for (const In x : x_) b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(x));
  }

 private:
  std::vector<In> x_;
  Out y_;
};

void register_sum_layer(Catalog& catalog) { catalog.of<Layer>().add<SumLayer>(); }

}  // namespace squall
