// What recurrent layers carry from one pass to the next: the last rows in time of every output and internal that was
// declared with a context, and how many steps were seen.
#pragma once

#include "squall/core/host_array.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/shape.hpp"

namespace squall {

class Graph;

// Whether a pass begins its sequences, or goes on where the last pass of its kind ended.
enum class Start : std::uint8_t { Fresh, Continue };

// On the host, to keep or to move to another network.
struct Context {
  struct Rows {
    std::string path;  // "Lstm.outputs.default", "Lstm.internals.Ca"
    HostArray values;  // (context, B, features...)
  };
  std::vector<Rows> rows;
  std::vector<std::pair<std::string, Index>> steps;  // seen so far, by the name of the time axis ("T")
};

// The same in device memory that passes do not share. Allocates when a size is met that is larger than those before.
class ContextStore {
 public:
  explicit ContextStore(const Graph& graph);
  bool empty() const { return entries_.empty(); }

  // Begins a pass of these sizes. Throws ShapeError if it should continue sequences of other shapes.
  void begin(Start start, const Sizes& sizes, Handler& handler);
  // Puts what was carried (or zeros) into the first rows of the node's buffers; takes their last rows afterwards.
  void enter(int node, Handler& handler, const std::vector<Tensor>& outputs, const std::vector<Tensor>& internals);
  void leave(int node, Handler& handler, const std::vector<Tensor>& outputs, const std::vector<Tensor>& internals);
  void end(const Sizes& sizes);  // counts the steps
  // Steps that the sequences of the last pass had seen when it began; 0 without a time axis.
  Index first_step(int time_symbol) const {
    return time_symbol < 0 ? 0 : first_[static_cast<std::size_t>(time_symbol)];
  }

  Context get(Handler& handler) const;
  // Every row that the network carries must be there. Throws ConfigError or ShapeError that names the row.
  void set(const Context& context, Handler& handler);

 private:
  struct Entry {
    int node = -1, slot = -1;
    bool internal = false;
    DType dtype = DType::F32;
    Index rows = 0;
    BufferShape buffer;
    Tensor kept;  // empty until something was carried
    DeviceBlock memory;
  };
  std::string path(const Entry& entry) const;
  void hold(Entry& entry, const Shape& shape, Handler& handler);
  Tensor buffer_of(const Entry& entry, const std::vector<Tensor>& outputs, const std::vector<Tensor>& internals) const;

  const Graph& graph_;
  std::vector<Entry> entries_;
  std::vector<char> is_time_;  // by symbol
  std::vector<Index> steps_, first_;
  Start start_ = Start::Fresh;
};

}  // namespace squall
