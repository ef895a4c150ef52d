#include "h5/h5_common.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "squall/core/error.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

std::string h5_path(std::initializer_list<std::string_view> names) {
  std::string path;
  for (const std::string_view name : names) {
    if (name.empty() || name == "." || name.find('/') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos)
      raise<FileError>("'", name, "' cannot be a name in an HDF5 file: it must not be empty, '.', or contain '/'");
    path.append("/").append(name);
  }
  return path.empty() ? "/" : path;
}

namespace h5 {

namespace {

struct Said {
  std::string text;
  int error_number = 0;
};

herr_t listen(unsigned depth, const H5E_error2_t* error, void* out) noexcept {
  auto& said = *static_cast<Said*>(out);
  if (error->desc == nullptr) return 0;
  const std::string_view text = error->desc;
  constexpr std::string_view kErrno = "errno = ";
  if (const auto at = text.find(kErrno); at != std::string_view::npos && said.error_number == 0)
    said.error_number = std::atoi(error->desc + at + kErrno.size());
  if (depth < 2 && said.text.find(text) == std::string::npos)
    said.text.append(said.text.empty() ? "" : " (").append(text).append(depth == 0 ? "" : ")");
  return 0;
}

[[noreturn]] void failed(std::string_view file, std::string_view what, std::string_view path) {
  int number = 0;
  const std::string why = reason(&number);
  const std::string message = concat(file, ": cannot ", what, " '", path, "': ", why);
  if (number != 0) throw SystemFailure(message, number);
  raise<FileError>(message);
}

}  // namespace

std::string reason(int* error_number) {
  Said said;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, listen, &said);
  H5Eclear2(H5E_DEFAULT);
  if (error_number != nullptr) *error_number = said.error_number;
  if (said.error_number != 0) return std::generic_category().message(said.error_number);
  std::ranges::replace(said.text, '\n', ' ');
  return said.text.empty() ? "no reason given" : said.text;
}

std::vector<std::string> names_of(std::string_view path, std::string_view file) {
  const auto refuse = [&](std::string_view why) {
    raise<FileError>(file, ": '", path, "' cannot be a path in an HDF5 file: ", why);
  };
  if (!path.starts_with('/')) refuse("it must begin with '/'");
  std::vector<std::string> names;
  if (path == "/") return names;
  for (std::size_t begin = 1;;) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    names.emplace_back(path.substr(begin, end - begin));
    if (names.back().empty()) refuse("a name in it is empty");
    if (names.back() == ".") refuse("a name in it is '.'");
    if (names.back().find('\0') != std::string::npos) refuse("a name in it has a zero byte");
    if (end == path.size()) return names;
    begin = end + 1;
  }
}

hid_t memory_type(DType t) {
  switch (t) {
    case DType::F32: return H5T_NATIVE_FLOAT;
    case DType::F64: return H5T_NATIVE_DOUBLE;
    case DType::I32: return H5T_NATIVE_INT32;
    case DType::U8: return H5T_NATIVE_UINT8;
  }
  raise<FileError>("unknown element type");
}

Handle narrow_type(Quantization q) {
  if (q == Quantization::Int8) return {H5Tcopy(H5T_STD_I8LE), H5Tclose};
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  const bool half = q == Quantization::Fp16;
  const std::size_t exponent = half ? 5 : 8;
  H5Tset_fields(type.get(), 15, 15 - exponent, exponent, 0, 15 - exponent);
  H5Tset_size(type.get(), 2);
  H5Tset_ebias(type.get(), half ? 15 : 127);
  return type;
}

Handle text_type(H5T_cset_t charset) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), charset);
  return type;
}

std::string describe_type(hid_t type) {
  const std::string bits = std::to_string(8 * H5Tget_size(type));
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return (H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int") + bits;
    case H5T_FLOAT: return "float" + bits;
    case H5T_STRING: return "text";
    case H5T_ENUM: return "enumeration";
    case H5T_COMPOUND: return "compound";
    case H5T_VLEN: return "lists of varying length";
    case H5T_REFERENCE: return "references";
    case H5T_ARRAY: return "arrays";
    case H5T_BITFIELD: return "bits";
    case H5T_OPAQUE: return "opaque bytes";
    default: return "an unknown type";
  }
}

Handle own(hid_t id, Handle::Close close, std::string_view file, std::string_view what, std::string_view path) {
  if (id < 0) failed(file, what, path);
  return {id, close};
}

void check(herr_t status, std::string_view file, std::string_view what, std::string_view path) {
  if (status < 0) failed(file, what, path);
}

}  // namespace h5
}  // namespace squall
