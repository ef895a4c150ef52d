// Attention, fast and reference: formulas in double forward, finite differences of them backward.
#include "squall/core/ops/attention.hpp"

#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct Problem {
  AttentionSpec s;
  Values q, k, v, mask, padding;  // masks: what is added
  Values dropped;                 // a factor of each weight, (batch, heads, queries, keys)
  Values dy, dweights;
  bool flags = false;  // masks are given as U8
};

constexpr double kNever = -std::numeric_limits<double>::infinity();

Problem draw(OpCase& c, const AttentionSpec& s, bool mask, bool padding, bool flags) {
  Problem p;
  p.s = s;
  p.flags = flags;
  p.q = c.read(c.random({s.batch * s.queries, s.heads * s.key_dim}));
  p.k = c.read(c.random({s.batch * s.keys, s.heads * s.key_dim}));
  p.v = c.read(c.random({s.batch * s.keys, s.heads * s.value_dim}));
  const auto some = [&](const Shape& shape) {
    Values out = flags ? c.whole_values(shape, 0, 2) : c.read(c.random(shape, -2, 2));
    for (double& value : out)
      if (flags) value = value == 1 ? kNever : 0;
    return out;
  };
  if (mask) p.mask = some(s.mask_shape());
  if (padding) p.padding = some({s.batch, s.masked_keys()});
  p.dropped.assign(at(s.batch * s.heads * s.queries * s.keys), 1.0);
  p.dy = c.read(c.random({s.batch * s.queries, s.heads * s.value_dim}));
  p.dweights = c.read(c.random({s.batch * s.queries, s.weight_columns()}));
  return p;
}

struct Outcome {
  Values y, weights;
};

Index row(const AttentionSpec& s, Index length, Index n, Index i) {
  return s.batch_first ? n * length + i : i * s.batch + n;
}

// Scores of one query of one head.
Values weigh(const Problem& p, Index n, Index h, Index i) {
  const AttentionSpec& s = p.s;
  Values e(at(s.keys));
  double top = kNever, sum = 0;
  for (Index j = 0; j < s.keys; ++j) {
    double score = 0;
    for (Index d = 0; d < s.key_dim; ++d)
      score += p.q[at((row(s, s.queries, n, i) * s.heads + h) * s.key_dim + d)] *
               p.k[at((row(s, s.keys, n, j) * s.heads + h) * s.key_dim + d)];
    score *= s.scale;
    if (j < s.masked_keys()) {
      const Index example = s.mask_batch > 1 ? n : 0, head = s.mask_heads > 1 ? h : 0;
      if (!p.mask.empty()) score += p.mask[at(((example * s.mask_heads + head) * s.queries + i) * s.masked_keys() + j)];
      if (!p.padding.empty()) score += p.padding[at(s.padding_batch_first ? n * s.masked_keys() + j : j * s.batch + n)];
      if (s.causal && j > i) score = kNever;
    }
    e[at(j)] = score;
    top = std::max(top, score);
  }
  for (double& v : e) sum += v = top == kNever ? 0 : std::exp(v - top);
  for (Index j = 0; j < s.keys; ++j)
    e[at(j)] *= (sum > 0 ? 1 / sum : 0) * p.dropped[at(((n * s.heads + h) * s.queries + i) * s.keys + j)];
  return e;
}

Outcome solve(const Problem& p) {
  const AttentionSpec& s = p.s;
  Outcome o{Values(p.dy.size()), Values(p.dweights.size())};
  for (Index n = 0; n < s.batch; ++n)
    for (Index h = 0; h < s.heads; ++h)
      for (Index i = 0; i < s.queries; ++i) {
        const Values a = weigh(p, n, h, i);
        const Index to = row(s, s.queries, n, i);
        for (Index j = 0; j < s.keys; ++j) {
          for (Index d = 0; d < s.value_dim; ++d)
            o.y[at((to * s.heads + h) * s.value_dim + d)] +=
                a[at(j)] * p.v[at((row(s, s.keys, n, j) * s.heads + h) * s.value_dim + d)];
          o.weights[at(to * s.weight_columns() + (s.averaged ? 0 : h * s.keys) + j)] +=
              a[at(j)] / (s.averaged ? static_cast<double>(s.heads) : 1);
        }
      }
  return o;
}

