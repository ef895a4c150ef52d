// Finite differences against what backward gives.
#include <algorithm>
#include <cmath>

#include "properties.hpp"
#include "squall/core/random.hpp"

namespace squall::testing {

namespace {

struct Slopes {
  double central, left, right;
};

Slopes slopes_at(double x, double middle, const std::function<double(double)>& loss_at) {
  const double h = 1e-6 * std::max(1.0, std::abs(x));
  const double up = loss_at(x + h);
  const double down = loss_at(x - h);
  return {(up - down) / (2 * h), (middle - down) / h, (up - middle) / h};
}

bool close(double numeric, double computed) { return std::abs(numeric - computed) <= 1e-7 + 1e-5 * std::abs(numeric); }

bool kink(const Slopes& s) { return std::abs(s.left - s.right) > 1e-4 * (1 + std::abs(s.left) + std::abs(s.right)); }

// Every element of a small array, a random choice of a large one.
std::vector<Index> chosen(const std::string& name, Index elements, Index at_most) {
  std::vector<Index> all(static_cast<std::size_t>(elements));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Index>(i);
  if (elements <= at_most) return all;
  Rng rng(3, name);
  all = rng.permutation(elements);
  all.resize(static_cast<std::size_t>(at_most));
  return all;
}

struct Comparison {
  Report& report;
  Counted& counted;
  Index per_array;
  double middle;

  // `put` writes a changed copy of `values` and runs.
  void compare(const std::string& name, HostArray values, const HostArray& computed,
               const std::function<double(const HostArray&)>& loss_of) const {
    for (const Index i : chosen(name, values.elements(), per_array)) {
      const double x = values.value(i);
      const Slopes s = slopes_at(x, middle, [&](double v) {
        values.set_value(i, v);
        const double loss = loss_of(values);
        values.set_value(i, x);
        return loss;
      });
      ++counted.checked;
      if (close(s.central, computed.value(i))) continue;
      if (kink(s))
        ++counted.kinks;
      else
        report.fail(name, "[", i, "]: backward gives ", computed.value(i), ", finite differences ", s.central);
    }
    loss_of(values);
  }
};

}  // namespace

void compare_with_differences(Rig& rig, Report& report, Counted& counted, Index per_array) {
  const Results gradients = (rig.train(), rig.gradients());
  const Results deltas = rig.input_deltas();
  const Comparison comparison{report, counted, per_array, rig.loss()};
  for (const auto& [name, computed] : deltas) {
    HostArray& data = *rig.data(name.substr(std::string_view("delta of ").size()));
    comparison.compare(name, data, computed, [&](const HostArray& changed) {
      data = changed;
      return rig.loss();
    });
  }
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    const auto& [name, computed] = gradients[k];
    const std::string& parameter = rig.layer().parameters[k].name;
    if (rig.is_fixed(parameter)) {
      for (Index i = 0; i < computed.elements(); ++i)
        if (computed.value(i) != 0) report.fail(name, "[", i, "] is ", computed.value(i), " and should stay 0");
      continue;
    }
    const std::string path = "Layer.parameters." + parameter;
    comparison.compare(name, rig.network().get(path), computed, [&](const HostArray& changed) {
      rig.network().set_parameter(path, changed);
      return rig.loss();
    });
  }
}

void check_derivatives(const Bench& bench) {
  if (!bench.layer_case.derivative) return;
  Counted counted;
  bench.for_each_exact([&](Setup setup) {
    Rig rig = bench.rig(setup);
    compare_with_differences(rig, bench.report, counted, 40);
    if (!rig.carries()) return;
    setup.carried = true;
    bench.report.place += ", carried";
    Rig carried = bench.rig(setup);
    compare_with_differences(carried, bench.report, counted, 40);
  });
  if (counted.kinks > std::max(Index{1}, counted.checked / 50))
    bench.report.fail(counted.kinks, " of ", counted.checked, " places are kinks: choose other data for this case");
}

}  // namespace squall::testing
