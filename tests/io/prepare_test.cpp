// Well-known data sets as HDF5 files in brainstorm's layout, read back as they are.
#include "squall/io/prepare.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <set>

#include "io/io_support.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/reader.hpp"
#include "squall/io/readers.hpp"
#include "squall/io/text.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

std::unique_ptr<Reader> reader(const std::string& description) {
  static const Catalog catalog = [] {
    Catalog c;
    register_readers(c);
    return c;
  }();
  return catalog.of<Reader>().make(parse_json(description, "test"), "data.x", catalog);
}

// `n` images of 2 by 2: bytes 10 * index + pixel, labels index % 4.
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

// Records of CIFAR: `labels` label bytes (the last one is index % 10), red planes of index, green of 2 index, blue
// of 7.
std::string cifar(int first, int count, int labels) {
  std::string out;
  for (int i = first; i < first + count; ++i) {
    if (labels == 2) out += static_cast<char>(i % 3);
    out += static_cast<char>(i % 10);
    for (const int value : {i, 2 * i, 7}) out += std::string(1024, static_cast<char>(value));
  }
  return out;
}

}  // namespace

TEST_CASE("IDX images become a file in brainstorm's layout") {
  const TempFolder folder;
  write_idx(folder, "mnist/train", 20);
  write_idx(folder, "mnist/t10k", 6);
  const PreparedFile made = prepare_idx(folder / "mnist", folder / "MNIST.hdf5", 4);
  CHECK(made.examples == std::vector<std::pair<std::string, Index>>{{"training", 16}, {"validation", 4}, {"test", 6}});
  const H5Reader file(folder / "MNIST.hdf5");
  CHECK(file.shape("/normalized_split/training/default") == Shape{1, 16, 2, 2, 1});
  CHECK(file.shape("/normalized_split/validation/targets") == Shape{1, 4, 1});
  CHECK(file.shape("/normalized_split/test/default") == Shape{1, 6, 2, 2, 1});
  CHECK(file.shape("/normalized_full/training/default") == Shape{1, 20, 2, 2, 1});
  CHECK(file.shape("/normalized_full/test/targets") == Shape{1, 6, 1});
  CHECK(file.has_attribute("/", "description"));
  CHECK(file.read("/normalized_split/validation/default").value(0) == Approx(160 / 255.0));
  CHECK(file.read("/normalized_split/validation/targets").doubles() == std::vector<double>{0, 1, 2, 3});
  CHECK_THAT(message_of<ConfigError>([&] { prepare_idx(folder / "mnist", folder / "x.hdf5", 20); }), Contains("20"));
  CHECK_FALSE(fs::exists(folder / "x.hdf5"));
}

TEST_CASE("CIFAR images are normalised by the pixels of the training part") {
  const TempFolder folder;
  for (int i = 1; i <= 5; ++i) folder.file("c/data_batch_" + std::to_string(i) + ".bin", cifar(4 * (i - 1), 4, 1));
  folder.file("c/test_batch.bin", cifar(30, 3, 1));
  prepare_cifar(folder / "c", Cifar::Ten, folder / "out.hdf5", 5);
  const H5Reader file(folder / "out.hdf5");
  CHECK(file.shape("/normalized_split/training/default") == Shape{1, 15, 32, 32, 3});
  CHECK(file.shape("/normalized_full/training/default") == Shape{1, 20, 32, 32, 3});
  const HostArray mean = file.attribute_array("/", "mean");
  const HostArray deviation = file.attribute_array("/", "std");
  CHECK(mean.shape() == Shape{32, 32, 3});
  CHECK(mean.value(0) == Approx(7));  // of 0 .. 14
  CHECK(mean.value(1) == Approx(14));
  CHECK(deviation.value(0) == Approx(std::sqrt(224.0 / 12)));
  const HostArray images = file.read("/normalized_split/validation/default");
  CHECK(images.value(0) == Approx((15 - 7) / std::sqrt(224.0 / 12)));
  CHECK(images.value(1) == Approx((30 - 14) / (2 * std::sqrt(224.0 / 12))));
  CHECK(images.value(2) == 0);  // never changes
  CHECK(file.read("/normalized_split/test/targets").doubles() == std::vector<double>{0, 1, 2});
}

