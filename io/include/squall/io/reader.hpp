// The family of readers: what stands under "data" in an experiment.
#pragma once

#include "squall/core/catalog.hpp"
#include "squall/io/data_set.hpp"

namespace squall {

// One data set on disk, or drawn. Paths in its options are relative to the data folder.
class Reader : public Describable {
 public:
  static constexpr std::string_view kFamily = "reader";

  // The whole set, options applied. FileError or DataError name the file and what is expected.
  virtual DataSet load(const std::filesystem::path& data_folder) const = 0;
  virtual const CommonOptions& common() const = 0;

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
