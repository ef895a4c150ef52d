// Attention and transformers: the properties of all layers, and what only they have.
#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "squall/core/random.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::CaseInput;
using squall::testing::LayerCase;
using squall::testing::Rejection;
using Names = std::vector<std::string>;

CaseInput flags(const std::string& name, std::vector<Index> features, Names leading = {}) {
  return {.name = name,
          .features = std::move(features),
          .values = CaseInput::Values::Flags,
          .leading = std::move(leading),
          .optional = true};
}
CaseInput more(const std::string& name, std::vector<Index> features, Names leading = {"T", "B"}) {
  return {.name = name, .features = std::move(features), .leading = std::move(leading), .optional = true};
}

const json kHeads{{"embed_dim", 4}, {"num_heads", 2}};
json with(json options, const json& others) {
  options.update(others);
  return options;
}

const std::vector<Rejection> kRejects{
    {.options = {{"embed_dim", 4}, {"num_heads", 3}}, .says = {"the width 4 cannot be parted into 3 equal heads"}},
    {.options = {{"embed_dim", 4}, {"dropout", 1.0}}, .says = {"'dropout' should be in [0, 1), not 1"}},
    {.options = {{"embed_dim", 6}}, .says = {"the width of queries should be 6", "(T, B, 4)"}},
    {.options = {{"embed_dim", 4}, {"need_weights", true}}, .says = {"'weight_keys', the number of keys"}},
    {.options = {{"embed_dim", 4}}, .inputs = {{"default", {2, 2, 4}}}, .says = {"(T, B, width)", "(T, B, 2, 2, 4)"}}};

SQUALL_LAYER_CASES(
    MultiHeadAttention, {.name = "to itself", .options = kHeads, .inputs = {{"default", {4}}}, .rejects = kRejects},
    {.name = "causal with more keys and dropout",
     .options = with(kHeads, {{"causal", true}, {"add_bias_kv", true}, {"add_zero_attn", true}, {"dropout", 0.25}}),
     .inputs = {{"default", {4}}},
     .coupled = true},
    {.name = "to a memory of another length",
     .options = with(kHeads, {{"bias", false}}),
     .inputs = {{"default", {4}}, more("key", {4}, {"T_keys", "B"})}},
    {.name = "keys and values of other widths",
     .options = with(kHeads, {{"kdim", 3}, {"vdim", 5}, {"need_weights", true}}),
     .inputs = {{.name = "default", .features = {2, 4}, .leading = {"B"}},
                more("key", {3, 3}, {"B"}),
                more("value", {3, 5}, {"B"})},
     .tolerance_f32 = 2e-4},
    {.name = "weights of each head with more keys",
     .options = with(
         kHeads,
         {{"need_weights", true}, {"average_attn_weights", false}, {"add_bias_kv", true}, {"add_zero_attn", true}}),
     .inputs = {{.name = "default", .features = {3, 4}, .leading = {"B"}}, flags("attn_mask", {2, 3, 3}, {"B"})}},
    {.name = "added masks",
     .options = with(kHeads, {{"added_masks", true}}),
     .inputs = {{.name = "default", .features = {3, 4}, .leading = {"B"}},
                more("attn_mask", {3, 3}, {}),
                more("key_padding_mask", {3}, {"B"})}},
    {.name = "padding by step",
     .options = kHeads,
     .inputs = {{"default", {4}}, flags("key_padding_mask", {1}, {"T", "B"})}},
    {.name = "one example", .options = kHeads, .inputs = {{.name = "default", .features = {3, 4}, .leading = {}}}})

SQUALL_LAYER_CASES(MaskedMultiHeadAttention, {.name = "to itself", .options = kHeads, .inputs = {{"default", {4}}}})
SQUALL_LAYER_CASES(SparseMultiHeadAttention,
                   {.name = "to itself", .options = kHeads, .inputs = {{"default", {4}}}, .derivative = false})

SQUALL_LAYER_CASES(ScaledDotProductAttention,
                   {.name = "steps",
                    .inputs = {{"default", {3}},
                               {.name = "key", .features = {3}, .leading = {"T_keys", "B"}},
                               {.name = "value", .features = {2}, .leading = {"T_keys", "B"}}}},
                   {.name = "heads with a mask for all",
                    .options = {{"scale", 0.5}},
                    .inputs = {{.name = "default", .features = {2, 3, 2}, .leading = {"B"}},
                               {.name = "key", .features = {2, 4, 2}, .leading = {"B"}},
                               {.name = "value", .features = {2, 4, 3}, .leading = {"B"}},
                               flags("attn_mask", {1, 3, 4}, {"B"})},
                    .tolerance_f32 = 1e-4,
                    .rejects = {{.inputs = {{.name = "default", .features = {2, 3, 2}, .leading = {"B"}},
                                            {.name = "key", .features = {2, 4, 3}, .leading = {"B"}},
                                            {.name = "value", .features = {2, 4, 3}, .leading = {"B"}}},
                                 .says = {"keys as wide as queries"}}}})
