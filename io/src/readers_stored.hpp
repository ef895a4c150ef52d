// HDF5 files in brainstorm's layout that are read block by block.
#pragma once

#include "readers_common.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

struct StoredOptions {
  CommonOptions common;
  bool time = true;  // the arrays are (T, N, ...); one step everywhere is dropped
  TargetKind targets_are = TargetKind::Auto;
};

// `group` is "" or "/NAME". Reads shapes, and targets once, to know whether they are classes.
StoredSet open_stored(const std::shared_ptr<const H5Reader>& file, const std::string& group,
                      const StoredOptions& options);

}  // namespace squall
