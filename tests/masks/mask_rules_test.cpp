// The original's rules, literally, on the recorded golden vectors: degenerate where it is degenerate.
#include "squall/training/mask_rules.hpp"

#include "support/catch.hpp"

using namespace squall;

namespace {

using Masks = std::vector<MaskBytes>;
using Scores = std::vector<std::vector<double>>;
const Scores kTwo{{5, 4, 3, 2, 1}, {1, 5, 2, 4, 3}};
const MaskBytes kAll(5, 1);

}  // namespace

TEST_CASE("Two slices at 60 % by every rule", "[rules]") {
  const MaskBytes first{1, 1, 0, 0, 0};
  CHECK(literal_masks(MaskRule::MagnitudeExclusive, kTwo, 60) == Masks{first, {0, 0, 0, 1, 0}});
  CHECK(literal_masks(MaskRule::GradientsExclusive, kTwo, 60) == Masks{first, {0, 0, 0, 1, 1}});
  CHECK(literal_masks(MaskRule::PruneExclusive, kTwo, 60) == Masks{first, {0, 0, 0, 1, 1}});
  CHECK(literal_masks(MaskRule::Independent, kTwo, 60) == Masks{first, {0, 1, 0, 1, 0}});
}

TEST_CASE("Two slices at 20 and 50 %: zeroed scores open everything", "[rules]") {
  CHECK(literal_masks(MaskRule::MagnitudeExclusive, kTwo, 20) == Masks{{1, 1, 1, 1, 0}, {0, 0, 0, 0, 1}});
  CHECK(literal_masks(MaskRule::GradientsExclusive, kTwo, 20) == Masks{{1, 1, 1, 1, 0}, kAll});
  CHECK(literal_masks(MaskRule::PruneExclusive, kTwo, 20) == Masks{{1, 1, 1, 1, 0}, kAll});
  CHECK(literal_masks(MaskRule::MagnitudeExclusive, kTwo, 50) == Masks{{1, 1, 1, 0, 0}, {0, 0, 0, 1, 1}});
  CHECK(literal_masks(MaskRule::GradientsExclusive, kTwo, 50) == Masks{{1, 1, 1, 0, 0}, kAll});
}

TEST_CASE("A slot held twice is free again by the rule of gradients", "[rules]") {
  const Scores three{{5, 4, 3, 2, 1, 6}, {6, 5, 4, 3, 2, 1}, {1, 2, 3, 4, 5, 6}};
  CHECK(literal_masks(MaskRule::GradientsExclusive, three, 40) ==
        Masks{{1, 1, 1, 0, 0, 1}, {1, 1, 1, 1, 1, 1}, {1, 1, 1, 0, 0, 1}});
}

TEST_CASE("One task's mask respects raw weights of the slices before it", "[rules]") {
  const Scores weights{{5, 4, 0, 0, 0}, {1, 5, 2, 4, 3}};
  CHECK(literal_task_mask(weights, 1, 60, true) == MaskBytes{0, 0, 0, 1, 1});
  CHECK(literal_task_mask(weights, 1, 60, false) == MaskBytes{0, 1, 0, 1, 0});
  CHECK(literal_task_mask(kTwo, 1, 60, true) == kAll);  // a dense task before it bars everything
  CHECK_THROWS_AS(literal_task_mask(kTwo, 2, 60, true), ShapeError);
}

TEST_CASE("Slices of different sizes are refused, none give none", "[rules]") {
  CHECK_THROWS_AS(literal_masks(MaskRule::Independent, Scores{{1, 2}, {1}}, 50), ShapeError);
  CHECK(literal_masks(MaskRule::Independent, Scores{}, 50).empty());
}
