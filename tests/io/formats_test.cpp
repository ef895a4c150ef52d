#include <numeric>

#include "io/io_support.hpp"
#include "io/python.hpp"
#include "squall/io/cifar.hpp"
#include "squall/io/csv.hpp"
#include "squall/io/idx.hpp"
#include "squall/io/npy.hpp"
#include "squall/io/text.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

std::string idx_images(std::uint32_t n, std::uint32_t height, std::uint32_t width) {
  std::string file = big_endian(0x803) + big_endian(n) + big_endian(height) + big_endian(width);
  for (std::uint32_t i = 0; i < n * height * width; ++i) file += static_cast<char>(i);
  return file;
}
std::string idx_labels(std::uint32_t n) {
  std::string file = big_endian(0x801) + big_endian(n);
  for (std::uint32_t i = 0; i < n; ++i) file += static_cast<char>(i % 10);
  return file;
}
HostArray idx(const std::string& file) { return parse_idx(bytes_of(file), "file.idx"); }
HostArray npy(const std::string& file) { return parse_npy(bytes_of(file), "file.npy"); }
std::string said_of_idx(const std::string& file) {
  return message_of<FileError>([&] { idx(file); });
}
std::string said_of_npy(const std::string& file) {
  return message_of<FileError>([&] { npy(file); });
}

// A version 1 file with the given dictionary and data.
std::string npy_file(const std::string& dictionary, const std::string& data) {
  std::string file = std::string("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(dictionary.size());
  file += '\0';
  return file + dictionary + data;
}

std::string cifar_record(std::string labels, char red, char green, char blue) {
  return labels + std::string(1024, red) + std::string(1024, green) + std::string(1024, blue);
}

}  // namespace

TEST_CASE("IDX images and labels are read as a pair, plain or packed") {
  const TempFolder folder;
  folder.file("train-images-idx3-ubyte", idx_images(12, 2, 3));
  folder.file("train-labels-idx1-ubyte", idx_labels(12));
  const IdxPair pair = read_idx_pair(folder / "train");
  CHECK(pair.images.shape() == Shape{12, 2, 3});
  CHECK(pair.images.dtype() == DType::U8);
  CHECK(pair.images.value(71) == 71);
  CHECK(pair.labels.value(11) == 1);
  REQUIRE(std::system(("gzip '" + (folder / "train-images-idx3-ubyte").string() + "'").c_str()) == 0);
  CHECK(idx_images_file(folder / "train").extension() == ".gz");
  CHECK(read_idx_pair(folder / "train").images == pair.images);

  folder.file("train-labels-idx1-ubyte", idx_labels(11));
  CHECK_THAT(message_of<FileError>([&] { read_idx_pair(folder / "train"); }),
             Contains("has 12 images") && Contains("has 11 labels"));
  folder.file("train-labels-idx1-ubyte", idx_images(12, 1, 1));
  CHECK_THAT(message_of<FileError>([&] { read_idx_pair(folder / "train"); }), Contains("should hold labels"));
  CHECK_THAT(message_of<FileError>([&] { read_idx_pair(folder / "t10k"); }), Contains("t10k-images-idx3-ubyte"));
}

TEST_CASE("IDX files of other element types") {
  const auto file = [](char type, const std::string& data) {
    return std::string("\0\0", 2) + type + '\1' + big_endian(1) + data;
  };
  CHECK(idx(file(9, "\xFE")) == HostArray::of(Shape{1}, std::vector<std::int32_t>{-2}));
  CHECK(idx(file(0xB, "\xFF\x01")) == HostArray::of(Shape{1}, std::vector<std::int32_t>{-255}));
  CHECK(idx(file(0xC, big_endian(70000))) == HostArray::of(Shape{1}, std::vector<std::int32_t>{70000}));
  CHECK(idx(file(0xD, big_endian(0x3FC00000))) == HostArray::of(Shape{1}, std::vector<float>{1.5F}));
  CHECK(idx(file(0xE, big_endian(0x3FF80000) + big_endian(0))) == HostArray::of(Shape{1}, std::vector<double>{1.5}));
}

