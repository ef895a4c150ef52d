// Packed parameters of which tasks read more than they own: overlapping reading, disjoint writing.
#include "squall/core/parameter_store.hpp"
#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// Two tasks on one layer M with a matrix of 2 x 2 each.
Architecture two_tasks() {
  Architecture a;
  a.input({{"a", {"T", "B", 2}}, {"b", {"T", "B", 2}}});
  a.add("M", "Tasks", {{"tasks", {"a", "b"}}, {"size", 2}});
  for (const std::string t : {"a", "b"}) {
    a["Input." + t] >> a["M." + t];
    a["M." + t] >> a.add("Sq_" + t, "Square") >> a.add("Loss_" + t, "Loss");
  }
  return a;
}

struct Packed {
  Net net{two_tasks()};
  Batch batch = random_batch(net.graph(), 1, 3, 5);
  Packed() {
    fill_parameters(net);
    // a owns weights 0 and 1, b weight 2, nobody weight 3; b reads weight 0, too.
    net.store().set_packed(entry(), HostArray::of(Shape{2, 2}, std::vector<double>{1, 2, 3, 4}).cast(DType::F32),
                           HostArray::of<std::uint8_t>(Shape{2, 2}, {0, 0, 1, kFreeWeight}));
  }
  ParameterEntry& entry() { return *net.store().find("M", "W"); }
  void read(const std::vector<std::uint8_t>& bytes) {
    net.store().set_read_mask(entry(), HostArray::of<std::uint8_t>(Shape{2, 2, 2}, bytes));
  }
};

const std::vector<std::uint8_t> kReads{1, 1, 0, 0, 1, 0, 1, 0};

}  // namespace

TEST_CASE("A task reads weights of another one and both see them change", "[forms]") {
  Packed p;
  p.read(kReads);
  CHECK(p.net.store().get(p.entry()).doubles() == std::vector<double>{1, 2, 0, 0, 1, 0, 3, 0});
  CHECK(p.net.store().mask(p.entry())->doubles() == std::vector<double>{1, 1, 0, 0, 1, 0, 1, 0});
  CHECK(p.net.get("M.parameters.W").doubles() == std::vector<double>{1, 2, 0, 0, 1, 0, 3, 0});
  // Only the owner's slice writes.
  p.net.store().set(p.entry(), HostArray::of(Shape{2, 2, 2}, std::vector<float>{9, 8, 7, 6, 5, 4, 3.5F, 2}));
  CHECK(p.net.store().get(p.entry()).doubles() == std::vector<double>{9, 8, 0, 0, 9, 0, 3.5, 0});
  p.net.store().set_read_mask(p.entry(), HostArray());
  CHECK(p.net.store().get(p.entry()).doubles() == std::vector<double>{9, 8, 0, 0, 0, 0, 3.5, 0});
}

TEST_CASE("Weights that are only read get no gradient and are not trained", "[forms]") {
  Packed p;
  const double alone = train_step(p.net, p.batch, {"Loss_b"});
  p.read(kReads);
  CHECK(train_step(p.net, p.batch, {"Loss_b"}) != alone);  // weight 0 counts now
  const auto gradient = p.net.handler().memory().to_host(p.net.store().storage_gradient(p.entry())).doubles();
  CHECK(gradient[0] == 0);
  CHECK(gradient[1] == 0);
  CHECK(gradient[2] != 0);
  CHECK(gradient[3] == 0);
  for (const auto& piece : p.net.trainable())
    if (piece.entry == &p.entry())
      CHECK(p.net.handler().memory().to_host(piece.write).doubles() == std::vector<double>{0, 0, 1, 0});
}

TEST_CASE("Unpacking gives every reader values of its own and packing them again one for all", "[forms]") {
  Packed p;
  p.read(kReads);
  const HostArray before = p.net.store().get(p.entry());
  p.net.store().unpack({&p.entry()});
  CHECK(p.entry().form == ParameterForm::Masked);
  CHECK(p.net.store().get(p.entry()) == before);
  p.net.store().pack({&p.entry()});
  CHECK(p.entry().form == ParameterForm::Packed);
  CHECK(p.net.store().get(p.entry()) == before);
}

TEST_CASE("Read masks that do not fit are refused", "[forms]") {
  Packed p;
  CHECK_THROWS_WITH(p.read({0, 1, 0, 0, 1, 0, 1, 0}),
                    "the read mask of 'M.W' takes weight 0 from task 0, which owns it");
  CHECK_THROWS_WITH(p.net.store().set_read_mask(p.entry(), HostArray(DType::U8, Shape{2, 2})),
                    "the read mask of 'M.W' should be (2, 2, 2) of u8, but is (2, 2) of u8");
  p.net.store().make_plain(p.entry());
  CHECK_THROWS_WITH(p.read(kReads), "'M.W' has no owners; give its tasks masks before they read weights of others");
}
