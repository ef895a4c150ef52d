#include "squall/io/readers.hpp"

#include <cmath>

#include "io/io_support.hpp"
#include "squall/io/cifar.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/npy.hpp"
#include "squall/io/reader.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

Catalog readers() {
  Catalog catalog;
  register_readers(catalog);
  return catalog;
}

std::unique_ptr<Reader> reader(const char* description) {
  const Catalog catalog = readers();
  return catalog.of<Reader>().make(parse_json(description, "test"), "data.x", catalog);
}

DataSet load(const char* description, const fs::path& folder = ".") { return reader(description)->load(folder); }

// Writes PREFIX-images/-labels with `n` images of 2 by 2 whose bytes are 10 * index + pixel, labels index % 4.
void write_idx(const TempFolder& folder, const std::string& prefix, std::uint32_t n) {
  std::string images = big_endian(0x803) + big_endian(n) + big_endian(2) + big_endian(2);
  std::string labels = big_endian(0x801) + big_endian(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    for (std::uint32_t p = 0; p < 4; ++p) images += static_cast<char>(10 * i + p);
    labels += static_cast<char>(i % 4);
  }
  folder.file(prefix + "-images-idx3-ubyte", images);
  folder.file(prefix + "-labels-idx1-ubyte", labels);
}

}  // namespace

TEST_CASE("IDX data sets have splits, shapes and classes") {
  const TempFolder folder;
  write_idx(folder, "mnist/train", 20);
  write_idx(folder, "mnist/t10k", 6);
  const DataSet set = load(R"({"@type": "Idx", "train": "mnist/train", "test": "mnist/t10k"})", folder.path());
  CHECK(set.array("train", "default").shape() == Shape{20, 2, 2, 1});
  CHECK(set.array("train", "default").dtype() == DType::U8);
  CHECK(set.array("test", "targets").shape() == Shape{6, 1});
  CHECK(set.array("test", "targets").dtype() == DType::I32);
  CHECK(set.array("test", "targets").value(5) == 1);
  CHECK(set.classes == 4);
  CHECK_FALSE(set.has_time);
  CHECK_FALSE(set.has("validation"));
  CHECK_THAT(message_of<DataError>([&] { static_cast<void>(set.split("validation")); }), Contains("test, train"));
}

TEST_CASE("the common options are applied in their order") {
  const TempFolder folder;
  write_idx(folder, "train", 20);
  const DataSet set = load(R"({"@type": "Idx", "train": "train", "classes": [3, 1], "examples": 8, "validation": 0.25,
                               "scale": 10, "mean": [1], "std": [2]})",
                           folder.path());
  // Of examples 1, 3, 5, 7, ... the first eight are kept, the last two of them are for validation.
  CHECK(set.array("train", "targets").doubles() == std::vector<double>{1, 0, 1, 0, 1, 0});
  CHECK(set.array("validation", "targets").doubles() == std::vector<double>{1, 0});
  CHECK(set.classes == 2);
  const HostArray& inputs = set.array("train", "default");
  CHECK(inputs.dtype() == DType::F32);
  CHECK(inputs.value(0) == Approx((10 / 10.0 - 1) / 2));
  CHECK(inputs.value(5) == Approx((31 / 10.0 - 1) / 2));
  CHECK(set.array("validation", "default").value(0) == Approx((130 / 10.0 - 1) / 2));
}

TEST_CASE("mean and std are per channel") {
  DataSet set;
  set.splits["train"]["default"] = HostArray::of(Shape{2, 1, 1, 2}, std::vector<std::uint8_t>{10, 20, 30, 40});
  CommonOptions options;
  options.mean = {10, 20};
  options.std = {2, 4};
  const DataSet done = prepare(set, options, "x");
  CHECK(done.array("train", "default").doubles() == std::vector<double>{0, 0, 10, 5});
  options.mean = {1, 2, 3};
  CHECK_THAT(message_of<ConfigError>([&] { prepare(set, options, "x"); }),
             Contains("'mean' has 3 numbers") && Contains("2 channels"));
}

