#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "atomic_target.hpp"
#include "h5/h5_common.hpp"
#include "h5/h5_temporary.hpp"
#include "squall/core/error.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

namespace {

using h5::Handle;
constexpr std::string_view kFile = "HDF5 file being written";

struct Extents {
  std::array<hsize_t, Shape::kMaxRank> values{};
  int rank = 0;
  explicit Extents(const Shape& shape) : rank(shape.rank()) {
    for (int i = 0; i < rank; ++i) values[static_cast<std::size_t>(i)] = static_cast<hsize_t>(shape[i]);
  }
};

Handle space_of(const Shape& shape) {
  const Extents extents(shape);
  const hid_t id =
      shape.rank() == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(extents.rank, extents.values.data(), nullptr);
  return h5::own(id, H5Sclose, kFile, "describe shape", shape.text());
}

// Pieces of at most 1 MB, as near to cubes as halving the longest extent gets.
Extents chunk_of(const Shape& shape, std::size_t element_size) {
  constexpr hsize_t kMaxBytes = hsize_t{1} << 20;
  Extents chunk(shape);
  const auto begin = chunk.values.begin();
  const auto end = begin + chunk.rank;
  const auto bytes = [&] {
    hsize_t product = element_size;
    for (auto at = begin; at != end; ++at) product *= *at;
    return product;
  };
  while (bytes() > kMaxBytes) {
    const auto longest = std::max_element(begin, end);
    *longest = (*longest + 1) / 2;
  }
  return chunk;
}

Handle creation_of(const Shape& shape, std::size_t element_size, int deflate) {
  Handle creation = h5::own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, kFile, "describe", "dataset");
  H5Pset_obj_track_times(creation.get(), false);
  // What finds the pieces of a compressed dataset takes some 2 kB.
  constexpr std::size_t kWorthPacking = 4096;
  const auto bytes = static_cast<std::size_t>(std::max<Index>(0, shape.elements())) * element_size;
  if (deflate > 0 && shape.rank() > 0 && bytes >= kWorthPacking) {
    const Extents chunk = chunk_of(shape, element_size);
    H5Pset_chunk(creation.get(), chunk.rank, chunk.values.data());
    if (element_size > 1) H5Pset_shuffle(creation.get());
    h5::check(H5Pset_deflate(creation.get(), static_cast<unsigned>(deflate)), kFile, "compress", shape.text());
  }
  return creation;
}

void refuse_zero_byte(std::string_view text, std::string_view path) {
  if (text.find('\0') != std::string_view::npos)
    raise<FileError>("the text for '", path, "' has a zero byte in it, which HDF5 cannot store");
}

}  // namespace

struct H5Writer::Impl {
  Handle file, link_creation;
  std::size_t userblock;
  std::filesystem::path target;  // of a file on disk