double loss(const Problem& p, bool with_y, bool with_weights) {
  const Outcome o = solve(p);
  double sum = 0;
  for (std::size_t i = 0; with_y && i < o.y.size(); ++i) sum += o.y[i] * p.dy[i];
  for (std::size_t i = 0; with_weights && i < o.weights.size(); ++i) sum += o.weights[i] * p.dweights[i];
  return sum;
}

Values slope(Problem p, Values Problem::*part, bool with_y, bool with_weights) {
  Values out;
  for (double& e : p.*part) {
    const double kept = e, h = 1e-5;
    e = kept + h;
    const double up = loss(p, with_y, with_weights);
    e = kept - h;
    out.push_back((up - loss(p, with_y, with_weights)) / (2 * h));
    e = kept;
  }
  return out;
}

// Operands inside wider matrices, as parts of one projection are.
struct OnDevice {
  AttentionRun run;
  OnDevice(OpCase& c, const Problem& p) {
    const AttentionSpec& s = p.s;
    const auto part = [&](Index rows, Index columns, const Values& values) {
      return c.strided(rows, columns, columns + 3, values);
    };
    run.q = part(s.batch * s.queries, s.heads * s.key_dim, p.q);
    run.k = part(s.batch * s.keys, s.heads * s.key_dim, p.k);
    run.v = part(s.batch * s.keys, s.heads * s.value_dim, p.v);
    run.y = part(s.batch * s.queries, s.heads * s.value_dim, Values(p.dy.size(), kNaN));
    if (s.weights) run.weights = c.nans({s.batch * s.queries, s.weight_columns()});
    const auto mask = [&](const Shape& shape, const Values& values) -> ConstTensor {
      if (values.empty()) return {};
      Values flags = values;
      for (double& v : flags) v = v == kNever ? 1 : 0;
      return p.flags ? c.u8(shape, flags) : c.real(shape, values);
    };
    run.mask = mask(s.mask_shape(), p.mask);
    const bool first = s.padding_batch_first;
    run.padding = mask({first ? s.batch : s.masked_keys(), first ? s.masked_keys() : s.batch}, p.padding);
    run.random = {123, 4};
  }
};

void check_backward(OpCase& c, AttentionPlan& plan, const AttentionRun& run, const Problem& p, bool with_y,
                    bool with_weights) {
  const AttentionSpec& s = p.s;
  const Values wanted[3] = {slope(p, &Problem::q, with_y, with_weights), slope(p, &Problem::k, with_y, with_weights),
                            slope(p, &Problem::v, with_y, with_weights)};
  for (const Write mode : {Write::Overwrite, Write::Add}) {
    const double start = mode == Write::Add ? 2 : 0;
    const auto sink = [&](Index rows, Index columns) {
      const Values values(at(rows * columns), mode == Write::Add ? start : kNaN);
      return MatrixSink(c.strided(rows, columns, columns + 1, values), mode);
    };
    AttentionDeltas d;
    if (with_y) d.dy = c.strided(s.batch * s.queries, s.heads * s.value_dim, s.heads * s.value_dim, p.dy);
    if (with_weights) d.dweights = c.real({s.batch * s.queries, s.weight_columns()}, p.dweights);
    d.dq = sink(s.batch * s.queries, s.heads * s.key_dim);
    d.dk = sink(s.batch * s.keys, s.heads * s.key_dim);
    d.dv = sink(s.batch * s.keys, s.heads * s.value_dim);
    without_allocation(c, [&] { plan.backward(run, d); });
    int part = 0;
    for (const MatrixSink* got : {&d.dq, &d.dk, &d.dv}) {
      Values want = wanted[part++];
      for (double& v : want) v += start;
      c.expect(c.read(got->to), want, std::max(5 * c.tolerance(), 1e-8));
    }
  }
}

