// GroupNorm: one mean and variance for each example and group of channels (Wu, He 2018).
#include "common/norm_layers.hpp"

namespace squall {

struct GroupNormOptions {
  Index num_groups = 1;
  double epsilon = 1e-5;
  bool affine = true;
  static constexpr auto fields = std::tuple{
      field("num_groups", &GroupNormOptions::num_groups, "number of groups of consecutive channels, all equally large"),
      field("epsilon", &GroupNormOptions::epsilon, "added to the variance"),
      field("affine", &GroupNormOptions::affine, "whether there are a weight and a bias for each channel")};
};

class GroupNorm final : public LayerOf<GroupNorm, GroupNormOptions> {
 public:
  static constexpr std::string_view kType = "GroupNorm";
  static constexpr std::string_view kDoc =
      "y = (x - mean) / sqrt(variance + epsilon) weight + bias; mean and biased variance of each example (and time "
      "step) over all pixels and the channels (last axis) of a group. The same in training and evaluation.";

  void declare(Declare& d) override {
    require_epsilon(d, options.epsilon);
    x_ = d.input("default", "...");
    const Index channels = d.features(x_)[-1];
    if (options.num_groups < 1 || channels % options.num_groups != 0)
      d.fail("the ", channels, " channels of input 'default' cannot be parted into 'num_groups' = ", options.num_groups,
             " equal groups");
    y_ = d.output("default", d.like(x_));
    norm_.declare(d, "", Shape{channels}, options.affine, options.affine);
    d.backward_reads(x_);
    pixels_ = d.feature_size(x_) / channels;
  }
  void prepare(Prepare& p) const override {
    GroupNormSpec spec;
    spec.examples = p.rows(x_);
    spec.pixels = pixels_;
    spec.channels = p.shape(x_)[-1];
    spec.groups = options.num_groups;
    spec.epsilon = options.epsilon;
    norm_.prepare(p, spec);
  }
  void forward(Forward& f) const override { norm_.forward(f, f[x_], f[y_]); }
  void backward(Backward& b) const override { norm_.backward(b, b[x_], b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
  ExampleNorm norm_;
  Index pixels_ = 1;
};

void register_group_norm(Catalog& catalog) { catalog.of<Layer>().add<GroupNorm>(); }

}  // namespace squall
