#include <algorithm>
#include <array>
#include <limits>

#include "h5/h5_image.hpp"
#include "h5/h5_item.hpp"
#include "squall/core/error.hpp"
#include "squall/core/nearest.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace {

using h5::Handle;
using h5::Item;

std::string quoted(const std::filesystem::path& path) { return concat("'", path.string(), "'"); }

Handle open_file(const std::filesystem::path& path) {
  const std::string name = quoted(path);
  const Handle access = h5::own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, name, "make", "access list");
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  H5Pset_file_locking(access.get(), false, true);  // nothing is written, and shared folders often cannot lock
  const htri_t is_hdf5 = H5Fis_hdf5(path.c_str());
  if (is_hdf5 <= 0) {
    check_readable(path);
    raise<FileError>(name, " is not an HDF5 file");
  }
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  if (id < 0) raise<FileError>(name, " cannot be read as HDF5: ", h5::reason());
  return {id, H5Fclose};
}

Handle open_bytes(const Bytes& image, const std::string& name) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  const std::string_view text = text_of(image);
  bool found = text.substr(0, kSignature.size()) == kSignature;
  for (std::size_t at = 512; !found && at < text.size(); at *= 2)
    found = text.substr(at, kSignature.size()) == kSignature;
  if (!found) raise<FileError>("'", name, "' is not an HDF5 file");
  return h5::open_image(image, name);
}

void append_name(std::vector<std::string>& names, const char* name) noexcept { names.emplace_back(name); }

}  // namespace

struct H5Reader::Impl {
  Bytes image;  // outlives the file
  std::string name;
  Handle file;

  std::string label() const { return concat("'", name, "'"); }

