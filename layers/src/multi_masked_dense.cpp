// MultiMaskedDense: BeyondML's dense layer for several tasks at once, one slice of the weights for each.
#include "common/declarations.hpp"
#include "common/dense.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct MultiMaskedDenseOptions {
  std::vector<std::string> tasks;
  Index units = 0;
  bool use_bias = true;
  Activation activation = Activation::Linear;
  bool sparsify = true;
  static constexpr auto fields = std::tuple{
      field("tasks", &MultiMaskedDenseOptions::tasks, "names of the tasks; inputs and outputs are named after them"),
      field("units", &MultiMaskedDenseOptions::units, "number of units of each task"),
      field("use_bias", &MultiMaskedDenseOptions::use_bias, "whether a bias is added, one per task"),
      field("activation", &MultiMaskedDenseOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
      field("sparsify", &MultiMaskedDenseOptions::sparsify, "false: sparsification leaves these weights alone")};
};

class MultiMaskedDense final : public LayerOf<MultiMaskedDense, MultiMaskedDenseOptions> {
 public:
  static constexpr std::string_view kType = "MultiMaskedDense";
  static constexpr std::string_view kDoc =
      "y_t = f(W_t x_t + bias_t) for every task t; W (tasks, units, inputs) can be masked. Batch sizes may differ.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    if (options.units < 1) d.fail("option 'units' should be a positive whole number, not ", options.units);
    for (const auto& task : options.tasks) declare_task(d, task);
    d.tasks(options.tasks);
    const auto tasks = static_cast<Index>(options.tasks.size());
    W_ = d.parameter("W", Shape{tasks, options.units, inputs_}, {.task_axis = true, .maskable = options.sparsify});
    if (options.use_bias) bias_ = d.parameter("bias", Shape{tasks, options.units}, {.task_axis = true, .bias = true});
  }
  void prepare(Prepare& p) const override {
    for (int t = 0; t < static_cast<int>(all_.size()); ++t) {
      const Task& task = all_[static_cast<std::size_t>(t)];
      if (!p.active(task.y)) continue;
      p.keep(task.plan, p.handler().dense().plan(dense_spec(p.rows(task.x), inputs_, options.units, options.activation,
                                                            options.use_bias, p.packed(W_, t))));
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
    PlanSlot<DensePlan> plan;
  };
  void declare_task(Declare& d, const std::string& name) {
    Task task;
    task.x = d.input(name, "...");
    const Index size = d.feature_size(task.x);
    if (all_.empty()) inputs_ = size;
    if (size != inputs_)
      d.fail("all tasks of one layer need equal numbers of features, but input '", options.tasks[0], "' is ",
             d.shape(all_[0].x), " and '", name, "' is ", d.shape(task.x));
    task.y = d.output(name, d.like(task.x, Shape{options.units}));
    task.plan = d.plan<DensePlan>();
    d.depends(task.y, {task.x});
    d.backward_reads(task.x, task.y);
    all_.push_back(task);
  }

  std::vector<Task> all_;
  Param W_, bias_;
  Index inputs_ = 0;
};

void register_multi_masked_dense(Catalog& catalog) { catalog.of<Layer>().add<MultiMaskedDense>(); }

}  // namespace squall
