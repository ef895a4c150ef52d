// Products, reductions, broadcasts and gathers, against loops in double.
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Values transposed(const Values& m, Index rows, Index cols) {
  Values out(m.size());
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) out[at(j * rows + i)] = m[at(i * cols + j)];
  return out;
}

Values product(const Values& a, const Values& b, Index m, Index k, Index n) {
  Values out(at(m * n), 0.0);
  for (Index i = 0; i < m; ++i)
    for (Index l = 0; l < k; ++l)
      for (Index j = 0; j < n; ++j) out[at(i * n + j)] += a[at(i * k + l)] * b[at(l * n + j)];
  return out;
}

// A (rows, cols) operand, stored transposed where wanted, with `gap` unused numbers after each line.
ConstMatrix operand(OpCase& c, const Values& v, Index rows, Index cols, bool t, Index gap) {
  if (t) return c.strided(cols, rows, rows + gap, transposed(v, rows, cols)).T();
  return c.strided(rows, cols, cols + gap, v);
}

double combine(Binary op, double a, double b) {
  switch (op) {
    case Binary::Add: return a + b;
    case Binary::Subtract: return a - b;
    case Binary::Multiply: return a * b;
    case Binary::Divide: return a / b;
    case Binary::Modulo: return std::fmod(a, b);
    case Binary::Maximum: return std::max(a, b);
    case Binary::Minimum: return std::min(a, b);
  }
  return 0;
}

const std::vector<Binary> kBinary{Binary::Add,    Binary::Subtract, Binary::Multiply, Binary::Divide,
                                  Binary::Modulo, Binary::Maximum,  Binary::Minimum};
const std::vector<std::pair<Index, Index>> kMatrices{{0, 3},  {3, 0},  {1, 1},   {1, 17},
                                                     {17, 1}, {3, 65}, {63, 17}, {101, 67}};
// The same and some worth several threads, tall and wide.
const std::vector<std::pair<Index, Index>> kManySums{{0, 3},  {3, 0},   {1, 1},    {1, 17},    {17, 1},
                                                     {3, 65}, {63, 17}, {101, 67}, {5003, 33}, {7, 20011}};

}  // namespace

OP_CASE("LinalgOps::matmul", "multiplies plain and transposed and strided matrices of odd sizes") {
  struct Size {
    Index m, k, n;
  };
  const std::vector<Size> sizes{{1, 1, 1},       {3, 17, 1},      {1, 63, 3},     {17, 3, 65},  {65, 63, 17},
                                {0, 3, 3},       {3, 0, 3},       {3, 3, 0},      {63, 65, 67}, {7, 401, 5},
                                {64, 64, 64},    {1, 300, 129},   {129, 1, 3},    {37, 2, 300}, {130, 131, 70},
                                {600, 130, 260}, {260, 600, 112}, {520, 67, 1600}};
  on_all_handlers([&](OpCase& c) {
    for (const Size& s : sizes) {
      INFO(s.m << "x" << s.k << " * " << s.k << "x" << s.n);
      const Values a = c.read(c.random({s.m, s.k}));
      const Values b = c.read(c.random({s.k, s.n}));
      const Values want = product(a, b, s.m, s.k, s.n);
      for (const int form : {0, 1, 2, 3}) {
        const ConstMatrix ma = operand(c, a, s.m, s.k, (form & 1) != 0, form == 0 ? 0 : 2);
        const ConstMatrix mb = operand(c, b, s.k, s.n, (form & 2) != 0, form == 0 ? 0 : 5);
        c.expect_matrix_sink(s.m, s.n, want, [&](const MatrixSink& out) { c.h().linalg().matmul(ma, mb, out); });
      }
    }
  });
}

OP_CASE("LinalgOps::matmul", "of whole numbers is exact") {
  on_all_handlers([](OpCase& c) {
    const Values a = c.whole_values({33, 70}, -4, 4);
    const Values b = c.whole_values({70, 19}, -4, 4);
    c.expect_sink_exact({33, 19}, product(a, b, 33, 70, 19), [&](const Sink& out) {
      c.h().linalg().matmul(c.real({33, 70}, a), c.real({70, 19}, b), out);
    });
  });
}

