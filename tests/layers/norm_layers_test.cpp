// Normalisation with PyTorch's and numpy-ml's conventions, and tables of embeddings.
#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::CaseInput;
using squall::testing::LayerCase;
using squall::testing::Rejection;

const std::vector<Rejection> kNegativeEpsilon{
    {.options = {{"epsilon", -1.0}}, .says = {"'epsilon' should not be negative, but is -1"}}};

SQUALL_LAYER_CASES(
    LayerNorm, {.name = "last axis", .inputs = {{"default", {5}}}, .tolerance_f32 = 2e-4, .rejects = kNegativeEpsilon},
    {.name = "two axes without bias",
     .options = {{"normalized_shape", {2, 3}}, {"epsilon", 0.1}, {"bias", false}},
     .inputs = {{"default", {4, 2, 3}}},
     .tolerance_f32 = 1e-4,
     .rejects = {{.options = {{"normalized_shape", {4, 2}}},
                  .says = {"LayerNorm 'Layer'", "whose last axes are not the (4, 2)"}}}},
    {.name = "plain",
     .options = {{"elementwise_affine", false}, {"epsilon", 0.1}},
     .inputs = {{"default", {3}}},
     .tolerance_f32 = 1e-4})

SQUALL_LAYER_CASES(
    RMSNorm, {.name = "last axis", .inputs = {{"default", {5}}}, .tolerance_f32 = 1e-4, .rejects = kNegativeEpsilon},
    {.name = "plain over two axes",
     .options = {{"normalized_shape", {2, 3}}, {"elementwise_affine", false}},
     .inputs = {{"default", {2, 3}}},
     .tolerance_f32 = 1e-4})

SQUALL_LAYER_CASES(LayerNorm1D, {.name = "vector",
                                 .options = {{"epsilon", 0.1}},
                                 .inputs = {{"default", {4}}},
                                 .tolerance_f32 = 1e-4,
                                 .rejects = {{.inputs = {{"default", {4, 2}}}, .says = {"(n)", "(T, B, 4, 2)"}}}})
SQUALL_LAYER_CASES(LayerNorm2D, {.name = "image",
                                 .inputs = {{"default", {3, 2, 2}}},
                                 .tolerance_f32 = 1e-4,
                                 .rejects = {{.inputs = {{"default", {4}}}, .says = {"(height, width, channels)"}}}})

SQUALL_LAYER_CASES(GroupNorm,
                   {.name = "images in two groups",
                    .options = {{"num_groups", 2}},
                    .inputs = {{"default", {2, 3, 4}}},
                    .tolerance_f32 = 1e-4,
                    .rejects = {{.options = {{"num_groups", 3}}, .says = {"4 channels", "'num_groups' = 3"}}}},
                   {.name = "plain vectors",
                    .options = {{"num_groups", 2}, {"affine", false}, {"epsilon", 0.1}},
                    .inputs = {{"default", {6}}},
                    .tolerance_f32 = 1e-4})

const std::vector<Rejection> kMomentum{
    {.options = {{"momentum", 1.5}}, .says = {"'momentum' should be in [0, 1] or null, not 1.5"}}};

SQUALL_LAYER_CASES(BatchNorm1D,
                   {.name = "vector",
                    .options = {{"epsilon", 0.1}},
                    .inputs = {{"default", {3}}},
                    .coupled = true,
                    .tolerance_f32 = 2e-3,
                    .rejects = kMomentum},
                   {.name = "sequence, cumulative",
                    .options = {{"momentum", nullptr}, {"unbiased", false}},
                    .inputs = {{"default", {5, 2}}},
                    .coupled = true,
                    .tolerance_f32 = 2e-3})
SQUALL_LAYER_CASES(BatchNorm2D, {.name = "plain image",
                                 .options = {{"affine", false}},
                                 .inputs = {{"default", {3, 2, 4}}},
                                 .coupled = true,
                                 .tolerance_f32 = 2e-3,
                                 .rejects = {{.inputs = {{"default", {4}}}, .says = {"(height, width, channels)"}}}})
SQUALL_LAYER_CASES(BatchNorm3D,
                   {.name = "volume", .inputs = {{"default", {2, 2, 2, 3}}}, .coupled = true, .tolerance_f32 = 2e-3})

SQUALL_LAYER_CASES(InstanceNorm1D, {.name = "sequence",
                                    .options = {{"affine", true}},
                                    .inputs = {{"default", {5, 2}}},
                                    .tolerance_f32 = 2e-4,
                                    .rejects = {{.inputs = {{"default", {4}}}, .says = {"(length, channels)"}}}})