  explicit Impl(std::size_t room) : userblock(room) {
    const Handle access = h5::own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, kFile, "make", "access list");
    H5Pset_fapl_core(access.get(), std::size_t{1} << 20, false);
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    const Handle creation = h5::own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, kFile, "make", "creation list");
    H5Pset_obj_track_times(creation.get(), false);
    h5::check(H5Pset_userblock(creation.get(), room), kFile, "leave room for", "userblock");
    const std::string name = concat("squall at ", this);  // of the same name would be the same file for HDF5
    file = h5::own(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose, kFile, "make", "/");
    link_creation = h5::own(H5Pcreate(H5P_LINK_CREATE), H5Pclose, kFile, "make", "link list");
    H5Pset_char_encoding(link_creation.get(), H5T_CSET_UTF8);
  }

  // On disk; nothing is kept in memory.
  Impl(const std::filesystem::path& path, std::filesystem::path replaced) : userblock(0), target(std::move(replaced)) {
    const Handle access = h5::own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, kFile, "make", "access list");
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    const Handle creation = h5::own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, kFile, "make", "creation list");
    H5Pset_obj_track_times(creation.get(), false);
    file = h5::own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose, path.string(),
                   "make", "/");
    link_creation = h5::own(H5Pcreate(H5P_LINK_CREATE), H5Pclose, kFile, "make", "link list");
    H5Pset_char_encoding(link_creation.get(), H5T_CSET_UTF8);
  }

  // Says what the user can do where the disk is full and the like.
  template <class Act>
  void guarded(const Act& act) const {
    try {
      act();
    } catch (const h5::SystemFailure& failure) {
      if (target.empty()) throw;
      write_failed(target, "writing", failure.number, true);
    }
  }
  // Closing would hide that what HDF5 still held could not be written.
  static void close(Handle set, std::string_view path) {
    h5::check(H5Dflush(set.get()), kFile, "write", path);
    h5::check(H5Dclose(set.release()), kFile, "write", path);
  }

  // Makes the groups of the first `count` names; returns the last one.
  Handle groups(const std::vector<std::string>& names, std::size_t count) const {
    Handle at = h5::own(H5Gopen2(file.get(), "/", H5P_DEFAULT), H5Gclose, kFile, "open", "/");
    const Handle creation = h5::own(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, kFile, "make", "group list");
    H5Pset_obj_track_times(creation.get(), false);
    for (std::size_t i = 0; i < count; ++i) {
      const char* name = names[i].c_str();
      const bool there = H5Lexists(at.get(), name, H5P_DEFAULT) > 0;
      const hid_t id = there ? H5Gopen2(at.get(), name, H5P_DEFAULT)
                             : H5Gcreate2(at.get(), name, link_creation.get(), creation.get(), H5P_DEFAULT);
      at = h5::own(id, H5Gclose, kFile, there ? "use as a group" : "make group", names[i]);
    }
    return at;
  }

  void write(std::string_view path, hid_t type, const Shape& shape, int deflate, const void* data) const {
    write_as(path, type, type, shape, deflate, data);
  }
  // `type` in memory becomes `stored` in the file.
  void write_as(std::string_view path, hid_t type, hid_t stored, const Shape& shape, int deflate,
                const void* data) const {
    const std::vector<std::string> names = h5::names_of(path, kFile);
    if (names.empty()) raise<FileError>("a dataset needs a name, '/' is the file itself");
    const Handle parent = groups(names, names.size() - 1);
    const char* name = names.back().c_str();
    if (H5Lexists(parent.get(), name, H5P_DEFAULT) > 0) raise<FileError>(kFile, ": '", path, "' is there already");
    const Handle space = space_of(shape);
    const Handle creation = creation_of(shape, H5Tget_size(stored), deflate);
    Handle set =
        h5::own(H5Dcreate2(parent.get(), name, stored, space.get(), link_creation.get(), creation.get(), H5P_DEFAULT),
                H5Dclose, kFile, "make", path);
    if (shape.elements() > 0)
      h5::check(H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), kFile, "write", path);
    close(std::move(set), path);
  }

  Handle growing(std::string_view path, const ConstTensor& part, int axis, int deflate, Index chunk) const {
    const std::vector<std::string> names = h5::names_of(path, kFile);
    if (names.empty()) raise<FileError>("a dataset needs a name, '/' is the file itself");
    const Handle parent = groups(names, names.size() - 1);
    const auto at = static_cast<std::size_t>(axis);
    Extents none(part.shape()), most(part.shape()), piece(part.shape());
    none.values[at] = 0;
    most.values[at] = H5S_UNLIMITED;
    piece.values[at] = static_cast<hsize_t>(std::max<Index>(1, chunk > 0 ? chunk : part.shape()[axis]));
    const Handle space = h5::own(H5Screate_simple(none.rank, none.values.data(), most.values.data()), H5Sclose, kFile,
                                 "describe shape", path);
    const Handle creation = creation_of(Shape{}, 1, 0);
    H5Pset_chunk(creation.get(), piece.rank, piece.values.data());
    if (deflate > 0) {
      if (size_of(part.dtype()) > 1) H5Pset_shuffle(creation.get());
      h5::check(H5Pset_deflate(creation.get(), static_cast<unsigned>(deflate)), kFile, "compress", path);
    }
    return h5::own(H5Dcreate2(parent.get(), names.back().c_str(), h5::memory_type(part.dtype()), space.get(),
                              link_creation.get(), creation.get(), H5P_DEFAULT),
                   H5Dclose, kFile, "make", path);
  }

  bool has(std::string_view path) const {
    std::string so_far;
    for (const std::string& name : h5::names_of(path, kFile)) {
      so_far += "/" + name;
      if (H5Lexists(file.get(), so_far.c_str(), H5P_DEFAULT) <= 0) return false;
    }
    return true;
  }

  void append(std::string_view path, const ConstTensor& part, int axis, int deflate, Index chunk) const {
    const int rank = part.shape().rank();
    SQUALL_CHECK(axis >= 0 && axis < rank, "cannot append ", part.shape(), " to '", path, "' along axis ", axis);
    Handle set = has(path) ? h5::own(H5Dopen2(file.get(), std::string(path).c_str(), H5P_DEFAULT), H5Dclose, kFile,
                                     "add to", path)
                           : growing(path, part, axis, deflate, chunk);
    Extents whole(part.shape());
    std::array<hsize_t, Shape::kMaxRank> start{};
    {
      const Handle before = h5::own(H5Dget_space(set.get()), H5Sclose, kFile, "add to", path);
      if (H5Sget_simple_extent_ndims(before.get()) != rank)
        raise<FileError>(kFile, ": '", path, "' has another number of axes than ", part.shape());
      H5Sget_simple_extent_dims(before.get(), whole.values.data(), nullptr);
    }
    for (int i = 0; i < rank; ++i)
      if (i != axis && whole.values[static_cast<std::size_t>(i)] != static_cast<hsize_t>(part.shape()[i]))
        raise<FileError>(kFile, ": ", part.shape(), " cannot be added to '", path, "' along axis ", axis);
    const auto at = static_cast<std::size_t>(axis);
    start[at] = whole.values[at];
    whole.values[at] += static_cast<hsize_t>(part.shape()[axis]);
    h5::check(H5Dset_extent(set.get(), whole.values.data()), kFile, "add to", path);
    if (part.elements() == 0) return;
    const Extents count(part.shape());
    const Handle space = h5::own(H5Dget_space(set.get()), H5Sclose, kFile, "add to", path);
    h5::check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.values.data(), nullptr),
              kFile, "add to", path);
    const Handle memory = space_of(part.shape());
    h5::check(H5Dwrite(set.get(), h5::memory_type(part.dtype()), memory.get(), space.get(), H5P_DEFAULT, part.data()),
              kFile, "write", path);
    close(std::move(set), path);
  }

  void link(std::string_view existing, std::string_view path) const {
    const auto names = h5::names_of(path, kFile);
    const Handle parent = groups(names, names.size() - 1);
    h5::check(H5Lcreate_hard(file.get(), std::string(existing).c_str(), parent.get(), names.back().c_str(),
                             link_creation.get(), H5P_DEFAULT),
              kFile, "link to", existing);
  }

  void attribute(std::string_view path, std::string_view name, hid_t type, const Shape& shape, const void* data) const {
    h5::names_of(path, kFile);
    const std::string attribute_name(name);
    if (name.empty() || name.find('\0') != std::string_view::npos)
      raise<FileError>("an attribute of '", path, "' needs a name");
    const Handle owner = h5::own(H5Oopen(file.get(), std::string(path).c_str(), H5P_DEFAULT), H5Oclose, kFile,
                                 "give an attribute to", path);
    if (H5Aexists(owner.get(), attribute_name.c_str()) > 0)
      raise<FileError>(kFile, ": '", path, "' has an attribute '", name, "' already");
    const Handle space = space_of(shape);
    const Handle creation = h5::own(H5Pcreate(H5P_ATTRIBUTE_CREATE), H5Pclose, kFile, "make", "attribute list");
    H5Pset_char_encoding(creation.get(), H5T_CSET_UTF8);
    const Handle made =
        h5::own(H5Acreate2(owner.get(), attribute_name.c_str(), type, space.get(), creation.get(), H5P_DEFAULT),
                H5Aclose, kFile, "make an attribute (64 kB at most) of", path);
    if (shape.elements() > 0) h5::check(H5Awrite(made.get(), type, data), kFile, "write an attribute of", path);
  }
};

