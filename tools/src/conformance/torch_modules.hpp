// Recordings of PyTorch's modules: a table from a module's name to what it is with us. To add modules, write a function
// add_..._modules in a file of its own and call it in torch_modules().
#pragma once

#include <map>

#include "conformance/layer_replay.hpp"

namespace squall::conformance {

// A recorded module.
struct TorchCase {
  const H5Reader& file;
  std::string module;
  json arguments, call;  // keywords of the constructor and of the call
  bool training = true;
  // Argument `name`, or what it is when nothing was written.
  json argument(const std::string& name, const json& otherwise) const { return arguments.value(name, otherwise); }
};

using TorchAdapter = std::function<RecordedLayer(const TorchCase&)>;
using TorchTable = std::map<std::string, TorchAdapter, std::less<>>;

// Convolutions, pools, upsampling.
void add_image_modules(TorchTable& table);
void add_linear_modules(TorchTable& table);
// Normalisation, embeddings.
void add_norm_modules(TorchTable& table);
// Attention, transformers.
void add_attention_modules(TorchTable& table);
void add_loss_modules(TorchTable& table);
// Recurrent layers and cells.
void add_recurrent_modules(TorchTable& table);
// Activations, Bilinear.
void add_activation_modules(TorchTable& table);
// All modules that are known.
TorchTable torch_modules();

// kind = module of the PyTorch recordings.
void replay_module(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);

}  // namespace squall::conformance