SQUALL_LAYER_CASES(DotProductAttention,
                   {.name = "the batch is the sequence",
                    .options = {{"scale", false}},
                    .inputs = {{.name = "default", .features = {3}, .leading = {"B"}},
                               {.name = "key", .features = {3}, .leading = {"B_keys"}},
                               {.name = "value", .features = {3}, .leading = {"B_keys"}}},
                    .coupled = true,
                    .mixed = true},
                   {.name = "causal with dropout",
                    .options = {{"is_causal", true}, {"dropout_p", 0.5}},
                    .inputs = {{"default", {3}}, {"key", {3}}, {"value", {3}}},
                    .coupled = true})

const json kModel{{"d_model", 4}, {"nhead", 2}, {"dim_feedforward", 5}, {"dropout", 0.0}, {"layer_norm_eps", 0.1}};

SQUALL_LAYER_CASES(
    TransformerEncoderLayer,
    {.name = "norm last",
     .options = kModel,
     .inputs = {{"default", {4}}},
     .tolerance_f32 = 1e-4,
     .rejects = {{.options = {{"d_model", 3}}, .says = {"should be d_model = 3", "(T, B, 4)"}},
                 {.options = with(kModel, {{"dim_feedforward", 0}}),
                  .says = {"'dim_feedforward' should be a positive"}}}},
    {.name = "norm first with gelu and dropout",
     .options = with(kModel, {{"norm_first", true}, {"activation", "gelu"}, {"dropout", 0.25}, {"causal", true}}),
     .inputs = {{"default", {4}}},
     .coupled = true,
     .tolerance_f32 = 1e-4},
    {.name = "masks without biases",
     .options = with(kModel, {{"bias", false}, {"activation", "silu"}}),
     .inputs = {{.name = "default", .features = {3, 4}, .leading = {"B"}},
                flags("src_mask", {3, 3}),
                flags("src_key_padding_mask", {3}, {"B"})},
     .tolerance_f32 = 1e-4})
SQUALL_LAYER_CASES(MaskedTransformerEncoderLayer,
                   {.name = "norm last", .options = kModel, .inputs = {{"default", {4}}}, .tolerance_f32 = 1e-4})
SQUALL_LAYER_CASES(
    SparseTransformerEncoderLayer,
    {.name = "norm last", .options = kModel, .inputs = {{"default", {4}}}, .derivative = false, .tolerance_f32 = 1e-4})

const std::vector<CaseInput> kDecoder{{"default", {4}},
                                      {.name = "memory", .features = {4}, .leading = {"T_memory", "B"}}};
SQUALL_LAYER_CASES(TransformerDecoderLayer,
                   {.name = "norm last", .options = kModel, .inputs = kDecoder, .tolerance_f32 = 1e-4},
                   {.name = "norm first with masks",
                    .options = with(kModel, {{"norm_first", true}, {"activation", "gelu_tanh"}}),
                    .inputs = {{.name = "default", .features = {3, 4}, .leading = {"B"}},
                               {.name = "memory", .features = {2, 4}, .leading = {"B"}},
                               flags("tgt_mask", {3, 3}),
                               flags("memory_mask", {3, 2}),
                               flags("memory_key_padding_mask", {2}, {"B"})},
                    .tolerance_f32 = 1e-4})
SQUALL_LAYER_CASES(MaskedTransformerDecoderLayer, {.name = "norm first",
                                                   .options = with(kModel, {{"norm_first", true}, {"causal", true}}),
                                                   .inputs = kDecoder,
                                                   .tolerance_f32 = 1e-4})
SQUALL_LAYER_CASES(
    SparseTransformerDecoderLayer,
    {.name = "norm last", .options = kModel, .inputs = kDecoder, .derivative = false, .tolerance_f32 = 1e-4})

