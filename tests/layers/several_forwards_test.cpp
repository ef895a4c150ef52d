// Several forward passes before one backward pass, as systems that keep a list of inputs have them: here they are one
// pass, over one batch or over several inputs with one weight.
#include "layers/cases.hpp"
#include "layers/network_differences.hpp"

namespace {

using namespace squall;
using namespace squall::testing;

// The gradient of Shared's weight and bias when the named inputs are there.
struct Readers {
  explicit Readers(const std::vector<std::string>& inputs) {
    Architecture a;
    json shapes{{"owner", {"B_owner", 3}}};
    for (const auto& input : inputs) shapes[input] = {"T", "B_" + input, 3};
    a.input(shapes);
    a["Input.owner"] >> a.add("Shared", "Dense", {{"units", 2}}) >> a.add("Own", "Loss", {{"importance", 0.0}});
    for (const auto& input : inputs) {
      const Port reader = a.add("Read_" + input, "TiedDense");
      a["Input." + input] >> reader;
      a["Shared...parameters.W"] >> ("W" - reader);
      a["Shared...parameters.bias"] >> ("bias" - reader);
      reader >> a.add("Bent_" + input, "Elementwise", {{"activation", "tanh"}}) >> a.add("Loss_" + input, "Loss");
    }
    net = inspectable(a);
    fill_with_numbers(*net);
    Batch batch{{{"owner", numbers(Shape{1, 3}, "owner")}}};
    for (const auto& input : inputs) {
      const Index size = input == "few" ? 2 : 5;
      batch.fields.emplace_back(input, numbers(Shape{2, size, 3}, input));
    }
    net->provide(batch);
    net->forward(Mode::Train);
    net->backward();
  }
  double gradient(const std::string& name, Index i) const { return net->get("Shared.gradients." + name).value(i); }
  std::unique_ptr<Network> net;
};

TEST_CASE("a weight that reads several inputs of any size gets the sum of what each alone gives") {
  const Readers both({"few", "many"}), few({"few"}), many({"many"});
  for (Index i = 0; i < 6; ++i) CHECK(both.gradient("W", i) == Approx(few.gradient("W", i) + many.gradient("W", i)));
  for (Index i = 0; i < 2; ++i)
    CHECK(both.gradient("bias", i) == Approx(few.gradient("bias", i) + many.gradient("bias", i)));
  for (const char* name : {"few", "many"}) {
    const std::string delta = std::string("Input.output_deltas.") + name;
    CHECK(both.net->get(delta) == (std::string(name) == "few" ? few : many).net->get(delta));
  }
  check_gradients(*both.net);
}

}  // namespace
