// Copying a rectangle of pixels from one image of a batch into another.
#pragma once

#include <cstring>

#include "squall/core/host_array.hpp"

namespace squall {

struct Rectangle {
  Index from_y = 0, from_x = 0, to_y = 0, to_x = 0, height = 0, width = 0;
};

// Images are numbered over time and batch; both arrays are (T, B, height, width, channels) of one type.
inline void copy_rectangle(const HostArray& from, HostArray& to, Index image, const Rectangle& r) {
  const std::size_t pixel = static_cast<std::size_t>(from.shape()[4]) * size_of(from.dtype());
  const auto place = [&](const HostArray& a, Index y, Index x) {
    return static_cast<std::size_t>((image * a.shape()[2] + y) * a.shape()[3] + x) * pixel;
  };
  for (Index y = 0; y < r.height; ++y)
    std::memcpy(static_cast<std::byte*>(to.data()) + place(to, r.to_y + y, r.to_x),
                static_cast<const std::byte*>(from.data()) + place(from, r.from_y + y, r.from_x),
                static_cast<std::size_t>(r.width) * pixel);
}

}  // namespace squall
