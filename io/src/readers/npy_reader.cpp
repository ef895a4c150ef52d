#include "readers_common.hpp"
#include "squall/io/npy.hpp"

namespace squall {

namespace {

struct NpyOptions : CommonOptions {
  std::string train, train_targets, test, test_targets;
  TargetKind targets_are = TargetKind::Auto;
  static constexpr auto fields =
      std::tuple_cat(std::tuple{field("train", &NpyOptions::train, "training inputs (N, features...)"),
                                field("train_targets", &NpyOptions::train_targets, "their targets: (N) or (N, K)"),
                                field("test", &NpyOptions::test, "test inputs; none if empty"),
                                field("test_targets", &NpyOptions::test_targets, "their targets"),
                                field("targets_are", &NpyOptions::targets_are,
                                      "classes, values, or auto: classes if they are whole numbers, one per example")},
                     CommonOptions::own_fields());
};

class NpyReader final : public ReaderAs<NpyReader, NpyOptions> {
 public:
  static constexpr std::string_view kType = "Npy";
  static constexpr std::string_view kDoc = "Arrays saved by NumPy, one file each, examples along the first axis.";

  void check_options(std::string_view where, Problems& problems) const {
    require_option(options.train, "train", where, problems);
    require_option(options.train_targets, "train_targets", where, problems);
    if (options.test.empty() != options.test_targets.empty())
      problems.add(where, "options 'test' and 'test_targets' go together");
  }
  Files files(const std::filesystem::path& folder) const override {
    Files all;
    for (const std::string& name : {options.train, options.train_targets, options.test, options.test_targets})
      if (!name.empty()) all.push_back({folder / name});
    return all;
  }
  DataSet read(const std::filesystem::path& folder) const {
    DataSet set;
    set.splits["train"] = split(folder / options.train, folder / options.train_targets);
    if (!options.test.empty()) set.splits["test"] = split(folder / options.test, folder / options.test_targets);
    settle_targets(set, options.targets_are, std::string(kType));
    return set;
  }

 private:
  static Split split(const std::filesystem::path& inputs_path, const std::filesystem::path& targets_path) {
    HostArray inputs = as_column(read_npy(inputs_path));
    HostArray targets = as_column(read_npy(targets_path));
    if (inputs.shape().rank() == 0 || targets.shape().rank() == 0 || inputs.shape()[0] != targets.shape()[0])
      raise<DataError>("'", inputs_path.string(), "' has shape ", inputs.shape(), ", but '", targets_path.string(),
                       "' has ", targets.shape(), "; both need the same number of examples along the first axis");
    if (inputs.dtype() == DType::F64) inputs = inputs.cast(DType::F32);
    return {{"default", std::move(inputs)}, {"targets", std::move(targets)}};
  }
};

}  // namespace

void register_npy_reader(Catalog& catalog) { catalog.of<Reader>().add<NpyReader>(); }

}  // namespace squall
