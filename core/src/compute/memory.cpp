#include "squall/core/ops/memory.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <sstream>
#include <utility>

#include "compute/checks.hpp"

namespace squall {

DeviceBlock::DeviceBlock(MemoryOps& ops, std::size_t bytes) : ops_(&ops), data_(ops.allocate(bytes)), bytes_(bytes) {}

DeviceBlock::~DeviceBlock() { release(); }

DeviceBlock::DeviceBlock(DeviceBlock&& other) noexcept
    : ops_(std::exchange(other.ops_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

DeviceBlock& DeviceBlock::operator=(DeviceBlock&& other) noexcept {
  if (this == &other) return *this;
  release();
  ops_ = std::exchange(other.ops_, nullptr);
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void DeviceBlock::release() {
  if (ops_ != nullptr) ops_->release(data_, bytes_);
  ops_ = nullptr;
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 7> kUnits{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  std::ostringstream out;
  out << std::setprecision(3) << bytes << " " << kUnits[unit];
  return out.str();
}

std::byte* MemoryOps::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  // The system may promise what it does not have, and end the process when it is used.
  const bool possible = capacity() == 0 || bytes <= capacity() - std::min(allocated_, capacity());
  std::byte* block = possible ? do_allocate(bytes) : nullptr;
  if (block == nullptr)
    raise<DeviceError>(
        handler().name(), ": no memory for ", bytes_text(static_cast<double>(bytes)), "; ",
        bytes_text(static_cast<double>(allocated_)), " are in use",
        capacity() == 0 ? std::string() : ", there are " + bytes_text(static_cast<double>(capacity())) + " in all");
  allocated_ += bytes;
  ++allocations_;
  return block;
}

void MemoryOps::release(std::byte* block, std::size_t bytes) {
  if (block == nullptr) return;
  do_release(block);
  allocated_ -= bytes;
}

// Copies are not guarded: they compute nothing, and memory may be filled with NaN on purpose.
void MemoryOps::copy(const ConstTensor& from, const Tensor& to) {
  checks::same_size("copy", "source", from, "destination", to);
  checks::type("copy", "destination", to, from.dtype());
  checks::present("copy", "source", from);
  if (from.elements() > 0) do_copy(from.data(), to.data(), from.bytes());
}

void MemoryOps::zero(const Tensor& x) {
  checks::present("zero", "tensor", x);
  if (x.elements() > 0) do_zero(x.data(), x.bytes());
}

void MemoryOps::upload(const ConstTensor& host, const Tensor& to) {
  checks::same_size("upload", "source", host, "destination", to);
  checks::present("upload", "source", host);
  checks::present("upload", "destination", to);
  if (host.elements() == 0) return;
  if (host.dtype() == to.dtype()) return do_upload(host.data(), to.data(), to.bytes());
  const HostArray converted = HostArray::copy_of(host).cast(to.dtype());
  do_upload(converted.data(), to.data(), to.bytes());
}

void MemoryOps::download(const ConstTensor& from, const Tensor& host) {
  checks::same_size("download", "source", from, "destination", host);
  checks::present("download", "source", from);
  checks::present("download", "destination", host);
  if (from.elements() == 0) return;
  if (from.dtype() == host.dtype()) return do_download(from.data(), host.data(), from.bytes());
  const HostArray converted = to_host(from).cast(host.dtype());
  std::memcpy(host.data(), converted.data(), host.bytes());
}

HostArray MemoryOps::to_host(const ConstTensor& from) {
  checks::present("to_host", "tensor", from);
  HostArray host(from.dtype(), from.elements() == 0 && from.shape().rank() == 0 ? Shape{0} : from.shape());
  if (host.elements() > 0) do_download(from.data(), host.data(), from.bytes());
  return host;
}

}  // namespace squall
