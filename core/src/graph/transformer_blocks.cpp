#include "squall/core/transformer_blocks.hpp"

namespace squall {

namespace {

// Names that keep the order of heads when they are sorted.
std::string head_name(Index head, Index heads) {
  const std::string number = std::to_string(head);
  return "head_" + std::string(std::to_string(heads - 1).size() - number.size(), '0') + number;
}

class BlockBuilder {
 public:
  BlockBuilder(Architecture& a, std::string name, const TransformerBlockOptions& options)
      : a_(a), name_(std::move(name)), options_(options) {}

  // One product of the input for each head: head i leaves from output `head_i`.
  Port heads(const std::string& what, const Port& input) {
    json tasks = json::array();
    for (Index h = 0; h < options_.num_heads; ++h) tasks.push_back(head_name(h, options_.num_heads));
    Port made = add(what, "MultiDense", {{"units", options_.embed_dim}, {"tasks", tasks}});
    for (const auto& task : tasks) input >> (task.get<std::string>() - made);
    return made;
  }
  // All heads, which arrive one beside the other.
  Port attention(const Port& input) {
    const Port q = heads("queries", input), k = heads("keys", input), v = heads("values", input);
    Port all = add("dropped", "Dropout", {{"drop_prob", options_.dropout_rate}});
    for (Index h = 0; h < options_.num_heads; ++h) {
      const std::string name = head_name(h, options_.num_heads);
      const Port head = add(name, "DotProductAttention", {{"scale", options_.scaled}});
      (q - name) >> head;
      (k - name) >> ("key" - head);
      (v - name) >> ("value" - head);
      head >> all;
    }
    return all;
  }
  Port dense(const std::string& what, Index size, const char* activation) {
    return add(what, "FullyConnected", {{"size", size}, {"activation", activation}});
  }
  Port norm(const std::string& what) { return add(what, "LayerNorm", {{"epsilon", 1e-6}}); }
  Port dropout(const std::string& what) { return add(what, "Dropout", {{"drop_prob", options_.dropout_rate}}); }
  Port sum(const std::string& what, const Port& one, const Port& other) {
    Port made = add(what, "SumLayer", {{"tasks", {"one", "other"}}});
    one >> ("one" - made);
    other >> ("other" - made);
    return made;
  }
  Port add(const std::string& what, const std::string& type, const json& options) {
    return a_.add(name_ + "_" + what, type, options);
  }

 private:
  Architecture& a_;
  std::string name_;
  const TransformerBlockOptions& options_;
};

void require(const std::string& block, const char* what, Index value) {
  if (value < 1) raise<ConfigError>(block, ": ", what, " should be a positive whole number, not ", value);
}

}  // namespace

Port build_transformer_block(Architecture& a, const std::string& name, const Port& input,
                             const TransformerBlockOptions& options) {
  require(name, "embed_dim", options.embed_dim);
  require(name, "num_heads", options.num_heads);
  require(name, "neurons", options.neurons);
  if (options.residual_width) require(name, "residual_width", *options.residual_width);
  BlockBuilder b(a, name, options);
  Port seen = b.attention(input);
  Index width = options.num_heads * options.embed_dim;
  if (options.residual_width) {
    width = *options.residual_width;
    seen = b.sum("attended", input, seen >> b.dense("projection", width, "linear"));
  }
  const Port o = seen >> b.norm("norm1");
  const Port inner =
      o >> b.dense("dense1", options.neurons, "rel") >> b.dense("dense2", width, "linear") >> b.dropout("dropped2");
  return b.sum("summed", o, inner) >> b.norm("norm2");
}

Port build_token_position_embedding_block(Architecture& a, const std::string& name, const Port& tokens,
                                          const std::optional<Port>& positions,
                                          const TokenPositionBlockOptions& options) {
  require(name, "sequence_length", options.sequence_length);
  require(name, "vocab_size", options.vocab_size);
  require(name, "embed_dim", options.embed_dim);
  const Port made = a.add(name, "TokenPositionEmbedding",
                          {{"sequence_length", options.sequence_length},
                           {"vocab_size", options.vocab_size},
                           {"embed_dim", options.embed_dim}});
  if (positions) *positions >> ("positions" - made);
  return tokens >> made;
}

}  // namespace squall