TEST_CASE("images are resized with half-pixel centres") {
  const HostArray image = HostArray::of(Shape{1, 2, 2, 1}, std::vector<std::uint8_t>{0, 100, 200, 40});
  const HostArray larger = resize_bilinear(image, 4, 4);
  // Corners keep their value, 0.25 / 0.75 mixes between.
  const std::vector<double> expected{0, 25, 75, 100, 50, 58.75, 76.25, 85, 150, 126.25, 78.75, 55, 200, 160, 80, 40};
  REQUIRE(larger.shape() == Shape{1, 4, 4, 1});
  for (Index i = 0; i < 16; ++i) CHECK(larger.value(i) == Approx(expected[static_cast<std::size_t>(i)]));
  CHECK(resize_bilinear(larger, 2, 2).value(0) == Approx((0 + 25 + 50 + 58.75) / 4));
  CHECK(resize_bilinear(image, 2, 2).doubles() == image.doubles());
  const TempFolder folder;
  write_idx(folder, "train", 20);
  CHECK(load(R"({"@type": "Idx", "train": "train", "resize": [3, 5]})", folder.path())
            .array("train", "default")
            .shape() == Shape{20, 3, 5, 1});
}

TEST_CASE("wrong options are all told at once, with what is right") {
  const std::string said = message_of<ConfigError>([] {
    reader(
        R"({"@type": "Idx", "validation": 2, "resize": [1], "std": [0], "classes": [1, 1], "exmples": 3, "scale": 0})");
  });
  CHECK_THAT(said, Contains("'train' is needed") && Contains("'validation'") && Contains("'resize'") &&
                       Contains("'std'") && Contains("class 1 twice") && Contains("did you mean 'examples'") &&
                       Contains("'scale'"));
  CHECK_THAT(message_of<ConfigError>([] { reader(R"({"@type": "Mnist"})"); }),
             Contains("Cifar10, Cifar100, Csv, Hdf5, Idx"));
  CHECK_THAT(message_of<ConfigError>([] { reader(R"({"@type": "Synthetic", "set": "stroke"})"); }),
             Contains("did you mean 'strokes'"));
}

TEST_CASE("options that do not fit the data are errors") {
  const TempFolder folder;
  write_idx(folder, "train", 8);
  const auto said = [&](const char* description) {
    return message_of<ConfigError>([&] { load(description, folder.path()); });
  };
  CHECK_THAT(said(R"({"@type": "Idx", "train": "train", "classes": [1, 9]})"),
             Contains("class 9") && Contains("0 to 3"));
  CHECK_THAT(said(R"({"@type": "Idx", "train": "train", "examples": 9})"), Contains("there are 8"));
  CHECK_THAT(said(R"({"@type": "Idx", "train": "train", "validation": 0.01})"), Contains("empty"));
}

TEST_CASE("missing files are told without reading anything") {
  const TempFolder folder;
  Problems problems;
  reader(R"({"@type": "Idx", "train": "a", "test": "b"})")->check_files(folder.path(), "data.x", problems);
  reader(R"({"@type": "Cifar10", "path": "c"})")->check_files(folder.path(), "data.y", problems);
  reader(R"({"@type": "Synthetic"})")->check_files(folder.path(), "data.z", problems);
  REQUIRE(problems.all().size() == 4 + 6);
  CHECK_THAT(problems.all()[0], Contains("data.x") && Contains("a-images-idx3-ubyte'") && Contains("ubyte.gz'"));
  CHECK_THAT(message_of<FileError>([&] { load(R"({"@type": "Cifar10", "path": "c"})", folder.path()); }),
             Contains("data_batch_1.bin"));
}

TEST_CASE("CIFAR folders are read") {
  const TempFolder folder;
  const auto records = [](int labels, int n) {
    std::string file;
    for (int i = 0; i < n; ++i)
      file += std::string(static_cast<std::size_t>(labels), static_cast<char>(i)) + std::string(3072, 'x');
    return file;
  };
  for (const char* name :
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"})
    folder.file(concat("c10/cifar-10-batches-bin/", name, ".bin"), records(1, 3));
  folder.file("c10/cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\nbird\n\n");
  for (const char* path : {"c10", "c10/cifar-10-batches-bin"}) {
    const DataSet set = load(concat(R"({"@type": "Cifar10", "path": ")", path, "\"}").c_str(), folder.path());
    CHECK(set.array("train", "default").shape() == Shape{15, 32, 32, 3});
    CHECK(set.examples("test") == 3);
    CHECK(set.classes == 10);
    CHECK(set.class_names[2] == "bird");
  }
  folder.file("c100/train.bin", records(2, 5));
  folder.file("c100/test.bin", records(2, 2));
  CHECK(load(R"({"@type": "Cifar100", "path": "c100"})", folder.path()).classes == 100);
  CHECK(load(R"({"@type": "Cifar100", "path": "c100", "labels": "coarse"})", folder.path()).classes == 20);
  folder.file("c10/cifar-10-batches-bin/data_batch_4.bin", records(1, 3) + "x");
  CHECK_THAT(message_of<FileError>([&] { load(R"({"@type": "Cifar10", "path": "c10"})", folder.path()); }),
             Contains("data_batch_4.bin"));
}

