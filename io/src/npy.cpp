#include "squall/io/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <string>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr std::size_t kMaxHeader = std::size_t{1} << 20;

[[noreturn]] void damaged(const std::string& name, std::string_view why) {
  raise<FileError>("'", name, "' is not a .npy file that can be read: ", why);
}

struct Header {
  std::string descr;
  bool fortran = false;
  Shape shape;
};

// The Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}, whatever its order and spacing.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Header parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!(has_descr_ && has_order_ && has_shape_)) fail("'descr', 'fortran_order' or 'shape' is missing");
    if (peek() != '\0') fail(concat("unexpected '", peek(), "' after the end"));
    return header_;
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    damaged(name_, concat("in its header, character ", at_ + 1, ": ", why));
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char wanted) {
    const bool found = peek() == wanted && at_ < text_.size();
    if (found) ++at_;
    return found;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail(concat("'", wanted, "' expected"));
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a quoted word expected");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a quote is not closed");
    std::string found(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return found;
  }
  void value(const std::string& key) {
    if (key == "descr") {
      if (peek() == '[') fail("structured arrays cannot be read; save one plain array per file");
      header_.descr = string();
      has_descr_ = true;
    } else if (key == "fortran_order") {
      header_.fortran = boolean();
      has_order_ = true;
    } else if (key == "shape") {
      header_.shape = shape();
      has_shape_ = true;
    } else {
      fail(concat("unknown key '", key, "'"));
    }
  }
  bool boolean() {
    peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    fail("True or False expected");
  }
  Shape shape() {
    Shape found;
    expect('(');
    while (!accept(')')) {
      peek();
      Index extent = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (error != std::errc{} || extent < 0) fail("an extent expected");
      if (found.rank() == Shape::kMaxRank) fail(concat("more than ", Shape::kMaxRank, " axes"));
      at_ = static_cast<std::size_t>(end - text_.data());
      found = found.with_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return found;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  Header header_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

// Copies element i of the file to place(i); Wide is what the file has.
template <class Wide, class T, class Place>
void copy_elements(const std::byte* from, bool little, std::span<T> to, const Place& place, const std::string& name) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    const Wide value = detail::load<Wide>(from + sizeof(Wide) * i, little);
    if constexpr (std::is_integral_v<Wide>)
      if (!std::in_range<T>(value))
        raise<FileError>("'", name, "': element ", i, " is ", value, ", which does not fit 32 bits");
    to[place(i)] = static_cast<T>(value);
  }
}

// Where element i of an array stored first axis fastest lies in row-major order.
class FortranPlace {
 public:
  explicit FortranPlace(const Shape& shape) : shape_(shape) {}
  std::size_t operator()(std::size_t i) const {
    std::size_t place = 0;
    std::size_t stride = static_cast<std::size_t>(shape_.elements());
    for (const Index extent : shape_.extents()) {
      const auto n = static_cast<std::size_t>(extent);
      stride /= n;
      place += (i % n) * stride;
      i /= n;
    }
    return place;
  }

 private:
  const Shape& shape_;
};

struct Stored {
  DType dtype;
  std::size_t size;
};
std::optional<Stored> stored_type(std::string_view kind) {
  if (kind == "f4") return Stored{DType::F32, 4};
  if (kind == "f8") return Stored{DType::F64, 8};
  if (kind == "u1" || kind == "b1") return Stored{DType::U8, 1};
  for (const char* integer : {"i1", "i2", "i4", "i8", "u2", "u4", "u8"})
    if (kind == integer) return Stored{DType::I32, static_cast<std::size_t>(kind[1] - '0')};
  return std::nullopt;
}

template <class Place>
void fill(HostArray& out, std::string_view kind, const std::byte* from, bool little, const Place& place,
          const std::string& name) {
  const auto integers = [&](auto wide) {
    copy_elements<decltype(wide)>(from, little, out.span<std::int32_t>(), place, name);
  };
  if (kind == "f4") return copy_elements<float>(from, little, out.span<float>(), place, name);
  if (kind == "f8") return copy_elements<double>(from, little, out.span<double>(), place, name);
  if (kind == "u1" || kind == "b1")
    return copy_elements<std::uint8_t>(from, little, out.span<std::uint8_t>(), place, name);
  if (kind == "i1") return integers(std::int8_t{});
  if (kind == "i2") return integers(std::int16_t{});
  if (kind == "i4") return integers(std::int32_t{});
  if (kind == "i8") return integers(std::int64_t{});
  if (kind == "u2") return integers(std::uint16_t{});
  if (kind == "u4") return integers(std::uint32_t{});
  integers(std::uint64_t{});
}