TEST_CASE("malformed IDX files are errors") {
  const std::string good = idx_images(3, 4, 5);
  CHECK_THAT(said_of_idx(good.substr(0, 50)),
             Contains("has 50 bytes") && Contains("should have 76") && Contains("cut off"));
  CHECK_THAT(said_of_idx(good + "x"), Contains("has 77 bytes") && Contains("should have 76"));
  CHECK_THAT(said_of_idx("PNG file"), Contains("not an IDX file") && Contains("0x504e4720"));
  CHECK_THAT(said_of_idx(""), Contains("too short"));
  CHECK_THAT(said_of_idx(good.substr(0, 9)), Contains("too short"));
  CHECK_THAT(said_of_idx(big_endian(0x803) + std::string(12, '\xFF')), Contains("absurdly"));
  CHECK(read_mutations(good.substr(0, 40), [](const std::string& bad) { idx(bad); }) > 0);
}

TEST_CASE("a packed IDX file that claims to be huge is refused before memory is taken") {
  const TempFolder folder;
  folder.file("a", big_endian(0x803) + big_endian(1U << 20) + big_endian(1U << 15) + big_endian(1U << 15) + "x");
  REQUIRE(std::system(("gzip '" + (folder / "a").string() + "'").c_str()) == 0);
  CHECK_THAT(message_of<FileError>([&] { read_idx(folder / "a.gz"); }), Contains("cut off"));
}

