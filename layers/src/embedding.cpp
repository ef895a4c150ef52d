// Embedding: rows of a table by their numbers.
#include "common/tables.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct EmbeddingOptions {
  Index num_embeddings = 0, embedding_dim = 0;
  std::optional<Index> padding_idx;
  bool scale_grad_by_freq = false;
  Pooling pool = Pooling::None;
  static constexpr auto fields =
      std::tuple{field("num_embeddings", &EmbeddingOptions::num_embeddings, "number of ids, 0 .. this - 1"),
                 field("embedding_dim", &EmbeddingOptions::embedding_dim, "width of a row"),
                 field("padding_idx", &EmbeddingOptions::padding_idx,
                       "id whose row gets no gradient and is left out of pools; negative ones count from the end"),
                 field("scale_grad_by_freq", &EmbeddingOptions::scale_grad_by_freq,
                       "whether a row's gradient is divided by how often its id occurs in the batch"),
                 field("pool", &EmbeddingOptions::pool, "none, or sum, mean or max over the last axis of the ids")};
};

class Embedding final : public LayerOf<Embedding, EmbeddingOptions> {
 public:
  static constexpr std::string_view kType = "Embedding";
  static constexpr std::string_view kDoc =
      "Rows of W (num_embeddings, embedding_dim) for ids: (T, B, 1) gives (T, B, embedding_dim), (B, 5) gives (B, 5, "
      "embedding_dim). With a pool the last axis of the ids is summed up, averaged or replaced by its maximum.";

  void declare(Declare& d) override {
    require_table(d, options.num_embeddings, options.embedding_dim);
    ids_ = d.input("default", "...", {.dtype = DType::I32, .differentiable = false});
    padding_ = padding_of(d, options.padding_idx, options.num_embeddings);
    const Shape& ids = d.features(ids_);
    length_ = ids[-1];
    const bool pooled = options.pool != Pooling::None;
    y_ = d.output("default", d.like(ids_, pooled ? ids.until(ids.rank() - 1).with_back(options.embedding_dim)
                                                 : looked_up(ids, options.embedding_dim)));
    W_ = d.parameter("W", Shape{options.num_embeddings, options.embedding_dim});
    plan_ = d.plan<EmbeddingPlan>();
    d.backward_reads(ids_);
  }
  void prepare(Prepare& p) const override {
    EmbeddingSpec spec;
    spec.ids = p.shape(ids_).elements();
    spec.vocabulary = options.num_embeddings;
    spec.width = options.embedding_dim;
    spec.pooling = options.pool;
    if (options.pool != Pooling::None) spec.bags = spec.ids / length_;
    spec.padding = padding_;
    spec.frequency = options.scale_grad_by_freq;
    p.keep(plan_, p.handler().embedding().plan(spec));
  }
  void forward(Forward& f) const override {
    f[plan_].forward({flat_ids(f[ids_]), {}, {}, f[W_]}, rows(f[plan_], f[y_]));
  }
  void backward(Backward& b) const override {
    b[plan_].backward({flat_ids(b[ids_]), {}, {}, b[W_]}, rows(b[plan_], b.delta(y_)), b.gradient(W_), {});
  }

 private:
  template <class T>
  static T rows(const EmbeddingPlan& plan, const T& y) {
    return y.reshaped(Shape{plan.spec().outputs(), plan.spec().width});
  }
  In ids_;
  Out y_;
  Param W_;
  PlanSlot<EmbeddingPlan> plan_;
  Index padding_ = -1, length_ = 1;
};

void register_embedding(Catalog& catalog) { catalog.of<Layer>().add<Embedding>(); }

}  // namespace squall
