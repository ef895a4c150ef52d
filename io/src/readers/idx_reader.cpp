#include "readers_common.hpp"
#include "squall/io/idx.hpp"

namespace squall {

namespace {

struct IdxOptions : CommonOptions {
  std::string train, test;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{
          field("train", &IdxOptions::train,
                "path prefix of the training files: PREFIX-images-idx3-ubyte[.gz] and PREFIX-labels-idx1-ubyte[.gz]"),
          field("test", &IdxOptions::test, "path prefix of the test files; none if empty")},
      CommonOptions::own_fields());
};

class IdxReader final : public ReaderAs<IdxReader, IdxOptions> {
 public:
  static constexpr std::string_view kType = "Idx";
  static constexpr std::string_view kDoc =
      "Images and labels as MNIST, Fashion-MNIST and their kin are published; bytes (N, height, width, 1).";

  void check_options(std::string_view where, Problems& problems) const {
    require_option(options.train, "train", where, problems);
  }
  Files files(const std::filesystem::path& folder) const override {
    Files all;
    for (const std::string& prefix : {options.train, options.test}) {
      if (prefix.empty()) continue;
      for (const char* suffix : {"-images-idx3-ubyte", "-labels-idx1-ubyte"}) {
        const std::string plain = (folder / prefix).string() + suffix;
        all.push_back({plain, plain + ".gz"});
      }
    }
    return all;
  }
  DataSet read(const std::filesystem::path& folder) const {
    DataSet set;
    if (!options.train.empty()) set.splits["train"] = split(folder / options.train);
    if (!options.test.empty()) set.splits["test"] = split(folder / options.test);
    settle_targets(set, TargetKind::Classes, std::string(kType));
    return set;
  }

 private:
  static Split split(const std::filesystem::path& prefix) {
    IdxPair pair = read_idx_pair(prefix);
    const Shape with_channel = pair.images.shape().with_back(1);
    return {{"default", pair.images.reshaped(with_channel)}, {"targets", as_column(std::move(pair.labels))}};
  }
};

}  // namespace

void register_idx_reader(Catalog& catalog) { catalog.of<Reader>().add<IdxReader>(); }

}  // namespace squall