TEST_CASE("npy files come back, and NumPy reads and writes the same") {
  const TempFolder folder;
  const HostArray arrays[] = {HostArray::of(Shape{2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6.5F}),
                              HostArray::of(Shape{1}, std::vector<double>{-0.25}),
                              HostArray::of(Shape{2}, std::vector<std::int32_t>{-7, 1 << 30}),
                              HostArray::of(Shape{2, 1, 2}, std::vector<std::uint8_t>{0, 1, 254, 255}),
                              HostArray::of(Shape{}, std::vector<float>{3}),
                              HostArray(DType::F32, {0, 4})};
  for (const HostArray& array : arrays) {
    write_npy(folder / "a.npy", array);
    CHECK(read_npy(folder / "a.npy") == array);
    CHECK(content_of(folder / "a.npy").find('\n') % 64 == 63);
  }
  if (!python_has("numpy")) {
    WARN("no /usr/bin/python3 with numpy: the exchange with it is not checked");
    return;
  }
  write_npy(folder / "a.npy", arrays[0]);
  write_npy(folder / "s.npy", arrays[4]);
  CHECK(run_python(folder.path(), R"(
import numpy as np
a = np.load('a.npy'); assert a.dtype == np.float32 and a.tolist() == [[1, 2, 3], [4, 5, 6.5]]
assert np.load('s.npy').shape == ()
base = np.arange(24).reshape(2, 3, 4)
for t in 'f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 >f4 >f8 >i2 >i8 >u2'.split():
    np.save('c_' + t + '.npy', base.astype(t)); np.save('f_' + t + '.npy', np.asfortranarray(base.astype(t)))
for v in (1, 2, 3):
    np.lib.format.write_array(open('v%d.npy' % v, 'wb'), base.astype('f4'), version=(v, 0))
np.save('half.npy', base.astype('f2')); np.save('text.npy', np.array(['a'])); np.save('fields.npy', np.zeros(2, 'i4,f4'))
np.save('large.npy', np.array([2**31])); np.save('big.npy', np.array([2**63], 'u8'))
)") == "");
  std::vector<double> base(24);
  std::iota(base.begin(), base.end(), 0.0);
  for (const char* t :
       {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", ">f4", ">f8", ">i2", ">i8", ">u2"})
    for (const char* order : {"c_", "f_"}) {
      const HostArray read = read_npy(folder / (std::string(order) + t + ".npy"));
      REQUIRE(read.shape() == Shape{2, 3, 4});
      if (std::string(t) != "b1") CHECK(read.doubles() == base);
      CHECK(read.dtype() == (std::string(t).ends_with("f4")                     ? DType::F32
                             : std::string(t).ends_with("f8")                   ? DType::F64
                             : std::string(t) == "u1" || std::string(t) == "b1" ? DType::U8
                                                                                : DType::I32));
    }
  for (const char* version : {"v1.npy", "v2.npy", "v3.npy"}) CHECK(read_npy(folder / version).doubles() == base);
  CHECK_THAT(message_of<FileError>([&] { read_npy(folder / "half.npy"); }), Contains("'<f2'") && Contains("float32"));
  CHECK_THAT(message_of<FileError>([&] { read_npy(folder / "fields.npy"); }), Contains("structured"));
  CHECK_THAT(message_of<FileError>([&] { read_npy(folder / "large.npy"); }), Contains("element 0 is 2147483648"));
  CHECK_THROWS_AS(read_npy(folder / "text.npy"), FileError);
  CHECK_THROWS_AS(read_npy(folder / "big.npy"), FileError);
}

TEST_CASE("malformed npy files are errors with a position") {
  CHECK_THAT(said_of_npy("hello"), Contains("does not begin with"));
  CHECK_THAT(said_of_npy(std::string("\x93NUMPY\x09\x00\x01\x00{", 11)), Contains("version 9"));
  CHECK_THAT(said_of_npy(std::string("\x93NUMPY\x01\x00\xFF\xFF{", 11)), Contains("cut off within its header"));
  CHECK_THAT(said_of_npy(std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF{", 13)), Contains("4294967295 bytes"));
  CHECK_THAT(said_of_npy(npy_file("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}", "abcd")),
             Contains("character 35") && Contains("True or False"));
  CHECK_THAT(said_of_npy(npy_file("{'descr': '<f4', 'shape': (1,)}", "abcd")), Contains("missing"));
  CHECK_THAT(said_of_npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "")), Contains("extent"));
  CHECK_THAT(said_of_npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "abcd")),
             Contains("does not have the 4 bytes"));
  CHECK_THAT(
      said_of_npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,4)}", "abcd")),
      Contains("shape"));
  CHECK_THAT(said_of_npy(npy_file("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "abcd")), Contains("'|O'"));
  CHECK_THROWS_AS(npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (0,4611686018427387904,4)}", "")),
                  FileError);
  CHECK_THROWS_AS(npy(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "abcd")),
                  FileError);
  const HostArray array = HostArray::of(Shape{2, 2}, std::vector<std::int32_t>{1, 2, 3, 4});
  const Bytes good = format_npy(array.view());
  CHECK(read_mutations(std::string(text_of(good)), [](const std::string& bad) { npy(bad); }) > 100);
}

TEST_CASE("tables of numbers, with and without a header line") {
  const Table with = parse_csv("a, \"b, c\",d\n1,2.5,-3e2\n\n+4,.5,6\r\n", "t.csv");
  CHECK(with.columns == std::vector<std::string>{"a", "b, c", "d"});
  CHECK(with.values == HostArray::of(Shape{2, 3}, std::vector<double>{1, 2.5, -300, 4, .5, 6}));
  const Table without = parse_csv(
      "\xEF\xBB\xBF"
      "1;2\n3;4",
      "t.csv");
  CHECK(without.columns.empty());
  CHECK(without.values == HostArray::of(Shape{2, 2}, std::vector<double>{1, 2, 3, 4}));
  CHECK(parse_csv("1\t2\n", "t").values.shape() == Shape{1, 2});
  CHECK(parse_csv("x\n7\n8\n", "t").values.shape() == Shape{2, 1});
}

TEST_CASE("errors in tables name line and column") {
  const auto said = [](const std::string& text) { return message_of<FileError>([&] { parse_csv(text, "t.csv"); }); };
  CHECK_THAT(said("a,b\n1,2\n3,x\n"), Contains("'t.csv' line 3 column 2 (b): 'x', a number is needed"));
  CHECK_THAT(said("a,b\n1,2\n\n3\n"), Contains("line 4 has 1 cell, 2 expected"));
  CHECK_THAT(said("1,2\n3,\n"), Contains("line 2 column 2: nothing"));
  CHECK_THAT(said("1,2\n3,nan\n"), Contains("finite"));
  CHECK_THAT(said("1,2\n3,1e999\n"), Contains("line 2"));
  CHECK_THAT(said("a,b\n"), Contains("no row"));
  CHECK_THAT(said(""), Contains("no row"));
  CHECK_THAT(said("a,\"b\n1,2\n"), Contains("line 1 has a quote"));
  CHECK(read_mutations("a,b\n1,2.5\n-3,\"4\"\n", [](const std::string& bad) { parse_csv(bad, "t"); }) > 0);
}

TEST_CASE("CIFAR records become images with channels last") {
  const std::string file = cifar_record("\x03", 10, 20, 30) + cifar_record("\x09", 40, 50, 60);
  const CifarBatch ten = parse_cifar(bytes_of(file), Cifar::Ten, "b.bin");
  CHECK(ten.images.shape() == Shape{2, 32, 32, 3});
  CHECK(ten.images.value(0) == 10);
  CHECK(ten.images.value(1) == 20);
  CHECK(ten.images.value(5) == 30);
  CHECK(ten.images.value(3072) == 40);
  CHECK(ten.labels.doubles() == std::vector<double>{3, 9});
  const CifarBatch hundred = parse_cifar(bytes_of(cifar_record("\x13\x63", 1, 2, 3)), Cifar::Hundred, "b.bin");
  CHECK(hundred.coarse_labels.value(0) == 19);
  CHECK(hundred.labels.value(0) == 99);
  const auto said = [](const std::string& bad, Cifar kind) {
    return message_of<FileError>([&] { parse_cifar(bytes_of(bad), kind, "b.bin"); });
  };
  CHECK_THAT(said(file.substr(1), Cifar::Ten), Contains("b.bin") && Contains("6145 bytes") && Contains("3073"));
  CHECK_THAT(said("", Cifar::Ten), Contains("0 bytes"));
  CHECK_THAT(said(cifar_record("\x0A", 1, 1, 1), Cifar::Ten), Contains("record 0 has label 10"));
  CHECK_THAT(said(cifar_record(std::string("\x14\x00", 2), 1, 1, 1), Cifar::Hundred), Contains("label 20"));
}

TEST_CASE("text becomes strands that continue from piece to piece") {
  std::string text;
  for (int i = 0; i < 26; ++i) text += static_cast<char>('a' + i);
  const SymbolText symbols = symbols_of(bytes_of(text));
  CHECK(symbols.alphabet.size() == 26);
  const TextSequences made = sequences_of(symbols, 0, 26, 3, 2);  // 2 strands of 4 pieces of 3
  REQUIRE(made.symbols.shape() == Shape{3, 8, 1});
  for (Index piece = 0; piece < 4; ++piece)
    for (Index strand = 0; strand < 2; ++strand)
      for (Index t = 0; t < 3; ++t) {
        const Index at = t * 8 + piece * 2 + strand;
        CHECK(made.symbols.value(at) == static_cast<double>(strand * 12 + piece * 3 + t));
        CHECK(made.next.value(at) == made.symbols.value(at) + 1);
      }
  CHECK(sequences_of(symbols, 20, 6, 3, 2).next.value(5) == 0);  // nothing follows the last
  CHECK_THAT(message_of<DataError>([&] { sequences_of(symbols, 0, 5, 3, 2); }),
             Contains("too few") && Contains("lower 'strands' or 'length'"));
  CHECK(symbols_of({}).symbols.empty());
}