OP_CASE("LinalgOps::matmul", "says which shapes do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().linalg();
    const Tensor a = c.random({64, 40});
    const Tensor b = c.random({30, 40});
    const Tensor out = c.random({64, 30});
    expect_error([&] { ops.matmul(a, b, out); }, {"matmul: (64x40) * (30x40) does not give (64x30)"});
    expect_error([&] { ops.matmul(a, ConstMatrix(b).T(), c.random({64, 31})); }, {"matmul", "(64x31)"});
    expect_error([&] { ops.matmul(a, ConstMatrix(b).T(), c.random({63, 30})); }, {"matmul", "(63x30)"});
    expect_error([&] { ops.matmul(c.i32({1, 1}, {1}), c.random({1, 1}), c.random({1, 1})); }, {"left operand is i32"});
    expect_error([&] { ops.matmul(c.random({1, 1}), c.i32({1, 1}, {1}), c.random({1, 1})); }, {"right operand is i32"});
    expect_error([&] { ops.matmul(c.random({1, 1}), c.random({1, 1}), c.i32({1, 1}, {1})); }, {"result is i32"});
    const Tensor square = c.random({3, 3});
    expect_error([&] { ops.matmul(square, c.random({3, 3}), square); }, {"matmul", "lies on an operand"});
    MatrixSink turned(c.random({3, 3}));
    turned.to.transposed = true;
    expect_error([&] { ops.matmul(square, square, turned); }, {"matmul", "transposed"});
    const ConstMatrix narrow(square.data(), c.dtype(), 3, 3, 2);
    expect_error([&] { ops.matmul(narrow, square, c.random({3, 3})); }, {"matmul", "leading dimension 2"});
    expect_error(
        [&] {
          ops.matmul(ConstMatrix(nullptr, c.dtype(), 3, 3, 3), square, c.random({3, 3}));
        },
        {"matmul", "left operand is missing"});
  });
}

OP_CASE("LinalgOps::with_row", "combines every row with a vector") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kMatrices) {
      const Index rows = size.first, cols = size.second;
      for (const Binary op : kBinary) {
        const Tensor m = c.random({rows, cols}, -3, 3);
        const Tensor v = c.random({cols}, 0.5, 2);
        const Values mv = c.read(m), vv = c.read(v);
        Values want;
        for (std::size_t i = 0; i < mv.size(); ++i) want.push_back(combine(op, mv[i], vv[i % at(cols)]));
        c.expect_matrix_sink(rows, cols, want, [&](const MatrixSink& out) { c.h().linalg().with_row(op, m, v, out); });
        c.h().linalg().with_row(op, m, v, Sink(m));
        c.expect(m, want);
      }
    }
    const Tensor m = c.random({2, 3});
    expect_error([&] { c.h().linalg().with_row(Binary::Add, m, c.random({2}), m); },
                 {"add", "(2)", "3 columns", "2x3"});
    expect_error(
        [&] {
          c.h().linalg().with_row(Binary::Add, m, c.random({3}), c.random({3, 2}));
        },
        {"add", "2x3", "3x2"});
    expect_error([&] { c.h().linalg().with_row(Binary::Add, m, c.i32({3}, {1, 1, 1}), m); }, {"add", "row is i32"});
    expect_error(
        [&] {
          c.h().linalg().with_row(Binary::Add, ConstMatrix(m).T(), c.random({2}), c.random({3, 2}));
        },
        {"add", "transposed"});
  });
}

OP_CASE("LinalgOps::with_column", "combines every column with a vector") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kMatrices) {
      const Index rows = size.first, cols = size.second;
      for (const Binary op : kBinary) {
        const Tensor m = c.random({rows, cols}, -3, 3);
        const Tensor v = c.random({rows}, 0.5, 2);
        const Values mv = c.read(m), vv = c.read(v);
        Values want;
        for (std::size_t i = 0; i < mv.size(); ++i) want.push_back(combine(op, mv[i], vv[i / at(cols)]));
        c.expect_matrix_sink(rows, cols, want,
                             [&](const MatrixSink& out) { c.h().linalg().with_column(op, m, v, out); });
        c.h().linalg().with_column(op, m, v, Sink(m));
        c.expect(m, want);
      }
    }
    const Tensor m = c.random({2, 3});
    expect_error([&] { c.h().linalg().with_column(Binary::Add, m, c.random({3}), m); },
                 {"add", "(3)", "2 rows", "2x3"});
    expect_error(
        [&] {
          c.h().linalg().with_column(Binary::Add, m, c.random({2}), c.random({3, 2}));
        },
        {"add", "2x3", "3x2"});
    expect_error([&] { c.h().linalg().with_column(Binary::Add, m, c.i32({2}, {1, 1}), m); }, {"add", "column is i32"});
    expect_error(
        [&] {
          c.h().linalg().with_column(Binary::Add, ConstMatrix(m).T(), c.random({3}), c.random({3, 2}));
        },
        {"add", "transposed"});
  });
}

