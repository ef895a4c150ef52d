// Device memory: blocks, counters, copies and conversions, and what a handler asks of its parts.
#include "support/op_case.hpp"

using namespace squall;
using namespace squall::test;

OP_CASE("MemoryOps::allocate", "counts what is in use") {
  on_all_handlers([](OpCase& c) {
    MemoryOps& memory = c.h().memory();
    const std::size_t used = memory.allocated_bytes();
    const std::size_t made = memory.allocations();
    {
      DeviceBlock a(memory, 100);
      CHECK(memory.allocated_bytes() == used + 100);
      CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
      DeviceBlock b(std::move(a));
      CHECK(b.bytes() == 100);
      a = DeviceBlock(memory, 50);
      CHECK(memory.allocated_bytes() == used + 150);
      a = std::move(b);
      CHECK(a.bytes() == 100);
      CHECK(memory.allocated_bytes() == used + 100);
      const DeviceBlock nothing(memory, 0);
      CHECK(nothing.data() == nullptr);
    }
    CHECK(memory.allocated_bytes() == used);
    CHECK(memory.allocations() == made + 2);
  });
}

OP_CASE("MemoryOps::allocate", "says how much was wanted when there is not enough") {
  on_all_handlers([](OpCase& c) {
    const std::size_t used = c.h().memory().allocated_bytes();
    const std::size_t all = std::size_t{1} << 60;
    expect_error<DeviceError>([&] { DeviceBlock(c.h().memory(), all); },
                              {c.h().name(), "no memory for 1.15 EB", "are in use"});
    CHECK(c.h().memory().allocated_bytes() == used);
  });
}

OP_CASE("MemoryOps::capacity", "is all there is, of which what is in use is gone") {
  on_all_handlers([](OpCase& c) {
    auto& memory = c.h().memory();
    const std::size_t all = memory.capacity();
    if (all == 0) return;  // not known
    CHECK(all > (std::size_t{1} << 20));
    expect_error<DeviceError>([&] { memory.allocate(all + 1); }, {c.h().name(), "in all"});
    const DeviceBlock used(memory, 4096);
    expect_error<DeviceError>([&] { memory.allocate(all - 4095); }, {"no memory for"});
  });
}

OP_CASE("MemoryOps::release", "takes back what was allocated and ignores nothing") {
  on_all_handlers([](OpCase& c) {
    const std::size_t used = c.h().memory().allocated_bytes();
    c.h().memory().release(nullptr, 0);
    c.h().memory().release(c.h().memory().allocate(64), 64);
    CHECK(c.h().memory().allocated_bytes() == used);
  });
}

OP_CASE("MemoryOps::copy", "copies any type and refuses another") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Values v = c.whole_values({n}, 0, 200);
      for (const DType t : {c.dtype(), DType::I32, DType::U8}) {
        const Tensor to = c.make(t, {n});
        c.h().memory().copy(c.upload(HostArray::of(Shape{n}, v), t), to);
        c.expect_exact(to, v);
      }
    }
    const Tensor x = c.random({3});
    expect_error([&] { c.h().memory().copy(x, c.random({2})); }, {"copy", "(3)", "(2)"});
    expect_error([&] { c.h().memory().copy(x, c.i32({3}, {1, 1, 1})); }, {"copy", "i32"});
    expect_error([&] { c.h().memory().copy(ConstTensor(nullptr, c.dtype(), {3}), x); }, {"copy", "no memory"});
  });
}

OP_CASE("MemoryOps::zero", "clears any type") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const auto size = static_cast<std::size_t>(n);
      for (const Tensor& x : {c.nans({n}), c.i32({n}, Values(size, -1)), c.u8({n}, Values(size, 255))}) {
        c.h().memory().zero(x);
        c.expect_exact(x, Values(size, 0.0));
      }
    }
    expect_error([&] { c.h().memory().zero(Tensor(nullptr, c.dtype(), {3})); }, {"zero", "no memory"});
  });
}

OP_CASE("MemoryOps::upload", "converts numbers of every type") {
  on_all_handlers([](OpCase& c) {
    for (const DType from : {DType::F32, DType::F64, DType::I32, DType::U8}) {
      for (const DType to : {c.dtype(), DType::I32, DType::U8}) {
        const Values v = c.whole_values({67}, 0, 200);
        const Tensor out = c.make(to, {67});
        c.h().memory().upload(HostArray::of(Shape{67}, v).cast(from).view(), out);
        c.expect_exact(out, v);
      }
    }
    const HostArray host(DType::F64, Shape{3});
    expect_error([&] { c.h().memory().upload(host.view(), c.random({2})); }, {"upload", "(3)", "(2)"});
    expect_error([&] { c.h().memory().upload(host.view(), Tensor(nullptr, c.dtype(), {3})); }, {"upload", "no memory"});
  });
}

OP_CASE("MemoryOps::download", "converts numbers of every type") {
  on_all_handlers([](OpCase& c) {
    for (const DType to : {DType::F32, DType::F64, DType::I32, DType::U8}) {
      const Values v = c.whole_values({67}, 0, 200);
      HostArray out(to, Shape{67});
      c.h().memory().download(c.real({67}, v), out.view());
      c.expect(out.doubles(), v, 0);
    }
    HostArray host(DType::F64, Shape{3});
    expect_error([&] { c.h().memory().download(c.random({2}), host.view()); }, {"download", "(2)", "(3)"});
  });
}

OP_CASE("MemoryOps::to_host", "keeps type and shape and bits") {
  on_all_handlers([](OpCase& c) {
    const HostArray there = HostArray::of(Shape{2, 3}, c.read(c.random({6}))).cast(c.dtype());
    CHECK(c.h().memory().to_host(c.upload(there, c.dtype())) == there);
    CHECK(c.h().memory().to_host(c.random({0, 3})).shape() == Shape{0, 3});
    CHECK(c.h().memory().to_host(ConstTensor()).elements() == 0);
  });
}

TEST_CASE("A handler knows its name and type and runs what it recorded", "[ops]") {
  on_all_handlers([](OpCase& c) {
    CHECK(is_debug(c.h().name()) == c.h().debug());
    const Tensor x = c.constant({5}, 1);
    const auto step = c.h().capture([&] { c.h().elementwise().affine(x, 2, 0, Sink(x)); });
    for (int i = 0; i < 3; ++i) step->run();
    c.h().synchronize();
    c.expect_exact(x, Values(5, 8.0));
  });
}

TEST_CASE("A handler without all its operations is refused", "[ops]") {
  expect_error<DeviceError>([] { Handler("half:f32", DType::F32, {}, Facets(), false); }, {"half:f32", "memory"});
  expect_error<DeviceError>([] { Handler("odd:i32", DType::I32, {}, Facets(), true); }, {"odd:i32", "i32"});
}
