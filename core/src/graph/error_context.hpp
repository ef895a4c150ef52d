// Adds the layer and the phase to an error that comes out of a layer; the kind of error stays.
#pragma once

#include "squall/core/graph.hpp"

namespace squall {

template <class F>
void in_layer(const Node& node, std::string_view phase, F&& f) {
  const auto place = [&] { return concat("in ", node.layer->type(), " '", node.name, "', ", phase, ": "); };
  try {
    f();
  } catch (const ShapeError& e) {
    raise<ShapeError>(place(), e.what());
  } catch (const NumericError& e) {
    raise<NumericError>(place(), e.what());
  } catch (const DataError& e) {
    raise<DataError>(place(), e.what());
  } catch (const DeviceError& e) {
    raise<DeviceError>(place(), e.what());
  } catch (const ConfigError& e) {
    raise<ConfigError>(place(), e.what());
  } catch (const Error& e) {
    raise<Error>(place(), e.what());
  }
}

}  // namespace squall
