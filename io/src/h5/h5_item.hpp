// A dataset or an attribute as a source of numbers or texts, whichever of the two it is.
#pragma once

#include <functional>
#include <optional>

#include "h5/h5_common.hpp"
#include "squall/io/h5_file.hpp"

namespace squall::h5 {

struct Item {
  std::string file, path;  // for messages
  Handle type;
  Shape shape;             // of what is read (a part, perhaps)
  bool is_null = false;    // a dataspace without elements, not even a shape
  std::size_t stored = 0;  // bytes in the file, packed perhaps
  std::function<herr_t(hid_t memory_type, void* to)> read;
};

Shape shape_of(hid_t space, const std::string& file, std::string_view path);
H5Reader::Info info_of(const Item& item);
HostArray numbers_of(const Item& item, std::optional<DType> wanted);
Index integer_of(const Item& item);  // of 64 bits
std::vector<std::string> texts_of(const Item& item);

}  // namespace squall::h5