// Version, header and where the data begins.
struct Front {
  Header header;
  std::size_t data_at = 0;
};
Front parse_front(ByteView file, const std::string& name) {
  const std::string_view text = text_of(file);
  if (file.size() < 10 || !text.starts_with(kMagic)) damaged(name, "it does not begin with \\x93NUMPY");
  const int version = static_cast<int>(file[6]);
  if (version < 1 || version > 3) damaged(name, concat("format version ", version, " is unknown; 1 to 3 are known"));
  const std::size_t header_at = version == 1 ? 10 : 12;
  if (file.size() < header_at) damaged(name, "it is cut off within its header");
  const std::size_t length = version == 1 ? load_little<std::uint16_t>(file.data() + 8)
                                          : std::size_t{load_little<std::uint32_t>(file.data() + 8)};
  if (length > kMaxHeader) damaged(name, concat("its header claims to have ", length, " bytes"));
  if (file.size() - header_at < length) damaged(name, "it is cut off within its header");
  return {HeaderParser(text.substr(header_at, length), name).parse(), header_at + length};
}

}  // namespace

HostArray parse_npy(ByteView file, const std::string& name) {
  const auto [header, data_at] = parse_front(file, name);
  const std::string& descr = header.descr;
  const auto stored = descr.size() == 3 ? stored_type(std::string_view(descr).substr(1)) : std::nullopt;
  if (!stored || std::string_view("<>|=").find(descr[0]) == std::string_view::npos)
    damaged(name,
            concat("elements of type '", descr, "' cannot be read; save it as float32, float64, an integer or bool"));
  const std::size_t data_bytes = file.size() - data_at;
  std::uint64_t needed = stored->size;
  bool overflow = false;
  for (const Index extent : header.shape.extents())  // zero last, so that an absurd shape is seen as one
    overflow |= extent != 0 && __builtin_mul_overflow(needed, static_cast<std::uint64_t>(extent), &needed);
  if (std::ranges::find(header.shape.extents(), 0) != header.shape.extents().end()) needed = 0;
  if (overflow || needed != data_bytes)
    damaged(name, concat("an array of shape ", header.shape, " of '", descr, "' does not have the ", data_bytes,
                         " bytes of data that are there"));
  HostArray out(stored->dtype, header.shape);
  const bool little = descr[0] != '>' && (descr[0] == '<' || std::endian::native == std::endian::little);
  const std::string_view kind = std::string_view(descr).substr(1);
  const std::byte* from = file.data() + data_at;
  if (header.fortran && header.shape.rank() > 1) {
    fill(out, kind, from, little, FortranPlace(header.shape), name);
  } else {
    fill(
        out, kind, from, little, [](std::size_t i) { return i; }, name);
  }
  return out;
}

HostArray read_npy(const std::filesystem::path& path) { return parse_npy(read_data_file(path), path.string()); }

Bytes format_npy(const ConstTensor& array) {
  std::string extents;
  for (const Index extent : array.shape().extents()) extents += concat(extent, ", ");
  if (array.shape().rank() > 1) extents.resize(extents.size() - 2);
  if (array.shape().rank() == 1) extents.resize(extents.size() - 1);
  const std::string_view descr = array.dtype() == DType::F32   ? "<f4"
                                 : array.dtype() == DType::F64 ? "<f8"
                                 : array.dtype() == DType::I32 ? "<i4"
                                                               : "|u1";
  std::string header = concat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (", extents, "), }");
  constexpr std::size_t kFront = 10, kAlignment = 64;
  const std::size_t padded = (kFront + header.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  header.resize(padded - kFront - 1, ' ');
  header += '\n';
  Bytes file(padded + array.bytes());
  std::ranges::copy(bytes_of(kMagic), file.begin());
  file[6] = std::byte{1};
  store_little(file.data() + 8, static_cast<std::uint16_t>(header.size()));
  std::ranges::copy(bytes_of(header), file.begin() + kFront);
  visit_dtype(array.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = array.as<T>();
    std::byte* to = file.data() + padded;
    for (Index i = 0; i < array.elements(); ++i, to += sizeof(T)) store_little(to, from[i]);
  });
  return file;
}

void write_npy(const std::filesystem::path& path, const HostArray& array) {
  write_file_atomically(path, format_npy(array.view()));
}

}  // namespace squall
