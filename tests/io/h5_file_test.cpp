#include "squall/io/h5_file.hpp"

#include <numeric>

#include "io/io_support.hpp"
#include "io/python.hpp"
#include "squall/io/container.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

template <class T>
HostArray counting(const Shape& shape) {
  std::vector<T> values(static_cast<std::size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), T{1});
  return HostArray::of(shape, values);
}

H5Reader reread(H5Writer& writer) { return {writer.finish(), "memory.h5"}; }

}  // namespace

TEST_CASE("arrays of every type come back bit for bit, from memory and from disk") {
  const HostArray f32 = counting<float>({3, 4});
  const HostArray f64 = counting<double>({2, 1, 5});
  const HostArray i32 = counting<std::int32_t>({7});
  const HostArray u8 = counting<std::uint8_t>({2, 2, 2});
  const HostArray scalar = HostArray::of(Shape{}, std::vector<double>{4.5});
  const HostArray empty(DType::F32, {0, 3});
  H5Writer writer;
  writer.write("/parameters/Hid1/W", f32);
  writer.write("/parameters/Hid1/b", f64, {9});
  writer.write("/labels", i32);
  writer.write("/masks/deep/down/here", u8, {1});
  writer.write("/scalar", scalar);
  writer.write("/empty", empty, {5});
  writer.group("/nothing/in/it");
  const Bytes image = writer.finish();
  const TempFolder folder;
  write_file_atomically(folder / "a.h5", image);
  const H5Reader from_disk(folder / "a.h5");
  const H5Reader from_memory(image, "memory");
  for (const H5Reader* file : {&from_disk, &from_memory}) {
    CHECK(file->read("/parameters/Hid1/W") == f32);
    CHECK(file->read("/parameters/Hid1/b") == f64);
    CHECK(file->read("/labels") == i32);
    CHECK(file->read("/masks/deep/down/here") == u8);
    CHECK(file->read("/scalar") == scalar);
    CHECK(file->read("/empty") == empty);
    CHECK(file->children() == std::vector<std::string>{"empty", "labels", "masks", "nothing", "parameters", "scalar"});
    CHECK(file->children("/parameters/Hid1") == std::vector<std::string>{"W", "b"});
    CHECK(file->is_group("/nothing/in/it"));
    CHECK_FALSE(file->is_group("/labels"));
    CHECK(file->exists("/parameters/Hid1/W"));
    CHECK_FALSE(file->exists("/parameters/Hid2/W"));
    CHECK(file->shape("/parameters/Hid1/b") == Shape{2, 1, 5});
    CHECK(file->info("/labels").dtype == DType::I32);
    CHECK(file->info("/labels").stored_type == "int32");
  }
}

TEST_CASE("texts and attributes come back") {
  H5Writer writer;
  writer.write_text("/description", "{\"Größe\": 1}");
  writer.write_text("/none", "");
  writer.write_texts("/names", {"null", "eins", "", "zwei"});
  writer.write_texts("/no_names", {});
  writer.attribute("/", "version", "0.1");
  writer.attribute("/names", "count", 4);
  writer.attribute("/names", "seed", std::numeric_limits<Index>::max());
  writer.attribute("/names", "rate", 0.1);
  writer.attribute("/names", "mean", counting<float>({2, 2}));
  const H5Reader file = reread(writer);
  CHECK(file.text("/description") == "{\"Größe\": 1}");
  CHECK(file.text("/none").empty());
  CHECK(file.texts("/names") == std::vector<std::string>{"null", "eins", "", "zwei"});
  CHECK(file.texts("/no_names").empty());
  CHECK(file.info("/names").is_text);
  CHECK(file.attribute_text("/", "version") == "0.1");
  CHECK(file.attribute_int("/names", "count") == 4);
  CHECK(file.attribute_int("/names", "seed") == std::numeric_limits<Index>::max());
  CHECK(file.attribute_real("/names", "rate") == 0.1);
  CHECK(file.attribute_real("/names", "count") == 4.0);
  CHECK(file.attribute_array("/names", "mean") == counting<float>({2, 2}));
  CHECK(file.attributes("/names") == std::vector<std::string>{"count", "mean", "rate", "seed"});
  CHECK(file.has_attribute("/", "version"));
  CHECK_FALSE(file.has_attribute("/", "versoin"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.attribute_int("/names", "cuont")); }),
             Contains("no attribute 'cuont'") && Contains("count, mean, rate, seed"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.attribute_text("/names", "count")); }),
             Contains("int64") && Contains("a text is needed"));
}

