// Whether a run may go on as another experiment says.
#pragma once

#include <string>

#include "squall/core/json.hpp"

namespace squall {

// The first place where two effective experiments differ in what matters, as "PATH is NOW here and THEN there"; empty
// where they agree. Checkpoints may be written at other times, and init_from may have moved; train's max_epochs may be
// larger (or 0) now.
std::string first_difference(const json& then, const json& now);

}  // namespace squall
