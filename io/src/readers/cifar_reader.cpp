#include <array>

#include "readers_common.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/cifar.hpp"

namespace squall {

namespace {

namespace fs = std::filesystem;

// The files may lie in the folder named or in the one of their archive within it.
fs::path folder_with(const fs::path& named, const char* archive, const char* file) {
  std::error_code ignored;
  return !fs::exists(named / file, ignored) && fs::exists(named / archive, ignored) ? named / archive : named;
}

std::vector<std::string> names_in(const fs::path& path) {  // one per line; the file is not needed
  std::error_code ignored;
  std::vector<std::string> names;
  if (!fs::exists(path, ignored)) return names;
  const Bytes file = read_whole_file(path);
  std::istringstream lines{std::string(text_of(file))};
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

struct Cifar10Options : CommonOptions {
  std::string path = "cifar10/cifar-10-batches-bin";
  static constexpr auto fields =
      std::tuple_cat(std::tuple{field("path", &Cifar10Options::path,
                                      "folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin")},
                     CommonOptions::own_fields());
};

class Cifar10Reader final : public ReaderAs<Cifar10Reader, Cifar10Options> {
 public:
  static constexpr std::string_view kType = "Cifar10";
  static constexpr std::string_view kDoc =
      "The 60000 small colour images of CIFAR-10, binary version; bytes (N, 32, 32, 3).";

  void check_options(std::string_view where, Problems& problems) const {
    require_option(options.path, "path", where, problems);
  }
  Files files(const fs::path& data_folder) const override {
    const fs::path folder = folder_of(data_folder);
    Files all;
    for (const char* name : kTrain) all.push_back({folder / name});
    all.push_back({folder / kTest});
    return all;
  }
  DataSet read(const fs::path& data_folder) const {
    const fs::path folder = folder_of(data_folder);
    std::vector<fs::path> train;
    for (const char* name : kTrain) train.push_back(folder / name);
    const std::array test{folder / kTest};
    DataSet set;
    set.splits["train"] = split(train);
    set.splits["test"] = split(test);
    set.classes = 10;
    set.class_names = names_in(folder / "batches.meta.txt");
    return set;
  }

 private:
  static constexpr std::array kTrain{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                     "data_batch_5.bin"};
  static constexpr const char* kTest = "test_batch.bin";

  fs::path folder_of(const fs::path& data_folder) const {
    return folder_with(data_folder / options.path, "cifar-10-batches-bin", kTest);
  }
  static Split split(std::span<const fs::path> paths) {
    CifarBatch batch = read_cifar(paths, Cifar::Ten);
    return {{"default", std::move(batch.images)}, {"targets", as_column(std::move(batch.labels))}};
  }
};

enum class Labels : std::uint8_t { Fine, Coarse };
std::span<const EnumName<Labels>> enum_names(Labels) {
  static constexpr std::array<EnumName<Labels>, 2> kNames{{{"fine", Labels::Fine}, {"coarse", Labels::Coarse}}};
  return kNames;
}

struct Cifar100Options : CommonOptions {
  std::string path = "cifar100/cifar-100-binary";
  Labels labels = Labels::Fine;
  static constexpr auto fields =
      std::tuple_cat(std::tuple{field("path", &Cifar100Options::path, "folder with train.bin and test.bin"),
                                field("labels", &Cifar100Options::labels, "fine (100 classes) or coarse (20)")},
                     CommonOptions::own_fields());
};

class Cifar100Reader final : public ReaderAs<Cifar100Reader, Cifar100Options> {
 public:
  static constexpr std::string_view kType = "Cifar100";
  static constexpr std::string_view kDoc =
      "The 60000 small colour images of CIFAR-100, binary version; bytes (N, 32, 32, 3), fine or coarse labels.";

  void check_options(std::string_view where, Problems& problems) const {
    require_option(options.path, "path", where, problems);
  }
  Files files(const fs::path& data_folder) const override {
    const fs::path folder = folder_of(data_folder);
    return {{folder / "train.bin"}, {folder / "test.bin"}};
  }
  DataSet read(const fs::path& data_folder) const {
    const fs::path folder = folder_of(data_folder);
    const bool fine = options.labels == Labels::Fine;
    DataSet set;
    set.splits["train"] = split(folder / "train.bin", fine);
    set.splits["test"] = split(folder / "test.bin", fine);
    set.classes = fine ? 100 : 20;
    set.class_names = names_in(folder / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"));
    return set;
  }

 private:
  fs::path folder_of(const fs::path& data_folder) const {
    return folder_with(data_folder / options.path, "cifar-100-binary", "train.bin");
  }
  static Split split(const fs::path& path, bool fine) {
    CifarBatch batch = read_cifar(std::span(&path, 1), Cifar::Hundred);
    return {{"default", std::move(batch.images)},
            {"targets", as_column(std::move(fine ? batch.labels : batch.coarse_labels))}};
  }
};

}  // namespace

void register_cifar_reader(Catalog& catalog) {
  catalog.of<Reader>().add<Cifar10Reader>();
  catalog.of<Reader>().add<Cifar100Reader>();
}

}  // namespace squall
