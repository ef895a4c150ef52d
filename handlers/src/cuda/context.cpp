#include "cuda/context.hpp"

#include <algorithm>
#include <bit>

#include "squall/core/ops/memory.hpp"

namespace squall::cuda {

namespace {

constexpr FaultKey kNoFault = ~FaultKey{0};

class ContextMemory final : public MemoryOps {
 public:
  explicit ContextMemory(ContextPtr context) : context_(std::move(context)) {}

 protected:
  std::byte* do_allocate(std::size_t bytes) override { return context_->allocate(bytes); }
  void do_release(std::byte* block) override { context_->release(block); }
  std::size_t do_capacity() const override { return context_->capacity(); }
  void do_copy(const void* from, void* to, std::size_t bytes) override { context_->copy(from, to, bytes); }
  void do_zero(void* to, std::size_t bytes) override { context_->zero(to, bytes); }
  void do_upload(const void* host, void* to, std::size_t bytes) override { context_->upload(host, to, bytes); }
  void do_download(const void* from, void* host, std::size_t bytes) override { context_->download(from, host, bytes); }

 private:
  ContextPtr context_;
};

}  // namespace

float Fault::real() const { return std::bit_cast<float>(value); }

void Context::launch(const Launch& launch, const void* argument, std::size_t bytes) {
  if (recorder_ != nullptr) return recorder_->launch(launch, argument, bytes);
  issue(launch, argument, bytes);
}

void Context::upload(const void* host, void* to, std::size_t bytes) {
  if (recorder_ != nullptr) recorder_->host_point();
  write(host, to, bytes);
}

void Context::download(const void* from, void* host, std::size_t bytes) {
  if (recorder_ != nullptr) recorder_->host_point();
  read(from, host, bytes);
  if (unseen_) raise_faults();
}

void Context::wait() {
  if (recorder_ != nullptr) recorder_->host_point();
  finish();
  if (unseen_) raise_faults();
}

void Context::take_memory() {
  const std::size_t sums = static_cast<std::size_t>(kSums) * sizeof(double);
  const std::size_t faults = kSites * sizeof(FaultKey);
  memory_ = allocate(sums + faults + 64);
  if (memory_ == nullptr) raise<DeviceError>("there is no device memory for a handler");
  sums_ = reinterpret_cast<double*>(memory_);
  faults_ = reinterpret_cast<FaultKey*>(memory_ + sums);
  flag_ = reinterpret_cast<std::int32_t*>(memory_ + sums + faults);
  clear_faults();
}

void Context::free_memory() {
  for (std::byte* block : scratch_) release(block);
  scratch_.clear();
  scratch_bytes_ = 0;
  if (memory_ != nullptr) release(memory_);
  memory_ = nullptr;
}

std::byte* Context::scratch(std::size_t bytes) {
  if (bytes > scratch_bytes_) {
    std::byte* block = allocate(bytes);
    if (block == nullptr)
      raise<DeviceError>("no device memory for ", bytes_text(static_cast<double>(bytes)), " that an operation needs");
    scratch_.push_back(block);
    scratch_bytes_ = bytes;
  }
  return scratch_.back();
}

void Context::clear_faults() {
  std::array<FaultKey, kSites> none{};
  none.fill(kNoFault);
  write(none.data(), faults_, sizeof none);
}

FaultKey* Context::fault(const FaultSite& site) {
  auto found = std::ranges::find(sites_, site);
  if (found == sites_.end()) {
    if (sites_.size() == kSites) sites_.pop_back();
    found = sites_.insert(sites_.end(), site);
  }
  unseen_ = true;
  return faults_ + (found - sites_.begin());
}

void Context::look() {
  if (recorder_ == nullptr) raise_faults();
}

void Context::raise_faults() {
  std::array<FaultKey, kSites> found{};
  read(faults_, found.data(), sizeof found);
  unseen_ = false;
  const auto bad = std::ranges::find_if(found, [](FaultKey k) { return k != kNoFault; });
  if (bad == found.end()) return;
  const FaultSite site = sites_[static_cast<std::size_t>(bad - found.begin())];
  clear_faults();
  site.raise(site, {static_cast<Index>(*bad >> 32), static_cast<std::int32_t>(*bad & 0xFFFFFFFFU)});
}

std::unique_ptr<MemoryOps> make_memory(ContextPtr context) {
  return std::make_unique<ContextMemory>(std::move(context));
}

}  // namespace squall::cuda
