// The family of readers: what stands under "data" in an experiment.
#pragma once

#include <memory>
#include <optional>

#include "squall/core/catalog.hpp"
#include "squall/io/data_set.hpp"

namespace squall {

// A split that stays on disk.
class StoredSplit {
 public:
  virtual ~StoredSplit() = default;
  virtual Index examples() const = 0;
  // Examples `first` to `first + count`, as they are in DataSet, options applied. Not from two threads at once.
  virtual Split read(Index first, Index count) const = 0;
  virtual Index bytes_per_example() const = 0;  // in memory
};

struct StoredSet {
  std::map<std::string, std::shared_ptr<const StoredSplit>, std::less<>> splits;  // as in DataSet
  Index classes = 0;
  bool has_time = false;
};

// One data set on disk, or drawn. Paths in its options are relative to the data folder.
class Reader : public Describable {
 public:
  static constexpr std::string_view kFamily = "reader";

  // The whole set, options applied. FileError or DataError name the file and what is expected.
  virtual DataSet load(const std::filesystem::path& data_folder) const = 0;
  virtual const CommonOptions& common() const = 0;
  // The set without loading it, where the reader was told to leave it on disk; else nothing.
  virtual std::optional<StoredSet> open(const std::filesystem::path&) const { return std::nullopt; }

  // Files it needs; of each inner list one must exist.
  using Files = std::vector<std::vector<std::filesystem::path>>;
  virtual Files files(const std::filesystem::path& data_folder) const = 0;
  // Adds a problem for each file that is missing, without reading any.
  void check_files(const std::filesystem::path& data_folder, std::string_view where, Problems& problems) const;
};

// Base of the readers: the options struct derives from CommonOptions.
template <class D, class OptionsT>
class ReaderAs : public DescribedAs<Reader, D, OptionsT> {
 public:
  const CommonOptions& common() const override { return this->options; }
  DataSet load(const std::filesystem::path& data_folder) const override {
    return prepare(static_cast<const D*>(this)->read(data_folder), this->options, std::string(D::kType));
  }
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    check(this->options, where, problems);
    static_cast<const D*>(this)->check_options(where, problems);
  }
};

}  // namespace squall