TEST_CASE("CIFAR-100 keeps its fine classes") {
  const TempFolder folder;
  folder.file("c/train.bin", cifar(0, 12, 2));
  folder.file("c/test.bin", cifar(14, 2, 2));
  prepare_cifar(folder / "c", Cifar::Hundred, folder / "out.hdf5", 2);
  const H5Reader file(folder / "out.hdf5");
  CHECK(file.read("/normalized_split/validation/targets").doubles() == std::vector<double>{0, 1});
  CHECK(file.read("/normalized_full/test/targets").doubles() == std::vector<double>{4, 5});
}

TEST_CASE("text becomes strands that continue from batch to batch") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 500; ++i) text += static_cast<char>('a' + i * 7 % 26);
  folder.file("t.txt", text);
  prepare_text(folder / "t.txt", folder / "t.hdf5", {.length = 10, .strands = 4, .validation = 50, .test = 50});
  const H5Reader file(folder / "t.hdf5");
  CHECK(file.shape("/split/training/default") == Shape{10, 40, 1});
  CHECK(file.shape("/split/validation/targets") == Shape{10, 4, 1});
  const HostArray alphabet = file.attribute_array("/", "unique");
  CHECK(alphabet.elements() == 26);
  const HostArray symbols = file.read("/split/training/default");
  const HostArray next = file.read("/split/training/targets");
  const auto letter = [&](const HostArray& a, Index t, Index n) {
    return static_cast<char>(alphabet.value(static_cast<Index>(a.value(t * 40 + n))));
  };
  // Four strands of 100; sequence 4 k + s is piece k of strand s.
  for (const Index s : {0, 1, 3})
    for (const Index k : {0, 1, 9})
      for (const Index t : {0, 4, 9}) {
        const auto at = static_cast<std::size_t>(100 * s + 10 * k + t);
        CHECK(letter(symbols, t, 4 * k + s) == text[at]);
        CHECK(letter(next, t, 4 * k + s) == text[at + 1]);
      }
  const HostArray last = file.read("/split/test/targets");
  CHECK(last.value(last.elements() - 1) != 0);  // 4 strands of 10 leave ten symbols behind the last
  prepare_text(folder / "t.txt", folder / "u.hdf5", {.length = 10, .strands = 5, .validation = 50, .test = 50});
  const HostArray end = H5Reader(folder / "u.hdf5").read("/split/test/targets");
  CHECK(end.value(end.elements() - 1) == 0);  // nothing follows the text
  CHECK_THAT(message_of<DataError>([&] { prepare_text(folder / "t.txt", folder / "v.hdf5", {.length = 100}); }),
             Contains("training") && Contains("strands"));
  CHECK_FALSE(fs::exists(folder / "v.hdf5"));
}

TEST_CASE("prepared files are read by Hdf5 as they are whether loaded or block by block") {
  const TempFolder folder;
  write_idx(folder, "mnist/train", 20);
  write_idx(folder, "mnist/t10k", 6);
  prepare_idx(folder / "mnist", folder / "MNIST.hdf5", 4);
  const DataSet set = reader(R"({"@type": "Hdf5", "path": "MNIST.hdf5", "scale": 2})")->load(folder.path());
  CHECK_FALSE(reader(R"({"@type": "Hdf5", "path": "MNIST.hdf5"})")->open(folder.path()).has_value());
  const auto stored =
      reader(R"({"@type": "Hdf5", "path": "MNIST.hdf5", "scale": 2, "lazy": true})")->open(folder.path());
  REQUIRE(stored.has_value());
  CHECK(set.array("train", "default").shape() == Shape{16, 2, 2, 1});
  CHECK(stored->classes == set.classes);
  CHECK_FALSE(stored->has_time);
  for (const char* split : {"train", "validation", "test"}) {
    const auto& s = *stored->splits.at(split);
    CHECK(s.examples() == set.examples(split));
    const Split part = s.read(1, 3);
    for (const char* name : {"default", "targets"}) {
      const HostArray& whole = set.array(split, name);
      CHECK(part.at(name) == HostArray::copy_of(whole.view().slice(1, 3)));
    }
  }
}