H5Writer::H5Writer(std::size_t userblock) {
  const h5::Quiet quiet;
  impl_ = std::make_unique<Impl>(userblock);
}
H5Writer::~H5Writer() = default;
H5Writer::H5Writer(H5Writer&&) noexcept = default;
H5Writer& H5Writer::operator=(H5Writer&&) noexcept = default;

void H5Writer::group(std::string_view path) {
  const h5::Quiet quiet;
  const auto names = h5::names_of(path, kFile);
  impl_->guarded([&] { impl_->groups(names, names.size()); });
}

void H5Writer::write(std::string_view path, const ConstTensor& array, Packing packing) {
  const h5::Quiet quiet;
  const hid_t type = h5::memory_type(array.dtype());
  impl_->guarded([&] {
    if (!packing.as) return impl_->write(path, type, array.shape(), packing.deflate, array.data());
    impl_->write_as(path, type, h5::narrow_type(*packing.as).get(), array.shape(), packing.deflate, array.data());
  });
}

void H5Writer::write_text(std::string_view path, std::string_view text) {
  const h5::Quiet quiet;
  refuse_zero_byte(text, path);
  const std::string ended(text);
  const char* pointer = ended.c_str();
  impl_->guarded([&] { impl_->write(path, h5::text_type(H5T_CSET_UTF8).get(), Shape{}, 0, &pointer); });
}

void H5Writer::write_texts(std::string_view path, const std::vector<std::string>& texts) {
  const h5::Quiet quiet;
  std::vector<const char*> pointers;
  for (const std::string& text : texts) {
    refuse_zero_byte(text, path);
    pointers.push_back(text.c_str());
  }
  impl_->guarded([&] {
    impl_->write(path, h5::text_type(H5T_CSET_UTF8).get(), Shape{static_cast<Index>(texts.size())}, 0, pointers.data());
  });
}