SQUALL_LAYER_CASES(InstanceNorm2D, {.name = "plain image", .inputs = {{"default", {3, 2, 4}}}, .tolerance_f32 = 2e-4},
                   {.name = "with statistics",
                    .options = {{"affine", true}, {"track_running_stats", true}},
                    .inputs = {{"default", {3, 2, 2}}},
                    .coupled = true,
                    .tolerance_f32 = 2e-4,
                    .rejects = kMomentum})
SQUALL_LAYER_CASES(InstanceNorm3D, {.name = "volume", .inputs = {{"default", {2, 2, 2, 3}}}, .tolerance_f32 = 2e-4})

CaseInput ids(const std::string& name, std::vector<Index> features, Index classes) {
  return {.name = name, .features = std::move(features), .values = CaseInput::Values::Labels, .classes = classes};
}

SQUALL_LAYER_CASES(Embedding,
                   {.name = "one id",
                    .options = {{"num_embeddings", 5}, {"embedding_dim", 3}},
                    .inputs = {ids("default", {1}, 5)},
                    .rejects = {{.options = {{"num_embeddings", 0}, {"embedding_dim", 3}},
                                 .says = {"'num_embeddings' should be a positive whole number, not 0"}},
                                {.options = {{"num_embeddings", 5}, {"embedding_dim", 3}, {"padding_idx", 5}},
                                 .says = {"'padding_idx' should be in -5..4, not 5"}}}},
                   {.name = "mean of some",
                    .options = {{"num_embeddings", 4}, {"embedding_dim", 2}, {"pool", "mean"}},
                    .inputs = {ids("default", {3}, 4)}},
                   {.name = "without padding",
                    .options = {{"num_embeddings", 3}, {"embedding_dim", 2}, {"padding_idx", -1}},
                    .inputs = {ids("default", {2}, 3)},
                    .derivative = false})

SQUALL_LAYER_CASES(EmbeddingBag,
                   {.name = "largest of a row",
                    .options = {{"num_embeddings", 4}, {"embedding_dim", 3}, {"mode", "max"}},
                    .inputs = {ids("default", {5}, 4)},
                    .rejects = {{.options = {{"num_embeddings", 4}, {"embedding_dim", 3}, {"mode", "none"}},
                                 .says = {"'mode' should be sum, mean or max, not none"}}}},
                   {.name = "weighted sum",
                    .options = {{"num_embeddings", 4}, {"embedding_dim", 3}, {"mode", "sum"}, {"padding_idx", 1}},
                    .inputs = {ids("default", {3}, 4),
                               {.name = "per_sample_weights", .features = {3}, .optional = true}}})

std::unique_ptr<Network> network(const std::string& type, const json& options, const json& shape) {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    return c;
  }();
  Architecture a;
  a.input({{"default", shape}});
  a["Input.default"] >> a.add("Norm", type, options) >> a.add("Loss", "Loss");
  return std::make_unique<Network>(a, catalog, squall::test::make_under_test("cpu:f64"),
                                   NetworkOptions{.memory = MemoryMode::Inspectable});
}

TEST_CASE("BatchNorm1D keeps the unbiased variance and the biased one if told and means over all batches") {
  const auto run = [](const json& options) {
    auto net = network("BatchNorm1D", options, {"B", 1});
    for (const std::vector<double>& x : {std::vector<double>{1, 5}, std::vector<double>{2, 8}}) {
      net->provide({{{"default", HostArray::of(Shape{2, 1}, x)}}});
      net->forward(Mode::Train);
    }
    return std::pair(net->get("Norm.state.running_mean").value(0), net->get("Norm.state.running_var").value(0));
  };
  const auto [mean, variance] = run({{"momentum", 0.5}});
  CHECK(mean == Approx(0.5 * (0.5 * 3) + 0.5 * 5));
  CHECK(variance == Approx(0.5 * (0.5 * 1 + 0.5 * 8) + 0.5 * 18));
  CHECK(run({{"momentum", 0.5}, {"unbiased", false}}).second == Approx(0.5 * (0.5 * 1 + 0.5 * 4) + 0.5 * 9));
  const auto [mean_of_all, variance_of_all] = run({{"momentum", nullptr}});
  CHECK(mean_of_all == Approx((3 + 5) / 2.0));
  CHECK(variance_of_all == Approx((8 + 18) / 2.0));
}

TEST_CASE("BatchNorm2D uses running statistics in evaluation and leaves them alone") {
  auto net = network("BatchNorm2D", {{"epsilon", 0.0}}, {"B", 1, 2, 1});
  net->set_parameter("Norm.weight", HostArray::of(Shape{1}, std::vector<double>{1}));
  net->set_parameter("Norm.running_mean", HostArray::of(Shape{1}, std::vector<double>{2}));
  net->set_parameter("Norm.running_var", HostArray::of(Shape{1}, std::vector<double>{4}));
  net->provide({{{"default", HostArray::of(Shape{1, 1, 2, 1}, std::vector<double>{2, 8})}}});
  net->forward(Mode::Eval);
  CHECK(net->get("Norm.outputs.default").doubles() == std::vector<double>{0, 3});
  CHECK(net->get("Norm.state.running_mean").value(0) == 2);
  CHECK(net->get("Norm.state.running_var").value(0) == 4);
}

