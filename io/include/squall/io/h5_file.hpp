// HDF5 files as two plain classes: one that builds a file in memory, one that reads a file or an image of one.
// Every failure is a FileError with the file's and the object's name; HDF5 itself prints nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "squall/core/host_array.hpp"
#include "squall/core/quantization.hpp"
#include "squall/io/bytes.hpp"

namespace squall {

// "/a/b" of {"a", "b"}. A name that is empty, "." or has a '/' or zero byte in it is refused.
std::string h5_path(std::initializer_list<std::string_view> names);

// Builds an HDF5 file in memory. The same calls give the same bytes: no times are stored.
// Paths are absolute ("/parameters/Hid1/W"); groups on the way are made; what exists is never overwritten.
class H5Writer {
 public:
  explicit H5Writer(std::size_t userblock = 0);  // bytes left free in front: 0, 512, 1024, ...
  ~H5Writer();
  H5Writer(H5Writer&&) noexcept;
  H5Writer& operator=(H5Writer&&) noexcept;

  struct Packing {
    int deflate = 0;  // 0: stored as it is, 1 (fast) .. 9 (small): shuffled and compressed
    // The numbers in the file: IEEE half precision, bfloat16 or whole numbers of 8 bits, which must hold the values.
    std::optional<Quantization> as = std::nullopt;
  };
  void group(std::string_view path);
  void write(std::string_view path, const ConstTensor& array, Packing packing);
  void write(std::string_view path, const ConstTensor& array) { write(path, array, Packing{}); }
  void write(std::string_view path, const HostArray& array) { write(path, array.view(), Packing{}); }
  void write(std::string_view path, const HostArray& array, Packing packing) { write(path, array.view(), packing); }
  // UTF-8 of variable length, as h5py writes and reads str; no zero bytes inside.
  void write_text(std::string_view path, std::string_view text);
  void write_texts(std::string_view path, const std::vector<std::string>& texts);

  // Of a group or dataset that exists ("/" is the file's); at most 64 kB.
  void attribute(std::string_view path, std::string_view name, std::string_view text);
  void attribute(std::string_view path, std::string_view name, const char* text) {
    attribute(path, name, std::string_view(text));
  }
  void attribute(std::string_view path, std::string_view name, Index value);
  void attribute(std::string_view path, std::string_view name, int value) { attribute(path, name, Index{value}); }
  void attribute(std::string_view path, std::string_view name, double value);
  void attribute(std::string_view path, std::string_view name, const HostArray& array);

  // Adds entries along one axis of a dataset, which the first call makes: it can grow along that axis, and its chunks
  // are `chunk` entries long (0: as many as that first part).
  void append(std::string_view path, const ConstTensor& part, int axis, Packing packing, Index chunk = 0);
  // Another name for what is there.
  void link(std::string_view existing, std::string_view path);

  // The finished file, userblock (zeros) included. The writer is empty afterwards.
  Bytes finish();

 protected:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  explicit H5Writer(std::unique_ptr<Impl> impl);
};

// The same on disk, for files larger than memory: written beside `path`, put in its place by commit(). Without it, or
// when anything fails, `path` is as it was.
class H5DiskWriter : public H5Writer {
 public:
  explicit H5DiskWriter(const std::filesystem::path& path);
  ~H5DiskWriter();
  H5DiskWriter(const H5DiskWriter&) = delete;
  H5DiskWriter& operator=(const H5DiskWriter&) = delete;
  void commit();

 private:
  std::filesystem::path path_, temporary_;
};

// Reads numbers of any width (bool too) and strings of fixed or variable length.
class H5Reader {
 public:
  explicit H5Reader(const std::filesystem::path& path);
  H5Reader(Bytes image, std::string name);  // `name` is for messages
  // For files of others: HDF5 itself can crash on damaged ones, so that everything in the file is first read once
  // by a child process; if that one dies, the file is refused.
  static H5Reader checked(const std::filesystem::path& path);
  ~H5Reader();
  H5Reader(H5Reader&&) noexcept;
  H5Reader& operator=(H5Reader&&) noexcept;

  const std::string& name() const;
  bool exists(std::string_view path) const;
  bool is_group(std::string_view path) const;                             // false too where nothing is
  std::vector<std::string> children(std::string_view group = "/") const;  // sorted

  struct Info {
    Shape shape;
    bool is_text = false;
    bool is_integer = false;   // whole numbers of any width, bool, enumerations
    DType dtype = DType::F32;  // of numbers: the nearest of ours
    std::string stored_type;   // "float16", "int64", "text", ... for messages
  };
  Info info(std::string_view path) const;
  Shape shape(std::string_view path) const { return info(path).shape; }

  // As `wanted` or, without it, as Info::dtype. A number that is not whole or does not fit is an error.
  HostArray read(std::string_view path, std::optional<DType> wanted = std::nullopt) const;
  // `count` entries from `first` along one axis.
  HostArray read_part(std::string_view path, int axis, Index first, Index count,
                      std::optional<DType> wanted = std::nullopt) const;
  std::string text(std::string_view path) const;
  std::vector<std::string> texts(std::string_view path) const;

  std::vector<std::string> attributes(std::string_view path) const;  // names, sorted
  bool has_attribute(std::string_view path, std::string_view name) const;
  std::string attribute_text(std::string_view path, std::string_view name) const;
  Index attribute_int(std::string_view path, std::string_view name) const;
  double attribute_real(std::string_view path, std::string_view name) const;
  HostArray attribute_array(std::string_view path, std::string_view name,
                            std::optional<DType> wanted = std::nullopt) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace squall
