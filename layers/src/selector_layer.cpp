// SelectorLayer: one of several tasks' data.
#include <algorithm>

#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct SelectorLayerOptions {
  std::vector<std::string> tasks;
  std::optional<Index> sel_index;
  std::optional<std::string> task;
  static constexpr auto fields =
      std::tuple{field("tasks", &SelectorLayerOptions::tasks, "names of the tasks; inputs are named after them"),
                 field("sel_index", &SelectorLayerOptions::sel_index,
                       "place of the task to select, negative ones count from the end"),
                 field("task", &SelectorLayerOptions::task, "name of the task to select, instead of sel_index")};
};

class SelectorLayer final : public LayerOf<SelectorLayer, SelectorLayerOptions> {
 public:
  static constexpr std::string_view kType = "SelectorLayer";
  static constexpr std::string_view kDoc = "Hands on the input of one task; nothing goes back to the others.";

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    const auto selected = static_cast<std::size_t>(place(d));
    std::vector<In> inputs;
    for (const auto& task : options.tasks) inputs.push_back(d.input(task, "..."));
    x_ = inputs[selected];
    y_ = d.output("default", d.like(x_));
    d.depends(y_, {x_});
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]); }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(x_)); }

 private:
  Index place(const Declare& d) const {
    const auto count = static_cast<Index>(options.tasks.size());
    if (options.task.has_value() == options.sel_index.has_value())
      d.fail("one of the options 'sel_index' and 'task' should say which task is selected");
    if (options.task) {
      const auto found = std::ranges::find(options.tasks, *options.task);
      if (found == options.tasks.end())
        d.fail("option 'task' is '", *options.task, "'", did_you_mean(*options.task, options.tasks),
               "; tasks are: ", join(options.tasks));
      return found - options.tasks.begin();
    }
    const Index index = *options.sel_index;
    if (index < -count || index >= count)
      d.fail("option 'sel_index' is ", index, ", but there are ", count, " tasks: ", -count, " to ", count - 1);
    return index < 0 ? index + count : index;
  }

  In x_;
  Out y_;
};

void register_selector_layer(Catalog& catalog) { catalog.of<Layer>().add<SelectorLayer>(); }

}  // namespace squall