TEST_CASE("numbers are converted to the type that is asked for, or refused") {
  H5Writer writer;
  writer.write("/labels", HostArray::of(Shape{3}, std::vector<float>{0, 7, 255}));
  writer.write("/halves", HostArray::of(Shape{2}, std::vector<double>{0.5, 1}));
  writer.write("/large", HostArray::of(Shape{1}, std::vector<std::int32_t>{300}));
  writer.write("/negative", HostArray::of(Shape{1}, std::vector<std::int32_t>{-1}));
  writer.write_text("/text", "7");
  const H5Reader file = reread(writer);
  CHECK(file.read("/labels", DType::I32) == HostArray::of(Shape{3}, std::vector<std::int32_t>{0, 7, 255}));
  CHECK(file.read("/labels", DType::U8) == HostArray::of(Shape{3}, std::vector<std::uint8_t>{0, 7, 255}));
  CHECK(file.read("/labels", DType::F64) == HostArray::of(Shape{3}, std::vector<double>{0, 7, 255}));
  CHECK(file.read("/large", DType::F32) == HostArray::of(Shape{1}, std::vector<float>{300}));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/halves", DType::I32)); }),
             Contains("memory.h5") && Contains("/halves") && Contains("0.5 as element 0"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/large", DType::U8)); }), Contains("300"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/negative", DType::U8)); }), Contains("-1"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/text")); }), Contains("numbers are needed"));
}

TEST_CASE("a part along any axis is what slicing the whole gives") {
  const HostArray whole = counting<std::int32_t>({4, 5, 6});
  H5Writer writer;
  writer.write("/a", whole, {3});
  const H5Reader file = reread(writer);
  for (int axis = 0; axis < 3; ++axis)
    for (Index first = 0; first <= whole.shape()[axis]; ++first)
      for (Index count = 0; first + count <= whole.shape()[axis]; ++count) {
        const HostArray part = file.read_part("/a", axis, first, count);
        REQUIRE(part.shape()[axis] == count);
        Index i = 0;
        for (Index a = 0; a < part.shape()[0]; ++a)
          for (Index b = 0; b < part.shape()[1]; ++b)
            for (Index c = 0; c < part.shape()[2]; ++c, ++i) {
              const Index at[] = {a + (axis == 0 ? first : 0), b + (axis == 1 ? first : 0),
                                  c + (axis == 2 ? first : 0)};
              REQUIRE(part.value(i) == whole.value((at[0] * 5 + at[1]) * 6 + at[2]));
            }
      }
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read_part("/a", 1, 3, 3)); }),
             Contains("no 3 entries from 3 along axis 1"));
  CHECK_THROWS_AS(file.read_part("/a", 3, 0, 1), FileError);
  CHECK_THROWS_AS(file.read_part("/a", 0, -1, 1), FileError);
  CHECK_THROWS_AS(file.read_part("/a", 0, 1, std::numeric_limits<Index>::max()), FileError);
}

TEST_CASE("bad names and double writing are refused") {
  H5Writer writer;
  const HostArray one = counting<float>({1});
  writer.write("/a", one);
  CHECK_THAT(message_of<FileError>([&] { writer.write("/a", one); }), Contains("'/a' is there already"));
  CHECK_THAT(message_of<FileError>([&] { writer.write("b", one); }), Contains("must begin with '/'"));
  CHECK_THAT(message_of<FileError>([&] { writer.write("/b//c", one); }), Contains("empty"));
  CHECK_THROWS_AS(writer.write("/", one), FileError);
  CHECK_THROWS_AS(writer.write("/b/", one), FileError);
  CHECK_THROWS_AS(writer.write("/b/./c", one), FileError);
  CHECK_THROWS_AS(writer.write("/a/c", one), FileError);
  CHECK_THROWS_AS(writer.write(std::string_view("/a\0b", 4), one), FileError);
  CHECK_THROWS_AS(writer.write_text("/t", std::string_view("a\0b", 3)), FileError);
  CHECK_THROWS_AS(writer.attribute("/none", "x", 1), FileError);
  CHECK_THROWS_AS(writer.attribute("/a", "", 1), FileError);
  CHECK_THAT(message_of<FileError>([&] { writer.attribute("/a", "huge", counting<double>({100000})); }),
             Contains("64 kB"));
  CHECK(h5_path({"parameters", "Hid 1", "W"}) == "/parameters/Hid 1/W");
  CHECK_THROWS_AS(h5_path({"parameters", "a/b"}), FileError);
  CHECK_THROWS_AS(h5_path({"parameters", ""}), FileError);
  CHECK_THROWS_AS(h5_path({".", "a"}), FileError);
  CHECK(reread(writer).read("/a") == one);
  CHECK_THROWS_AS(writer.finish(), FileError);
}

