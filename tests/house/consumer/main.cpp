// Multiplies two small matrices on the CPU and prints the product.
#include <iostream>
#include <memory>
#include <vector>

#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/shape.hpp"
#include "squall/handlers/make_handler.hpp"

namespace {

squall::Tensor on_device(const squall::DeviceBlock& block, const squall::Shape& shape) {
  return {block.data(), squall::DType::F32, shape};
}

}  // namespace

int main() {
  using squall::Shape;
  const std::shared_ptr<squall::Handler> handler = squall::make_handler("cpu:f32");
  squall::MemoryOps& memory = handler->memory();
  const squall::DeviceBlock left(memory, 6 * sizeof(float)), right(memory, 6 * sizeof(float)),
      out(memory, 4 * sizeof(float));
  const squall::Tensor a = on_device(left, Shape{2, 3}), b = on_device(right, Shape{3, 2}),
                       c = on_device(out, Shape{2, 2});
  memory.upload(squall::HostArray::of(a.shape(), std::vector<float>{1, 2, 3, 4, 5, 6}).view(), a);
  memory.upload(squall::HostArray::of(b.shape(), std::vector<float>{7, 8, 9, 10, 11, 12}).view(), b);
  handler->linalg().matmul(a, b, c);
  std::cout << c.shape();
  for (const double value : memory.to_host(c).doubles()) std::cout << ' ' << value;
  std::cout << '\n';
}
