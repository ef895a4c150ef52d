// Attention and transformers among the layers whose weights can be masked.
#include "squall/core/network.hpp"
#include "squall/core/random.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "squall/training/mask_layers.hpp"
#include "squall/training/mask_model.hpp"
#include "squall/training/training.hpp"
#include "support/catch.hpp"

namespace {

using namespace squall;

const Catalog& layers() {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    register_training(c);
    return c;
  }();
  return catalog;
}

std::unique_ptr<Network> transformer(const std::string& type) {
  Architecture a;
  a.input({{"default", {"B", 3, 20}}, {"memory", {"B", 4, 20}}});
  const json options{{"d_model", 20}, {"nhead", 4}, {"dim_feedforward", 30}, {"dropout", 0.0}};
  a["Input.default"] >> a.add("Layer", type, options) >> a.add("Loss", "Loss");
  if (type.find("Decoder") != std::string::npos) a.connect({"Input", "memory", "Layer", "memory"});
  auto net = std::make_unique<Network>(a, layers(), make_handler("cpu:f64"));
  for (const auto& e : net->store().entries()) {
    HostArray values(DType::F64, e.info->shape);
    Rng rng(3, e.info->name);
    for (double& v : values.span<double>()) v = rng.normal();
    net->store().set(e, values);
  }
  return net;
}

TEST_CASE("pruning a transformer at 80 percent leaves a fifth of every matrix and all of its norms") {
  for (const std::string type : {"MaskedTransformerEncoderLayer", "MaskedTransformerDecoderLayer"}) {
    auto net = transformer(type);
    prune_model(*net, 80);
    int matrices = 0;
    for (const auto& e : net->store().entries()) {
      const auto mask = net->store().mask(e);
      INFO(type << " " << e.info->name);
      if (e.info->name.starts_with("norm")) CHECK_FALSE(mask);
      if (!e.info->maskable) continue;
      ++matrices;
      REQUIRE(mask);
      double kept = 0;
      for (Index i = 0; i < mask->elements(); ++i) kept += mask->value(i);
      CHECK(kept / static_cast<double>(mask->elements()) == Approx(0.2).margin(0.001));
    }
    CHECK(matrices == (type == "MaskedTransformerEncoderLayer" ? 4 : 6));
  }
}

TEST_CASE("queries and keys and values of one attention compete for the weights that are kept") {
  Architecture a;
  a.input({{"default", {"T", "B", 4}}});
  a["Input.default"] >> a.add("Layer", "MaskedMultiHeadAttention", {{"embed_dim", 4}, {"num_heads", 2}}) >>
      a.add("Loss", "Loss");
  Network net(a, layers(), make_handler("cpu:f64"));
  for (const auto& e : net.store().entries()) {
    HostArray values(DType::F64, e.info->shape);
    for (Index i = 0; i < values.elements(); ++i) values.set_value(i, static_cast<double>(1 + i));
    net.store().set(e, values);
  }
  prune_model(net, 50);
  const auto mask = net.store().mask(*net.store().find("Layer", "in_proj_weight"));
  REQUIRE(mask);
  for (Index i = 0; i < 48; ++i) CHECK(mask->value(i) == (i < 24 ? 0 : 1));
}

TEST_CASE("masks can be added to attention and transformers and taken away again") {
  for (const std::string type : {"MultiHeadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer"}) {
    Architecture a;
    a.add("Layer", type);
    const Architecture masked = with_masked_layers(a, layers());
    CHECK(masked.layers()[0].type == "Masked" + type);
    CHECK(without_masked_layers(masked, layers()).layers()[0].type == type);
  }
}

}  // namespace
