#include "handlers/on_host/host_context.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "cuda/facets.hpp"
#include "cuda/grid.hpp"
#include "cuda/handler.hpp"
#include "support/handlers_under_test.hpp"

namespace squall::test {

namespace {

using namespace squall::cuda;

// Work in order; while a tape is recording it is kept instead of done.
struct Work {
  Launch launch;
  std::vector<std::byte> argument;
  std::function<void()> other;
  void run() const {
    if (other) return other();
    reinterpret_cast<on_host::HostKernel>(const_cast<void*>(launch.kernel))(argument.data());
  }
};
struct Stream {
  bool recording = false;
  std::vector<Work> kept;
  std::vector<double> right, sums;  // of products
  void submit(const Launch& launch, const void* argument, std::size_t bytes) {
    const auto* first = static_cast<const std::byte*>(argument);
    if (recording)
      kept.push_back({launch, {first, first + bytes}, nullptr});
    else
      reinterpret_cast<on_host::HostKernel>(const_cast<void*>(launch.kernel))(argument);
  }
  template <class F>
  void submit(const F& f) {
    if (recording)
      kept.push_back({{}, {}, f});
    else
      f();
  }
};
using StreamPtr = std::shared_ptr<Stream>;

class HostSegment final : public Segment {
 public:
  HostSegment(std::vector<Work> work, std::vector<std::size_t> kernels)
      : work_(std::move(work)), kernels_(std::move(kernels)) {}
  void run() override {
    for (const Work& w : work_) w.run();
  }
  void set(std::size_t kernel, const Launch& launch, const void* argument, std::size_t bytes) override {
    Work& w = work_[kernels_[kernel]];
    if (!(w.launch == launch) || w.argument.size() != bytes) throw std::logic_error("another kernel");
    std::memcpy(w.argument.data(), argument, bytes);
  }

 private:
  std::vector<Work> work_;
  std::vector<std::size_t> kernels_;
};

class HostTape final : public Tape {
 public:
  explicit HostTape(StreamPtr stream) : stream_(std::move(stream)) {}
  void begin() override {
    stream_->recording = true;
    kernels_.clear();
  }
  void issue(const Launch& launch, const void* argument, std::size_t bytes) override {
    stream_->submit(launch, argument, bytes);
  }
  void issued_kernel() override { kernels_.push_back(stream_->kept.size() - 1); }
  std::unique_ptr<Segment> end() override {
    stream_->recording = false;
    return std::make_unique<HostSegment>(std::exchange(stream_->kept, {}), kernels_);
  }
  void abandon() noexcept override {
    stream_->recording = false;
    stream_->kept.clear();
  }

 private:
  StreamPtr stream_;
  std::vector<std::size_t> kernels_;
};

struct CopyCall {
  Stream* stream;
  const void* from;
  void* to;
  std::size_t bytes;
  bool operator==(const CopyCall&) const = default;
  void operator()() const {
    stream->submit([*this] { std::memmove(to, from, bytes); });
  }
};
struct ZeroCall {
  Stream* stream;
  void* to;
  std::size_t bytes;
  bool operator==(const ZeroCall&) const = default;
  void operator()() const {
    stream->submit([*this] { std::memset(to, 0, bytes); });
  }
};
template <class R>
void product(const Product& p, Index number, Stream& stream) {
  const auto* a = static_cast<const R*>(p.a) + number * p.a_step;
  const auto* b = static_cast<const R*>(p.b) + number * p.b_step;
  auto* c = static_cast<R*>(p.c) + number * p.c_step;
  const auto n = static_cast<std::size_t>(p.n);
  std::vector<double>&right = stream.right, &sums = stream.sums;
  right.resize(std::max(right.size(), static_cast<std::size_t>(p.k) * n));
  sums.resize(std::max(sums.size(), n));
  for (Index k = 0; k < p.k; ++k)
    for (Index j = 0; j < p.n; ++j)
      right[static_cast<std::size_t>(k * p.n + j)] =
          static_cast<double>(p.b_turned ? b[j * p.b_ld + k] : b[k * p.b_ld + j]);
  for (Index i = 0; i < p.m; ++i) {
    std::fill_n(sums.begin(), n, 0.0);
    for (Index k = 0; k < p.k; ++k) {
      const double left = static_cast<double>(p.a_turned ? a[k * p.a_ld + i] : a[i * p.a_ld + k]);
      const double* row = right.data() + static_cast<std::size_t>(k) * n;
      for (std::size_t j = 0; j < n; ++j) sums[j] += left * row[j];
    }
    for (std::size_t j = 0; j < n; ++j)
      on_host::put(c + i * p.c_ld + static_cast<Index>(j), static_cast<R>(sums[j]), p.add);
  }
}
struct ProductCall {
  Stream* stream;
  Product product_;
  bool operator==(const ProductCall&) const = default;
  void operator()() const {
    stream->submit([p = product_, s = stream] {
      for (Index i = 0; i < p.count; ++i) p.dtype == DType::F64 ? product<double>(p, i, *s) : product<float>(p, i, *s);
    });
  }
};

class HostContext final : public Context {
 public:
  explicit HostContext(DType dtype) : Context(dtype) { take_memory(); }
  ~HostContext() override { free_memory(); }

  void multiply(const Product& p) override { call(ProductCall{stream_.get(), p}); }
  void copy(const void* from, void* to, std::size_t bytes) override { call(CopyCall{stream_.get(), from, to, bytes}); }
  void zero(void* to, std::size_t bytes) override { call(ZeroCall{stream_.get(), to, bytes}); }
  std::byte* allocate(std::size_t bytes) override {
    return bytes > capacity() ? nullptr : static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  }
  void release(std::byte* block) override { std::free(block); }
  std::size_t capacity() const override { return std::size_t{1} << 34; }
  void issue(const Launch& launch, const void* argument, std::size_t bytes) override {
    stream_->submit(launch, argument, bytes);
  }
  std::unique_ptr<Tape> tape() override { return std::make_unique<HostTape>(stream_); }

 protected:
  void write(const void* host, void* to, std::size_t bytes) override {
    if (stream_->recording) throw std::logic_error("memory is written while a step is recorded");
    std::memcpy(to, host, bytes);
  }
  void read(const void* from, void* host, std::size_t bytes) override {
    if (stream_->recording) throw std::logic_error("memory is read while a step is recorded");
    std::memcpy(host, from, bytes);
  }
  void finish() override {
    if (stream_->recording) throw std::logic_error("waited while a step is recorded");
  }

 private:
  StreamPtr stream_ = std::make_shared<Stream>();
};

// These handlers join those of the machine in all tests of operations.
const bool kJoined = [] {
  for (const char* name : {"on_host:f32", "debug:on_host:f32", "on_host:f64"}) handlers_of_tests()[name] = make_on_host;
  return true;
}();

}  // namespace

std::shared_ptr<Handler> make_on_host(const std::string& name) {
  const bool wide = name.ends_with("f64");
  const auto context = std::make_shared<HostContext>(wide ? DType::F64 : DType::F32);
  return make_context_handler(name, {Device::Kind::Cuda, 0},
                              wide ? on_host::make_facets<double>(context) : on_host::make_facets<float>(context),
                              context, is_debug(name));
}

}  // namespace squall::test
