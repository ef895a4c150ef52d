// Setting masks so that what is masked is lost, or comes back.
#include "squall/training/mask_memory.hpp"

#include "masks/mask_nets.hpp"
#include "squall/training/masked_snapshot.hpp"

using namespace squall;
using namespace squall::test;

namespace {

HostArray keep_every(const ParameterEntry& e, Index step, Index first = 0) {
  HostArray keep(DType::U8, e.info->shape);
  for (Index i = first; i < keep.elements(); i += step) keep.set_value(i, 1);
  return keep;
}

HostArray ones(const ParameterEntry& e) { return keep_every(e, 1); }

}  // namespace

TEST_CASE("What is masked is lost without a memory", "[set_masks]") {
  Net net;
  const HostArray before = net.value("hidden");
  set_mask(net.network, "hidden.W", keep_every(net.entry("hidden"), 2));
  set_mask(net.network, "hidden.W", ones(net.entry("hidden")));
  const HostArray after = net.value("hidden");
  for (Index i = 0; i < after.elements(); ++i) CHECK(after.value(i) == (i % 2 == 0 ? before.value(i) : 0));
}

TEST_CASE("With a memory masked weights come back when their mask opens", "[set_masks]") {
  Net net;
  MaskMemory memory;
  const HostArray before = net.value("hidden");
  set_mask(net.network, "hidden.W", keep_every(net.entry("hidden"), 2), &memory);
  CHECK(net.value("hidden").value(1) == 0);
  CHECK(memory.values(net.network, net.entry("hidden")) == before);
  // What is trained meanwhile keeps its new value, what was hidden its old one.
  Stepper stepper = make_stepper({{"@type", "Sgd"}});
  stepper.start(net.network);
  train(net, stepper, 2);
  const HostArray trained = net.value("hidden");
  set_mask(net.network, "hidden.W", keep_every(net.entry("hidden"), 3), &memory);
  set_mask(net.network, "hidden.W", ones(net.entry("hidden")), &memory);
  const HostArray after = net.value("hidden");
  for (Index i = 0; i < after.elements(); ++i)
    CHECK(after.value(i) == (i % 2 == 0 ? trained.value(i) : before.value(i)));
}

TEST_CASE("A memory opens packed masks too and lives through a checkpoint", "[set_masks]") {
  Net net;
  const HostArray before = net.value("hidden");
  MaskMemory memory;
  HostArray keep(DType::U8, Shape{2, 12, 9});
  for (Index i = 0; i < 216; ++i) keep.set_value(i, (i < 108) == (i % 2 == 0) ? 1 : 0);
  set_mask(net.network, "hidden.W", keep, &memory);
  pack_masks(net.network);
  REQUIRE(net.entry("hidden").form == ParameterForm::Packed);
  MaskMemory again;
  again.set_arrays(memory.names(), memory.arrays());
  again.open(net.network);
  CHECK(net.entry("hidden").form == ParameterForm::Plain);
  CHECK(net.value("hidden") == before);
}

TEST_CASE("Masks that do not fit change nothing", "[set_masks]") {
  Net net;
  MaskMemory memory;
  const HostArray before = net.value("hidden");
  CHECK_THROWS_WITH(set_mask(net.network, "hiden.W", ones(net.entry("hidden"))),
                    Catch::Contains("there is no parameter 'hiden.W' to mask") && Catch::Contains("hidden.W"));
  CHECK_THROWS_WITH(set_mask(net.network, "hidden.W", HostArray(DType::U8, Shape{3, 3}), &memory),
                    Catch::Contains("the mask of 'hidden.W' should be (2, 12, 9) of u8, but is (3, 3)"));
  CHECK(net.value("hidden") == before);
  CHECK_FALSE(net.network.store().any_packed_or_masked());
}

TEST_CASE("A snapshot puts values and masks back whatever became of the masks", "[set_masks]") {
  Net net;
  set_mask(net.network, "hidden.W", keep_every(net.entry("hidden"), 4));
  MaskedSnapshot snapshot;
  CHECK_THROWS_WITH(snapshot.restore(net.network), "there are no kept parameters to put back");
  snapshot.capture(net.network);
  const HostArray values = net.value("hidden"), out = net.value("out");
  const Bytes mask = net.mask("hidden", 1);
  rsn2(90).apply(net.network, net.tasks, nullptr, 1);
  MaskedSnapshot copy;
  copy.set_arrays(snapshot.arrays(), net.network);
  copy.restore(net.network);
  CHECK(net.value("hidden") == values);
  CHECK(net.value("out") == out);
  CHECK(net.mask("hidden", 1) == mask);
  CHECK(net.entry("out").form == ParameterForm::Plain);
}
