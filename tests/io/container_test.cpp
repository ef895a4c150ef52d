#include "squall/io/container.hpp"

#include "io/io_support.hpp"
#include "io/python.hpp"
#include "squall/io/crc32c.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

const HostArray kWeights = HostArray::of(Shape{2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});

Bytes small_file() {
  H5Writer writer = container_writer();
  writer.write("/parameters/Out/W", kWeights);
  writer.write_text("/description", "{}");
  return seal_container(writer);
}

}  // namespace

TEST_CASE("a model file is written and read back") {
  const TempFolder folder;
  H5Writer writer = container_writer();
  writer.write("/parameters/Out/W", kWeights);
  writer.write_text("/description", "{}");
  write_container(folder / "model.h5", writer);
  const H5Reader model = open_container(folder / "model.h5");
  CHECK(model.read("/parameters/Out/W") == kWeights);
  CHECK(model.text("/description") == "{}");
  CHECK(read_whole_file(folder / "model.h5") == small_file());  // the same content, the same bytes
  CHECK(looks_like_container(folder / "model.h5"));
  CHECK_FALSE(looks_like_container(folder.file("other", "{}")));
  CHECK_FALSE(looks_like_container(folder / "none"));
}

TEST_CASE("a changed byte is reported at every position") {
  Bytes file = small_file();
  for (std::size_t i = 0; i < file.size(); ++i)
    for (const int change : {0x01, 0x80, 0xFF}) {
      const std::byte before = file[i];
      file[i] ^= static_cast<std::byte>(change);
      try {
        check_container(file, "m.h5");
        FAIL("byte " << i << " changed by " << change << " went unnoticed");
      } catch (const FileError& e) {
        if (std::string(e.what()).find("m.h5") == std::string::npos) FAIL("no file named: " << e.what());
      }
      file[i] = before;
    }
  CHECK_NOTHROW(check_container(file, "m.h5"));
}

TEST_CASE("a truncated file is reported at every length, and one that is too long") {
  Bytes file = small_file();
  for (std::size_t n = 0; n < file.size(); ++n) {
    try {
      check_container(ByteView(file).first(n), "m.h5");
      FAIL("cut off after " << n << " bytes went unnoticed");
    } catch (const FileError& e) {
      const std::string text = e.what();
      if (text.find(n == 0 ? "empty" : "cut off") == std::string::npos) FAIL(n << ": " << text);
    }
  }
  file.push_back(std::byte{0});
  CHECK_THAT(message_of<FileError>([&] { check_container(file, "m.h5"); }),
             Contains("damaged") && Contains("instead of"));
}

TEST_CASE("each kind of wrong file has its own message") {
  const auto said = [](Bytes file) { return message_of<FileError>([&] { open_container(std::move(file), "m.h5"); }); };
  Bytes file = small_file();
  const std::string size = std::to_string(file.size());
  CHECK_THAT(said(Bytes(file.begin(), file.begin() + 700)), Contains("cut off: 700 of " + size + " bytes"));
  Bytes damaged = file;
  damaged[600] ^= std::byte{4};
  CHECK_THAT(said(damaged), Contains("damaged: checksum"));
  Bytes newer = file;
  store_little(newer.data() + 8, std::uint32_t{2});
  store_little(newer.data() + 20, std::uint32_t{0});
  store_little(newer.data() + 20, crc32c(newer));
  CHECK_THAT(said(newer), Contains("newer squall (version 2"));
  const ByteView text = bytes_of("{\"layers\": 1}");
  CHECK_THAT(said(Bytes(text.begin(), text.end())), Contains("not a squall file"));
  CHECK_THAT(said(Bytes{}), Contains("not a squall file: it is empty"));
  CHECK_THAT(said(H5Writer().finish()), Contains("not a squall file: it is plain HDF5"));
  H5Writer without_room;
  CHECK_THROWS_AS(seal_container(without_room), FileError);
}

TEST_CASE("the checksum covers the whole file with its own field zero") {
  Bytes file = small_file();
  const auto stated = load_little<std::uint32_t>(file.data() + 20);
  store_little(file.data() + 20, std::uint32_t{0});
  CHECK(crc32c(file) == stated);
  CHECK(load_little<std::uint64_t>(file.data() + 12) == file.size());
  CHECK(text_of(file).substr(0, 8) == std::string_view("SQUALL\0\1", 8));
}
