#include "squall/io/idx.hpp"

#include <optional>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace fs = std::filesystem;

namespace {

struct ElementType {
  unsigned code;
  std::size_t size;
  DType dtype;
};
constexpr ElementType kTypes[] = {{0x08, 1, DType::U8},  {0x09, 1, DType::I32}, {0x0B, 2, DType::I32},
                                  {0x0C, 4, DType::I32}, {0x0D, 4, DType::F32}, {0x0E, 8, DType::F64}};
constexpr int kMaxRank = 4;

struct Header {
  ElementType type;
  Shape shape;
  std::size_t header_bytes;
  std::size_t file_bytes;  // what the file must have
};

Header parse_header(ByteView front, const std::string& name) {
  const auto too_short = [&](std::size_t needed) {
    raise<FileError>("'", name, "' is too short to be an IDX file: ", front.size(), " bytes, its header needs ",
                     needed);
  };
  if (front.size() < 4) too_short(4);
  const auto magic = load_big<std::uint32_t>(front.data());
  const ElementType* type = nullptr;
  for (const ElementType& known : kTypes)
    if (magic >> 8 == known.code) type = &known;
  const auto rank = static_cast<int>(magic & 0xFFU);
  if (type == nullptr || rank < 1 || rank > kMaxRank)
    raise<FileError>("'", name, "' is not an IDX file: it begins with ", std::hex, "0x", magic,
                     ", not 0x801 (labels) or 0x803 (images)");
  const std::size_t header_bytes = 4 + 4 * static_cast<std::size_t>(rank);
  if (front.size() < header_bytes) too_short(header_bytes);
  Shape shape;
  std::uint64_t bytes = type->size;
  for (int axis = 0; axis < rank; ++axis) {
    const auto extent = load_big<std::uint32_t>(front.data() + 4 + 4 * axis);
    shape = shape.with_back(extent);
    if (__builtin_mul_overflow(bytes, std::uint64_t{extent}, &bytes) || bytes > (std::uint64_t{1} << 56))
      raise<FileError>("'", name, "' is damaged: its header speaks of absurdly many elements");
  }
  return {*type, shape, header_bytes, header_bytes + static_cast<std::size_t>(bytes)};
}

template <class T>
void convert(const std::byte* from, HostArray& to) {
  const auto store = [&](auto out) {
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<typename decltype(out)::element_type>(load_big<T>(from + sizeof(T) * i));
  };
  visit_dtype(to.dtype(), [&](auto zero) { store(to.span<decltype(zero)>()); });
}

fs::path with_suffix(const fs::path& prefix, const char* suffix) {
  fs::path plain = prefix;
  plain += suffix;
  fs::path packed = plain;
  packed += ".gz";
  std::error_code ignored;
  return !fs::exists(plain, ignored) && fs::exists(packed, ignored) ? packed : plain;
}

// Unpacks after a look at the header, so that a small damaged file cannot ask for all memory.
Bytes read_unpacked(const fs::path& path) {
  Bytes file = read_whole_file(path);
  if (!is_gzip(file)) return file;
  const std::string name = path.string();
  const Header header = parse_header(gunzip_front(file, name, 4 + 4 * kMaxRank), name);
  return gunzip(file, name, header.file_bytes);
}

}  // namespace

HostArray parse_idx(ByteView file, const std::string& name) {
  const Header header = parse_header(file, name);
  if (file.size() != header.file_bytes)
    raise<FileError>("'", name, "' has ", file.size(), " bytes, but by its header of shape ", header.shape,
                     " it should have ", header.file_bytes, file.size() < header.file_bytes ? "; it is cut off" : "");
  HostArray out(header.type.dtype, header.shape);
  const std::byte* from = file.data() + header.header_bytes;
  switch (header.type.code) {
    case 0x08: convert<std::uint8_t>(from, out); break;
    case 0x09: convert<std::int8_t>(from, out); break;
    case 0x0B: convert<std::int16_t>(from, out); break;
    case 0x0C: convert<std::int32_t>(from, out); break;
    case 0x0D: convert<float>(from, out); break;
    default: convert<double>(from, out); break;
  }
  return out;
}

HostArray read_idx(const fs::path& path) { return parse_idx(read_unpacked(path), path.string()); }

fs::path idx_images_file(const fs::path& prefix) { return with_suffix(prefix, "-images-idx3-ubyte"); }
fs::path idx_labels_file(const fs::path& prefix) { return with_suffix(prefix, "-labels-idx1-ubyte"); }

IdxPair read_idx_pair(const fs::path& prefix) {
  const fs::path images = idx_images_file(prefix);
  const fs::path labels = idx_labels_file(prefix);
  IdxPair pair{read_idx(images), read_idx(labels)};
  const auto check = [](const fs::path& path, const HostArray& array, int rank, const char* what) {
    if (array.dtype() != DType::U8 || array.shape().rank() != rank)
      raise<FileError>("'", path.string(), "' should hold ", what, ", but holds ", name_of(array.dtype()), " of shape ",
                       array.shape());
  };
  check(images, pair.images, 3, "images: bytes of shape (number, height, width)");
  check(labels, pair.labels, 1, "labels: bytes of shape (number)");
  if (pair.images.shape()[0] != pair.labels.shape()[0])
    raise<FileError>("'", images.string(), "' has ", pair.images.shape()[0], " images, but '", labels.string(),
                     "' has ", pair.labels.shape()[0], " labels");
  return pair;
}

}  // namespace squall