  bool exists(std::string_view path) const {
    std::string so_far;
    for (const std::string& one : h5::names_of(path, label())) {
      so_far.append("/").append(one);
      if (H5Lexists(file.get(), so_far.c_str(), H5P_DEFAULT) <= 0) return false;
      if (H5Oexists_by_name(file.get(), so_far.c_str(), H5P_DEFAULT) <= 0) return false;
    }
    return true;
  }
  H5I_type_t kind(std::string_view path) const {
    if (!exists(path)) return H5I_BADID;
    const Handle object(H5Oopen(file.get(), std::string(path).c_str(), H5P_DEFAULT), H5Oclose);
    return object ? H5Iget_type(object.get()) : H5I_BADID;
  }
  Handle open_object(std::string_view path) const {
    if (!exists(path)) raise<FileError>(label(), " has no '", path, "'", neighbours(path));
    return h5::own(H5Oopen(file.get(), std::string(path).c_str(), H5P_DEFAULT), H5Oclose, label(), "open", path);
  }
  // What lies beside a path that is not there.
  std::string neighbours(std::string_view path) const {
    const std::size_t slash = path.rfind('/');
    const std::string parent(slash == 0 ? "/" : path.substr(0, slash));
    if (kind(parent) != H5I_GROUP) return "";
    const std::vector<std::string> names = children(parent);
    if (names.empty()) return concat("; '", parent, "' is empty");
    const std::span<const std::string> some(names.data(), std::min<std::size_t>(names.size(), 20));
    return concat("; '", parent, "' has: ", join(some), names.size() > some.size() ? ", ..." : "");
  }
  std::vector<std::string> children(std::string_view path) const {
    const Handle group = open_object(path);
    if (H5Iget_type(group.get()) != H5I_GROUP) raise<FileError>(label(), ": '", path, "' is not a group");
    std::vector<std::string> names;
    const auto collect = [](hid_t, const char* child, const H5L_info_t*, void* out) -> herr_t {
      append_name(*static_cast<std::vector<std::string>*>(out), child);
      return 0;
    };
    hsize_t at = 0;
    h5::check(H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_INC, &at, collect, &names), label(), "list", path);
    std::ranges::sort(names);
    return names;
  }

  // Owns what the item's `read` uses.
  struct Dataset {
    Handle set, space;
    Item item;
  };
  Dataset dataset(std::string_view path) const {
    Dataset d;
    d.set = open_object(path);
    if (H5Iget_type(d.set.get()) != H5I_DATASET)
      raise<FileError>(label(), ": '", path, "' is a group; a dataset is needed");
    d.space = h5::own(H5Dget_space(d.set.get()), H5Sclose, label(), "read", path);
    d.item.file = label();
    d.item.path = path;
    d.item.type = h5::own(H5Dget_type(d.set.get()), H5Tclose, label(), "read the type of", path);
    d.item.is_null = H5Sget_simple_extent_type(d.space.get()) == H5S_NULL;
    d.item.shape = h5::shape_of(d.space.get(), label(), path);
    d.item.stored = static_cast<std::size_t>(H5Dget_storage_size(d.set.get()));
    d.item.read = [set = d.set.get()](hid_t type, void* to) {
      return H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
    };
    return d;
  }

  struct Attribute {
    Handle owner, attribute, space;
    Item item;
  };
  Attribute attribute(std::string_view path, std::string_view attribute_name) const {
    Attribute a;
    const std::string wanted(attribute_name);
    a.owner = open_object(path);
    if (H5Aexists(a.owner.get(), wanted.c_str()) <= 0) {
      const std::vector<std::string> names = attributes(a.owner.get(), path);
      raise<FileError>(label(), ": '", path, "' has no attribute '", wanted, "'",
                       names.empty() ? "; it has none" : "; it has: ", join(names));
    }
    a.attribute =
        h5::own(H5Aopen(a.owner.get(), wanted.c_str(), H5P_DEFAULT), H5Aclose, label(), "open an attribute of", path);
    a.space = h5::own(H5Aget_space(a.attribute.get()), H5Sclose, label(), "read an attribute of", path);
    a.item.file = label();
    a.item.path = concat(path, "' attribute '", wanted);
    a.item.type = h5::own(H5Aget_type(a.attribute.get()), H5Tclose, label(), "read an attribute of", path);
    a.item.is_null = H5Sget_simple_extent_type(a.space.get()) == H5S_NULL;
    a.item.shape = h5::shape_of(a.space.get(), label(), path);
    a.item.stored = static_cast<std::size_t>(H5Aget_storage_size(a.attribute.get()));
    a.item.read = [id = a.attribute.get()](hid_t type, void* to) { return H5Aread(id, type, to); };
    return a;
  }
  std::vector<std::string> attributes(hid_t owner, std::string_view path) const {
    std::vector<std::string> names;
    const auto collect = [](hid_t, const char* one, const H5A_info_t*, void* out) -> herr_t {
      append_name(*static_cast<std::vector<std::string>*>(out), one);
      return 0;
    };
    hsize_t at = 0;
    h5::check(H5Aiterate2(owner, H5_INDEX_NAME, H5_ITER_INC, &at, collect, &names), label(), "list attributes of",
              path);
    std::ranges::sort(names);
    return names;
  }
};

H5Reader::H5Reader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
  const h5::Quiet quiet;
  impl_->name = path.string();
  impl_->file = open_file(path);
}
H5Reader::H5Reader(Bytes image, std::string name) : impl_(std::make_unique<Impl>()) {
  const h5::Quiet quiet;
  impl_->image = std::move(image);
  impl_->name = std::move(name);
  impl_->file = open_bytes(impl_->image, impl_->name);
}
H5Reader::~H5Reader() = default;
H5Reader::H5Reader(H5Reader&&) noexcept = default;
H5Reader& H5Reader::operator=(H5Reader&&) noexcept = default;

const std::string& H5Reader::name() const { return impl_->name; }

bool H5Reader::exists(std::string_view path) const {
  const h5::Quiet quiet;
  return impl_->exists(path);
}
bool H5Reader::is_group(std::string_view path) const {
  const h5::Quiet quiet;
  return impl_->kind(path) == H5I_GROUP;
}
std::vector<std::string> H5Reader::children(std::string_view group) const {
  const h5::Quiet quiet;
  return impl_->children(group);
}
H5Reader::Info H5Reader::info(std::string_view path) const {
  const h5::Quiet quiet;
  return h5::info_of(impl_->dataset(path).item);
}
HostArray H5Reader::read(std::string_view path, std::optional<DType> wanted) const {
  const h5::Quiet quiet;
  return h5::numbers_of(impl_->dataset(path).item, wanted);
}

