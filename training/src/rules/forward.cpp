// No update at all: losses and scores of what the network is.
#include "rules/rule.hpp"

namespace squall {

namespace {

struct ForwardOptions {
  bool use_training_pass = false;
  static constexpr auto fields = std::tuple{field("use_training_pass", &ForwardOptions::use_training_pass,
                                                  "run layers as in training (dropout, statistics)")};
};

class ForwardOnly final : public DescribedAs<UpdateRule, ForwardOnly, ForwardOptions> {
 public:
  static constexpr std::string_view kType = "Forward";
  static constexpr std::string_view kDoc = "Runs forward passes only; parameters stay as they are.";
  int state_vectors() const override { return 0; }
  bool learns() const override { return false; }
  Mode mode() const override { return options.use_training_pass ? Mode::Train : Mode::Eval; }
  void update(OptimOps&, const UpdateRange&, const Progress&, Index) const override {}
  double learning_rate(const Progress&) const override { return 0; }

 protected:
  bool set_own(std::string_view, double) override { return false; }
};

}  // namespace

void register_forward(Catalog& catalog) {
  catalog.of<UpdateRule>().add<ForwardOnly>();
  catalog.of<UpdateRule>().alias("ForwardStepper", "Forward");
}

}  // namespace squall
