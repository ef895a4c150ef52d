// Convolutions of three axes are masked, trained, packed and reported as all others.
#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

TEST_CASE("Volumes: exclusive masks and training that leaves them alone and packing without change", "[volumes]") {
  NetOptions o;
  o.volumes = true;
  for (const std::string score : {"magnitude", "gradients"}) {
    Net net(o);
    REQUIRE(net.entry("conv").info->shape == Shape{2, 5, 3, 3, 3, 2});
    auto data = batches(o, 64, 16);
    const MaskReport report = rsn2(60, score).apply(net.network, net.tasks, &data, 4);
    for (const int owners : net.owners("conv")) CHECK(owners <= 1);
    for (int t = 0; t < 2; ++t) {
      const Bytes mask = net.mask("conv", t);
      CHECK(count(mask) == 5 * 22);  // of the 54 weights of each filter
    }
    CHECK(report.density("a") > 0.3);
    CHECK(report.density("a") < 0.5);

    Stepper stepper = make_stepper({{"@type", "AdamStepper"}});
    stepper.start(net.network);
    train(net, stepper, 8);
    const HostArray trained = net.value("conv");
    const auto keep = net.network.store().mask(net.entry("conv"));
    Index masked = 0;
    for (Index i = 0; i < trained.elements(); ++i) {
      if (keep->value(i) != 0) continue;
      ++masked;
      CHECK(trained.value(i) == 0);
    }
    CHECK(masked == 2 * (270 - 110));

    const HostArray before = output_of(net, "b");
    REQUIRE(net.entry("conv").form == ParameterForm::Packed);
    CHECK(net.entry("conv").storage_shape == Shape{5, 3, 3, 3, 2});
    net.network.store().unpack({&net.entry("conv")});
    CHECK(net.entry("conv").storage_shape == Shape{2, 5, 3, 3, 3, 2});
    CHECK(changed(output_of(net, "b"), before) == 0);
    net.network.store().pack({&net.entry("conv")});
    CHECK(changed(output_of(net, "b"), before) == 0);
    CHECK(report_masks(net.network).overlap() == 0);
  }
}
