// PyTorch's recurrent layers: several layers of units on top of each other, one or two directions each, their first
// states given or carried from pass to pass, and sequences of different lengths.
#pragma once

#include "common/drop.hpp"
#include "common/recurrent_direction.hpp"

namespace squall {

struct StackWanted {
  DirectionWanted direction;  // of the first layer, forward; `in` is found in the input
  Index layers = 1;
  bool bidirectional = false;
  double dropout = 0;
};

class RecurrentStack {
 public:
  void declare(Declare& d, const StackWanted& wanted);
  void prepare(Prepare& p) const;
  void forward(Forward& f) const;
  void backward(Backward& b) const;

 private:
  struct Level {  // one layer of units
    std::array<RecurrentDirection, 2> directions;
    std::array<Internal, 2> h, c;
    Internal joined, d_joined;  // what the level above sees: both directions, after dropout
    Drop drop;
  };
  bool lstm() const { return wanted_.direction.cell == Cell::Lstm; }
  std::size_t sides() const { return wanted_.bidirectional ? 2 : 1; }
  Index state() const { return wanted_.direction.state(); }
  Index units() const { return wanted_.direction.units; }
  Index width() const { return static_cast<Index>(sides()) * state(); }
  // Where a level's direction is among all states.
  Index place(std::size_t level, std::size_t side) const { return static_cast<Index>(level * sides() + side); }
  void declare_states(Declare& d);
  void declare_level(Declare& d, std::size_t level);
  // x, h, c and lengths of a level's direction.
  RecurrentRun run(const Pass& pass, std::size_t level, std::size_t side, const ConstTensor& x,
                   const ConstTensor& lengths) const;
  void enter(Forward& f, const RecurrentRun& run, std::size_t level, std::size_t side) const;
  void leave(Forward& f, const RecurrentRun& run, Index place) const;
  void join(Forward& f, const Level& level, const Tensor& to) const;
  RecurrentDeltas deltas(Backward& b, std::size_t level, std::size_t side, const Tensor& dy) const;
  void level_backward(Backward& b, std::size_t level, const Tensor& dy, const ConstTensor& x, const Sink& dx) const;

  StackWanted wanted_;
  In x_, h0_, c0_, lengths_;
  Out y_, hn_, cn_;
  bool has_h0_ = false, has_c0_ = false, has_lengths_ = false;
  std::vector<Level> levels_;
  Internal last_h_, last_c_, d_steps_, d_last_h_, d_last_c_, d_first_h_, d_first_c_;
};

}  // namespace squall