void check(OpCase& c, const Problem& p, const std::string& what) {
  const Outcome want = solve(p);
  for (const bool fast : {true, false}) {
    const auto plan = fast ? c.h().attention().plan(p.s) : c.h().attention().reference(p.s);
    INFO(plan->kind() << ": " << what);
    give_memory(c, *plan);
    const OnDevice d(c, p);
    without_allocation(c, [&] { plan->forward(d.run); });
    c.expect(c.read(d.run.y), want.y, 5 * c.tolerance());
    if (p.s.weights) c.expect(c.read(d.run.weights), want.weights, 5 * c.tolerance());
    if (!p.s.training) continue;
    check_backward(c, *plan, d.run, p, true, false);
    if (!p.s.weights) continue;
    check_backward(c, *plan, d.run, p, true, true);
    check_backward(c, *plan, d.run, p, false, true);
  }
}

AttentionSpec small() {
  AttentionSpec s;
  s.batch = 2, s.heads = 3, s.queries = 4, s.keys = 5, s.key_dim = 3, s.value_dim = 2, s.scale = 0.7;
  s.training = true;
  return s;
}

}  // namespace

OP_CASE("AttentionPlan::forward", "is softmax of products in any order of rows with any mask") {
  on_all_handlers([](OpCase& c) {
    for (const bool batch_first : {false, true})
      for (const bool flags : {false, true})
        for (const int kind : {0, 1, 2, 3}) {
          AttentionSpec s = small();
          s.training = false;
          s.batch_first = s.padding_batch_first = batch_first;
          s.causal = kind == 3;
          s.mask_batch = kind == 2 ? s.batch : 1;
          s.mask_heads = kind >= 2 ? s.heads : 1;
          s.open_keys = kind == 2 ? 2 : 0;
          check(c, draw(c, s, kind > 0, kind > 1, flags), concat("mask ", kind, flags ? " of flags" : ""));
        }
  });
}

OP_CASE("AttentionPlan::backward", "is the derivative of outputs and of weights") {
  on_all_handlers([](OpCase& c) {
    for (const bool averaged : {false, true})
      for (const int kind : {0, 1, 2}) {
        AttentionSpec s = small();
        s.batch_first = averaged;
        s.weights = kind != 1;
        s.averaged = averaged;
        s.causal = kind == 2;
        s.open_keys = kind == 2 ? 1 : 0;
        check(c, draw(c, s, kind > 0, kind == 1, averaged), concat("mask ", kind));
      }
  });
}

OP_CASE("AttentionPlan::backward", "gives zeros to and from a query that may see nothing") {
  on_all_handlers([](OpCase& c) {
    for (const bool flags : {false, true}) {
      Problem p = draw(c, small(), true, false, flags);
      for (Index j = 0; j < p.s.keys; ++j) p.mask[at(2 * p.s.keys + j)] = kNever;
      p.s.weights = true;
      check(c, p, "a row of nothing");
      const Outcome o = solve(p);
      for (Index j = 0; j < p.s.heads * p.s.value_dim; ++j)
        CHECK(o.y[at(row(p.s, p.s.queries, 1, 2) * p.s.heads * p.s.value_dim + j)] == 0);
    }
  });
}

OP_CASE("AttentionPlan::forward", "drops the weights that its stream says") {
  on_all_handlers([](OpCase& c) {
    AttentionSpec s = small();
    s.dropout = 0.4;
    s.weights = true;
    Problem p = draw(c, s, false, false, false);
    for (Index pair = 0; pair < s.batch * s.heads; ++pair) {
      const Tensor kept = c.nans({s.queries, 8});  // keys rounded up to a multiple of 4
      c.h().random().bernoulli(attention_stream({123, 4}, pair), 0.6, kept);
      const Values values = c.read(kept);
      for (Index i = 0; i < s.queries; ++i)
        for (Index j = 0; j < s.keys; ++j)
          p.dropped[at((pair * s.queries + i) * s.keys + j)] = values[at(i * 8 + j)] / 0.6;
    }
    check(c, p, "dropout");
    s.training = false;
    p = draw(c, s, false, false, false);
    check(c, p, "dropout is off outside training");
  });
}