OP_CASE("LinalgOps::sum_rows", "adds the rows up") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kManySums) {
      const Index rows = size.first, cols = size.second;
      const Values v = c.whole_values({rows, cols}, -9, 9);
      const Matrix m = c.strided(rows, cols, cols + 2, v);
      Values want(at(cols), 0.0);
      for (std::size_t i = 0; i < v.size(); ++i) want[i % at(cols)] += v[i];
      c.expect_sink_exact({cols}, want, [&](const Sink& out) { c.h().linalg().sum_rows(m, out); });
    }
    const Tensor m = c.random({2, 3});
    expect_error([&] { c.h().linalg().sum_rows(m, Sink(c.random({2}))); }, {"sum_rows: (2x3) gives 3 sums, not (2)"});
    expect_error([&] { c.h().linalg().sum_rows(ConstMatrix(m).T(), Sink(c.random({2}))); }, {"sum_rows", "transposed"});
    expect_error([&] { c.h().linalg().sum_rows(m, Sink(c.i32({3}, {1, 1, 1}))); }, {"sum_rows", "i32"});
  });
}

OP_CASE("LinalgOps::sum_columns", "adds the columns up") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kManySums) {
      const Index rows = size.first, cols = size.second;
      const Values v = c.whole_values({rows, cols}, -9, 9);
      const Matrix m = c.strided(rows, cols, cols + 2, v);
      Values want(at(rows), 0.0);
      for (std::size_t i = 0; i < v.size(); ++i) want[i / at(cols)] += v[i];
      c.expect_sink_exact({rows}, want, [&](const Sink& out) { c.h().linalg().sum_columns(m, out); });
    }
    const Tensor m = c.random({2, 3});
    expect_error([&] { c.h().linalg().sum_columns(m, Sink(c.random({3}))); }, {"sum_columns", "gives 2 sums, not (3)"});
    expect_error([&] { c.h().linalg().sum_columns(ConstMatrix(m).T(), Sink(c.random({3}))); },
                 {"sum_columns", "transposed"});
    expect_error([&] { c.h().linalg().sum_columns(m, Sink(c.i32({2}, {1, 1}))); }, {"sum_columns", "i32"});
  });
}

OP_CASE("LinalgOps::sum_all", "adds everything up") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Values v = c.whole_values({n}, -9, 9);
      double sum = 0;
      for (const double one : v) sum += one;
      c.expect_sink_exact({1}, {sum}, [&](const Sink& out) { c.h().linalg().sum_all(c.real({n}, v), out); });
    }
    const Tensor many = c.constant({1 << 17}, 0.1);  // rounding does not pile up
    const Tensor out = c.nans({});
    c.h().linalg().sum_all(many, Sink(out));
    c.expect(c.read(out), {c.read(many)[0] * (1 << 17)}, 10 * c.tolerance());
    expect_error([&] { c.h().linalg().sum_all(many, Sink(c.random({2}))); }, {"sum_all", "one element", "(2)"});
    expect_error([&] { c.h().linalg().sum_all(c.u8({1}, {1}), Sink(out)); }, {"sum_all", "u8"});
    expect_error([&] { c.h().linalg().sum_all(many, Sink(c.i32({1}, {1}))); }, {"sum_all", "i32"});
  });
}

OP_CASE("LinalgOps::max_columns", "finds the largest of each row") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kManySums) {
      const Index rows = size.first, cols = size.second;
      if (cols == 0) continue;
      const Values v = c.whole_values({rows, cols}, -9, -3);
      Values want;
      for (Index i = 0; i < rows; ++i)
        want.push_back(*std::max_element(v.begin() + i * cols, v.begin() + (i + 1) * cols));
      const Tensor out = c.nans({rows});
      c.h().linalg().max_columns(c.strided(rows, cols, cols + 1, v), out);
      c.expect_exact(out, want);
    }
    expect_error(
        [&] {
          c.h().linalg().max_columns(c.random({2, 3}), c.random({3}));
        },
        {"max_columns", "2 maxima", "(3)"});
    expect_error([&] { c.h().linalg().max_columns(c.random({2, 0}), c.random({2})); }, {"max_columns", "no columns"});
    expect_error([&] { c.h().linalg().max_columns(c.random({2, 3}), c.i32({2}, {1, 1})); }, {"max_columns", "i32"});
    expect_error([&] { c.h().linalg().max_columns(ConstMatrix(c.random({2, 3})).T(), c.random({3})); }, {"transposed"});
  });
}

