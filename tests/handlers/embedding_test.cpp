// Looking up rows, alone and pooled, fast and reference, against plain loops.
#include "squall/core/ops/embedding.hpp"

#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct Problem {
  EmbeddingSpec s;
  std::vector<Index> ids, offsets;  // offsets: of all bags
  Values weights, table, dy;
};

Problem draw(OpCase& c, EmbeddingSpec s, std::vector<Index> offsets = {}) {
  Problem p;
  p.s = s;
  for (const double id : c.whole_values({s.ids}, 0, s.vocabulary - 1)) p.ids.push_back(static_cast<Index>(id));
  for (Index b = 0; b < s.bags && offsets.empty(); ++b) p.offsets.push_back(b * (s.ids / s.bags));
  if (!offsets.empty()) p.offsets = offsets;
  p.weights = s.weighted ? c.read(c.random({s.ids}, 0.5, 2)) : Values(at(s.ids), 1.0);
  p.table = c.read(c.random({s.vocabulary, s.width}));
  p.dy = c.read(c.random({s.outputs(), s.width}));
  return p;
}

struct Outcome {
  Values y, dtable, dweights;
};

// One bag: from the ids first .. end.
void pool(const Problem& p, Index bag, Index first, Index end, Outcome& o) {
  const EmbeddingSpec& s = p.s;
  std::vector<Index> in;
  for (Index i = first; i < end; ++i)
    if (p.ids[at(i)] != s.padding || s.pooling == Pooling::None) in.push_back(i);
  for (Index j = 0; j < s.width; ++j) {
    const auto from = [&](Index i) { return at(p.ids[at(i)] * s.width + j); };
    const double delta = p.dy[at(bag * s.width + j)];
    Index best = -1;
    double sum = 0;
    for (const Index i : in) {
      if (best < 0 || p.table[from(i)] > p.table[from(best)]) best = i;
      sum += p.weights[at(i)] * p.table[from(i)];
      o.dweights[at(i)] += p.table[from(i)] * delta;
    }
    const double share = s.pooling == Pooling::Mean && !in.empty() ? 1 / static_cast<double>(in.size()) : 1;
    o.y[at(bag * s.width + j)] = s.pooling == Pooling::Max ? (best < 0 ? 0 : p.table[from(best)]) : share * sum;
    for (const Index i : in) {
      if (s.pooling == Pooling::Max && i != best) continue;
      if (p.ids[at(i)] == s.padding) continue;
      const auto count = static_cast<double>(std::count(p.ids.begin(), p.ids.end(), p.ids[at(i)]));
      o.dtable[from(i)] += p.weights[at(i)] * share * delta / (s.frequency ? count : 1);
    }
  }
}

Outcome solve(const Problem& p) {
  const EmbeddingSpec& s = p.s;
  Outcome o{Values(at(s.outputs() * s.width)), Values(at(s.vocabulary * s.width)), Values(at(s.ids))};
  for (Index b = 0; b < s.outputs(); ++b) {
    const bool single = s.pooling == Pooling::None;
    const Index first = single ? b : p.offsets[at(b)];
    const Index end = single ? b + 1 : b + 1 < s.bags ? p.offsets[at(b + 1)] : s.ids;
    pool(p, b, first, end, o);
  }
  return o;
}

Values whole(const std::vector<Index>& v) { return Values(v.begin(), v.end()); }