TEST_CASE("BatchNorm2D without running statistics uses those of the batch in evaluation too") {
  auto net =
      network("BatchNorm2D", {{"epsilon", 0.0}, {"affine", false}, {"track_running_stats", false}}, {"B", 1, 2, 1});
  net->provide({{{"default", HostArray::of(Shape{1, 1, 2, 1}, std::vector<double>{2, 8})}}});
  net->forward(Mode::Eval);
  CHECK(net->get("Norm.outputs.default").doubles() == std::vector<double>{-1, 1});
  CHECK(net->get_states().empty());
}

TEST_CASE("running statistics can be set back to 0 and 1") {
  auto net = network("BatchNorm1D", json::object(), {"B", 1});
  const auto start = net->get_states();
  net->provide({{{"default", HostArray::of(Shape{2, 1}, std::vector<double>{1, 5})}}});
  net->forward(Mode::Train);
  CHECK(net->get("Norm.state.running_mean").value(0) != 0);
  net->set_states(start);
  CHECK(net->get("Norm.state.running_mean").value(0) == 0);
  CHECK(net->get("Norm.state.running_var").value(0) == 1);
  CHECK(net->get("Norm.state.num_batches_tracked").value(0) == 0);
}

TEST_CASE("a layer norm treats every example alone and multiplies by 1 unless told otherwise") {
  auto net = network("LayerNorm1D", {{"epsilon", 0.0}}, {"B", 2});
  net->provide({{{"default", HostArray::of(Shape{2, 2}, std::vector<double>{1, 3, 100, 500})}}});
  net->set_parameter("Norm.weight", HostArray::of(Shape{2}, std::vector<double>{1, 1}));
  net->set_parameter("Norm.bias", HostArray::of(Shape{2}, std::vector<double>{0, 0}));
  net->forward(Mode::Train);
  CHECK(net->get("Norm.outputs.default").doubles() == std::vector<double>{-1, 1, -1, 1});
}

TEST_CASE("the weights of normalisation are 1 unless a pattern names them") {
  auto net = network("LayerNorm1D", json::object(), {"B", 2});
  net->initialize({{"default", 0.5}}, 1);
  CHECK(net->get("Norm.parameters.weight").doubles() == std::vector<double>{1, 1});
  CHECK(net->get("Norm.parameters.bias").doubles() == std::vector<double>{0, 0});
  net->initialize({{"default", 0.5}, {"Norm", {{"weight", 0.25}}}}, 1);
  CHECK(net->get("Norm.parameters.weight").doubles() == std::vector<double>{0.25, 0.25});
}

TEST_CASE("Embedding gives rows by id and refuses ids outside its table") {
  auto net = network("Embedding", {{"num_embeddings", 3}, {"embedding_dim", 2}}, {"B", 4});
  net->set_parameter("Norm.W", HostArray::of(Shape{3, 2}, std::vector<double>{0, 1, 10, 11, 20, 21}));
  net->provide({{{"default", HostArray::of(Shape{1, 4}, std::vector<double>{2, 0, 2, 1})}}});
  net->forward(Mode::Eval);
  CHECK(net->get("Norm.outputs.default").shape() == Shape{1, 4, 2});
  CHECK(net->get("Norm.outputs.default").doubles() == std::vector<double>{20, 21, 0, 1, 20, 21, 10, 11});
  net->provide({{{"default", HostArray::of(Shape{1, 4}, std::vector<double>{2, 0, 3, 1})}}});
  CHECK_THROWS_WITH(net->forward(Mode::Eval), Catch::Contains("id 3 in row 2 is not in 0..2"));
}

TEST_CASE("a pooled Embedding counts ids that are repeated in a bag") {
  for (const std::string pool : {"sum", "mean"}) {
    auto net = network("Embedding", {{"num_embeddings", 3}, {"embedding_dim", 1}, {"pool", pool}}, {"B", 3});
    net->set_parameter("Norm.W", HostArray::of(Shape{3, 1}, std::vector<double>{1, 10, 100}));
    net->provide({{{"default", HostArray::of(Shape{1, 3}, std::vector<double>{1, 1, 2})}}});
    net->forward(Mode::Train);
    net->backward();
    const double share = pool == "sum" ? 1 : 1.0 / 3;
    CHECK(net->get("Norm.outputs.default").value(0) == Approx(120 * share));
    CHECK(net->get("Norm.gradients.W").value(1) == Approx(2 * share));
  }
}

}  // namespace
