#include "h5/h5_item.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <new>

#include "squall/core/error.hpp"

namespace squall::h5 {

namespace {

[[noreturn]] void unfit(const Item& item, std::string_view why) {
  raise<FileError>(item.file, ": '", item.path, "' ", why);
}

bool is_number(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  return kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
}

// Compression shrinks by a factor of about 1000 at most; a file that claims more is damaged. Without this check
// a few bytes could ask for all memory there is.
void refuse_absurd_size(const Item& item, std::size_t element_size) {
  constexpr std::uint64_t kAlwaysFine = std::uint64_t{64} << 20;
  constexpr std::uint64_t kBestPacking = 1100;
  std::uint64_t bytes = 0;
  Index elements = 0;
  try {
    elements = item.shape.elements();
  } catch (const ShapeError&) {
    elements = -1;
  }
  const bool overflow =
      elements < 0 || __builtin_mul_overflow(static_cast<std::uint64_t>(elements), std::uint64_t{element_size}, &bytes);
  if (overflow || (bytes > kAlwaysFine && bytes / kBestPacking > item.stored))
    unfit(item,
          concat("claims the shape ", item.shape, " but only ", item.stored, " bytes are stored; the file is damaged"));
}

template <class T>
void read_into(const Item& item, hid_t type, T* to) {
  if (item.shape.elements() > 0) check(item.read(type, to), item.file, "read", item.path);
}

// Reads as Wide and narrows to whole numbers of type T, or says which element does not fit.
template <class Wide, class T>
void read_whole_numbers(const Item& item, hid_t type, std::span<T> to) {
  std::vector<Wide> wide(to.size());
  read_into(item, type, wide.data());
  for (std::size_t i = 0; i < to.size(); ++i) {
    bool fits = false;
    if constexpr (std::is_floating_point_v<Wide>) {
      fits = std::nearbyint(wide[i]) == wide[i] && wide[i] >= static_cast<Wide>(std::numeric_limits<T>::lowest()) &&
             wide[i] <= static_cast<Wide>(std::numeric_limits<T>::max());
    } else {
      fits = std::in_range<T>(wide[i]);
    }
    if (!fits)
      unfit(item,
            concat("has ", wide[i], " as element ", i, ", which is not a whole number of ", name_of(dtype_of<T>)));
    to[i] = static_cast<T>(wide[i]);
  }
}

template <class T>
void read_as_integers(const Item& item, std::span<T> to) {
  if (H5Tget_class(item.type.get()) == H5T_FLOAT) return read_whole_numbers<double>(item, H5T_NATIVE_DOUBLE, to);
  if (H5Tget_class(item.type.get()) == H5T_ENUM) return read_whole_numbers<std::int64_t>(item, H5T_NATIVE_INT64, to);
  const bool is_unsigned = H5Tget_sign(item.type.get()) == H5T_SGN_NONE;
  const std::size_t size = H5Tget_size(item.type.get());
  if (size + (is_unsigned && std::is_signed_v<T> ? 1 : 0) <= sizeof(T) && is_unsigned >= std::is_unsigned_v<T>)
    return read_into(item, memory_type(dtype_of<T>), to.data());
  if (is_unsigned) return read_whole_numbers<std::uint64_t>(item, H5T_NATIVE_UINT64, to);
  read_whole_numbers<std::int64_t>(item, H5T_NATIVE_INT64, to);
}

std::vector<std::string> variable_texts(const Item& item, hid_t memory) {
  std::vector<char*> pointers(static_cast<std::size_t>(item.shape.elements()), nullptr);
  read_into(item, memory, pointers.data());
  std::vector<std::string> texts;
  for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
  for (char* text : pointers)
    if (text != nullptr) H5free_memory(text);
  return texts;
}

std::vector<std::string> fixed_texts(const Item& item, hid_t memory) {
  const std::size_t width = H5Tget_size(item.type.get());
  refuse_absurd_size(item, width);
  std::string all(static_cast<std::size_t>(item.shape.elements()) * width, '\0');
  read_into(item, memory, all.data());
  const bool space_padded = H5Tget_strpad(item.type.get()) == H5T_STR_SPACEPAD;
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size(); at += width) {
    std::string text = all.substr(at, width);
    text.resize(std::min(text.find('\0'), text.size()));
    if (space_padded) text.erase(text.find_last_not_of(' ') + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

Shape shape_of(hid_t space, const std::string& file, std::string_view path) {
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || H5Sget_simple_extent_dims(space, extents.data(), nullptr) < 0)
    raise<FileError>(file, ": cannot read the shape of '", path, "': ", reason());
  if (rank > Shape::kMaxRank)
    raise<FileError>(file, ": '", path, "' has ", rank, " axes; at most ", Shape::kMaxRank, " can be read");
  Shape shape;
  for (int i = 0; i < rank; ++i) {
    const hsize_t extent = extents[static_cast<std::size_t>(i)];
    if (!std::in_range<Index>(extent)) raise<FileError>(file, ": '", path, "' has an extent of ", extent);
    shape = shape.with_back(static_cast<Index>(extent));
  }
  return shape;
}

H5Reader::Info info_of(const Item& item) {
  H5Reader::Info info;
  const hid_t type = item.type.get();
  const H5T_class_t kind = H5Tget_class(type);
  const std::size_t size = H5Tget_size(type);
  info.shape = item.shape;
  info.is_text = kind == H5T_STRING;
  info.is_integer = kind == H5T_INTEGER || kind == H5T_ENUM;
  info.stored_type = describe_type(type);
  if (kind == H5T_FLOAT) info.dtype = size > 4 ? DType::F64 : DType::F32;
  if (kind == H5T_ENUM) info.dtype = size == 1 ? DType::U8 : DType::I32;
  if (kind == H5T_INTEGER) info.dtype = size == 1 && H5Tget_sign(type) == H5T_SGN_NONE ? DType::U8 : DType::I32;
  return info;
}

HostArray numbers_of(const Item& item, std::optional<DType> wanted) {
  if (item.is_null) unfit(item, "is empty (a null dataspace); numbers are needed");
  if (!is_number(item.type.get()))
    unfit(item, concat("holds ", describe_type(item.type.get()), "; numbers are needed"));
  const DType dtype = wanted.value_or(info_of(item).dtype);
  refuse_absurd_size(item, std::max(size_of(dtype), H5Tget_size(item.type.get())));
  try {
    HostArray out(dtype, item.shape);
    switch (dtype) {
      case DType::F32: read_into(item, H5T_NATIVE_FLOAT, out.span<float>().data()); break;
      case DType::F64: read_into(item, H5T_NATIVE_DOUBLE, out.span<double>().data()); break;
      case DType::I32: read_as_integers(item, out.span<std::int32_t>()); break;
      case DType::U8: read_as_integers(item, out.span<std::uint8_t>()); break;
    }
    return out;
  } catch (const std::bad_alloc&) {
    unfit(item, concat("with its shape ", item.shape, " does not fit into memory; read it in parts"));
  }
}

Index integer_of(const Item& item) {
  if (item.is_null || item.shape.elements() != 1 || !info_of(item).is_integer)
    unfit(item,
          concat("holds ", describe_type(item.type.get()), " of shape ", item.shape, "; one whole number is needed"));
  Index value = 0;
  if (H5Tget_class(item.type.get()) == H5T_INTEGER && H5Tget_sign(item.type.get()) == H5T_SGN_NONE) {
    std::uint64_t wide = 0;
    read_into(item, H5T_NATIVE_UINT64, &wide);
    if (!std::in_range<Index>(wide)) unfit(item, concat("is ", wide, ", which is too large"));
    return static_cast<Index>(wide);
  }
  read_into(item, H5T_NATIVE_INT64, &value);
  return value;
}

std::vector<std::string> texts_of(const Item& item) {
  if (item.is_null) unfit(item, "is empty (a null dataspace); a text is needed");
  if (H5Tget_class(item.type.get()) != H5T_STRING)
    unfit(item, concat("holds ", describe_type(item.type.get()), "; a text is needed"));
  refuse_absurd_size(item, sizeof(char*));
  const bool variable = H5Tis_variable_str(item.type.get()) > 0;
  if (variable) return variable_texts(item, text_type(H5Tget_cset(item.type.get())).get());
  return fixed_texts(item, item.type.get());
}

}  // namespace squall::h5
