// Opening an HDF5 file that lies in memory without copying it.
#pragma once

#include "h5/h5_common.hpp"
#include "squall/io/bytes.hpp"

namespace squall::h5 {

// Read-only; `image` must outlive the handle.
Handle open_image(ByteView image, std::string_view name);

}  // namespace squall::h5
