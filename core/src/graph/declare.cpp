#include <algorithm>

#include "graph/memory_check.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/json.hpp"
#include "squall/core/learned_mask.hpp"
#include "squall/core/ops/memory.hpp"

namespace squall {

namespace {

// What cannot be counted is refused here, so that nobody behind needs to ask. With room for time and batch.
void require_countable(const Declare& d, std::string_view what, std::string_view name, const Shape& shape) {
  const double bytes = wanted_bytes(shape, sizeof(float));
  if (bytes > 1e18)
    d.fail(what, " '", name, "' would be ", shape, " and need ", bytes_text(bytes), "; no machine has that");
}

}  // namespace

const Declare::Incoming* Declare::find(std::string_view input) const {
  const auto found = std::ranges::find_if(incoming_, [&](const Incoming& c) { return c.input == input; });
  return found == incoming_.end() ? nullptr : &*found;
}

bool Declare::connected(std::string_view input) const { return find(input) != nullptr; }

In Declare::input(std::string_view name, std::string_view shape_template, const InputOptions& options) {
  const Incoming* c = find(name);
  if (c == nullptr) {
    std::vector<std::string> got;
    for (const auto& one : incoming_) got.push_back(one.input);
    fail("input '", name, "' is not connected", got.empty() ? std::string() : "; connected are: " + join(got));
  }
  if (const auto why = ShapeTemplate(shape_template).mismatch(c->shape, &symbols_))
    fail("input '", name, "' should be (", shape_template, "), but '", c->path, "' is ", c->shape, ": ", *why);
  if (!c->dtype_open && c->dtype != options.dtype)
    fail("input '", name, "' should be of ", name_of(options.dtype), ", but '", c->path, "' is of ", name_of(c->dtype));
  node_.inputs.push_back({std::string(name), c->shape, c->source, options.dtype, options.differentiable, false});
  return {static_cast<int>(node_.inputs.size()) - 1};
}

const BufferShape& Declare::shape(In in) const { return node_.inputs[static_cast<std::size_t>(in.index)].shape; }

BufferShape Declare::like(In in, const Shape& features) const {
  BufferShape s = shape(in);
  s.features = features;
  return s;
}

Out Declare::output(std::string_view name, const BufferShape& shape, const OutputOptions& options) {
  if (node_.find_output(name) >= 0) fail("output '", name, "' is declared twice");
  require_countable(*this, "output", name, shape.features);
  OutputInfo info;
  info.name = name;
  info.shape = shape;
  info.dtype = options.dtype;
  info.context = options.context;
  info.takes_delta = options.takes_delta;
  info.loss = options.loss;
  node_.outputs.push_back(std::move(info));
  return {static_cast<int>(node_.outputs.size()) - 1};
}

Param Declare::parameter(std::string_view name, const Shape& shape, const ParameterOptions& options) {
  if (node_.find_parameter(name) >= 0) fail("parameter '", name, "' is declared twice");
  require_countable(*this, "parameter", name, shape);
  node_.parameters.push_back({std::string(name), shape, options.initial, options.task_axis, options.maskable,
                              options.bias, options.patterned});
  return {static_cast<int>(node_.parameters.size()) - 1};
}

void Declare::mask(Param p, const std::shared_ptr<const LearnedMask>& mask) {
  try {
    add_mask(node_, p.index, mask);
  } catch (const ConfigError& e) {
    fail(e.what());
  }
}

State Declare::state(std::string_view name, const Shape& shape, double initial) {
  require_countable(*this, "state", name, shape);
  node_.states.push_back({std::string(name), shape, initial});
  return {static_cast<int>(node_.states.size()) - 1};
}

Internal Declare::internal(std::string_view name, const BufferShape& shape, const InternalOptions& options) {
  require_countable(*this, "internal", name, shape.features);
  node_.internals.push_back({std::string(name), shape, options.dtype, options.context, options.life});
  return {static_cast<int>(node_.internals.size()) - 1};
}

void Declare::depends(Out out, std::initializer_list<In> inputs) {
  auto& depends = node_.outputs[static_cast<std::size_t>(out.index)].depends;
  depends.clear();
  for (const In in : inputs) depends.push_back(in.index);
}

BufferShape Declare::shape_of(const json& extents, std::string_view what) {
  if (!extents.is_array() || extents.empty())
    fail(what, " should be a list like [\"T\", \"B\", 784], not ", extents.dump());
  BufferShape shape;
  bool features = false;
  for (const auto& e : extents) {
    if (e.is_string() && !features) {
      const auto symbol = e.get<std::string>();
      if (symbol.starts_with('T') && shape.time < 0 && shape.batch < 0) {
        shape.time = symbols_.id(symbol);
        continue;
      }
      if (symbol.starts_with('B') && shape.batch < 0) {
        shape.batch = symbols_.id(symbol);
        continue;
      }
    }
    if (!e.is_number_integer() || e.get<Index>() <= 0)
      fail(what, " is ", extents.dump(), ": ", e.dump(),
           " should be T, B (first, in this order) or a positive whole number");
    shape.features = shape.features.with_back(e.get<Index>());
    features = true;
  }
  if (shape.time >= 0 && shape.batch < 0) fail(what, " is ", extents.dump(), ": T must be followed by B");
  if (!features) fail(what, " is ", extents.dump(), ": there must be at least one feature axis");
  return shape;
}

}  // namespace squall
