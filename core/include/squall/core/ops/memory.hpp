// Memory of a device, and copies in and out of it.
#pragma once

#include "squall/core/handler.hpp"
#include "squall/core/host_array.hpp"

namespace squall {

// A block of device memory, freed with the object. Aligned to 64 bytes.
class DeviceBlock {
 public:
  DeviceBlock() = default;
  DeviceBlock(MemoryOps& ops, std::size_t bytes);
  ~DeviceBlock();
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&& other) noexcept;
  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void release();
  MemoryOps* ops_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// "1.5 GB" for messages.
std::string bytes_text(double bytes);

class MemoryOps : public Facet {
 public:
  // Content is arbitrary. Throws DeviceError saying how much was wanted when there is no memory left.
  std::byte* allocate(std::size_t bytes);
  void release(std::byte* block, std::size_t bytes);
  std::size_t allocated_bytes() const { return allocated_; }  // now
  std::size_t allocations() const { return allocations_; }    // ever
  std::size_t capacity() const { return do_capacity(); }      // of the whole device; 0: not known

  // Same dtype and number of elements on both sides.
  void copy(const ConstTensor& from, const Tensor& to);
  void zero(const Tensor& x);
  // Host memory to device and back; the element type is converted on the host where it differs.
  void upload(const ConstTensor& host, const Tensor& to);
  void download(const ConstTensor& from, const Tensor& host);
  HostArray to_host(const ConstTensor& from);

 protected:
  virtual std::byte* do_allocate(std::size_t bytes) = 0;  // nullptr when impossible
  virtual void do_release(std::byte* block) = 0;
  virtual std::size_t do_capacity() const { return 0; }
  virtual void do_copy(const void* from, void* to, std::size_t bytes) = 0;
  virtual void do_zero(void* to, std::size_t bytes) = 0;
  virtual void do_upload(const void* host, void* to, std::size_t bytes) = 0;
  virtual void do_download(const void* from, void* host, std::size_t bytes) = 0;

 private:
  std::size_t allocated_ = 0, allocations_ = 0;
};

}  // namespace squall
