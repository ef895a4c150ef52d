// MultiMaskedConv2D: BeyondML's convolution for several tasks at once, one slice of the weights for each.
#include "common/convolution.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct MultiMaskedConv2DOptions {
  std::vector<std::string> tasks;
  Index filters = 0;
  Pair kernel_size{3, 3};
  Padding padding = kSamePadding;
  Pair strides;
  Activation activation = Activation::Linear;
  bool use_bias = true;
  bool sparsify = true;
  static constexpr auto fields = std::tuple{
      field("tasks", &MultiMaskedConv2DOptions::tasks, "names of the tasks; inputs and outputs are named after them"),
      field("filters", &MultiMaskedConv2DOptions::filters, "number of filters of each task"),
      field("kernel_size", &MultiMaskedConv2DOptions::kernel_size, "height and width of a filter: 3 or [3, 5]"),
      field("padding", &MultiMaskedConv2DOptions::padding,
            "'same', 'valid', a number, [vertical, horizontal] or [[top, bottom], [left, right]]"),
      field("strides", &MultiMaskedConv2DOptions::strides, "vertical and horizontal steps"),
      field("activation", &MultiMaskedConv2DOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
      field("use_bias", &MultiMaskedConv2DOptions::use_bias, "whether a bias is added, one per task"),
      field("sparsify", &MultiMaskedConv2DOptions::sparsify, "false: sparsification leaves these weights alone")};
};

class MultiMaskedConv2D final : public LayerOf<MultiMaskedConv2D, MultiMaskedConv2DOptions> {
 public:
  static constexpr std::string_view kType = "MultiMaskedConv2D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's images with its slice of W (tasks, filters, kernel height, width, channels), "
      "which "
      "can be masked. Batch and image sizes may differ, channels may not.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    if (options.filters < 1) d.fail("option 'filters' should be a positive whole number, not ", options.filters);
    for (const auto& task : options.tasks) declare_task(d, task);
    d.tasks(options.tasks);
    const auto tasks = static_cast<Index>(options.tasks.size());
    W_ = d.parameter("W", filter_shape(all_[0].window, options.filters).with_front(tasks),
                     {.task_axis = true, .maskable = options.sparsify});
    if (options.use_bias) bias_ = d.parameter("bias", Shape{tasks, options.filters}, {.task_axis = true, .bias = true});
  }
  void prepare(Prepare& p) const override {
    for (int t = 0; t < static_cast<int>(all_.size()); ++t) {
      const Task& task = all_[static_cast<std::size_t>(t)];
      if (!p.active(task.y)) continue;
      p.keep(task.plan, p.handler().conv().plan(conv_spec(p.rows(task.x), task.window, options.filters,
                                                          options.activation, options.use_bias, p.packed(W_, t))));
    }
  }
  void forward(Forward& f) const override {
    for (int t = 0; t < static_cast<int>(all_.size()); ++t) {
      const Task& task = all_[static_cast<std::size_t>(t)];
      if (!f.active(task.y)) continue;
      run_forward(f[task.plan], f[task.x], f.weight(W_, t), options.use_bias ? f[bias_].at(t) : ConstTensor(),
                  f[task.y]);
    }
  }
  void backward(Backward& b) const override {
    for (int t = 0; t < static_cast<int>(all_.size()); ++t) {
      const Task& task = all_[static_cast<std::size_t>(t)];
      const Tensor dy = b.delta(task.y);
      if (!dy) continue;
      run_backward(b[task.plan], b[task.x], b.weight(W_, t), b[task.y], dy, b.delta(task.x), b.gradient(W_).at(t),
                   options.use_bias ? b.gradient(bias_).at(t) : Sink());
    }
  }

 private:
  struct Task {
    In x;
    Out y;
    PlanSlot<ConvPlan> plan;
    Window window;
  };
  void declare_task(Declare& d, const std::string& name) {
    Task task;
    task.x = d.input(name, "...");
    task.window = sliding_window(d, name, task.x, options.kernel_size, options.strides, options.padding);
    if (!all_.empty() && task.window.channels != all_[0].window.channels)
      d.fail("all tasks of one layer need equal numbers of channels, but input '", options.tasks[0], "' is ",
             d.shape(all_[0].x), " and '", name, "' is ", d.shape(task.x));
    task.y = d.output(name, d.like(task.x, window_features(task.window, options.filters)));
    task.plan = d.plan<ConvPlan>();
    d.depends(task.y, {task.x});
    d.backward_reads(task.x, task.y);
    all_.push_back(task);
  }

  std::vector<Task> all_;
  Param W_, bias_;
};

void register_multi_masked_conv2d(Catalog& catalog) { catalog.of<Layer>().add<MultiMaskedConv2D>(); }

}  // namespace squall