void H5Writer::attribute(std::string_view path, std::string_view name, std::string_view text) {
  const h5::Quiet quiet;
  refuse_zero_byte(text, path);
  const std::string ended(text);
  const char* pointer = ended.c_str();
  impl_->guarded([&] { impl_->attribute(path, name, h5::text_type(H5T_CSET_UTF8).get(), Shape{}, &pointer); });
}
void H5Writer::attribute(std::string_view path, std::string_view name, Index value) {
  const h5::Quiet quiet;
  impl_->guarded([&] { impl_->attribute(path, name, H5T_NATIVE_INT64, Shape{}, &value); });
}
void H5Writer::attribute(std::string_view path, std::string_view name, double value) {
  const h5::Quiet quiet;
  impl_->guarded([&] { impl_->attribute(path, name, H5T_NATIVE_DOUBLE, Shape{}, &value); });
}
void H5Writer::attribute(std::string_view path, std::string_view name, const HostArray& array) {
  const h5::Quiet quiet;
  impl_->guarded([&] { impl_->attribute(path, name, h5::memory_type(array.dtype()), array.shape(), array.data()); });
}

void H5Writer::append(std::string_view path, const ConstTensor& part, int axis, Packing packing, Index chunk) {
  const h5::Quiet quiet;
  impl_->guarded([&] { impl_->append(path, part, axis, packing.deflate, chunk); });
}
void H5Writer::link(std::string_view existing, std::string_view path) {
  const h5::Quiet quiet;
  impl_->guarded([&] { impl_->link(existing, path); });
}

H5Writer::H5Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

H5DiskWriter::H5DiskWriter(const std::filesystem::path& path) : H5Writer(std::unique_ptr<Impl>()) {
  const h5::Quiet quiet;
  const WriteTarget target = write_target(path);
  if (!target.plain)
    raise<FileError>("cannot write '", path.string(), "': HDF5 needs a plain file, not a pipe or device; name one");
  path_ = target.path;
  h5::remove_abandoned(path_);
  temporary_ = h5::temporary_beside(path_);
  try {
    impl_ = std::make_unique<Impl>(temporary_, path_);
  } catch (const h5::SystemFailure& failure) {
    write_failed(path_, "making a temporary beside it", failure.number, true);
  }
  if (target.replaces) static_cast<void>(::chmod(temporary_.c_str(), target.mode));
  void* descriptor = nullptr;
  if (H5Fget_vfd_handle(impl_->file.get(), H5P_DEFAULT, &descriptor) >= 0 &&
      !h5::own_temporary(*static_cast<int*>(descriptor)))
    write_failed(path_, "locking a temporary beside it", EWOULDBLOCK, true);
}
H5DiskWriter::~H5DiskWriter() {
  const h5::Quiet quiet;
  if (temporary_.empty()) return;
  // HDF5 may crash when it closes a file whose writing failed: it is made empty and stays open until the program ends.
  void* descriptor = nullptr;
  if (impl_ && impl_->file && H5Fget_vfd_handle(impl_->file.get(), H5P_DEFAULT, &descriptor) >= 0)
    static_cast<void>(::ftruncate(*static_cast<int*>(descriptor), 0) == 0);
  if (impl_) static_cast<void>(impl_->file.release());
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}
void H5DiskWriter::commit() {
  const h5::Quiet quiet;
  impl_->guarded([&] {
    h5::check(H5Fflush(impl_->file.get(), H5F_SCOPE_GLOBAL), path_.string(), "finish", "/");
    h5::check(H5Fclose(impl_->file.release()), path_.string(), "finish", "/");
  });
  const int file = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (!synced) write_failed(path_, "fsync", reason, true);
  std::error_code failed;
  std::filesystem::rename(temporary_, path_, failed);
  if (failed) write_failed(path_, "rename", failed.value(), true);
  temporary_.clear();
}

Bytes H5Writer::finish() {
  const h5::Quiet quiet;
  if (!impl_->file) raise<FileError>(kFile, ": it was finished already");
  const hid_t file = impl_->file.get();
  h5::check(H5Fflush(file, H5F_SCOPE_GLOBAL), kFile, "finish", "/");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  Bytes image(impl_->userblock + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  // HDF5 leaves the userblock out of the image.
  if (size < 0 || H5Fget_file_image(file, image.data() + impl_->userblock, static_cast<std::size_t>(size)) != size)
    raise<FileError>(kFile, ": cannot finish it: ", h5::reason());
  impl_->file = Handle();
  return image;
}

}  // namespace squall