TEST_CASE("a stored set knows the first examples and those set apart") {
  const TempFolder folder;
  write_idx(folder, "mnist/train", 20);
  write_idx(folder, "mnist/t10k", 6);
  prepare_idx(folder / "mnist", folder / "m.hdf5", 0);
  const char* options = R"({"@type": "Hdf5", "path": "m.hdf5", "examples": 10, "validation": 0.3, "lazy": true})";
  const auto stored = reader(options)->open(folder.path());
  const DataSet set = reader(options)->load(folder.path());
  CHECK(stored->splits.at("train")->examples() == 7);
  CHECK(stored->splits.at("validation")->examples() == 3);
  CHECK(stored->splits.at("validation")->read(0, 3).at("default") == set.array("validation", "default"));
  CHECK_THAT(message_of<ConfigError>([&] {
               reader(R"({"@type": "Hdf5", "path": "m.hdf5", "classes": [1], "lazy": true})")->open(folder.path());
             }),
             Contains("lazy"));
}

TEST_CASE("arrays are split at rounded boundaries and shuffled together") {
  Split arrays;
  arrays["default"] = HostArray(DType::F32, {2, 25, 3});
  arrays["targets"] = HostArray(DType::I32, {2, 25, 1});
  for (Index t = 0; t < 2; ++t)
    for (Index n = 0; n < 25; ++n) {
      for (Index f = 0; f < 3; ++f) arrays["default"].set_value((t * 25 + n) * 3 + f, static_cast<double>(100 * t + n));
      arrays["targets"].set_value(t * 25 + n, static_cast<double>(100 * t + n));
    }
  const auto sizes = [&](std::vector<double> ratios) {
    std::vector<Index> out;
    for (const auto& part : split_arrays(arrays, 1, ratios)) out.push_back(part.at("targets").shape()[1]);
    return out;
  };
  CHECK(sizes({9, 1}) == std::vector<Index>{22, 3});  // 22.5 rounds to the even number
  CHECK(sizes({7, 3}) == std::vector<Index>{18, 7});  // 17.5
  CHECK(sizes({1, 1, 1}) == std::vector<Index>{8, 9, 8});
  CHECK(split_arrays(arrays, 1, std::vector<double>{9, 1})[1].at("targets").value(0) == 22);

  const Split shuffled = shuffle_arrays(arrays, 1, 5);
  std::set<double> seen;
  bool moved = false;
  for (Index n = 0; n < 25; ++n) {
    const double label = shuffled.at("targets").value(n);
    seen.insert(label);
    moved = moved || label != static_cast<double>(n);
    CHECK(shuffled.at("default").value(3 * n) == label);
    CHECK(shuffled.at("targets").value(25 + n) == 100 + label);
  }
  CHECK(seen.size() == 25);
  CHECK(moved);
  CHECK(shuffle_arrays(arrays, 1, 5) == shuffled);
  CHECK_FALSE(shuffle_arrays(arrays, 1, 6) == shuffled);
  CHECK_THAT(message_of<ConfigError>([&] { sizes({1, 0}); }), Contains("positive"));
  arrays["targets"] = HostArray(DType::I32, {2, 24, 1});
  CHECK_THAT(message_of<DataError>([&] { shuffle_arrays(arrays, 1, 5); }), Contains("25"));
}

TEST_CASE("text can be all bytes or encoded when it is read or drawn") {
  const TempFolder folder;
  folder.file("t.txt", std::string(300, 'b') + std::string(300, 'a'));
  const DataSet bytes =
      reader(R"({"@type": "Text", "path": "t.txt", "all_bytes": true, "length": 5, "strands": 2, "test": 0.1})")
          ->load(folder.path());
  CHECK(bytes.classes == 256);
  CHECK(bytes.array("train", "default").value(0) == 'b');
  const auto encoded =
      reader(R"({"@type": "Text", "path": "t.txt", "one_hot": 3, "length": 5, "strands": 2, "test": 0.1})")
          ->open(folder.path());
  REQUIRE(encoded.has_value());
  const Split part = encoded->splits.at("train")->read(0, 2);
  CHECK(part.at("default").shape() == Shape{5, 2, 3});
  CHECK(part.at("default").value(1) == 1);  // 'b' is the second of the alphabet
  CHECK(part.at("default").value(0) == 0);
  CHECK(part.at("targets").shape() == Shape{5, 2, 1});
  CHECK_THAT(message_of<DataError>([&] {
               reader(R"({"@type": "Text", "path": "t.txt", "one_hot": 1, "length": 5, "strands": 2})")
                   ->open(folder.path())
                   ->splits.at("train")
                   ->read(0, 2);
             }),
             Contains("one_hot"));
}