OP_CASE("AttentionPlan::backward", "agrees between fast and reference plan over several blocks") {
  on_all_handlers([](OpCase& c) {
    for (const bool causal : {false, true}) {
      AttentionSpec s = small();
      s.queries = 131, s.keys = 517, s.key_dim = 17, s.value_dim = 9, s.heads = 2;
      s.causal = causal;
      s.dropout = 0.25;
      s.weights = s.averaged = causal;
      const Problem p = draw(c, s, true, true, causal);
      std::vector<Values> results[2];
      for (const std::size_t fast : {std::size_t{0}, std::size_t{1}}) {
        const auto plan = fast == 1 ? c.h().attention().plan(s) : c.h().attention().reference(s);
        give_memory(c, *plan);
        const OnDevice d(c, p);
        plan->forward(d.run);
        AttentionDeltas back;
        back.dy = c.real({s.batch * s.queries, s.heads * s.value_dim}, p.dy);
        if (s.weights) back.dweights = c.real({s.batch * s.queries, s.weight_columns()}, p.dweights);
        const Tensor dq = c.nans({s.batch * s.queries, s.heads * s.key_dim});
        const Tensor dk = c.nans({s.batch * s.keys, s.heads * s.key_dim});
        const Tensor dv = c.nans({s.batch * s.keys, s.heads * s.value_dim});
        back.dq = dq, back.dk = dk, back.dv = dv;
        plan->backward(d.run, back);
        results[fast] = {c.read(d.run.y), c.read(dq), c.read(dk), c.read(dv)};
        if (s.weights) results[fast].push_back(c.read(d.run.weights));
      }
      for (std::size_t i = 0; i < results[0].size(); ++i) c.expect(results[1][i], results[0][i], 5 * c.tolerance());
    }
  });
}

TEST_CASE("attention gives the same bits for any number of threads", "[ops]") {
  std::vector<Values> results;
  for (const int threads : {1, 2, 5}) {
    HandlerOptions options;
    options.threads = threads;
    OpCase c({"cpu:f32", 1e-5}, options);
    AttentionSpec s = small();
    s.queries = 200, s.keys = 300, s.key_dim = 16, s.value_dim = 16, s.dropout = 0.5;
    const Problem p = draw(c, s, false, false, false);
    const auto plan = c.h().attention().plan(s);
    give_memory(c, *plan);
    const OnDevice d(c, p);
    plan->forward(d.run);
    AttentionDeltas back;
    back.dy = c.real({s.batch * s.queries, s.heads * s.value_dim}, p.dy);
    const Tensor dk = c.nans({s.batch * s.keys, s.heads * s.key_dim});
    back.dk = dk;
    plan->backward(d.run, back);
    Values all = c.read(d.run.y);
    const Values more = c.read(dk);
    all.insert(all.end(), more.begin(), more.end());
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

OP_CASE("AttentionPlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const AttentionSpec s = small();
    const auto plan = c.h().attention().plan(s);
    give_memory(c, *plan);
    const Problem p = draw(c, s, false, false, false);
    OnDevice d(c, p);
    AttentionDeltas back;
    expect_error([&] { plan->backward(d.run, back); }, {"attention backward", "neither dy nor dweights"});
    back.dy = c.random({3, 6});
    expect_error([&] { plan->backward(d.run, back); }, {"attention backward", "dy", "8x6"});
    AttentionRun run = d.run;
    run.mask = c.random({4, 4});
    expect_error([&] { plan->forward(run); }, {"attention forward", "mask", "(4, 4)", "(1, 1, 4, 5)"});
    run = d.run;
    run.q = c.random({8, 8});
    expect_error([&] { plan->forward(run); }, {"attention forward", "q is", "8x9"});
    run = d.run;
    run.weights = c.random({8, 15});
    expect_error([&] { plan->forward(run); }, {"made without weights"});
    AttentionSpec odd = s;
    odd.mask_heads = 2;
    expect_error([&] { c.h().attention().plan(odd); }, {"mask has 2 heads", "1 or 3"});
    odd = s;
    odd.dropout = 1;
    expect_error([&] { c.h().attention().reference(odd); }, {"dropout 1"});
    odd = s;
    odd.training = false;
    const auto inference = c.h().attention().plan(odd);
    expect_error([&] { inference->backward(d.run, back); }, {"made for inference"});
  });
}
