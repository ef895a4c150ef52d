// TokenPositionEmbedding: a row for the token plus a row for its place.
#include "common/tables.hpp"
#include "common/uploaded.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct TokenPositionEmbeddingOptions {
  Index sequence_length = 0, vocab_size = 0, embed_dim = 0;
  static constexpr auto fields = std::tuple{
      field("sequence_length", &TokenPositionEmbeddingOptions::sequence_length, "number of places, 0 .. this - 1"),
      field("vocab_size", &TokenPositionEmbeddingOptions::vocab_size, "number of tokens, 0 .. this - 1"),
      field("embed_dim", &TokenPositionEmbeddingOptions::embed_dim, "width of a row")};
};

class TokenPositionEmbedding final : public LayerOf<TokenPositionEmbedding, TokenPositionEmbeddingOptions> {
 public:
  static constexpr std::string_view kType = "TokenPositionEmbedding";
  static constexpr std::string_view kDoc =
      "The sum of a row of token_weight (vocab_size, embed_dim) and one of position_weight (sequence_length, "
      "embed_dim), for token ids (T, B, 1) or (B, length). Places are counted from 0 unless the input 'positions', of "
      "the same shape, gives them.";

  void declare(Declare& d) override {
    for (const auto& [name, value] :
         {std::pair("sequence_length", options.sequence_length), std::pair("vocab_size", options.vocab_size),
          std::pair("embed_dim", options.embed_dim)})
      if (value < 1) d.fail("option '", name, "' should be a positive whole number, not ", value);
    constexpr InputOptions numbers{.dtype = DType::I32, .differentiable = false};
    ids_ = d.input("default", "...", numbers);
    given_ = d.connected("positions");
    if (given_) {
      positions_ = d.input("positions", "...", numbers);
      require_equal(d, "default", ids_, "positions", positions_);
      d.backward_reads(positions_);
    }
    steps_ = d.shape(ids_).scales_with_time() && d.features(ids_)[-1] == 1;
    const BufferShape whole = d.like(ids_, looked_up(d.features(ids_), options.embed_dim));
    y_ = d.output("default", whole);
    places_ = d.internal("places", whole, {.life = Life::Forward});
    token_ = d.parameter("token_weight", Shape{options.vocab_size, options.embed_dim});
    position_ = d.parameter("position_weight", Shape{options.sequence_length, options.embed_dim});
    tokens_plan_ = d.plan<EmbeddingPlan>();
    places_plan_ = d.plan<EmbeddingPlan>();
    counted_ = d.plan<Uploaded>();
    d.backward_reads(ids_);
  }
  void prepare(Prepare& p) const override {
    const Shape ids = p.shape(ids_);
    EmbeddingSpec spec;
    spec.ids = ids.elements();
    spec.width = options.embed_dim;
    spec.vocabulary = options.vocab_size;
    p.keep(tokens_plan_, p.handler().embedding().plan(spec));
    spec.vocabulary = options.sequence_length;
    p.keep(places_plan_, p.handler().embedding().plan(spec));
    if (given_) return;
    const Index length = steps_ ? ids[0] : ids[-1];
    if (length > options.sequence_length)
      raise<ShapeError>("a sequence of ", length, " tokens is longer than option 'sequence_length', ",
                        options.sequence_length);
    HostArray places(DType::I32, Shape{spec.ids});
    const Index each = steps_ ? spec.ids / std::max<Index>(length, 1) : 1;
    for (Index i = 0; i < spec.ids; ++i) places.set_value(i, static_cast<double>(i / each % length));
    p.keep(counted_, std::make_unique<Uploaded>(p.handler(), places, DType::I32));
  }
  void forward(Forward& f) const override {
    f[tokens_plan_].forward({flat_ids(f[ids_]), {}, {}, f[token_]}, rows(f[y_]));
    f[places_plan_].forward({positions(f), {}, {}, f[position_]}, rows(f[places_]));
    f.handler().elementwise().unary(Unary::Copy, f[places_], Sink(f[y_], Write::Add));
  }
  void backward(Backward& b) const override {
    const ConstTensor dy = rows(b.delta(y_));
    b[tokens_plan_].backward({flat_ids(b[ids_]), {}, {}, b[token_]}, dy, b.gradient(token_), {});
    b[places_plan_].backward({positions(b), {}, {}, b[position_]}, dy, b.gradient(position_), {});
  }

 private:
  Tensor rows(const Tensor& y) const { return y.reshaped(Shape{y.elements() / options.embed_dim, options.embed_dim}); }
  template <class P>
  ConstTensor positions(const P& pass) const {
    return given_ ? flat_ids(pass[positions_]) : pass[counted_].tensor();
  }
  In ids_, positions_;
  Out y_;
  Internal places_;
  Param token_, position_;
  PlanSlot<EmbeddingPlan> tokens_plan_, places_plan_;
  PlanSlot<Uploaded> counted_;
  bool given_ = false, steps_ = false;
};

void register_token_position_embedding(Catalog& catalog) { catalog.of<Layer>().add<TokenPositionEmbedding>(); }

}  // namespace squall
