// Conversion of convolutions of three axes and of layers with given weights.
#include "squall/handlers/make_handler.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/tools/convert.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

HostArray sparse_values(const Shape& shape) {
  HostArray a(DType::F32, shape);
  for (Index i = 0; i < a.elements(); ++i) a.set_value(i, i % 7 == 0 ? static_cast<double>(i % 5) / 8 - 0.2 : 0.0);
  return a;
}

}  // namespace

TEST_CASE("volumes and layers with given weights are converted to sparse form and back") {
  const Catalog catalog = make_catalog();
  Architecture a;
  a.input({{"default", {"B", 3, 4, 3, 2}}});
  a["Input.default"] >> a.add("Masked", "MaskedConv3D", {{"filters", 6}, {"activation", "rel"}});
  a["Masked.default"] >> a.add("Given", "SparseConv3D", {{"filters", 5}, {"kernel_size", 2}, {"activation", "tanh"}});
  a["Given.default"] >> a.add("Dense", "SparseDense", {{"units", 4}});
  Network net(a, catalog, make_handler("cpu:f32"));
  ParameterEntry& masked = *net.store().find("Masked", "W");
  HostArray keep(DType::U8, masked.info->shape);
  for (Index i = 0; i < keep.elements(); ++i) keep.set_value(i, i % 4 == 0 ? 1 : 0);
  HostArray values(DType::F32, masked.info->shape);
  for (Index i = 0; i < values.elements(); ++i) values.set_value(i, static_cast<double>(i % 11) / 20 - 0.3);
  net.set_parameter("Masked.W", values);
  net.store().set_mask(masked, keep);
  net.set_parameter("Given.W", sparse_values(net.store().find("Given", "W")->info->shape));
  net.set_parameter("Dense.W", sparse_values(net.store().find("Dense", "W")->info->shape));
  net.set_parameter("Dense.bias", sparse_values(Shape{4}));

  const HostArray before = net.get("Given.parameters.W");
  const Conversion conversion = convert_to_sparse(net, {"Dense.default"}, {1, 16}, 1);
  REQUIRE(conversion.layers.size() == 3);
  CHECK(conversion.max_difference < 1e-5);
  for (const char* layer : {"Masked", "Given", "Dense"}) {
    INFO(layer);
    CHECK(net.store().find(layer, "W")->form == ParameterForm::Stored);
  }
  CHECK(conversion.layers[0].density == Approx(0.25).margin(0.01));
  CHECK(net.get("Given.parameters.W") == before);
  convert_to_dense(net);
  CHECK(net.store().find("Given", "W")->form == ParameterForm::Plain);
  CHECK(net.get("Given.parameters.W") == before);
}

TEST_CASE("attention and transformers are converted to sparse form and compute the same") {
  const Catalog catalog = make_catalog();
  Architecture a;
  a.input({{"default", {"T", "B", 8}}, {"memory", {"T_memory", "B", 8}}});
  const json options{{"d_model", 8}, {"nhead", 2}, {"dim_feedforward", 12}};
  a["Input.default"] >> a.add("Masked", "MaskedTransformerDecoderLayer", options);
  a.connect({"Input", "memory", "Masked", "memory"});
  a["Masked.default"] >> a.add("Given", "SparseTransformerEncoderLayer", options);
  a["Given.default"] >> a.add("Attention", "SparseMultiHeadAttention", {{"embed_dim", 8}, {"num_heads", 2}});
  Network net(a, catalog, make_handler("cpu:f32"));
  for (const auto& e : net.store().entries()) {
    ParameterEntry& entry = *net.store().find(net.graph().node(e.node).name, e.info->name);
    net.store().set(entry, e.info->name.find("norm") != std::string::npos
                               ? HostArray::of(e.info->shape, std::vector<double>(8, 1.0))
                               : sparse_values(e.info->shape));
  }
  const Conversion conversion = convert_to_sparse(net, {"Attention.default"}, {1, 4}, 1);
  CHECK(conversion.layers.size() == 6 + 4 + 2);
  CHECK(conversion.max_difference < 1e-5);
  for (const char* name : {"in_proj_weight", "out_proj_weight"})
    CHECK(net.store().find("Attention", name)->form == ParameterForm::Stored);
}
