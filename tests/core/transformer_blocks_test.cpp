// Blocks of layers for networks on tokens: their sizes, and that they run.
#include "squall/core/transformer_blocks.hpp"

#include "squall/core/network.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "support/catch.hpp"

namespace {

using namespace squall;

const Catalog& layers() {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    return c;
  }();
  return catalog;
}

TEST_CASE("the transformer block of RSN2 has its 14746628 parameters") {
  Architecture a;
  a.input({{"default", {"T", "B", 512}}});
  build_transformer_block(a, "Block", a["Input.default"], {.embed_dim = 512, .num_heads = 8, .neurons = 1028});
  CHECK(Graph(a, layers()).parameter_count() == 14746628);
}

TEST_CASE("the embedding of tokens and places has its 15622144 parameters") {
  for (const bool given : {false, true}) {
    Architecture a;
    a.input({{"tokens", {"T", "B", 1}}, {"positions", {"T", "B", 1}}});
    const std::optional<Port> positions = given ? std::optional(a["Input.positions"]) : std::nullopt;
    build_token_position_embedding_block(a, "Embed", a["Input.tokens"], positions,
                                         {.sequence_length = 512, .vocab_size = 30000, .embed_dim = 512});
    CHECK(Graph(a, layers()).parameter_count() == 15622144);
  }
}

TEST_CASE("blocks on tokens go forward and backward with and without residual") {
  for (const bool residual : {false, true}) {
    Architecture a;
    a.input({{"tokens", {"T", "B", 1}}});
    const Port embedded = build_token_position_embedding_block(a, "Embed", a["Input.tokens"], std::nullopt,
                                                               {.sequence_length = 5, .vocab_size = 7, .embed_dim = 4});
    TransformerBlockOptions options{.embed_dim = 3, .num_heads = 11, .neurons = 6};
    if (residual) options.residual_width = 4, options.scaled = true;
    build_transformer_block(a, "Block", embedded, options) >> a.add("Loss", "Loss");
    Network net(a, layers(), make_handler("cpu:f64"), {.memory = MemoryMode::Inspectable});
    for (const auto& e : net.store().entries())
      net.store().set(e, HostArray::of(e.info->shape,
                                       std::vector<double>(static_cast<std::size_t>(e.info->shape.elements()), 0.1)));
    net.provide({{{"tokens", HostArray::of(Shape{5, 2, 1}, std::vector<double>{0, 1, 2, 3, 4, 5, 6, 0, 1, 2})}}});
    net.forward(Mode::Train);
    net.backward();
    CHECK(net.get("Block_norm2.outputs.default").shape() == Shape{5, 2, residual ? 4 : 33});
    CHECK(net.get("Block_queries.gradients.W").shape() == Shape{11, 3, 4});
  }
}

TEST_CASE("a block without neurons is refused") {
  Architecture a;
  a.input({{"default", {"T", "B", 4}}});
  CHECK_THROWS_WITH(build_transformer_block(a, "Block", a["Input.default"], {.embed_dim = 4}),
                    "Block: neurons should be a positive whole number, not 0");
}

}  // namespace
