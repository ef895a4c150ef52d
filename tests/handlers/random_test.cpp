// Random fills: published vectors of the generator, and independence of everything but key, step and place.
#include "support/op_case.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::uint32_t word(RandomKey key, std::size_t i) { return formulas::philox(i / 4, key.step, key.key).v[i % 4]; }

const std::vector<RandomKey> kKeys{{0, 0}, {stream_key(3, "dropout"), 12}, {~0ULL, ~0ULL}};

}  // namespace

TEST_CASE("Philox gives the numbers of Random123", "[ops]") {
  const auto expect = [](const formulas::Block& b, std::vector<std::uint32_t> want) {
    for (std::size_t i = 0; i < 4; ++i) CHECK(b.v[i] == want[i]);
  };
  expect(formulas::philox(0, 0, 0), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  expect(formulas::philox(~0ULL, ~0ULL, ~0ULL), {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  expect(formulas::philox(0x85a308d3243f6a88ULL, 0x0370734413198a2eULL, 0x299f31d0a4093822ULL),
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

OP_CASE("RandomOps::uniform", "element i is word i of the stream whatever the size") {
  on_all_handlers([](OpCase& c) {
    for (const RandomKey key : kKeys) {
      for (const Index n : c.odd_sizes()) {
        Values want, scaled;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
          want.push_back(formulas::unit(word(key, i)));
          scaled.push_back(-2 + 5 * want.back());
        }
        const Tensor out = c.nans({n});
        c.h().random().uniform(key, 0, 1, out);
        c.expect_exact(out, want);
        c.h().random().uniform(key, -2, 3, out);
        c.expect(out, scaled);
      }
    }
    const Tensor first = c.nans({4});
    c.h().random().uniform({0, 0}, 0, 1, first);
    c.expect_exact(first, {0x6627e8 * 0x1p-24, 0xe169c5 * 0x1p-24, 0xbc57ac * 0x1p-24, 0x9b00db * 0x1p-24});
    expect_error([&] { c.h().random().uniform({}, 1, 0, first); }, {"uniform", "1", "0"});
    expect_error([&] { c.h().random().uniform({}, 0, 1, c.u8({1}, {1})); }, {"uniform", "u8"});
  });
}

OP_CASE("RandomOps::gaussian", "pairs of words make pairs of numbers whatever the size") {
  on_all_handlers([](OpCase& c) {
    for (const RandomKey key : kKeys) {
      for (const Index n : c.odd_sizes()) {
        Values want;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
          double pair[2];
          formulas::normal_pair(word(key, i / 2 * 2), word(key, i / 2 * 2 + 1), pair[0], pair[1]);
          want.push_back(0.5 + 2 * pair[i % 2]);
        }
        const Tensor out = c.nans({n});
        c.h().random().gaussian(key, 0.5, 2, out);
        c.expect(out, want);
      }
    }
    const Tensor many = c.nans({1 << 16});
    c.h().random().gaussian({5, 6}, 1, 3, many);
    double mean = 0, square = 0;
    for (const double v : c.read(many)) mean += v / (1 << 16), square += (v - 1) * (v - 1) / (1 << 16);
    CHECK(std::abs(mean - 1) < 0.05);
    CHECK(std::abs(std::sqrt(square) - 3) < 0.05);
    c.h().random().gaussian({5, 6}, 1, 0, many);
    c.expect_exact(many, Values(1 << 16, 1.0));
    expect_error([&] { c.h().random().gaussian({}, 0, -1, many); }, {"gaussian", "-1"});
    expect_error([&] { c.h().random().gaussian({}, 0, 1, c.i32({1}, {1})); }, {"gaussian", "i32"});
  });
}

OP_CASE("RandomOps::bernoulli", "gives ones with the wanted probability as real numbers and bytes") {
  on_all_handlers([](OpCase& c) {
    for (const double p : {0.0, 0.1, 0.5, 1.0}) {
      for (const Index n : c.odd_sizes()) {
        Values want;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
          want.push_back(formulas::unit(word(kKeys[1], i)) < p ? 1 : 0);
        for (const Tensor& out : {c.nans({n}), c.u8({n}, Values(static_cast<std::size_t>(n), 9))}) {
          c.h().random().bernoulli(kKeys[1], p, out);
          c.expect_exact(out, want);
        }
      }
    }
    expect_error([&] { c.h().random().bernoulli({}, 1.5, c.nans({1})); }, {"bernoulli", "1.5"});
    expect_error([&] { c.h().random().bernoulli({}, -0.5, c.nans({1})); }, {"bernoulli", "-0.5"});
    expect_error([&] { c.h().random().bernoulli({}, 0.5, c.i32({1}, {1})); }, {"bernoulli", "i32"});
  });
}
