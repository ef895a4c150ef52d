// What reader and writer of HDF5 share: handles that close themselves, silence, reasons, types.
#pragma once

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "squall/core/dtype.hpp"
#include "squall/core/error.hpp"
#include "squall/core/quantization.hpp"
#include "squall/core/shape.hpp"

namespace squall::h5 {

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  hid_t release() { return std::exchange(id_, -1); }  // whoever asks closes it
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// While it lives HDF5 prints no errors; what the program had set up before comes back afterwards.
class Quiet {
 public:
  Quiet() {
    // Every file is closed by its handle; what HDF5 does at the end of the program only complains of damaged files.
    static const herr_t no_end = H5dont_atexit();
    static_cast<void>(no_end);
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// What HDF5 said last, innermost first; clears it. Where the system refused a call, its words and its errno.
std::string reason(int* error_number = nullptr);

// The system refused to open, read or write the file.
struct SystemFailure : FileError {
  int number;
  SystemFailure(const std::string& message, int error_number) : FileError(message), number(error_number) {}
};

// The names of an absolute path; raises FileError (`file` is named) where one is empty, "." or holds a zero byte.
std::vector<std::string> names_of(std::string_view path, std::string_view file);

hid_t memory_type(DType t);
Handle narrow_type(Quantization q);     // of a file
Handle text_type(H5T_cset_t charset);   // UTF-8 or ASCII of variable length
std::string describe_type(hid_t type);  // "int64", "float16", "text", ...

// A handle, or an error if `id` is none: "cannot <what>: <reason>".
Handle own(hid_t id, Handle::Close close, std::string_view file, std::string_view what, std::string_view path);
void check(herr_t status, std::string_view file, std::string_view what, std::string_view path);

}  // namespace squall::h5