HostArray H5Reader::read_part(std::string_view path, int axis, Index first, Index count,
                              std::optional<DType> wanted) const {
  const h5::Quiet quiet;
  Impl::Dataset d = impl_->dataset(path);
  const Shape whole = d.item.shape;
  const int at = axis < 0 ? axis + whole.rank() : axis;
  if (at < 0 || at >= whole.rank() || first < 0 || count < 0 || first > whole[at] || count > whole[at] - first)
    raise<FileError>(impl_->label(), ": '", path, "' of shape ", whole, " has no ", count, " entries from ", first,
                     " along axis ", axis);
  std::array<hsize_t, Shape::kMaxRank> start{};
  std::array<hsize_t, Shape::kMaxRank> extent{};
  for (int i = 0; i < whole.rank(); ++i) extent[static_cast<std::size_t>(i)] = static_cast<hsize_t>(whole[i]);
  start[static_cast<std::size_t>(at)] = static_cast<hsize_t>(first);
  extent[static_cast<std::size_t>(at)] = static_cast<hsize_t>(count);
  d.item.shape = whole.until(at).with_back(count).joined(whole.from(at + 1));
  h5::check(H5Sselect_hyperslab(d.space.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
            impl_->label(), "read a part of", path);
  const Handle memory =
      h5::own(H5Screate_simple(whole.rank(), extent.data(), nullptr), H5Sclose, impl_->label(), "read a part of", path);
  d.item.read = [&](hid_t type, void* to) {
    return H5Dread(d.set.get(), type, memory.get(), d.space.get(), H5P_DEFAULT, to);
  };
  return h5::numbers_of(d.item, wanted);
}

std::vector<std::string> H5Reader::texts(std::string_view path) const {
  const h5::Quiet quiet;
  return h5::texts_of(impl_->dataset(path).item);
}
std::string H5Reader::text(std::string_view path) const {
  std::vector<std::string> all = texts(path);
  if (all.size() != 1) raise<FileError>(impl_->label(), ": '", path, "' has ", all.size(), " texts, not one");
  return std::move(all.front());
}

std::vector<std::string> H5Reader::attributes(std::string_view path) const {
  const h5::Quiet quiet;
  return impl_->attributes(impl_->open_object(path).get(), path);
}
bool H5Reader::has_attribute(std::string_view path, std::string_view name) const {
  const h5::Quiet quiet;
  return H5Aexists(impl_->open_object(path).get(), std::string(name).c_str()) > 0;
}
std::string H5Reader::attribute_text(std::string_view path, std::string_view name) const {
  const h5::Quiet quiet;
  std::vector<std::string> all = h5::texts_of(impl_->attribute(path, name).item);
  if (all.size() != 1)
    raise<FileError>(impl_->label(), ": '", path, "' attribute '", name, "' has ", all.size(), " texts, not one");
  return std::move(all.front());
}
Index H5Reader::attribute_int(std::string_view path, std::string_view name) const {
  const h5::Quiet quiet;
  return h5::integer_of(impl_->attribute(path, name).item);
}
double H5Reader::attribute_real(std::string_view path, std::string_view name) const {
  const h5::Quiet quiet;
  const HostArray all = h5::numbers_of(impl_->attribute(path, name).item, DType::F64);
  if (all.elements() != 1)
    raise<FileError>(impl_->label(), ": '", path, "' attribute '", name, "' has ", all.elements(), " values, not one");
  return all.value(0);
}
HostArray H5Reader::attribute_array(std::string_view path, std::string_view name, std::optional<DType> wanted) const {
  const h5::Quiet quiet;
  return h5::numbers_of(impl_->attribute(path, name).item, wanted);
}

}  // namespace squall
