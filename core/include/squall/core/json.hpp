// JSON values, for whoever looks into them. It is long to compile: headers that only pass them on take json_fwd.hpp.
#pragma once

#include <nlohmann/json.hpp>

#include "squall/core/json_fwd.hpp"