TEST_CASE("what is not in a file is named, with what is") {
  H5Writer writer;
  writer.write("/parameters/Hid1/W", counting<float>({1}));
  const H5Reader file = reread(writer);
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/parameters/Hid2")); }),
             Contains("memory.h5") && Contains("no '/parameters/Hid2'") && Contains("has: Hid1"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/parameters")); }), Contains("is a group"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.children("/parameters/Hid1/W")); }),
             Contains("is not a group"));
  const TempFolder folder;
  CHECK_THAT(message_of<FileError>([&] { H5Reader(folder.file("x.h5", "not at all")); }), Contains("not an HDF5 file"));
  CHECK_THAT(message_of<FileError>([&] { H5Reader(folder / "none.h5"); }), Contains("No such file"));
  CHECK_THROWS_AS(H5Reader(Bytes{}, "x"), FileError);
}

TEST_CASE("several files of one name are open at once without being mixed up") {
  std::vector<H5Reader> files;
  H5Writer first;
  H5Writer second;
  first.write("/a", counting<float>({1}));
  second.write("/b", counting<float>({2}));
  files.emplace_back(first.finish(), "same");
  files.emplace_back(second.finish(), "same");
  CHECK(files[0].exists("/a"));
  CHECK_FALSE(files[1].exists("/a"));
  CHECK(files[1].shape("/b") == Shape{2});
}

TEST_CASE("the same content gives the same bytes") {
  const auto make = [] {
    H5Writer writer(512);
    for (int i = 0; i < 30; ++i) {
      writer.write(concat("/parameters/layer_", i, "/W"), counting<float>({20, 30}), {i % 3});
      writer.attribute(concat("/parameters/layer_", i), "kind", "Dense");
    }
    writer.write_text("/description", std::string(5000, 'd'));
    return writer.finish();
  };
  const Bytes first = make();
  ::sleep(1);
  CHECK(first == make());
}

TEST_CASE("a damaged HDF5 image is an error, never a crash") {
  H5Writer writer;
  writer.write("/a", counting<float>({8, 8}), {4});
  writer.write("/g/i", counting<std::int32_t>({5}));
  const Bytes image = writer.finish();
  for (std::size_t n = 0; n < image.size(); n += 7) {
    try {
      const H5Reader file(Bytes(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(n)), "cut");
      static_cast<void>(file.read("/a"));
      static_cast<void>(file.read("/g/i"));
    } catch (const Error& e) {
      CHECK_THAT(e.what(), Contains("cut"));
    }
  }
}

TEST_CASE("a file on which HDF5 itself crashes is an error") {
  const TempFolder folder;
  H5Writer writer;
  writer.write("/x", counting<float>({2, 3}), {1});
  writer.write_texts("/names", {"a", "b"});
  writer.attribute("/", "kind", "test");
  std::string file(text_of(writer.finish()));
  CHECK(H5Reader::checked(folder.file("good.h5", file)).read("/x") == counting<float>({2, 3}));
  const std::size_t heap = file.find("GCOL");  // where texts lie: 16 bytes, then objects with their size at 8
  REQUIRE(heap != std::string::npos);
  file[heap + 16 + 8 + 7] = '\x7F';
  folder.file("bad.h5", file);
  CHECK_THAT(message_of<FileError>([&] {
               const H5Reader bad = H5Reader::checked(folder / "bad.h5");
               static_cast<void>(bad.texts("/names"));
             }),
             Contains("bad.h5"));
  CHECK_THAT(message_of<FileError>([&] { H5Reader::checked(folder / "none.h5"); }), Contains("No such file"));
}

TEST_CASE("a damaged file that keeps HDF5 busy is refused in seconds") {
  const TempFolder folder;
  H5Writer writer;
  writer.write("/x", HostArray(DType::F32, {3000, 2}), {4});
  std::string file(text_of(writer.finish()));
  const std::size_t extent = file.find(std::string("\xB8\x0B\0\0\0\0\0\0", 8));  // 3000, eight bytes
  REQUIRE(extent != std::string::npos);
  file[extent + 5] = '\x3A';
  CHECK_THAT(message_of<FileError>([&] { H5Reader::checked(folder.file("busy.h5", file)); }),
             Contains("busy.h5") && Contains("damaged") && Contains("5 s"));
}

