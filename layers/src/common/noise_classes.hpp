// Classes drawn from a fixed distribution: the noise of noise-contrastive estimation.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "squall/core/host_array.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/plan.hpp"
#include "squall/core/random.hpp"

namespace squall {

// ln((c + 2) / (c + 1)) / ln(classes + 1): for classes in the order of how often they occur.
inline std::vector<double> log_uniform(Index classes) {
  std::vector<double> p;
  for (Index c = 0; c < classes; ++c)
    p.push_back(std::log1p(1.0 / static_cast<double>(c + 1)) / std::log(static_cast<double>(classes + 1)));
  return p;
}

// Draws on the host, so that every device gets the same classes; memory is made once.
class NoiseClasses final : public Plan {
 public:
  // `probabilities` need not add up to 1. The table is ln(samples p), the expected number of each class.
  NoiseClasses(Handler& handler, const std::vector<double>& probabilities, Index samples)
      : handler_(handler),
        drawn_(DType::I32, Shape{samples}),
        table_(handler.memory(), probabilities.size() * size_of(handler.dtype())),
        log_expected_(table_.data(), handler.dtype(), Shape{static_cast<Index>(probabilities.size()), 1}) {
    double sum = 0;
    for (const double p : probabilities) cumulative_.push_back(sum += p);
    HostArray logs(DType::F64, log_expected_.shape());
    for (std::size_t c = 0; c < probabilities.size(); ++c)
      logs.set_value(static_cast<Index>(c), std::log(static_cast<double>(samples) * probabilities[c] / sum));
    handler.memory().upload(logs.view(), log_expected_);
  }
  std::string_view kind() const override { return "noise"; }
  ConstTensor log_expected() const { return log_expected_; }  // (classes, 1)
  void draw(RandomKey key, const Tensor& classes) {
    Rng rng(key);
    const auto last = static_cast<std::ptrdiff_t>(cumulative_.size()) - 1;
    for (std::int32_t& c : drawn_.span<std::int32_t>()) {
      const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), rng.uniform() * cumulative_.back());
      c = static_cast<std::int32_t>(std::min(at - cumulative_.begin(), last));
    }
    handler_.memory().upload(drawn_.view(), classes);
  }

 private:
  Handler& handler_;
  HostArray drawn_;
  DeviceBlock table_;
  Tensor log_expected_;
  std::vector<double> cumulative_;
};

}  // namespace squall
