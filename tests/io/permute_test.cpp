// Inputs in another order, the same for all examples and splits.
#include <algorithm>

#include "squall/io/data_set.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

DataSet counted() {
  DataSet set;
  for (const char* split : {"train", "test"}) {
    HostArray inputs(DType::F32, Shape{4, 3, 3, 1});
    for (Index i = 0; i < inputs.elements(); ++i) inputs.set_value(i, static_cast<double>(i));
    set.splits[split] = {{"default", inputs}, {"targets", HostArray(DType::I32, Shape{4, 1})}};
  }
  return set;
}

HostArray permuted(Index seed, const char* split) {
  CommonOptions options;
  options.permute = seed;
  return prepare(counted(), options, "test").array(split, "default");
}

}  // namespace

TEST_CASE("inputs are put in one order for all examples and splits") {
  const HostArray a = permuted(5, "train");
  CHECK(a == permuted(5, "test"));
  CHECK_FALSE(a == permuted(6, "train"));
  CHECK_FALSE(a == counted().array("train", "default"));
  for (Index n = 1; n < 4; ++n)
    for (Index i = 0; i < 9; ++i) CHECK(a.value(9 * n + i) == a.value(i) + static_cast<double>(9 * n));
  std::vector<double> first;
  for (Index i = 0; i < 9; ++i) first.push_back(a.value(i));
  std::ranges::sort(first);
  for (std::size_t i = 0; i < 9; ++i) CHECK(first[i] == static_cast<double>(i));
  Problems problems;
  CommonOptions wrong;
  wrong.permute = -1;
  check(wrong, "data.x", problems);
  CHECK_FALSE(problems.empty());
}
