// A bench for one handler: makes operands with sentinels around them, runs operations in every sink mode and compares
// with what a test computed in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <iomanip>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "squall/core/handler.hpp"
#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/dense.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/ops/random.hpp"
#include "squall/core/ops/windows.hpp"
#include "squall/core/random.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

namespace squall::test {

using Values = std::vector<double>;

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Operations that have a case, filled while the program starts by OP_CASE.
inline std::set<std::string>& covered_ops() {
  static std::set<std::string> ops;
  return ops;
}
inline std::set<std::string>& op_cases() {  // their names
  static std::set<std::string> names;
  return names;
}
struct Covers {
  Covers(const char* op, const char* name) {
    covered_ops().insert(op);
    op_cases().insert(name);
  }
};

class OpCase {
 public:
  explicit OpCase(const HandlerUnderTest& under_test, const HandlerOptions& options = {})
      : handler_(make_under_test(under_test.name, options)),
        tolerance_(under_test.tolerance),
        debug_(is_debug(under_test.name)) {}
  OpCase(const OpCase&) = delete;
  OpCase& operator=(const OpCase&) = delete;
  ~OpCase() { check_sentinels(); }

  Handler& h() const { return *handler_; }
  DType dtype() const { return handler_->dtype(); }
  double tolerance() const { return tolerance_; }
  bool debug() const { return debug_; }
  // Sizes to try; the last is worth several threads. A debug handler has the kernels of its twin, which tries it.
  std::vector<Index> odd_sizes() const {
    if (debug_) return {0, 1, 3, 17, 63, 65, 1009};
    return {0, 1, 3, 17, 63, 65, 1009, 70001};
  }

  // Memory of arbitrary content between two sentinels.
  Tensor make(DType type, const Shape& shape) {
    const std::size_t bytes = static_cast<std::size_t>(shape.elements()) * size_of(type);
    blocks_.push_back({DeviceBlock(h().memory(), bytes + 2 * kSentinel), bytes});
    const Block& b = blocks_.back();
    for (const Tensor& sentinel : {b.front(), b.back()}) h().memory().upload(sentinel_bytes().view(), sentinel);
    return {b.memory.data() + kSentinel, type, shape};
  }
  Tensor upload(const HostArray& host, DType type) {
    const Tensor t = make(type, host.shape());
    h().memory().upload(host.view(), t);
    return t;
  }
  Tensor real(const Shape& shape, const Values& values) { return upload(HostArray::of(shape, values), dtype()); }
  Tensor i32(const Shape& shape, const Values& values) { return upload(HostArray::of(shape, values), DType::I32); }
  Tensor u8(const Shape& shape, const Values& values) { return upload(HostArray::of(shape, values), DType::U8); }
  Tensor nans(const Shape& shape) { return constant(shape, kNaN); }
  Tensor constant(const Shape& shape, double value) {
    return real(shape, Values(static_cast<std::size_t>(shape.elements()), value));
  }
  Tensor random(const Shape& shape, double low = -1, double high = 1) {
    return real(shape, draw(shape, [&] { return rng_.uniform(low, high); }));
  }
  // Whole numbers low..high: sums and products of few of them are exact in any dtype.
  Values whole_values(const Shape& shape, Index low, Index high) {
    return draw(shape, [&] { return static_cast<double>(low + rng_.below(high - low + 1)); });
  }
  Tensor whole(const Shape& shape, Index low, Index high) { return real(shape, whole_values(shape, low, high)); }
  // A matrix with NaN between its rows. The leading dimension is that of the transposed matrix where wanted.
  Matrix strided(Index rows, Index cols, Index ld, const Values& values) {
    Values padded(static_cast<std::size_t>(rows * ld), kNaN);
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < cols; ++j)
        padded[static_cast<std::size_t>(i * ld + j)] = values[static_cast<std::size_t>(i * cols + j)];
    return {real({rows, ld}, padded).data(), dtype(), rows, cols, ld};
  }

  Values read(const ConstTensor& x) const { return h().memory().to_host(x).doubles(); }
  // Elements of a plain matrix; what lies between its rows must still be NaN.
  Values read(const ConstMatrix& m) const {
    const Values all = read(ConstTensor(m.data, m.dtype, Shape{m.nrows, m.ld}));
    Values out;
    for (Index i = 0; i < m.nrows; ++i) {
      for (Index j = 0; j < m.ld; ++j) {
        const double v = all[static_cast<std::size_t>(i * m.ld + j)];
        if (j < m.ncols) out.push_back(v);
        if (j >= m.ncols && !std::isnan(v)) FAIL_CHECK("something was written between the rows: " << v);
      }
    }
    return out;
  }