OP_CASE("LinalgOps::argmax_columns", "finds the first largest of each row") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kManySums) {
      const Index rows = size.first, cols = size.second;
      if (cols == 0) continue;
      const Values v = c.whole_values({rows, cols}, -3, 2);  // many ties
      Values want;
      for (Index i = 0; i < rows; ++i) {
        const auto first = v.begin() + i * cols;
        want.push_back(static_cast<double>(std::max_element(first, first + cols) - first));
      }
      const Tensor out = c.i32({rows}, Values(at(rows), -7));
      c.h().linalg().argmax_columns(c.strided(rows, cols, cols + 1, v), out);
      c.expect_exact(out, want);
    }
    const Tensor m = c.random({2, 3});
    expect_error([&] { c.h().linalg().argmax_columns(m, c.i32({3}, {1, 1, 1})); }, {"argmax_columns", "(3)"});
    expect_error([&] { c.h().linalg().argmax_columns(m, c.random({2})); }, {"argmax_columns", "i32"});
    expect_error([&] { c.h().linalg().argmax_columns(c.random({2, 0}), c.i32({2}, {0, 0})); }, {"no columns"});
    expect_error([&] { c.h().linalg().argmax_columns(ConstMatrix(m).T(), c.i32({3}, {1, 1, 1})); }, {"transposed"});
  });
}

OP_CASE("LinalgOps::softmax", "turns rows into probabilities in place or not") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kManySums) {
      const Index rows = size.first, cols = size.second;
      const Values v = c.read(c.random({rows, cols}, -5, 5));
      const Values want = cols == 0 ? Values{} : naive::softmax(v, at(cols));
      const Matrix m = c.strided(rows, cols, cols + 3, v);
      const Matrix out = c.strided(rows, cols, cols + 1, Values(v.size(), kNaN));
      c.h().linalg().softmax(m, out);
      c.expect(out, want);
      c.h().linalg().softmax(m, m);
      c.expect(m, want);
    }
    const Tensor far = c.real({2, 2}, {1000, 999, -1000, -1000});
    c.h().linalg().softmax(far, far);
    c.expect(far, {1 / (1 + std::exp(-1.0)), 1 / (1 + std::exp(1.0)), 0.5, 0.5});
    const Tensor m = c.random({2, 3});
    expect_error([&] { c.h().linalg().softmax(m, c.random({3, 2})); }, {"softmax", "2x3", "3x2"});
    expect_error([&] { c.h().linalg().softmax(m, c.i32({2, 3}, Values(6, 1))); }, {"softmax", "i32"});
    expect_error([&] { c.h().linalg().softmax(ConstMatrix(m).T(), c.random({3, 2})); }, {"softmax", "transposed"});
  });
}

OP_CASE("LinalgOps::softmax_back", "multiplies by the Jacobian of softmax") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kMatrices) {
      const Index rows = size.first, cols = size.second;
      const Tensor y = c.random({rows, cols}, 0, 1);
      const Tensor dy = c.random({rows, cols});
      const Values want =
          cols == 0 ? Values{} : naive::activate_rows_back(Activation::Softmax, c.read(y), c.read(dy), at(cols));
      c.expect_matrix_sink(rows, cols, want, [&](const MatrixSink& dx) { c.h().linalg().softmax_back(y, dy, dx); });
      c.h().linalg().softmax_back(y, dy, dy);
      c.expect(dy, want);
    }
    const Tensor y = c.random({2, 3});
    expect_error([&] { c.h().linalg().softmax_back(y, c.random({3, 2}), y); }, {"softmax_back", "dy", "3x2"});
    expect_error([&] { c.h().linalg().softmax_back(y, y, c.random({2, 2})); }, {"softmax_back", "dx", "2x2"});
    expect_error(
        [&] {
          c.h().linalg().softmax_back(c.i32({1, 1}, {1}), c.random({1, 1}), c.random({1, 1}));
        },
        {"softmax_back", "y is i32"});
  });
}