TEST_CASE("h5py reads what is written and writes what is read") {
  if (!python_has("h5py")) {
    WARN("no /usr/bin/python3 with h5py: the exchange with it is not checked");
    return;
  }
  const TempFolder folder;
  H5Writer writer = container_writer();
  writer.write("/parameters/Hid1/W", counting<float>({3, 4}), {4});
  writer.write("/masks/W", counting<std::uint8_t>({3}));
  writer.write_text("/description", "Größe");
  writer.write_texts("/names", {"a", "bc"});
  writer.attribute("/", "version", "0.1");
  writer.attribute("/", "count", 7);
  write_container(folder / "model.h5", writer);
  const std::string said = run_python(folder.path(), R"(
import h5py, numpy as np
f = h5py.File('model.h5', 'r')
w = f['parameters/Hid1/W']
assert w.dtype == np.float32 and (w[...] == np.arange(1, 13).reshape(3, 4)).all(), w[...]
assert f['masks/W'].dtype == np.uint8 and list(f['masks/W']) == [1, 2, 3]
assert f['description'].asstr()[()] == 'Größe', f['description'][()]
assert list(f['names'].asstr()) == ['a', 'bc']
assert f.attrs['version'] == '0.1' and f.attrs['count'] == 7
o = h5py.File('theirs.h5', 'w')
o['i64'] = np.array([1, -2, 2**31 - 1]); o['too_large'] = np.array([2**31]); o['u16'] = np.array([65535], 'u2')
o['f16'] = np.array([0.5, 2], 'f2'); o['big'] = np.array([1.5], '>f8'); o['bool'] = np.array([True, False])
o['i8'] = np.array([-1, 5], 'i1'); o['u64'] = np.array([2**64 - 1], 'u8')
o['fixed'] = np.array([b'ab', b'cde'], 'S5'); o['text'] = 'hello'; o['bytes'] = np.bytes_('raw')
o.attrs['flag'] = True; o.attrs['text'] = 'attr'; o.attrs['n'] = np.int32(3); o.attrs['fixed'] = np.bytes_('fx')
o['complex'] = np.array([1j]); o['empty'] = h5py.Empty('f4')
o.create_dataset('huge', (2**40,), 'f4'); o.create_dataset('chunked', (10, 10), 'f4', chunks=(3, 3), fillvalue=2.5)
o.close()
print('fine')
)");
  CHECK(said == "fine\n");
  const H5Reader file(folder / "theirs.h5");
  CHECK(file.read("/i64") == HostArray::of(Shape{3}, std::vector<std::int32_t>{1, -2, 2147483647}));
  CHECK(file.read("/u16") == HostArray::of(Shape{1}, std::vector<std::int32_t>{65535}));
  CHECK(file.read("/f16") == HostArray::of(Shape{2}, std::vector<float>{0.5F, 2}));
  CHECK(file.read("/big") == HostArray::of(Shape{1}, std::vector<double>{1.5}));
  CHECK(file.read("/bool") == HostArray::of(Shape{2}, std::vector<std::uint8_t>{1, 0}));
  CHECK(file.read("/bool", DType::F32) == HostArray::of(Shape{2}, std::vector<float>{1, 0}));
  CHECK(file.read("/i8") == HostArray::of(Shape{2}, std::vector<std::int32_t>{-1, 5}));
  CHECK(file.texts("/fixed") == std::vector<std::string>{"ab", "cde"});
  CHECK(file.text("/text") == "hello");
  CHECK(file.text("/bytes") == "raw");
  CHECK(file.attribute_int("/", "flag") == 1);
  CHECK(file.attribute_text("/", "text") == "attr");
  CHECK(file.attribute_text("/", "fixed") == "fx");
  CHECK(file.attribute_int("/", "n") == 3);
  CHECK(file.read("/chunked").value(99) == 2.5);
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/too_large")); }), Contains("2147483648"));
  CHECK_THROWS_AS(file.read("/u64"), FileError);
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/complex")); }), Contains("compound"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/empty")); }), Contains("is empty"));
  CHECK_THAT(message_of<FileError>([&] { static_cast<void>(file.read("/huge")); }),
             Contains("only 0 bytes are stored"));
}