  void expect(const Values& got, const Values& want, double tolerance) const {
    REQUIRE(got.size() == want.size());
    double scale = 1;
    for (const double w : want) scale = std::isfinite(w) ? std::max(scale, std::abs(w)) : scale;
    for (std::size_t i = 0; i < want.size(); ++i) {
      const bool same = got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]));
      if (same || std::abs(got[i] - want[i]) <= tolerance * scale) continue;
      FAIL_CHECK(std::setprecision(12) << "element " << i << " of " << want.size() << " is " << got[i] << ", should be "
                                       << want[i]);
      return;
    }
  }
  template <class Operand>
  void expect(const Operand& got, const Values& want) const {
    expect(read(got), want, tolerance_);
  }
  template <class Operand>
  void expect_exact(const Operand& got, const Values& want) const {
    expect(read(got), want, 0.0);
  }

  // Runs an operation into NaN (Overwrite), onto numbers (Add), and into nothing.
  void expect_sink(const Shape& shape, const Values& want, const std::function<void(const Sink&)>& op) {
    check_sink(shape, want, tolerance_, op);
  }
  void expect_sink_exact(const Shape& shape, const Values& want, const std::function<void(const Sink&)>& op) {
    check_sink(shape, want, 0.0, op);
  }
  void expect_matrix_sink(Index rows, Index cols, const Values& want,
                          const std::function<void(const MatrixSink&)>& op) {
    for (const Index ld : {cols, cols + 3}) {
      const Matrix over = strided(rows, cols, ld, Values(want.size(), kNaN));
      op(MatrixSink(over));
      expect(over, want);
      const Values start = whole_values({rows, cols}, -4, 4);
      const Matrix sum = strided(rows, cols, ld, start);
      op(MatrixSink(sum, Write::Add));
      expect(sum, added(start, want));
    }
    op(MatrixSink(Sink()));
  }

  static Values added(const Values& a, const Values& b) {
    Values out = a;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += b[i];
    return out;
  }

 private:
  static constexpr std::size_t kSentinel = 64;
  struct Block {
    DeviceBlock memory;
    std::size_t bytes;
    Tensor front() const { return {memory.data(), DType::U8, Shape{static_cast<Index>(kSentinel)}}; }
    Tensor back() const { return {memory.data() + kSentinel + bytes, DType::U8, Shape{static_cast<Index>(kSentinel)}}; }
  };

  static const HostArray& sentinel_bytes() {
    static const HostArray bytes =
        HostArray::of(Shape{static_cast<Index>(kSentinel)}, std::vector<std::uint8_t>(kSentinel, 0xA5));
    return bytes;
  }
  void check_sentinels() {
    for (const Block& b : blocks_)
      for (const Tensor& sentinel : {b.front(), b.back()})
        if (!(h().memory().to_host(sentinel) == sentinel_bytes()))
          FAIL_CHECK(h().name() << ": memory beside an operand of " << b.bytes << " bytes was written");
  }
  template <class F>
  static Values draw(const Shape& shape, F&& f) {
    Values out(static_cast<std::size_t>(shape.elements()));
    for (double& v : out) v = f();
    return out;
  }
  void check_sink(const Shape& shape, const Values& want, double tolerance,
                  const std::function<void(const Sink&)>& op) {
    const Tensor over = nans(shape);
    op(Sink(over));
    expect(read(over), want, tolerance);
    const Values start = whole_values(shape, -4, 4);
    const Tensor sum = real(shape, start);
    op(Sink(sum, Write::Add));
    expect(read(sum), added(start, want), tolerance);
    op(Sink());
  }

  std::shared_ptr<Handler> handler_;
  double tolerance_;
  bool debug_;
  Rng rng_{7, "operands"};
  std::vector<Block> blocks_;
};

inline void on_all_handlers(const std::function<void(OpCase&)>& body) {
  for (const HandlerUnderTest& one : handlers_under_test()) {
    INFO("handler " << one.name);
    OpCase c(one);
    body(c);
  }
}

// The call throws E with a message that has all the parts.
template <class E = ShapeError, class F>
void expect_error(F&& call, std::initializer_list<std::string> parts) {
  try {
    call();
  } catch (const E& e) {
    const std::string text = e.what();
    for (const std::string& part : parts)
      if (text.find(part) == std::string::npos) FAIL_CHECK("'" << text << "' does not say '" << part << "'");
    SUCCEED();
    return;
  } catch (const std::exception& e) {
    FAIL_CHECK("another kind of error: " << e.what());
    return;
  }
  std::string all;
  for (const std::string& part : parts) all += " '" + part + "'";
  FAIL_CHECK("nothing was thrown; expected" << all);
}

}  // namespace squall::test

#define SQUALL_TEST_JOIN2(a, b) a##b
#define SQUALL_TEST_JOIN(a, b) SQUALL_TEST_JOIN2(a, b)
// A test case of a public operation, "Class::operation"; coverage_test asks that every operation has one.
#define OP_CASE(op, what)                                                                                \
  static const ::squall::test::Covers SQUALL_TEST_JOIN(covers_, __LINE__)(op, op " " what); /* NOLINT */ \
  TEST_CASE(op " " what, "[ops]")
