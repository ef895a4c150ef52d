// EmbeddingBag: sums, means or maxima of rows of a table, for bags of ids.
#include "common/tables.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct EmbeddingBagOptions {
  Index num_embeddings = 0, embedding_dim = 0;
  Pooling mode = Pooling::Mean;
  std::optional<Index> padding_idx;
  bool scale_grad_by_freq = false;
  static constexpr auto fields =
      std::tuple{field("num_embeddings", &EmbeddingBagOptions::num_embeddings, "number of ids, 0 .. this - 1"),
                 field("embedding_dim", &EmbeddingBagOptions::embedding_dim, "width of a row"),
                 field("mode", &EmbeddingBagOptions::mode, "sum, mean or max"),
                 field("padding_idx", &EmbeddingBagOptions::padding_idx,
                       "id that does not count, not even in the mean; negative ones count from the end"),
                 field("scale_grad_by_freq", &EmbeddingBagOptions::scale_grad_by_freq,
                       "whether a row's gradient is divided by how often its id occurs in the batch")};
};

class EmbeddingBag final : public LayerOf<EmbeddingBag, EmbeddingBagOptions> {
 public:
  static constexpr std::string_view kType = "EmbeddingBag";
  static constexpr std::string_view kDoc =
      "Sum, mean or maximum of the rows of W (num_embeddings, embedding_dim) in each bag of ids. Bags are the rows of "
      "the ids (B, n), or parts of ids (B_ids, 1) that begin at `offsets` (B, 1) and end where the next one begins; an "
      "empty bag gives 0. A sum can be weighted by `per_sample_weights`, which have the shape of the ids.";

  void declare(Declare& d) override {
    require_table(d, options.num_embeddings, options.embedding_dim);
    if (options.mode == Pooling::None) d.fail("option 'mode' should be sum, mean or max, not none");
    ids_ = d.input("default", "...", {.dtype = DType::I32, .differentiable = false});
    padding_ = padding_of(d, options.padding_idx, options.num_embeddings);
    given_ = d.connected("offsets");
    weighted_ = d.connected("per_sample_weights");
    if (given_) offsets_ = d.input("offsets", "B 1", {.dtype = DType::I32, .differentiable = false});
    if (weighted_) {
      if (options.mode != Pooling::Sum) d.fail("only mode 'sum' has weights: remove 'per_sample_weights'");
      weights_ = d.input("per_sample_weights", "...");
      require_equal(d, "default", ids_, "per_sample_weights", weights_);
      d.backward_reads(weights_);
    }
    const Shape& ids = d.features(ids_);
    length_ = ids[-1];
    y_ = d.output("default", given_ ? d.like(offsets_, Shape{options.embedding_dim})
                                    : d.like(ids_, ids.until(ids.rank() - 1).with_back(options.embedding_dim)));
    W_ = d.parameter("W", Shape{options.num_embeddings, options.embedding_dim});
    plan_ = d.plan<EmbeddingPlan>();
    d.backward_reads(ids_);
    if (given_) d.backward_reads(offsets_);
  }
  void prepare(Prepare& p) const override {
    EmbeddingSpec spec;
    spec.ids = p.shape(ids_).elements();
    spec.vocabulary = options.num_embeddings;
    spec.width = options.embedding_dim;
    spec.pooling = options.mode;
    spec.bags = given_ ? p.rows(offsets_) : spec.ids / length_;
    spec.offsets = given_;
    spec.weighted = weighted_;
    spec.padding = padding_;
    spec.frequency = options.scale_grad_by_freq;
    p.keep(plan_, p.handler().embedding().plan(spec));
  }
  void forward(Forward& f) const override { f[plan_].forward(run(f), rows(f[plan_], f[y_])); }
  void backward(Backward& b) const override {
    const Sink dweights = weighted_ ? b.delta(weights_) : Sink();
    b[plan_].backward(run(b), rows(b[plan_], b.delta(y_)), b.gradient(W_),
                      dweights.reshaped(Shape{b[plan_].spec().ids}));
  }

 private:
  template <class P>
  EmbeddingRun run(P& pass) const {
    return {flat_ids(pass[ids_]), given_ ? flat_ids(pass[offsets_]) : ConstTensor(),
            weighted_ ? flat_ids(pass[weights_]) : ConstTensor(), pass[W_]};
  }
  template <class T>
  static T rows(const EmbeddingPlan& plan, const T& y) {
    return y.reshaped(Shape{plan.spec().outputs(), plan.spec().width});
  }
  In ids_, offsets_, weights_;
  Out y_;
  Param W_;
  PlanSlot<EmbeddingPlan> plan_;
  bool given_ = false, weighted_ = false;
  Index padding_ = -1, length_ = 1;
};

void register_embedding_bag(Catalog& catalog) { catalog.of<Layer>().add<EmbeddingBag>(); }

}  // namespace squall