TEST_CASE("HDF5 data sets in brainstorm's layout") {
  const TempFolder folder;
  H5Writer writer;
  for (const char* split : {"training", "validation", "test"}) {
    writer.write(h5_path({"normalized_split", split, "default"}),
                 HostArray::of(Shape{1, 3, 2}, std::vector<double>{0, .5, 1, 1.5, 2, 2.5}), {3});
    writer.write(h5_path({"normalized_split", split, "targets"}),
                 HostArray::of(Shape{1, 3, 1}, std::vector<float>{2, 0, 1}));
    writer.write(h5_path({"split", split, "default"}), HostArray(DType::U8, {4, 3, 1}));
    writer.write(h5_path({"split", split, "targets"}), HostArray(DType::U8, {4, 3, 1}));
    writer.write(h5_path({"split", split, "mask"}), HostArray(DType::F64, {4, 3, 1}));
  }
  write_file_atomically(folder / "a.hdf5", writer.finish());
  const DataSet still = load(R"({"@type": "Hdf5", "path": "a.hdf5"})", folder.path());
  CHECK(still.array("train", "default") == HostArray::of(Shape{3, 2}, std::vector<float>{0, .5, 1, 1.5, 2, 2.5}));
  CHECK(still.array("validation", "targets") == HostArray::of(Shape{3, 1}, std::vector<std::int32_t>{2, 0, 1}));
  CHECK(still.classes == 3);
  CHECK_FALSE(still.has_time);
  const DataSet values = load(R"({"@type": "Hdf5", "path": "a.hdf5", "targets_are": "values"})", folder.path());
  CHECK(values.classes == 0);
  CHECK(values.array("test", "targets").dtype() == DType::F32);
  const DataSet moving = load(R"({"@type": "Hdf5", "path": "a.hdf5", "group": "/split/"})", folder.path());
  CHECK(moving.has_time);
  CHECK(moving.examples("train") == 3);
  CHECK(moving.array("train", "default").shape() == Shape{4, 3, 1});
  CHECK(moving.array("train", "mask").dtype() == DType::F32);
  const DataSet fewer = load(R"({"@type": "Hdf5", "path": "a.hdf5", "group": "split", "examples": 2})", folder.path());
  CHECK(fewer.array("train", "targets").shape() == Shape{4, 2, 1});
  CHECK_THAT(
      message_of<FileError>([&] { load(R"({"@type": "Hdf5", "path": "a.hdf5", "group": "splt"})", folder.path()); }),
      Contains("no group '/splt'") && Contains("normalized_split, split"));
  CHECK_THAT(message_of<ConfigError>(
                 [&] { load(R"({"@type": "Hdf5", "path": "a.hdf5", "validation": 0.5})", folder.path()); }),
             Contains("validation examples of its own"));
}

TEST_CASE("a saved data set is loaded as it was") {
  const TempFolder folder;
  for (const char* description :
       {R"({"@type": "Synthetic", "set": "strokes", "examples": 20, "validation": 0.2, "test_examples": 5})",
        R"({"@type": "Synthetic", "set": "sine", "examples": 20, "test_examples": 5})"}) {
    const DataSet set = load(description);
    save_data_set(folder / "a.h5", set, "normalized_split", "drawn");
    const DataSet again = load(R"({"@type": "Hdf5", "path": "a.h5"})", folder.path());
    CHECK(again.splits == set.splits);
    CHECK(H5Reader(folder / "a.h5").attribute_text("/", "description") == "drawn");
  }
}

TEST_CASE("npy data sets") {
  const TempFolder folder;
  write_npy(folder / "x.npy", HostArray::of(Shape{3, 2}, std::vector<double>{1, 2, 3, 4, 5, 6}));
  write_npy(folder / "y.npy", HostArray::of(Shape{3}, std::vector<std::int32_t>{0, 2, 1}));
  write_npy(folder / "v.npy", HostArray::of(Shape{3, 2}, std::vector<double>{.5, 1, 0, 0, 1, 1}));
  const DataSet set = load(R"({"@type": "Npy", "train": "x.npy", "train_targets": "y.npy"})", folder.path());
  CHECK(set.classes == 3);
  CHECK(set.array("train", "default").dtype() == DType::F32);
  CHECK(set.array("train", "targets").shape() == Shape{3, 1});
  const DataSet values = load(R"({"@type": "Npy", "train": "x.npy", "train_targets": "v.npy", "test": "x.npy",
                                  "test_targets": "v.npy"})",
                              folder.path());
  CHECK(values.classes == 0);
  CHECK(values.array("test", "targets").shape() == Shape{3, 2});
  CHECK_THAT(message_of<DataError>([&] {
               load(R"({"@type": "Npy", "train": "x.npy", "train_targets": "v.npy", "targets_are": "classes"})",
                    folder.path());
             }),
             Contains("not classes"));
  write_npy(folder / "y.npy", HostArray::of(Shape{2}, std::vector<std::int32_t>{0, 2}));
  CHECK_THAT(message_of<DataError>(
                 [&] { load(R"({"@type": "Npy", "train": "x.npy", "train_targets": "y.npy"})", folder.path()); }),
             Contains("x.npy") && Contains("y.npy") && Contains("same number"));
}

