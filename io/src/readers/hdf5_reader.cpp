#include "readers_common.hpp"
#include "readers_stored.hpp"
#include "squall/core/nearest.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

namespace {

struct Hdf5Options : CommonOptions {
  std::string path;
  std::string group = "normalized_split";
  bool time = true;
  TargetKind targets_are = TargetKind::Auto;
  bool lazy = false;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{field("path", &Hdf5Options::path, "the HDF5 file"),
                 field("group", &Hdf5Options::group, "group in it that has the splits training, validation, test"),
                 field("time", &Hdf5Options::time,
                       "whether the arrays are (T, N, ...); a time axis of one step everywhere is dropped"),
                 field("targets_are", &Hdf5Options::targets_are,
                       "classes, values, or auto: classes if they are whole numbers, one per example"),
                 field("lazy", &Hdf5Options::lazy,
                       "read the file block by block while training, for sets larger than memory; examples are then "
                       "shuffled within a few blocks at a time")},
      CommonOptions::own_fields());
};

class Hdf5Reader final : public ReaderAs<Hdf5Reader, Hdf5Options> {
 public:
  static constexpr std::string_view kType = "Hdf5";
  static constexpr std::string_view kDoc =
      "Arrays of an HDF5 file in brainstorm's layout: GROUP/{training,validation,test}/{default,targets}, each (T, N, "
      "...).";

  void check_options(std::string_view where, Problems& problems) const {
    require_option(options.path, "path", where, problems);
  }
  Files files(const std::filesystem::path& folder) const override { return {{folder / options.path}}; }

  std::optional<StoredSet> open(const std::filesystem::path& folder) const override {
    if (!options.lazy) return std::nullopt;
    const auto file = std::make_shared<const H5Reader>(H5Reader::checked(folder / options.path));
    const std::string group = group_in(*file);
    return open_stored(file, group, {options, options.time, options.targets_are});
  }

  DataSet read(const std::filesystem::path& folder) const {
    const H5Reader file = H5Reader::checked(folder / options.path);
    const std::string group = group_in(file);
    DataSet set;
    set.has_time = options.time;
    for (const std::string& child : file.children(group.empty() ? "/" : group)) {
      const std::string name = child == "training" ? "train" : child;
      const std::string path = concat(group, "/", child);
      if (name == "train" || name == "validation" || name == "test") set.splits[name] = read_split(file, path);
    }
    if (set.splits.empty())
      raise<FileError>("'", file.name(), "': group '", group, "' has none of training, validation, test");
    if (options.time) drop_single_step(set);
    settle_targets(set, options.targets_are, concat("'", file.name(), "'"));
    return set;
  }

 private:
  std::string group_in(const H5Reader& file) const {
    std::string group = options.group;
    while (group.starts_with('/')) group.erase(0, 1);
    while (group.ends_with('/')) group.pop_back();
    group = group.empty() ? "" : concat("/", group);
    if (!file.is_group(group.empty() ? "/" : group))
      raise<FileError>("'", file.name(), "' has no group '", group,
                       "'; set 'group' to one of: ", join(file.children()));
    return group;
  }
  static Split read_split(const H5Reader& file, const std::string& path) {
    Split split;
    for (const std::string& name : file.children(path)) {
      const std::string array = concat(path, "/", name);
      if (file.is_group(array)) continue;
      const H5Reader::Info info = file.info(array);
      if (info.is_text) continue;
      const bool exact = info.is_integer || name == "targets";
      split[name] = file.read(array, exact ? info.dtype : DType::F32);
    }
    if (!split.contains("default"))
      raise<FileError>("'", file.name(), "': '", path, "' has no dataset 'default' of inputs");
    return split;
  }
  static void drop_single_step(DataSet& set) {
    for (const auto& [name, split] : set.splits)
      for (const auto& [array_name, array] : split)
        if (array.shape().rank() < 2 || array.shape()[0] != 1) return;
    for (auto& [name, split] : set.splits)
      for (auto& [array_name, array] : split) {
        array = array.reshaped(array.shape().from(1));
        if (array_name == "targets") array = as_column(std::move(array));
      }
    set.has_time = false;
  }
};

}  // namespace

void register_hdf5_reader(Catalog& catalog) { catalog.of<Reader>().add<Hdf5Reader>(); }

}  // namespace squall
