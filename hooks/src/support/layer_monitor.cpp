#include "support/layer_monitor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace squall {

namespace {

struct Statistics {
  double least = std::numeric_limits<double>::infinity(), most = -least, sum = 0;
  Index count = 0;
  void add(double v) {
    least = std::isnan(v) || v < least ? v : least;
    most = std::isnan(v) || v > most ? v : most;
    sum += v;
    ++count;
  }
};

void log(Trainer& trainer, const std::string& prefix, const Statistics& s) {
  if (s.count == 0) return;
  trainer.log(prefix + "min", s.least);
  trainer.log(prefix + "avg", s.sum / static_cast<double>(s.count));
  trainer.log(prefix + "max", s.most);
}

void log_one(Trainer& trainer, const std::string& prefix, const HostArray& values, bool norms) {
  Statistics all, lengths;
  for (Index i = 0; i < values.elements(); ++i) all.add(values.value(i));
  log(trainer, prefix + ".", all);
  if (!norms || values.shape().rank() < 2 || values.elements() == 0) return;
  const Index rows = values.shape()[0], columns = values.elements() / rows;
  for (Index r = 0; r < rows; ++r) {
    double squares = 0;
    for (Index i = 0; i < columns; ++i) squares += std::pow(values.value(r * columns + i), 2);
    lengths.add(std::sqrt(squares));
  }
  log(trainer, prefix + ".norm_", lengths);
}

constexpr const char* kWords[] = {"parameters", "gradients",    "inputs",       "outputs",
                                  "internals",  "input_deltas", "output_deltas"};

template <class Infos>
std::vector<std::string> names_of(const Infos& infos) {
  std::vector<std::string> out;
  for (const auto& i : infos) out.push_back(i.name);
  return out;
}

// Whether the last pass has computed what is to be read.
bool is_there(const Network& network, int n, BufferKind kind, std::size_t slot) {
  const Node& node = network.graph().node(n);
  const Binding& b = network.binding();
  switch (kind) {
    case BufferKind::Inputs: {
      const Source& s = node.inputs[slot].source;
      if (s.kind == Source::Kind::Internal) return static_cast<bool>(b.views(n).inputs[slot]);
      return s.kind == Source::Kind::Parameter || b.views(s.node).outputs[static_cast<std::size_t>(s.slot)];
    }
    case BufferKind::InputDeltas: {
      const Source& s = node.inputs[slot].source;
      return s.kind == Source::Kind::Output && b.views(s.node).outputs[static_cast<std::size_t>(s.slot)] &&
             is_real(network.graph().node(s.node).outputs[static_cast<std::size_t>(s.slot)].dtype);
    }
    case BufferKind::Outputs:
    case BufferKind::OutputDeltas: return static_cast<bool>(b.views(n).outputs[slot]);
    case BufferKind::Internals: return b.views(n).internals[slot] && is_real(b.views(n).internals[slot].dtype());
    default: return true;
  }
}

}  // namespace

std::vector<std::string> buffer_paths(const Network& network, const std::string& layer, BufferKind kind) {
  const int n = network.graph().find(layer);
  const Node& node = network.graph().node(n);
  std::vector<std::string> names;
  switch (kind) {
    case BufferKind::Parameters:
    case BufferKind::Gradients: names = names_of(node.parameters); break;
    case BufferKind::Inputs:
    case BufferKind::InputDeltas: names = names_of(node.inputs); break;
    case BufferKind::Outputs:
    case BufferKind::OutputDeltas: names = names_of(node.outputs); break;
    case BufferKind::Internals: names = names_of(node.internals); break;
  }
  const bool of_pass = kind != BufferKind::Parameters && kind != BufferKind::Gradients;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!of_pass || is_there(network, n, kind, i))
      out.push_back(concat(kWords[static_cast<std::size_t>(kind)], ".", names[i]));
  return out;
}

void log_statistics(Trainer& trainer, const std::string& prefix, const std::string& layer, BufferKind kind,
                    bool norms) {
  for (const auto& path : buffer_paths(trainer.network(), layer, kind))
    log_one(trainer, concat(prefix, ".", path), trainer.network().get(concat(layer, ".", path)), norms);
}

bool trained_last(const Trainer& trainer) {
  return trainer.progress().update > 0 && trainer.network().binding().training();
}

}  // namespace squall