SQUALL_LAYER_CASES(PositionalEncoding,
                   {.name = "steps of odd width", .options = {{"dropout", 0.0}}, .inputs = {{"default", {5}}}},
                   {.name = "known length with dropout",
                    .options = {{"seq_len", 4}, {"dropout", 0.5}},
                    .inputs = {{.name = "default", .features = {3, 4}, .leading = {"B"}}},
                    .coupled = true,
                    .rejects = {{.options = {{"seq_len", 2}}, .says = {"longer than seq_len = 2"}}}})

const json kTable{{"sequence_length", 5}, {"vocab_size", 5}, {"embed_dim", 3}};
SQUALL_LAYER_CASES(
    TokenPositionEmbedding,
    {.name = "steps",
     .options = kTable,
     .inputs = {{.name = "default", .features = {1}, .values = CaseInput::Values::Labels, .classes = 5}},
     .rejects = {{.options = {{"sequence_length", 4}, {"vocab_size", 5}},
                  .says = {"'embed_dim' should be a positive whole number, not 0"}}}},
    {.name = "given places",
     .options = kTable,
     .inputs = {
         {.name = "default", .features = {3}, .values = CaseInput::Values::Labels, .classes = 5},
         {.name = "positions", .features = {3}, .values = CaseInput::Values::Labels, .classes = 5, .optional = true}}})

const Catalog& layers() {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    return c;
  }();
  return catalog;
}
HostArray random(const Shape& shape, const std::string& name) {
  HostArray a(DType::F64, shape);
  Rng rng(8, name);
  for (double& v : a.span<double>()) v = rng.normal();
  return a;
}

std::unique_ptr<Network> network(const std::string& type, const json& options, const json& shapes, const Names& ports) {
  Architecture a;
  a.input(shapes);
  a.add("Layer", type, options);
  for (const auto& port : ports) a.connect({"Input", port, "Layer", port});
  a["Layer.default"] >> a.add("Loss", "Loss");
  auto net = std::make_unique<Network>(a, layers(), squall::test::make_under_test("cpu:f64"),
                                       NetworkOptions{.memory = MemoryMode::Inspectable});
  for (const auto& e : net->store().entries())
    net->set_parameter(concat("Layer.", e.info->name), random(e.info->shape, e.info->name));
  return net;
}

TEST_CASE("a query that may see nothing gets the bias of the output projection and sends nothing back") {
  auto net = network("MultiHeadAttention", kHeads, {{"default", {"B", 2, 4}}, {"attn_mask", {2, 2}}},
                     {"default", "attn_mask"});
  net->provide({{{"default", random(Shape{1, 2, 4}, "x")},
                 {"attn_mask", HostArray::of(Shape{2, 2}, std::vector<std::uint8_t>{0, 1, 1, 1})}}});
  net->forward(Mode::Train);
  const HostArray y = net->get("Layer.outputs.default"), bias = net->get("Layer.parameters.out_proj_bias");
  for (Index i = 0; i < 4; ++i) CHECK(y.value(4 + i) == Approx(bias.value(i)));
  net->backward();
  for (const double g : net->get("Layer.gradients.in_proj_weight").doubles()) CHECK(std::isfinite(g));
}

TEST_CASE("dropout of attention is off in evaluation and keeps the mean in training") {
  const auto outputs = [](double dropout, Mode mode) {
    auto net = network("DotProductAttention", {{"dropout_p", dropout}},
                       {{"default", {"B", 40, 4}}, {"key", {"B", 40, 4}}, {"value", {"B", 40, 4}}},
                       {"default", "key", "value"});
    const HostArray ones = HostArray::of(Shape{8, 40, 4}, std::vector<double>(8 * 40 * 4, 1.0));
    net->provide({{{"default", random(Shape{8, 40, 4}, "q")}, {"key", random(Shape{8, 40, 4}, "k")}, {"value", ones}}});
    net->forward(mode);
    return net->get("Layer.outputs.default").doubles();
  };
  for (const double v : outputs(0.5, Mode::Eval)) CHECK(v == Approx(1));
  double mean = 0;
  const auto dropped = outputs(0.5, Mode::Train);
  for (const double v : dropped) mean += v / static_cast<double>(dropped.size());
  CHECK(mean == Approx(1).margin(0.1));
  CHECK(outputs(0.0, Mode::Train)[0] == Approx(1));
}

