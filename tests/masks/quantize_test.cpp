// Weights in fewer bits: the nearest values, zeros and masks as they were.
#include "squall/training/quantize.hpp"

#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// Every value is the format's; zeros stayed zeros.
void check_zeros(const HostArray& before, const HostArray& after) {
  for (Index i = 0; i < before.elements(); ++i)
    if (before.value(i) == 0) CHECK(after.value(i) == 0);
}

}  // namespace

TEST_CASE("Rounding to half precision and bfloat16", "[quantize]") {
  CHECK(round_to_fp16(1.0) == 1);
  CHECK(round_to_fp16(0.1) == 0.0999755859375);
  CHECK(round_to_fp16(1 + 1.0 / 2048) == 1);               // tie to even
  CHECK(round_to_fp16(1 + 3.0 / 2048) == 1 + 4.0 / 2048);  // tie to even
  CHECK(round_to_fp16(1e6) == 65504);                      // not infinity
  CHECK(round_to_fp16(-1e6) == -65504);
  CHECK(round_to_fp16(std::ldexp(1.0, -24)) == std::ldexp(1.0, -24));  // least subnormal
  CHECK(round_to_fp16(std::ldexp(1.0, -26)) == 0);
  CHECK(round_to_bf16(0.1) == 0.10009765625);
  CHECK(round_to_bf16(3.14159) == 3.140625);
  CHECK(round_to_bf16(0) == 0);
  Rng rng(1, "fp16");
  for (int i = 0; i < 1000; ++i) {
    const double v = rng.normal() * std::pow(10, rng.uniform(-6, 4));
    CHECK(round_to_fp16(round_to_fp16(v)) == round_to_fp16(v));
    CHECK(std::fabs(round_to_fp16(v) - v) <= std::max(std::fabs(v) / 2048, std::ldexp(1.0, -25)));
  }
}

TEST_CASE("Quantized networks keep zeros and masks and answer nearly the same", "[quantize]") {
  for (const Quantization format : {Quantization::Fp16, Quantization::Bf16, Quantization::Int8})
    for (const int form : {0, 1, 2}) {
      NetOptions o;
      o.images = true;
      Net net(o);
      Rsn2 rule = rsn2(70);
      rule.options.exclusive = form == 2;
      if (form > 0) rule.apply(net.network, net.tasks, nullptr, 1);
      const HostArray before = net.value("conv"), answer = output_of(net, "a");
      const Bytes mask = net.mask("conv", 1);
      const QuantizeReport report = quantize_network(net.network, format);
      check_zeros(before, net.value("conv"));
      CHECK(net.mask("conv", 1) == mask);
      CHECK(changed(before, net.value("conv")) > 0);
      const double tolerance = format == Quantization::Fp16 ? 1e-3 : format == Quantization::Bf16 ? 0.02 : 0.02;
      const HostArray rounded = output_of(net, "a");
      double largest = 0;
      for (Index i = 0; i < answer.elements(); ++i) largest = std::max(largest, std::fabs(answer.value(i)));
      for (Index i = 0; i < answer.elements(); ++i)
        CHECK(std::fabs(rounded.value(i) - answer.value(i)) <= tolerance * largest);
      const HostArray once = net.value("conv");
      quantize_network(net.network, format);
      CHECK(net.value("conv") == once);  // nothing more to round
      CHECK(report.bytes < static_cast<std::size_t>(net.network.parameter_count()) * 3);
    }
}

TEST_CASE("int8 has a scale for each unit of each task", "[quantize]") {
  Net net;
  HostArray w = net.value("hidden");
  for (Index i = 0; i < 9; ++i) w.set_value(i, w.value(i) * 1000);      // unit 0 of task a
  for (Index i = 9; i < 18; ++i) w.set_value(i, 0);                     // unit 1: nothing
  for (Index i = 108; i < 117; ++i) w.set_value(i, w.value(i) / 1000);  // unit 0 of task b
  net.network.store().set(net.entry("hidden"), w);
  const HostArray bias = net.value("hidden", "bias");
  const QuantizeReport report = quantize_network(net.network, Quantization::Int8);
  const HostArray q = net.value("hidden");
  for (const Index row : {0, 2, 12, 13}) {
    double largest = 0;
    for (Index i = row * 9; i < row * 9 + 9; ++i) largest = std::max(largest, std::fabs(w.value(i)));
    for (Index i = row * 9; i < row * 9 + 9; ++i) {
      CHECK(std::fabs(q.value(i) - w.value(i)) <= largest / 254 * 1.0001);
      const double steps = q.value(i) / (largest / 127);
      // Scales have 16 bits, so that a value times its scale is exact: up to 2^-15 of 127 steps beside largest / 127.
      CHECK(steps == Approx(std::nearbyint(steps)).margin(5e-3));
    }
  }
  for (Index i = 9; i < 18; ++i) CHECK(q.value(i) == 0);
  CHECK(net.value("hidden", "bias") == bias);  // vectors stay as they are
  const auto found = std::ranges::find(report.tensors, "hidden.W", &QuantizedTensor::parameter);
  REQUIRE(found != report.tensors.end());
  CHECK(found->scales == 24);
  CHECK(found->values == 216);
}

TEST_CASE("Values too large for half precision are cut and counted", "[quantize]") {
  Net net;
  HostArray w = net.value("out");
  w.set_value(0, 1e9);
  net.network.store().set(net.entry("out"), w);
  const QuantizeReport report = quantize_network(net.network, Quantization::Fp16);
  CHECK(net.value("out").value(0) == 65504);
  CHECK(std::ranges::find(report.tensors, "out.W", &QuantizedTensor::parameter)->clipped == 1);
  CHECK(report.text().find("too large") != std::string::npos);
}
