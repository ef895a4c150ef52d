// Densities of random graphs (Erdos, Renyi): the larger a tensor, the sparser, all together at the wanted sparsity.
#pragma once

#include <algorithm>

#include "squall/training/mask_parts.hpp"

namespace squall {

// D::kKernel: whether the extents of kernels count like channels.
template <class D>
class RandomGraphShare : public DescribedAs<Share, D, NoOptions> {
 public:
  std::vector<double> sparsities(std::span<const SharedTensor> tensors, double sparsity) const override {
    std::vector<double> factor, size;
    double wanted = 0;
    for (const auto& t : tensors) {
      factor.push_back(t.bias ? 0 : sum_of(t.shape) / product_of(t.shape));
      size.push_back(static_cast<double>(t.shape.elements()));
      if (!t.bias) wanted += size.back() * (1 - sparsity / 100);
    }
    const auto density = densities(factor, size, wanted);
    std::vector<double> out;
    for (std::size_t i = 0; i < tensors.size(); ++i) out.push_back(tensors[i].bias ? sparsity : 100 * (1 - density[i]));
    return out;
  }

 private:
  // Extents that count: inputs and units, and those of the kernel between them.
  static double product_of(const Shape& s) {
    return D::kKernel || s.rank() < 3 ? static_cast<double>(s.elements()) : static_cast<double>(s[0] * s[-1]);
  }
  static double sum_of(const Shape& s) {
    double sum = 0;
    for (int i = 0; i < s.rank(); ++i)
      if (D::kKernel || i == 0 || i + 1 == s.rank()) sum += static_cast<double>(s[i]);
    return sum;
  }
  // min(1, scale * factor), scaled so that `wanted` weights are kept: dense tensors are set apart one by one.
  static std::vector<double> densities(const std::vector<double>& factor, const std::vector<double>& size,
                                       double wanted) {
    std::vector<double> density(factor.size(), 0);
    for (bool more = true; more;) {
      double left = wanted, open = 0;
      for (std::size_t i = 0; i < factor.size(); ++i)
        (density[i] >= 1 ? left : open) += density[i] >= 1 ? -size[i] : factor[i] * size[i];
      const double scale = open > 0 ? std::max(0.0, left / open) : 0;
      more = false;
      for (std::size_t i = 0; i < factor.size(); ++i) {
        if (density[i] >= 1) continue;
        density[i] = std::min(1.0, scale * factor[i]);
        more = more || density[i] >= 1;
      }
    }
    return density;
  }
};

}  // namespace squall
