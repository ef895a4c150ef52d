// The cells of the CPU's recurrent plans, and which plan serves what.
#include "cpu/recurrent.hpp"

#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

template <class R>
class SimplePlan final : public SequencePlan<R> {
  using Base = SequencePlan<R>;
  using typename Base::Block;
  using typename Base::Frame;

 public:
  using Base::Base;

 protected:
  void cell(const Frame& f, const Block& b) const override {
    this->k().bias_activate[at(this->spec().activation)](b.rows.count, b.units.count, this->bias(0) + b.units.first,
                                                         this->h(f, 1 + f.t) + b.at, this->n());
  }
  void cell_back(const Frame& f, const Block& b) const override {
    const auto kernel = this->k().activate_back[at(this->spec().activation)][0];
    const R* h = this->h(f, 1 + f.t) + b.at;
    const R* dh = f.dh + f.t * this->step_size() + b.at;
    R* to = this->delta(0, f.t) + b.at;
    for (Index r = 0; r < b.rows.count; ++r)
      kernel(b.units.count, h + r * this->n(), dh + r * this->n(), to + r * this->n());
  }
};

template <class R>
class LstmPlan final : public SequencePlan<R> {
  using Base = SequencePlan<R>;
  using typename Base::Block;
  using typename Base::Frame;

 public:
  using Base::Base;

 protected:
  void cell(const Frame& f, const Block& b) const override {
    LstmCall<R> call = common(f, b);
    for (int g = 0; g < 4; ++g) call.bias[g] = this->bias(g) + b.units.first;
    call.h = this->h(f, 1 + f.t) + b.at;
    this->k().sequence.lstm[at(this->spec().activation)](call);
  }
  void cell_back(const Frame& f, const Block& b) const override {
    LstmCall<R> call = common(f, b);
    call.dh = f.dh + f.t * this->step_size() + b.at;
    call.dc = this->dc() + b.at;
    for (int g = 0; g < 4; ++g) call.delta[g] = this->delta(g, f.t) + b.at;
    for (int p = 0; p < 3 && this->spec().peepholes; ++p)
      call.peephole_sums[p] = this->peephole_sums(p, b.row_part) + b.units.first;
    this->k().sequence.lstm_back[at(this->spec().activation)](call);
  }

 private:
  LstmCall<R> common(const Frame& f, const Block& b) const {
    LstmCall<R> call;
    call.rows = b.rows.count;
    call.n = b.units.count;
    call.ld = this->n();
    for (int g = 0; g < 4; ++g) call.gate[g] = this->gate(f, g, f.t) + b.at;
    for (std::size_t p = 0; p < 3 && this->spec().peepholes; ++p)
      call.peephole[p] = f.w.peephole[p].template as<R>() + b.units.first;
    call.c_before = this->c(f, this->before(f.t)) + b.at;
    call.c = this->c(f, 1 + f.t) + b.at;
    call.output = this->cell_output(f) + b.at;
    return call;
  }
};

template <class R>
class GruPlan final : public SequencePlan<R> {
  using Base = SequencePlan<R>;
  using typename Base::Block;
  using typename Base::Frame;

 public:
  using Base::Base;

 protected:
  void cell(const Frame& f, const Block& b) const override {
    GruCall<R> call = common(f, b);
    for (int g = 0; g < 4; ++g) call.bias[g] = this->bias(g) + b.units.first;
    call.h = this->h(f, 1 + f.t) + b.at;
    this->k().sequence.gru[at(this->spec().activation)](call);
  }
  void cell_back(const Frame& f, const Block& b) const override {
    GruCall<R> call = common(f, b);
    call.dh = f.dh + f.t * this->step_size() + b.at;
    call.carry = this->carry(f) + b.at;
    for (int g = 0; g < 4; ++g) call.delta[g] = this->delta(g, f.t) + b.at;
    this->k().sequence.gru_back[at(this->spec().activation)](call);
  }

 private:
  GruCall<R> common(const Frame& f, const Block& b) const {
    GruCall<R> call;
    call.rows = b.rows.count;
    call.n = b.units.count;
    call.ld = this->n();
    for (int g = 0; g < 4; ++g) call.gate[g] = this->gate(f, g, f.t) + b.at;
    call.h_before = this->h(f, this->before(f.t)) + b.at;
    return call;
  }
};

template <class R>
class CpuRecurrent final : public RecurrentOps {
 public:
  explicit CpuRecurrent(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  // Sequences of different length and projections are left to the reference.
  std::unique_ptr<RecurrentPlan> do_plan(const RecurrentSpec& s) override {
    if (s.lengths || s.projection > 0) return nullptr;
    if (s.cell == Cell::Lstm) return std::make_unique<LstmPlan<R>>(s, ctx_);
    if (s.cell == Cell::Gru) return std::make_unique<GruPlan<R>>(s, ctx_);
    return std::make_unique<SimplePlan<R>>(s, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<RecurrentOps> make_recurrent(ContextPtr<R> ctx) {
  return std::make_unique<CpuRecurrent<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(RecurrentOps, make_recurrent);

}  // namespace squall::cpu