OP_CASE("LinalgOps::one_hot", "writes ones and zeros") {
  on_all_handlers([](OpCase& c) {
    for (const Index rows : c.odd_sizes()) {
      const Values index = c.whole_values({rows}, 0, 4);
      Values want(at(rows * 5), 0.0);
      for (Index i = 0; i < rows; ++i) want[at(i * 5) + static_cast<std::size_t>(index[at(i)])] = 1;
      const Matrix out = c.strided(rows, 5, 7, Values(at(rows * 5), kNaN));
      c.h().linalg().one_hot(c.i32({rows}, index), out);
      c.expect_exact(out, want);
    }
    expect_error([&] { c.h().linalg().one_hot(c.i32({2}, {0, 1}), c.random({3, 2})); }, {"one_hot", "(2)", "3 rows"});
    expect_error([&] { c.h().linalg().one_hot(c.random({3}), c.random({3, 2})); }, {"one_hot", "i32"});
    expect_error([&] { c.h().linalg().one_hot(c.i32({1}, {0}), c.i32({1, 2}, {0, 0})); }, {"one_hot", "i32"});
  });
}

OP_CASE("LinalgOps::pick", "takes one element of each row") {
  on_all_handlers([](OpCase& c) {
    for (const Index rows : c.odd_sizes()) {
      const Values index = c.whole_values({rows}, 0, 4);
      const Values v = c.whole_values({rows, 5}, -9, 9);
      Values want;
      for (Index i = 0; i < rows; ++i) want.push_back(v[at(i * 5) + static_cast<std::size_t>(index[at(i)])]);
      const Tensor places = c.i32({rows}, index);
      c.expect_sink_exact({rows}, want,
                          [&](const Sink& out) { c.h().linalg().pick(c.strided(rows, 5, 6, v), places, out); });
    }
    const Tensor m = c.random({2, 3});
    const Tensor index = c.i32({2}, {0, 1});
    expect_error(
        [&] {
          c.h().linalg().pick(m, c.i32({3}, {0, 0, 0}), Sink(c.random({2})));
        },
        {"pick", "(3)", "2 rows"});
    expect_error([&] { c.h().linalg().pick(m, c.random({2}), Sink(c.random({2}))); }, {"pick", "i32"});
    expect_error([&] { c.h().linalg().pick(m, index, Sink(c.random({3}))); }, {"pick", "2 elements", "(3)"});
    expect_error([&] { c.h().linalg().pick(c.random({2, 0}), index, Sink(c.random({2}))); }, {"pick", "no columns"});
    expect_error(
        [&] {
          c.h().linalg().pick(ConstMatrix(m).T(), c.i32({3}, {0, 0, 0}), Sink(c.random({3})));
        },
        {"pick", "transposed"});
  });
}

OP_CASE("LinalgOps::gather_rows", "copies the rows that are named") {
  on_all_handlers([](OpCase& c) {
    for (const Index count : c.odd_sizes()) {
      const Values index = c.whole_values({count}, 0, 6);
      const Values v = c.whole_values({7, 5}, -9, 9);
      Values want;
      for (const double i : index)
        for (Index j = 0; j < 5; ++j) want.push_back(v[at(static_cast<Index>(i) * 5 + j)]);
      const Tensor places = c.i32({count}, index);
      c.expect_matrix_sink(count, 5, want, [&](const MatrixSink& out) {
        c.h().linalg().gather_rows(c.strided(7, 5, 6, v), places, out);
      });
    }
    const Tensor m = c.random({2, 3});
    const Tensor index = c.i32({2}, {0, 1});
    expect_error([&] { c.h().linalg().gather_rows(m, index, c.random({3, 3})); }, {"gather_rows", "(2)", "3 rows"});
    expect_error([&] { c.h().linalg().gather_rows(m, index, c.random({2, 2})); }, {"gather_rows", "2x3", "2x2"});
    expect_error([&] { c.h().linalg().gather_rows(m, c.random({2}), c.random({2, 3})); }, {"gather_rows", "i32"});
    expect_error([&] { c.h().linalg().gather_rows(c.random({0, 3}), index, c.random({2, 3})); }, {"no rows"});
  });
}

