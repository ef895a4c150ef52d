// The state table of active sparsification on scripted measurements, literal and ours.
#include "squall/training/sparsification_state.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace squall;

namespace {

using Mode = SparsificationState::Mode;

SparsificationRules rules(bool literal) {
  SparsificationRules r;
  r.cutoff = 0.8;
  r.starting = 40;
  r.maximum = 90;
  r.rate = 20;
  r.patience = 2;
  r.stopping_delta = 0.01;
  r.stopping_patience = 2;
  r.literal = literal;
  return r;
}

struct Row {
  double value;
  bool keep, mask, restore, stop;
  Mode mode;
  double sparsity;
  Index prune_wait, stop_wait;
  double best;
};

void check(SparsificationState& s, const std::vector<Row>& rows) {
  int n = 0;
  for (const Row& row : rows) {
    CAPTURE(n++, row.value);
    const auto a = s.next(row.value);
    CHECK(a.keep == row.keep);
    CHECK(a.mask.has_value() == row.mask);
    CHECK(a.restore == row.restore);
    CHECK(a.stop == row.stop);
    CHECK(s.mode() == row.mode);
    CHECK(s.sparsity() == row.sparsity);
    CHECK(s.prune_wait() == row.prune_wait);
    CHECK(s.stop_wait() == row.stop_wait);
    CHECK(s.best() == row.best);
  }
}

}  // namespace

TEST_CASE("The original's states as they are", "[active]") {
  SparsificationState s(rules(true));
  check(s, {{.5, false, false, false, false, Mode::Prune, 40, 1, 0, .5},
            {.8, true, true, false, false, Mode::Prune, 60, 0, 0, .8},  // reaches it exactly
            {.75, false, false, false, false, Mode::Prune, 60, 1, 0, .8},
            {.9, true, true, false, false, Mode::Prune, 80, 0, 0, .9},
            {.7, false, false, false, false, Mode::Prune, 80, 1, 0, .9},
            {.7, false, false, true, false, Mode::Settle, 80, 2, 0, .9},  // sparsity is not lowered
            {.905, false, false, false, false, Mode::Settle, 80, 2, 1, .9},
            {.92, true, false, false, false, Mode::Settle, 80, 2, 0, .92},
            {.92, false, false, false, false, Mode::Settle, 80, 2, 1, .92},
            {.92, false, false, true, true, Mode::Settle, 80, 2, 2, .92}});
  SparsificationState never(rules(true));
  check(never, {{.6, false, false, false, false, Mode::Prune, 40, 1, 0, .6},
                {.7, false, false, true, false, Mode::Settle, 40, 2, 0, .6}});  // back to the start
  SparsificationState full(rules(true));
  check(full, {{.9, true, true, false, false, Mode::Prune, 60, 0, 0, .9},
               {.9, true, true, false, false, Mode::Prune, 80, 0, 0, .9},
               {.85, true, false, false, false, Mode::Settle, 80, 0, 0, .85}});  // 100 would be more than the maximum
}

TEST_CASE("Our states lower the sparsity with the weights and keep the best that was seen", "[active]") {
  SparsificationState s(rules(false));
  check(s, {{.9, true, true, false, false, Mode::Prune, 60, 0, 0, .9},
            {.85, true, true, false, false, Mode::Prune, 80, 0, 0, .85},
            {.7, false, false, false, false, Mode::Prune, 80, 1, 0, .85},
            {.7, false, false, true, false, Mode::Settle, 60, 2, 0, .85}});
  SparsificationState never(rules(false));
  check(never, {{.6, true, false, false, false, Mode::Prune, 40, 1, 0, .6},
                {.7, true, false, true, false, Mode::Settle, 40, 2, 0, .7}});
  CHECK_FALSE(never.restores_at_end());
  never.next(.5);
  CHECK(never.restores_at_end());  // epochs ran out after something worse
}

TEST_CASE("Losses are to be small", "[active]") {
  SparsificationRules r = rules(false);
  r.smaller_is_better = true;
  r.cutoff = 0.3;
  SparsificationState s(r);
  CHECK(s.next(0.3).mask == 60);
  CHECK_FALSE(s.next(0.31).mask.has_value());
  CHECK(s.next(0.1).mask == 80);
}

TEST_CASE("The states live through a checkpoint", "[active]") {
  for (const bool literal : {false, true}) {
    SparsificationState a(rules(literal)), b(rules(literal));
    const std::vector<double> values{.5, .85, .6, .9, .1, .2, .95, .1, .1};
    for (const double v : values) {
      SparsificationState next(rules(literal));
      next.load(json::parse(b.save().dump()));
      b = next;
      const auto x = a.next(v), y = b.next(v);
      CHECK((x.keep == y.keep && x.mask == y.mask && x.restore == y.restore && x.stop == y.stop));
      CHECK(a.save() == b.save());
    }
  }
}
