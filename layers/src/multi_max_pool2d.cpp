// MultiMaxPool2D: BeyondML's max-pooling for several tasks at once.
#include "common/convolution.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct MultiMaxPool2DOptions {
  std::vector<std::string> tasks;
  Pair pool_size{2, 2};
  Pair strides;
  Padding padding = kSamePadding;
  static constexpr auto fields = std::tuple{
      field("tasks", &MultiMaxPool2DOptions::tasks, "names of the tasks; inputs and outputs are named after them"),
      field("pool_size", &MultiMaxPool2DOptions::pool_size, "height and width of the window: 2 or [2, 3]"),
      field("strides", &MultiMaxPool2DOptions::strides, "vertical and horizontal steps"),
      field("padding", &MultiMaxPool2DOptions::padding,
            "'same', 'valid', a number, [vertical, horizontal] or [[top, bottom], [left, right]]")};
};

class MultiMaxPool2D final : public LayerOf<MultiMaxPool2D, MultiMaxPool2DOptions> {
 public:
  static constexpr std::string_view kType = "MultiMaxPool2D";
  static constexpr std::string_view kDoc =
      "The largest pixel in a sliding window, for each channel of each task's images; padding never wins.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    for (const auto& name : options.tasks) {
      Task task;
      task.x = d.input(name, "...");
      task.window = sliding_window(d, name, task.x, options.pool_size, options.strides, options.padding);
      task.y = d.output(name, d.like(task.x, window_features(task.window, task.window.channels)));
      task.plan = d.plan<PoolPlan>();
      d.depends(task.y, {task.x});
      all_.push_back(task);
    }
    d.tasks(options.tasks);
  }
  void prepare(Prepare& p) const override {
    for (const Task& task : all_) {
      if (!p.active(task.y)) continue;
      PoolSpec spec;
      spec.images = p.rows(task.x);
      spec.window = task.window;
      p.keep(task.plan, p.handler().pool().plan(spec));
    }
  }
  void forward(Forward& f) const override {
    for (const Task& task : all_)
      if (f.active(task.y)) run_forward(f[task.plan], f[task.x], f[task.y]);
  }
  void backward(Backward& b) const override {
    for (const Task& task : all_)
      if (const Tensor dy = b.delta(task.y)) run_backward(b[task.plan], dy, b.delta(task.x));
  }

 private:
  struct Task {
    In x;
    Out y;
    PlanSlot<PoolPlan> plan;
    Window window;
  };
  std::vector<Task> all_;
};

void register_multi_max_pool2d(Catalog& catalog) { catalog.of<Layer>().add<MultiMaxPool2D>(); }

}  // namespace squall