TEST_CASE("a drawn text is the same for a seed and has the statistics of a language") {
  const Bytes text = draw_text(20000, 3);
  CHECK(text.size() == 20000);
  CHECK(draw_text(20000, 3) == text);
  CHECK_FALSE(draw_text(20000, 4) == text);
  CHECK(draw_text(100, 3) == Bytes(text.begin(), text.begin() + 100));
  std::vector<double> count(256, 0);
  for (const std::byte b : text) count[static_cast<std::size_t>(b)] += 1;
  double entropy = 0;
  for (const double n : count)
    if (n > 0) entropy -= n / 20000 * std::log2(n / 20000);
  CHECK(entropy > 3.5);
  CHECK(entropy < 4.8);
  CHECK(count['('] > 5);
  CHECK(std::abs(count['('] - count[')']) <= 2);
}

TEST_CASE("files larger than memory are written to disk piece by piece") {
  const TempFolder folder;
  folder.file("x.h5", "what was there");
  HostArray part(DType::I32, {2, 3});
  {
    H5DiskWriter file(folder / "x.h5");
    for (Index i = 0; i < 4; ++i) {
      for (Index k = 0; k < 6; ++k) part.set_value(k, static_cast<double>(10 * i + k));
      file.append("/g/a", part.view(), 1, {4}, 2);
    }
    file.link("/g/a", "/h/b");
    CHECK(content_of(folder / "x.h5") == "what was there");
    CHECK_THAT(message_of<FileError>([&] {
                 file.append("/g/a", HostArray(DType::I32, {3, 3}).view(), 1, {4});
               }),
               Contains("/g/a"));
    file.commit();
  }
  const H5Reader file(folder / "x.h5");
  CHECK(file.shape("/g/a") == Shape{2, 12});
  CHECK(file.read("/h/b").value(12 + 9) == 33);
  CHECK(file.read("/h/b").value(3) == 10);
  {
    H5DiskWriter given_up(folder / "y.h5");
    given_up.append("/a", part.view(), 0, {0});
  }
  CHECK(folder.names() == std::vector<std::string>{"x.h5"});
  CHECK_THROWS_AS(H5DiskWriter(folder / "no/such/folder.h5"), FileError);
}

TEST_CASE("what a killed process left beside a file on disk goes and what a living one writes stays") {
  const TempFolder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    H5DiskWriter file(folder / "x.h5");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  const std::string left = concat("x.h5.", child, ".tmp");
  CHECK(folder.names() == std::vector<std::string>{left});
  // Of a process that runs (the first one of the system), and a file that only looks alike.
  folder.file("x.h5.1.tmp", "");
  folder.file("x.h5.old.tmp", "");
  {
    H5DiskWriter other(folder / "y.h5");
    H5DiskWriter file(folder / "x.h5");
    file.append("/a", HostArray(DType::I32, {2, 3}).view(), 0, {0});
    file.commit();
  }
  CHECK(folder.names() == std::vector<std::string>{"x.h5", "x.h5.1.tmp", "x.h5.old.tmp"});
  // Locked: by a process of another machine or container.
  folder.file(left, "");
  const int held = ::open((folder / left).c_str(), O_RDONLY);
  REQUIRE(::flock(held, LOCK_EX) == 0);
  { H5DiskWriter(folder / "x.h5"); }
  CHECK(folder.names() == std::vector<std::string>{"x.h5", "x.h5.1.tmp", left, "x.h5.old.tmp"});
  ::close(held);
  { H5DiskWriter(folder / "x.h5"); }
  CHECK(folder.names() == std::vector<std::string>{"x.h5", "x.h5.1.tmp", "x.h5.old.tmp"});
}
