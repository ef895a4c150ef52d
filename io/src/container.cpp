#include "squall/io/container.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/crc32c.hpp"

namespace squall {

namespace {

constexpr std::string_view kMagic{"SQUALL\0\1", 8};
constexpr std::string_view kHdf5Magic{"\x89HDF\r\n\x1a\n", 8};
constexpr std::size_t kVersionAt = 8, kLengthAt = 12, kCrcAt = 20, kFieldsEnd = 24;

std::uint32_t checksum(ByteView file) {  // as if the CRC field were zero
  constexpr std::array<std::byte, 4> kZero{};
  return crc32c(file.subspan(kFieldsEnd), crc32c(kZero, crc32c(file.first(kCrcAt))));
}

[[noreturn]] void refuse_foreign(ByteView file, const std::string& name) {
  const std::string_view text = text_of(file);
  const std::string_view why = text.empty()                   ? "it is empty"
                               : text.starts_with(kHdf5Magic) ? "it is plain HDF5, perhaps a network of another system "
                                                                "('squall import' reads those)"
                                                              : "it does not begin as one";
  raise<FileError>("'", name, "' is not a squall file: ", why);
}

}  // namespace

Bytes seal_container(H5Writer& writer) {
  Bytes file = writer.finish();
  const ByteView front = ByteView(file).first(std::min(file.size(), kContainerHeader));
  if (front.size() < kContainerHeader || !std::ranges::all_of(front, [](std::byte b) { return b == std::byte{0}; }))
    raise<FileError>("a model file needs ", kContainerHeader, " free bytes in front; use container_writer()");
  std::ranges::copy(bytes_of(kMagic), file.begin());
  store_little(file.data() + kVersionAt, kContainerVersion);
  store_little(file.data() + kLengthAt, std::uint64_t{file.size()});
  store_little(file.data() + kCrcAt, checksum(file));
  return file;
}

void write_container(const std::filesystem::path& path, H5Writer& writer) {
  write_file_atomically(path, seal_container(writer));
}

void check_container(ByteView file, const std::string& name) {
  const std::string_view text = text_of(file);
  if (text.empty() || !text.starts_with(kMagic.substr(0, text.size()))) refuse_foreign(file, name);
  if (file.size() < kFieldsEnd)
    raise<FileError>("'", name, "' is cut off: ", file.size(), " of at least ", kContainerHeader, " bytes");
  const auto length = load_little<std::uint64_t>(file.data() + kLengthAt);
  if (file.size() < length) raise<FileError>("'", name, "' is cut off: ", file.size(), " of ", length, " bytes");
  if (file.size() > length)
    raise<FileError>("'", name, "' is damaged: it has ", file.size(), " bytes instead of ", length);
  const auto stated = load_little<std::uint32_t>(file.data() + kCrcAt);
  const std::uint32_t found = checksum(file);
  if (stated != found)
    raise<FileError>("'", name, "' is damaged: checksum ", std::hex, found, " instead of ", stated, std::dec,
                     "; use another copy of it");
  const auto version = load_little<std::uint32_t>(file.data() + kVersionAt);
  if (version > kContainerVersion)
    raise<FileError>("'", name, "' was written by a newer squall (version ", version, "; this one reads up to version ",
                     kContainerVersion, ")");
  if (version == 0 || length < kContainerHeader) refuse_foreign(file, name);
}

H5Reader open_container(const std::filesystem::path& path) {
  return open_container(read_whole_file(path), path.string());
}

H5Reader open_container(Bytes file, std::string name) {
  check_container(file, name);
  return {std::move(file), std::move(name)};
}

bool looks_like_container(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kMagic.size()> front{};
  return file.read(front.data(), front.size()) && std::string_view(front.data(), front.size()) == kMagic;
}

}  // namespace squall
