// kind = training of BeyondML's recordings: masks, then plain training.
#include "conformance/beyondml_kinds.hpp"
#include "squall/training/stepper.hpp"

namespace squall::conformance {

namespace {

std::vector<double> losses_of(const Network& network, const std::vector<Task>& tasks) {
  const LossReport report = network.losses();
  std::vector<double> out;
  for (const auto& task : tasks)
    for (const auto& one : report.losses)
      if (one.name == task.loss) out.push_back(one.value);
  return out;
}

HostArray as_array(const std::vector<double>& v) { return HostArray::of(Shape{static_cast<Index>(v.size())}, v); }

HostArray row_of(const HostArray& all, Index row) { return HostArray::copy_of(ConstTensor(all.view()).at(row)); }

}  // namespace

void replay_masked_training(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  Undivided whole(net.data());
  set_recorded_masks(file, net, &whole, "beyondml");
  net.compare_state("/masked", -1, "masked/", c);
  const Catalog& catalog = net.network().catalog();
  Stepper stepper(catalog.of<UpdateRule>().make(stepper_of(json_attribute(file, "optimizer")), "optimizer", catalog));
  stepper.start(net.network());
  std::vector<std::string> heads;
  for (const auto& task : net.tasks()) heads.push_back(task.loss);
  const PassId pass = net.network().pass(Mode::Train, heads);
  MinibatchesOptions batches;
  batches.batch_size = file.attribute_int("/", "batch_size");
  batches.shuffle = false;
  Minibatches data(net.data(), batches);
  Batch batch;
  Index step = 0;
  for (Index epoch = 0; epoch < file.attribute_int("/", "epochs"); ++epoch) {
    std::vector<double> sums(heads.size(), 0);
    data.restart(epoch);
    while (data.next(batch)) {
      net.network().provide(batch);
      stepper.step(pass, {epoch, step});
      const auto losses = losses_of(net.network(), net.tasks());
      const auto count = static_cast<double>(batch.fields.front().second.shape()[1]);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += losses[i] * count / static_cast<double>(data.examples());
      if (file.exists("/step_losses"))
        c.tensor(concat("step_losses[", step, "]"), as_array(losses), row_of(file.read("/step_losses"), step));
      ++step;
    }
    c.tensor(concat("epoch_losses[", epoch, "]"), as_array(sums), row_of(file.read("/epoch_losses"), epoch));
    net.compare_state("/epochs", epoch, concat("epoch ", epoch, " "), c);
  }
  net.compare_predictions("/predictions", *net.data(), c);
}

}  // namespace squall::conformance
