// What all facets and plans of one CUDA handler share. The facets are written against this alone, so that tests can
// run the same facets and the same kernels on the host.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "cuda/recorder.hpp"
#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/dense.hpp"

namespace squall::cuda {

// c (=, +=) a b of row-major matrices; `turned`: stored as the transpose. Several alike, each so many elements behind
// the one before.
struct Product {
  DType dtype = DType::F32;
  Index m = 0, n = 0, k = 0;
  const void *a = nullptr, *b = nullptr;
  Index a_ld = 0, b_ld = 0;
  bool a_turned = false, b_turned = false, add = false;
  void* c = nullptr;
  Index c_ld = 0;
  Index count = 1, a_step = 0, b_step = 0, c_step = 0;
  bool operator==(const Product&) const = default;
};

// What a check inside a kernel found: the smallest place where something is wrong, and what is there.
using FaultKey = unsigned long long;
struct Fault {
  Index place = 0;
  std::int32_t value = 0;  // for real numbers their bits as a float
  float real() const;
};
// A check: turns what was found into a DataError, with words (of literals) and numbers of its own.
struct FaultSite {
  void (*raise)(const FaultSite& site, const Fault& fault) = nullptr;
  std::array<std::string_view, 2> words{};
  std::array<Index, 3> numbers{};
  bool operator==(const FaultSite&) const = default;
};

class Context {
 public:
  static constexpr Index kSums = Index{1} << 20;  // doubles for partial sums of one operation
  static constexpr int kSites = 64;

  virtual ~Context() = default;
  DType dtype() const { return dtype_; }

  // --- work, in order
  // A kernel with its one argument, of so many bytes.
  void launch(const Launch& launch, const void* argument, std::size_t bytes);
  // Anything else that a stream takes: a value that can be called and compared.
  template <class C>
  void call(const C& c) {
    if (recorder_ != nullptr) return recorder_->call(CallOf<C>(c));
    c();
  }
  virtual void multiply(const Product& product) = 0;
  virtual void copy(const void* from, void* to, std::size_t bytes) = 0;
  virtual void zero(void* to, std::size_t bytes) = 0;

  // --- what waits
  void upload(const void* host, void* to, std::size_t bytes);
  void download(const void* from, void* host, std::size_t bytes);
  void wait();

  // --- memory
  virtual std::byte* allocate(std::size_t bytes) = 0;  // nullptr when impossible
  virtual void release(std::byte* block) = 0;
  virtual std::size_t capacity() const = 0;
  double* sums() const { return sums_; }
  std::int32_t* flag() const { return flag_; }
  // Memory of one operation, aligned to 64 bytes. It grows with what is asked for, and what was given stays valid,
  // since recorded steps refer to it.
  std::byte* scratch(std::size_t bytes);

  // --- checks inside kernels
  FaultKey* fault(const FaultSite& site);  // where a kernel of this check reports to
  void look();                             // after such a kernel: throws now, or at the next wait of a recorded step

  // --- fast plans; nullptr: the reference serves
  virtual std::unique_ptr<DensePlan> dense(Handler&, const DenseSpec&) { return nullptr; }
  virtual std::unique_ptr<ConvPlan> conv(Handler&, const ConvSpec&) { return nullptr; }

  virtual std::unique_ptr<Tape> tape() = 0;
  // The step that is being recorded or repeated, or none.
  Recorder* recorder() const { return recorder_; }
  void set_recorder(Recorder* recorder) { recorder_ = recorder; }

  // Issues now, whatever is being recorded.
  virtual void issue(const Launch& launch, const void* argument, std::size_t bytes) = 0;

 protected:
  explicit Context(DType dtype) : dtype_(dtype) {}
  // Memory for sums, flag and faults; once, when a derived class can allocate. free_memory before it cannot any more.
  void take_memory();
  void free_memory();
  virtual void write(const void* host, void* to, std::size_t bytes) = 0;
  virtual void read(const void* from, void* host, std::size_t bytes) = 0;  // waits
  virtual void finish() = 0;                                               // waits for all work

 private:
  void raise_faults();
  void clear_faults();
  DType dtype_;
  Recorder* recorder_ = nullptr;
  std::byte* memory_ = nullptr;
  double* sums_ = nullptr;
  std::int32_t* flag_ = nullptr;
  FaultKey* faults_ = nullptr;
  std::vector<FaultSite> sites_;
  std::vector<std::byte*> scratch_;  // the last one is the largest
  std::size_t scratch_bytes_ = 0;
  bool unseen_ = false;  // a check ran that nobody has looked at
};

using ContextPtr = std::shared_ptr<Context>;

std::unique_ptr<MemoryOps> make_memory(ContextPtr context);

}  // namespace squall::cuda