void check(OpCase& c, const Problem& p) {
  const EmbeddingSpec& s = p.s;
  const Outcome want = solve(p);
  for (const bool fast : {true, false}) {
    const auto plan = fast ? c.h().embedding().plan(s) : c.h().embedding().reference(s);
    INFO(plan->kind() << ": " << enum_name(s.pooling) << " of " << s.ids << " ids in " << s.bags << " bags, padding "
                      << s.padding);
    give_memory(c, *plan);
    EmbeddingRun run;
    run.ids = c.i32({s.ids}, whole(p.ids));
    if (s.offsets) run.offsets = c.i32({s.bags}, whole(p.offsets));
    if (s.weighted) run.weights = c.real({s.ids}, p.weights);
    run.table = c.real({s.vocabulary, s.width}, p.table);
    const Tensor y = c.nans({s.outputs(), s.width});
    without_allocation(c, [&] { plan->forward(run, y); });
    c.expect(y, want.y);
    const Tensor dy = c.real({s.outputs(), s.width}, p.dy);
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      const double start = mode == Write::Add ? 3 : 0;
      const auto sink = [&](const Shape& shape) {
        return Sink(c.constant(shape, mode == Write::Add ? start : kNaN), mode);
      };
      const Sink dtable = sink({s.vocabulary, s.width});
      const Sink dweights = s.weighted ? sink({s.ids}) : Sink();
      without_allocation(c, [&] { plan->backward(run, dy, dtable, dweights); });
      const auto expect = [&](const Sink& got, Values values) {
        for (double& v : values) v += start;
        if (got) c.expect(got.to, values);
      };
      expect(dtable, want.dtable);
      expect(dweights, want.dweights);
    }
  }
}

EmbeddingSpec spec(Index ids, Index vocabulary, Index width, Pooling pooling = Pooling::None, Index bags = 0) {
  EmbeddingSpec s;
  s.ids = ids, s.vocabulary = vocabulary, s.width = width, s.pooling = pooling, s.bags = bags;
  return s;
}

}  // namespace

OP_CASE("EmbeddingPlan::forward", "looks up rows and pools equal bags") {
  on_all_handlers([](OpCase& c) {
    check(c, draw(c, spec(1, 1, 1)));
    check(c, draw(c, spec(65, 17, 3)));
    for (const Pooling pooling : {Pooling::Sum, Pooling::Mean, Pooling::Max})
      for (const Index padding : {Index{-1}, Index{2}}) {
        EmbeddingSpec s = spec(60, 5, 7, pooling, 12);
        s.padding = padding;
        check(c, draw(c, s));
      }
  });
}

OP_CASE("EmbeddingPlan::backward", "adds what repeated ids send in bags of any length") {
  on_all_handlers([](OpCase& c) {
    for (const Pooling pooling : {Pooling::Sum, Pooling::Mean, Pooling::Max})
      for (const bool frequency : {false, true}) {
        EmbeddingSpec s = spec(11, 4, 5, pooling, 5);
        s.offsets = true;
        s.padding = 3;
        s.frequency = frequency;
        check(c, draw(c, s, {0, 3, 3, 4, 11}));
        s.weighted = pooling == Pooling::Sum;
        check(c, draw(c, s, {0, 0, 5, 9, 10}));
      }
    EmbeddingSpec s = spec(40, 6, 3);
    s.padding = 0;
    s.frequency = true;
    check(c, draw(c, s));
  });
}

OP_CASE("EmbeddingPlan::forward", "refuses ids and offsets that are none") {
  on_all_handlers([](OpCase& c) {
    EmbeddingSpec s = spec(3, 4, 2, Pooling::Sum, 2);
    s.offsets = true;
    const auto plan = c.h().embedding().plan(s);
    give_memory(c, *plan);
    EmbeddingRun run;
    run.ids = c.i32({3}, {0, 4, 1});
    run.offsets = c.i32({2}, {0, 1});
    run.table = c.random({4, 2});
    const Tensor y = c.nans({2, 2});
    expect_error<DataError>([&] { plan->forward(run, y); }, {"embedding forward", "id 4 in row 1", "0..3"});
    run.ids = c.i32({3}, {0, 3, 1});
    run.offsets = c.i32({2}, {0, 5});
    expect_error<DataError>([&] { plan->forward(run, y); }, {"bag 1 begins at 5", "0..3"});
    run.offsets = c.i32({2}, {1, 2});
    expect_error<DataError>([&] { plan->forward(run, y); }, {"bag 0 begins at 1"});
    expect_error([&] { c.h().embedding().plan(spec(5, 4, 2, Pooling::Sum, 2)); }, {"5 ids do not make 2 equal bags"});
    expect_error([&] { plan->backward(run, c.random({3, 2}), {}, {}); }, {"embedding backward", "dy", "(3, 2)"});
  });
}