TEST_CASE("tables as data sets") {
  const TempFolder folder;
  folder.file("a.csv", "width,kind,height\n1,0,2\n3,1,4\n5,1,6\n");
  folder.file("b.csv", "width,kind,height\n7,0,8\n");
  const DataSet set = load(R"({"@type": "Csv", "train": "a.csv", "test": "b.csv", "targets": "kind"})", folder.path());
  CHECK(set.array("train", "default") == HostArray::of(Shape{3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  CHECK(set.array("train", "targets") == HostArray::of(Shape{3, 1}, std::vector<std::int32_t>{0, 1, 1}));
  CHECK(set.examples("test") == 1);
  const DataSet last = load(R"({"@type": "Csv", "train": "a.csv", "targets_are": "values"})", folder.path());
  CHECK(last.array("train", "targets").doubles() == std::vector<double>{2, 4, 6});
  const DataSet two = load(R"({"@type": "Csv", "train": "a.csv", "targets": ["height", 0]})", folder.path());
  CHECK(two.array("train", "targets").doubles() == std::vector<double>{2, 1, 4, 3, 6, 5});
  const auto said = [&](const char* description) {
    return message_of<DataError>([&] { load(description, folder.path()); });
  };
  CHECK_THAT(said(R"({"@type": "Csv", "train": "a.csv", "targets": "kin"})"), Contains("width, kind, height"));
  CHECK_THAT(said(R"({"@type": "Csv", "train": "a.csv", "targets": 3})"), Contains("3 columns"));
  folder.file("b.csv", "width,height\n7,0\n");
  CHECK_THAT(said(R"({"@type": "Csv", "train": "a.csv", "test": "b.csv"})"), Contains("columns"));
}

TEST_CASE("text as a data set") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>('a' + i % 7);
  folder.file("t.txt", text);
  const DataSet set =
      load(R"({"@type": "Text", "path": "t.txt", "length": 5, "strands": 4, "test": 0.1, "validation": 0.2})",
           folder.path());
  CHECK(set.has_time);
  CHECK(set.classes == 7);
  CHECK(set.class_names.front() == "a");
  CHECK(set.array("train", "default").shape() == Shape{5, 140, 1});
  CHECK(set.array("validation", "default").shape() == Shape{5, 40, 1});
  CHECK(set.array("test", "targets").shape() == Shape{5, 20, 1});
  for (Index i = 0; i < 700; ++i)
    REQUIRE(set.array("train", "targets").value(i) == std::fmod(set.array("train", "default").value(i) + 1, 7));
  CHECK_THAT(message_of<DataError>([&] { load(R"({"@type": "Text", "path": "t.txt"})", folder.path()); }),
             Contains("t.txt") && Contains("'train'") && Contains("lower 'strands'"));
}

TEST_CASE("every reader describes itself and keeps its options") {
  const Catalog catalog = readers();
  const auto& family = catalog.of<Reader>();
  CHECK(family.names() ==
        std::vector<std::string>{"Cifar10", "Cifar100", "Csv", "Hdf5", "Idx", "Npy", "Synthetic", "Text"});
  for (const std::string& name : family.names()) {
    CHECK(family.doc(name).doc.size() > 20);
    for (const OptionDoc& option : family.doc(name).options) CHECK(option.doc.size() > 8);
  }
  const json description = parse_json(
      R"({"@type": "Synthetic", "set": "textures", "classes": [1, 2], "scale": 255.0, "augment": [{"@type": "Pad"}]})",
      "test");
  CHECK(catalog.of<Reader>().make(description, "data", catalog)->describe().size() == description.size());
  CHECK(catalog.of<Reader>().make(description, "data", catalog)->common().augment.size() == 1);
}
