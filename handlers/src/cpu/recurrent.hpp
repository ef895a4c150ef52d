// Recurrent plans of the CPU: the input products of many steps at once, then step by step blocks of sequences and
// units, each with its recurrent products and its part of the cell by one thread. Blocks depend on the shape alone.
#pragma once

#include "cpu/context.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall::cpu {

// Memory cut into pieces; without memory only counted.
class Room {
 public:
  explicit Room(void* memory) : memory_(static_cast<std::byte*>(memory)) {}
  template <class T>
  T* take(Index count) {
    const std::size_t at = bytes_;
    bytes_ += (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + at);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  std::size_t bytes_ = 0;
};

template <class R>
class SequencePlan : public RecurrentPlan {
 public:
  SequencePlan(const RecurrentSpec& spec, ContextPtr<R> ctx);
  std::string_view kind() const override { return "fused steps"; }
  std::size_t workspace_bytes() const override { return bytes_; }
  void set_workspace(void* memory) override { lay_out(memory); }

 protected:
  // What a call works on, and where it is.
  struct Frame {
    const RecurrentRun& run;
    const RecurrentWeights& w;
    R* dh = nullptr;
    Index t = 0;     // the step, in time
    Index base = 0;  // the first step whose gates are in scratch memory
    bool rests = false;
  };
  // Sequences and units of one step; `at` is the place of the first one in a matrix (batch, size).
  struct Block {
    Span rows, units;
    Index row_part = 0, at = 0;
  };
  virtual void cell(const Frame& f, const Block& b) const = 0;
  virtual void cell_back(const Frame& f, const Block& b) const = 0;

  void do_forward(const RecurrentRun& run, const RecurrentWeights& w) final;
  void do_backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                   const RecurrentGradients& g) final;

  const Kernels<R>& k() const { return ctx_->kernels(); }
  Index n() const { return spec().size; }
  Index step_size() const { return spec().batch * spec().size; }
  bool first(Index t) const { return t == (spec().reverse ? spec().time - 1 : 0); }
  Index before(Index t) const { return !spec().reverse ? t : first(t) ? 0 : t + 2; }  // row of h and c
  R* gate(const Frame& f, int g, Index t) const;
  R* h(const Frame& f, Index row) const { return f.run.h.template as<R>() + row * step_size(); }
  R* c(const Frame& f, Index row) const { return f.run.c.template as<R>() + row * step_size(); }
  R* cell_output(const Frame& f) const;
  R* delta(int g, Index t) const { return deltas_ + (g * spec().time + t) * step_size(); }
  R* dc() const { return dc_; }
  // Where a delta of the state before this step belongs.
  R* carry(const Frame& f) const;
  const R* bias(int g) const { return biases_ + g * n(); }
  double* peephole_sums(int p, Index row_part) const { return peephole_sums_ + (p * row_parts_ + row_part) * n(); }

 private:
  int gates() const { return gate_count(spec().cell); }
  int blocks() const { return spec().cell == Cell::Gru ? 4 : gates(); }  // a GRU's fourth is what its reset multiplies
  int recurrent(int g) const { return spec().cell == Cell::Gru && g == 2 ? 3 : g; }
  Index rows() const { return spec().time * spec().batch; }
  void lay_out(void* memory);
  void merge_biases(const RecurrentWeights& w) const;
  void pack(const RecurrentWeights& w, bool transposed) const;
  void input_products(const Frame& f, Index first, Index count) const;
  bool clock(const Frame& f) const;
  void multiply(const R* a, const R* weight, int g, bool transposed, const Block& b, R* c, bool add, int worker) const;
  void step(const Frame& f) const;
  void step_back(const Frame& f, Index next) const;
  void flow(Index t, const RecurrentWeights& w, const Block& b, R* to, int worker) const;
  void rest(const Frame& f, const Block& b) const;
  void rest_back(const Frame& f, const Block& b) const;
  void wake(const Frame& f, const Block& b) const;
  void add_last(const RecurrentDeltas& d) const;
  void first_deltas(const Frame& f, const RecurrentDeltas& d) const;
  void gradients(const Frame& f, const RecurrentDeltas& d, const RecurrentGradients& g) const;
  void state_gradient(const Frame& f, int g, const Sink& to) const;
  template <class F>
  void each_block(const F& f) const;
  ConstMatrix matrix(const R* x, Index count, Index width) const { return {x, dtype_of<R>, count, width, width}; }

  ContextPtr<R> ctx_;
  bool library_, packs_;
  Index row_parts_, unit_grain_, chunk_;
  std::size_t bytes_ = 0;
  R *biases_ = nullptr, *packed_ = nullptr, *gates_ = nullptr, *output_ = nullptr;
  R *deltas_ = nullptr, *dh0_ = nullptr, *dc_ = nullptr, *dc_kept_ = nullptr;
  double* peephole_sums_ = nullptr;
  std::uint8_t* off_ = nullptr;
};

}  // namespace squall::cpu