TEST_CASE("the layouts with time and with known length give the same attention") {
  const HostArray by_step = random(Shape{3, 2, 4}, "x");
  HostArray by_example(DType::F64, Shape{2, 3, 4});
  for (Index t = 0; t < 3; ++t)
    for (Index n = 0; n < 2; ++n)
      for (Index i = 0; i < 4; ++i) by_example.set_value((n * 3 + t) * 4 + i, by_step.value((t * 2 + n) * 4 + i));
  const json options = with(kModel, {{"causal", true}});
  auto steps = network("TransformerEncoderLayer", options, {{"default", {"T", "B", 4}}}, {"default"});
  auto known = network("TransformerEncoderLayer", options, {{"default", {"B", 3, 4}}}, {"default"});
  steps->provide({{{"default", by_step}}});
  known->provide({{{"default", by_example}}});
  steps->forward(Mode::Eval);
  known->forward(Mode::Eval);
  const HostArray a = steps->get("Layer.outputs.default"), b = known->get("Layer.outputs.default");
  for (Index t = 0; t < 3; ++t)
    for (Index n = 0; n < 2; ++n)
      for (Index i = 0; i < 4; ++i) CHECK(a.value((t * 2 + n) * 4 + i) == Approx(b.value((n * 3 + t) * 4 + i)));
}

TEST_CASE("masked and plain transformers are the same layer while nothing is masked") {
  for (const std::string kind : {"Encoder", "Decoder"})
    for (const bool first : {false, true}) {
      std::vector<std::vector<double>> results;
      for (const std::string prefix : {"", "Masked", "Sparse"}) {
        const bool decoder = kind == "Decoder";
        const Names ports = decoder ? Names{"default", "memory"} : Names{"default"};
        auto net = network(prefix + "Transformer" + kind + "Layer", with(kModel, {{"norm_first", first}}),
                           {{"default", {"B", 3, 4}}, {"memory", {"B", 2, 4}}}, ports);
        net->provide({{{"default", random(Shape{2, 3, 4}, "x")}, {"memory", random(Shape{2, 2, 4}, "m")}}});
        net->forward(Mode::Eval);
        results.push_back(net->get("Layer.outputs.default").doubles());
      }
      CHECK(results[0] == results[1]);
      CHECK(results[0] == results[2]);
    }
}

TEST_CASE("packed weights give what masked ones give in attention and transformers") {
  for (const std::string type : {"MaskedMultiHeadAttention", "MaskedTransformerDecoderLayer"}) {
    const bool attention = type == "MaskedMultiHeadAttention";
    const std::string other = attention ? "key" : "memory";
    auto net = network(type, attention ? kHeads : kModel, {{"default", {"B", 3, 4}}, {other, {"B", 2, 4}}},
                       {"default", other});
    net->provide({{{"default", random(Shape{2, 3, 4}, "x")}, {other, random(Shape{2, 2, 4}, "m")}}});
    for (const auto& e : net->store().entries()) {
      if (!e.info->maskable) continue;
      HostArray mask(DType::U8, e.info->shape);
      for (Index i = 0; i < mask.elements(); ++i) mask.set_value(i, i % 3 == 0 ? 1 : 0);
      net->store().set_mask(*net->store().find("Layer", e.info->name), mask);
    }
    net->forward(Mode::Eval);
    const auto masked = net->get("Layer.outputs.default").doubles();
    for (const auto& e : net->store().entries()) {
      if (!e.info->maskable) continue;
      ParameterEntry& entry = *net->store().find("Layer", e.info->name);
      const HostArray values = net->store().get(entry).cast(DType::F32);
      const Shape shape = e.info->shape;
      const auto mask = net->store().mask(entry);
      net->store().set_stored(
          entry, {PackedWeight::from_dense(values.span<float>(), shape[0], shape[1], mask->span<std::uint8_t>())});
    }
    net->forward(Mode::Eval);
    const auto packed = net->get("Layer.outputs.default").doubles();
    REQUIRE(packed.size() == masked.size());
    for (std::size_t i = 0; i < packed.size(); ++i) CHECK(packed[i] == Approx(masked[i]).margin(1e-5));
  }
}

TEST_CASE("PositionalEncoding adds sines and cosines for odd widths and shorter sequences too") {
  auto net = network("PositionalEncoding", {{"seq_len", 9}}, {{"default", {"T", "B", 3}}}, {"default"});
  net->provide({{{"default", HostArray::of(Shape{2, 1, 3}, std::vector<double>(6, 0.0))}}});
  net->forward(Mode::Eval);
  const auto y = net->get("Layer.outputs.default").doubles();
  const double slow = std::pow(10000.0, -2.0 / 3);
  const std::vector<double> want{0, 1, 0, std::sin(1.0), std::cos(1.0), std::sin(slow)};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(y[i] == Approx(want[i]).margin(1e-15));
}

}  // namespace
