// Lowers the learning rate when the losses of updates do not fall (King 2018).
#include <algorithm>
#include <cmath>
#include <deque>

#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct KingOptions : HookOptions {
  KingOptions() { timescale = Timescale::Update; }
  Index patience = 1000;
  double factor = 0.99;
  static constexpr auto fields =
      std::tuple_cat(hook_fields<KingOptions>(),
                     std::tuple{field("patience", &KingOptions::patience, "number of losses that are looked at"),
                                field("factor", &KingOptions::factor, "what the learning rate is multiplied by")});
};

// Probability that the line through these losses falls, if they scatter normally around it.
double falling(const std::vector<double>& losses) {
  const auto n = static_cast<double>(losses.size());
  if (n < 3) return 1;
  double mean = 0, slope = 0, squares = 0;
  for (const double v : losses) mean += v / n;
  for (std::size_t i = 0; i < losses.size(); ++i)
    slope += (static_cast<double>(i) - (n - 1) / 2) * (losses[i] - mean) * 12 / (n * n * n - n);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double off = losses[i] - mean - slope * (static_cast<double>(i) - (n - 1) / 2);
    squares += off * off;
  }
  const double deviation = std::sqrt(12 * squares / (n - 2) / (n * n * n - n));
  if (deviation == 0) return slope < 0 ? 1 : 0;
  return 0.5 * std::erfc(slope / deviation / std::sqrt(2.0));
}

class King final : public HookOf<King, KingOptions> {
 public:
  static constexpr std::string_view kType = "King";
  static constexpr std::string_view kDoc =
      "Multiplies the learning rate by factor while the last losses do not fall, with and without the largest tenth.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.patience < 3) problems.add(where, "option 'patience' should be at least 3");
    if (!(options.factor > 0 && options.factor < 1)) problems.add(where, "option 'factor' should be between 0 and 1");
  }
  HookStage stage() const override { return HookStage::Judge; }
  void start(Trainer& trainer) override {
    if (rate_ > 0) trainer.stepper().rule().set("learning_rate", rate_);
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    if (progress.update == 0) return Verdict::Continue;
    history_.push_back(trainer.last_loss());
    if (static_cast<Index>(history_.size()) > options.patience) history_.pop_front();
    if (static_cast<Index>(history_.size()) < options.patience) return Verdict::Continue;
    const std::vector<double> raw(history_.begin(), history_.end());
    if (falling(raw) >= kSure || falling(without_largest(raw)) >= kSure) return Verdict::Continue;
    rate_ = options.factor * trainer.stepper().rule().learning_rate(progress);
    trainer.stepper().rule().set("learning_rate", rate_);
    return Verdict::Continue;
  }
  json save_state() const override { return {{"rate", rate_}, {"history", history_}}; }
  void load_state(const json& state) override {
    rate_ = state.value("rate", 0.0);
    history_.clear();
    for (const auto& v : state.value("history", json::array()))
      history_.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  }

 private:
  static constexpr double kSure = 0.51;
  static std::vector<double> without_largest(std::vector<double> losses) {
    std::vector<double> sorted = losses;
    const auto place = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() * 9) / 10);
    std::nth_element(sorted.begin(), place, sorted.end());
    const double limit = *place;
    std::erase_if(losses, [&](double v) { return v > limit; });
    return losses;
  }
  std::deque<double> history_;
  double rate_ = 0;  // set by this hook; 0: never
};

}  // namespace

void register_king(Catalog& catalog) { catalog.of<Hook>().add<King>(); }

}  // namespace squall
