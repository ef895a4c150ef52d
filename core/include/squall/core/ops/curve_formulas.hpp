// From a curve to its formula, for kernels.
#pragma once

#include "squall/core/formulas/curves.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall::formulas {

// Calls visit with the formula of a curve from Elu on.
template <class R, class Visit>
void visit_curve(Curve f, const CurveNumbers& numbers, Visit&& visit) {
  const R a = static_cast<R>(numbers.a), b = static_cast<R>(numbers.b);
  switch (f) {
    case Curve::Elu: return visit(EluCurve<R>{a, b});
    case Curve::Celu: return visit(CeluCurve<R>{a, b});
    case Curve::Mish: return visit(MishCurve<R>{a, b});
    case Curve::LogSigmoid: return visit(LogSigmoidCurve<R>{a, b});
    case Curve::HardSigmoid: return visit(HardSigmoidCurve<R>{a, b});
    case Curve::HardSwish: return visit(HardSwishCurve<R>{a, b});
    case Curve::HardTanh: return visit(HardTanhCurve<R>{a, b});
    case Curve::HardShrink: return visit(HardShrinkCurve<R>{a, b});
    case Curve::SoftShrink: return visit(SoftShrinkCurve<R>{a, b});
    case Curve::SoftPlus: return visit(SoftPlusCurve<R>{a, b});
    case Curve::SoftSign: return visit(SoftSignCurve<R>{a, b});
    case Curve::TanhShrink: return visit(TanhShrinkCurve<R>{a, b});
    case Curve::LeakyRelu: return visit(LeakyReluCurve<R>{a, b});
    case Curve::Exponential: return visit(ExponentialCurve<R>{a, b});
    case Curve::Gelu:
    case Curve::GeluTanh:
    case Curve::Silu: break;
  }
  raise<ShapeError>("curve: this function has kernels of its own");
}

}  // namespace squall::formulas