OP_CASE("LinalgOps::scatter_add_rows", "adds to the rows that are named as often as they are named") {
  on_all_handlers([](OpCase& c) {
    for (const Index count : c.odd_sizes()) {
      const Values index = c.whole_values({count}, 0, 6);
      const Values v = c.whole_values({count, 5}, -9, 9);
      Values want = c.whole_values({7, 5}, -9, 9);
      const Matrix out = c.strided(7, 5, 8, want);
      for (Index i = 0; i < count; ++i)
        for (Index j = 0; j < 5; ++j) want[at(static_cast<Index>(index[at(i)]) * 5 + j)] += v[at(i * 5 + j)];
      c.h().linalg().scatter_add_rows(c.strided(count, 5, 6, v), c.i32({count}, index), out);
      c.expect_exact(out, want);
    }
    const Tensor rows = c.random({2, 3});
    const Tensor index = c.i32({2}, {0, 1});
    auto& ops = c.h().linalg();
    expect_error(
        [&] {
          ops.scatter_add_rows(rows, c.i32({1}, {0}), c.random({4, 3}));
        },
        {"scatter_add_rows", "2 rows"});
    expect_error([&] { ops.scatter_add_rows(rows, index, c.random({4, 2})); }, {"scatter_add_rows", "2x3", "4x2"});
    expect_error([&] { ops.scatter_add_rows(rows, c.random({2}), c.random({4, 3})); }, {"scatter_add_rows", "i32"});
    expect_error([&] { ops.scatter_add_rows(rows, index, c.random({0, 3})); }, {"scatter_add_rows", "no rows"});
  });
}

OP_CASE("LinalgOps::copy_block", "copies between different leading dimensions") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : kMatrices) {
      const Index rows = size.first, cols = size.second;
      const Values v = c.whole_values({rows, cols}, -9, 9);
      const Matrix from = c.strided(rows, cols, cols + 4, v);
      c.expect_matrix_sink(rows, cols, v, [&](const MatrixSink& to) { c.h().linalg().copy_block(from, to); });
    }
    const Tensor whole = c.constant({3, 6}, 0);
    c.h().linalg().copy_block(c.constant({3, 2}, 5), Matrix(whole).columns(2, 2));
    c.expect_exact(whole, {0, 0, 5, 5, 0, 0, 0, 0, 5, 5, 0, 0, 0, 0, 5, 5, 0, 0});
    expect_error([&] { c.h().linalg().copy_block(whole, c.random({3, 5})); }, {"copy_block", "3x6", "3x5"});
    expect_error([&] { c.h().linalg().copy_block(whole, c.i32({3, 6}, Values(18, 1))); }, {"copy_block", "i32"});
    expect_error([&] { c.h().linalg().copy_block(ConstMatrix(whole).T(), c.random({6, 3})); }, {"transposed"});
  });
}

OP_CASE("LinalgOps::broadcast", "repeats the axis that has one element") {
  on_all_handlers([](OpCase& c) {
    for (const Shape& to : {Shape{5}, Shape{1, 1}, Shape{3, 4}, Shape{2, 3, 5}, Shape{4, 1, 3, 2}, Shape{0, 3},
                            Shape{301, 233}, Shape{7, 1009, 13}})
      for (int axis = 0; axis < to.rank(); ++axis) {
        const Index inner = to.from(axis + 1).elements();
        const Shape from = to.until(axis).with_back(1).joined(to.from(axis + 1));
        const Values v = c.whole_values(from, -9, 9);
        Values want;
        for (Index i = 0; i < to.elements(); ++i) want.push_back(v[at(i / (inner * to[axis]) * inner + i % inner)]);
        INFO(from << " along axis " << axis);
        c.expect_sink_exact(to, want, [&](const Sink& out) { c.h().linalg().broadcast(c.real(from, v), axis, out); });
      }
  });
}

OP_CASE("LinalgOps::broadcast", "says which shapes do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().linalg();
    const Tensor x = c.random({2, 1, 3});
    expect_error([&] { ops.broadcast(x, 1, c.random({2, 4, 4})); }, {"broadcast", "(2, 1, 3)", "(2, 4, 4)", "axis 1"});
    expect_error([&] { ops.broadcast(x, 0, c.random({4, 1, 3})); }, {"broadcast", "with 1 as axis 0"});
    expect_error([&] { ops.broadcast(x, 1, c.random({2, 12})); }, {"broadcast", "(2, 12)"});
    for (const int axis : {-1, 3}) expect_error([&] { ops.broadcast(x, axis, x); }, {"broadcast", "has no axis"});
    expect_error([&] { ops.broadcast(x, 1, x); }, {"broadcast", "lies on the operand"});
    expect_error([&] { ops.broadcast(c.i32({1}, {1}), 0, c.random({3})); }, {"broadcast", "operand is i32"});
  });
}
