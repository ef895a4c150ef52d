#include "squall/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <zlib.h>

#include <cerrno>
#include <csignal>

#include "io/io_support.hpp"
#include "squall/io/crc32c.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

// Counts the calls that can fail; call number `victim` fails with `error`, or ends the process if that is 0.
class FaultyCalls : public FileCalls {
 public:
  FaultyCalls(int victim, int error, bool short_writes = false)
      : victim_(victim), error_(error), short_writes_(short_writes) {}
  int open(const char* path, int flags, mode_t mode) const override {
    return fails() ? -1 : FileCalls::open(path, flags, mode);
  }
  ssize_t write(int file, const void* bytes, std::size_t count) const override {
    return fails() ? -1 : FileCalls::write(file, bytes, short_writes_ ? (count + 1) / 2 : count);
  }
  int fsync(int file) const override { return fails() ? -1 : FileCalls::fsync(file); }
  int rename(const char* from, const char* to) const override { return fails() ? -1 : FileCalls::rename(from, to); }
  int calls() const { return calls_; }

 private:
  bool fails() const {
    if (calls_++ != victim_) return false;
    if (error_ == 0) ::_exit(9);
    errno = error_;
    return true;
  }
  int victim_, error_;
  bool short_writes_;
  mutable int calls_ = 0;
};

// Limits the size of files that this process writes, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : before_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*before_handler_)(int);
};

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 100, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string unpacked(const std::string& packed, std::size_t limit = kNoLimit) {
  return std::string(text_of(gunzip(bytes_of(packed), "x.gz", limit)));
}

}  // namespace

TEST_CASE("a file is written whole, and nothing else is left") {
  const TempFolder folder;
  write_file_atomically(folder / "a.txt", "first");
  CHECK(content_of(folder / "a.txt") == "first");
  write_file_atomically(folder / "a.txt", "");
  CHECK(content_of(folder / "a.txt").empty());
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("a write that is cut short goes on where it stopped") {
  const TempFolder folder;
  const std::string text(100000, 'y');
  write_file_atomically(folder / "a", text, FaultyCalls(-1, 0, true));
  CHECK(content_of(folder / "a") == text);
}

TEST_CASE("whichever call fails, the previous file or the new one is there and nothing else") {
  for (const int error : {ENOSPC, EIO, EDQUOT, EROFS, EACCES}) {
    for (int victim = 0;; ++victim) {
      const TempFolder folder;
      folder.file("model.h5", "the previous one");
      const FaultyCalls calls(victim, error, true);
      bool failed = false;
      try {
        write_file_atomically(folder / "model.h5", "the new one", calls);
      } catch (const FileError& e) {
        failed = true;
        CHECK_THAT(e.what(), Contains("model.h5") && Contains(std::strerror(error)));
      }
      const std::string now = content_of(folder / "model.h5");
      CHECK((now == "the new one" || (failed && now == "the previous one")));
      CHECK(folder.names() == std::vector<std::string>{"model.h5"});
      if (calls.calls() <= victim) break;
    }
  }
}

TEST_CASE("calls that a signal interrupts are repeated") {
  for (int victim = 0;; ++victim) {
    const TempFolder folder;
    const FaultyCalls calls(victim, EINTR, true);
    write_file_atomically(folder / "a", "text", calls);
    CHECK(content_of(folder / "a") == "text");
    if (calls.calls() <= victim) break;
  }
}

TEST_CASE("a process killed at any call leaves the previous file or the new one, and the next write cleans up") {
  for (int victim = 0;; ++victim) {
    const TempFolder folder;
    folder.file("model.h5", "the previous one");
    const pid_t child = ::fork();
    if (child == 0) {
      write_file_atomically(folder / "model.h5", "the new one", FaultyCalls(victim, 0, true));
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const std::string now = content_of(folder / "model.h5");
    CHECK((now == "the new one" || now == "the previous one"));
    write_file_atomically(folder / "model.h5", "the next one");
    CHECK(content_of(folder / "model.h5") == "the next one");
    CHECK(folder.names() == std::vector<std::string>{"model.h5"});
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
  }
}

TEST_CASE("no room for the file: the message says so and the previous file stays") {
  const TempFolder folder;
  write_file_atomically(folder / "model.h5", "small");
  std::string said;
  {
    const FileSizeLimit limit(1000);
    said = message_of<FileError>([&] { write_file_atomically(folder / "model.h5", std::string(5000, 'x')); });
  }
  CHECK_THAT(said, Contains("model.h5") && Contains("too large") && Contains("limit") && Contains("unchanged"));
  CHECK(content_of(folder / "model.h5") == "small");
  CHECK(folder.names() == std::vector<std::string>{"model.h5"});
}

TEST_CASE("a device without room is reported too") {
  if (!fs::exists("/dev/full")) return;
  const std::string said = message_of<FileError>([] { write_file_atomically("/dev/full", "x"); });
  CHECK_THAT(said, Contains("/dev/full") && Contains("No space left") && Contains("free some space"));
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("what cannot be written says why and what helps") {
  const TempFolder folder;
  CHECK_THAT(message_of<FileError>([&] { write_file_atomically(folder / "none/a.h5", "x"); }),
             Contains("there is no folder") && Contains("none") && Contains("make it first"));
  CHECK_THAT(message_of<FileError>([&] { write_file_atomically(folder.path(), "x"); }), Contains("it is a folder"));
  folder.file("plain", "x");
  CHECK_THAT(message_of<FileError>([&] { write_file_atomically(folder / "plain/a.h5", "x"); }),
             Contains("is not a folder"));
  CHECK_THAT(message_of<FileError>([&] { write_file_atomically(folder / std::string(300, 'n'), "x"); }),
             Contains("shorter name"));
}

TEST_CASE("links stay links and permissions stay") {
  const TempFolder folder;
  folder.file("real", "old");
  ::chmod((folder / "real").c_str(), 0640);
  fs::create_symlink("real", folder / "link");
  write_file_atomically(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(content_of(folder / "real") == "new");
  CHECK((fs::status(folder / "real").permissions() & fs::perms::all) == static_cast<fs::perms>(0640));
}

TEST_CASE("a temporary that somebody is writing is left alone") {
  const TempFolder folder;
  folder.file(".a.1-0.tmp", "left by a crash");
  folder.file(".b.1-0.tmp", "of another file");
  write_file_atomically(folder / "a", "x");
  CHECK(folder.names() == std::vector<std::string>{".b.1-0.tmp", "a"});
}

TEST_CASE("reading what is not there names it and what is near") {
  const TempFolder folder;
  folder.file("weights.h5", "x");
  CHECK_THAT(message_of<FileError>([&] { read_whole_file(folder / "weihgts.h5"); }),
             Contains("weihgts.h5") && Contains("No such file") && Contains("did you mean 'weights.h5'"));
  CHECK_THAT(message_of<FileError>([&] { read_whole_file(folder.path()); }), Contains("it is a folder"));
  CHECK_THAT(message_of<FileError>([&] { read_whole_file(folder / "no/where"); }), Contains("there is no folder"));
}

TEST_CASE("gzip is unpacked, in several members and with padding") {
  const std::string text = "the quick brown fox " + std::string(300000, 'a') + "end";
  CHECK(unpacked(gzip(text)) == text);
  CHECK(unpacked(gzip(text) + gzip("more")) == text + "more");
  CHECK(unpacked(gzip(text) + std::string(512, '\0')) == text);
  CHECK(unpacked(gzip("")).empty());
  CHECK(unpacked(gzip("12345"), 5) == "12345");
  CHECK(std::string(text_of(gunzip_front(bytes_of(gzip(text)), "x", 9))) == "the quick");
  const TempFolder folder;
  CHECK(text_of(read_data_file(folder.file("a.gz", gzip("inside")))) == "inside");
  CHECK(text_of(read_data_file(folder.file("a.txt", "plain"))) == "plain");
}

TEST_CASE("damaged gzip is an error that names the file") {
  const std::string packed = gzip("some text that is long enough to be packed, some text");
  CHECK_THAT(message_of<FileError>([&] { unpacked(packed.substr(0, packed.size() - 9)); }),
             Contains("x.gz") && Contains("cut off"));
  CHECK_THAT(message_of<FileError>([&] { unpacked(packed + "garbage"); }), Contains("7 bytes follow"));
  CHECK_THAT(message_of<FileError>([&] { unpacked(gzip(std::string(1000000, 'b')), 1000); }),
             Contains("more than the 1000 bytes expected"));
  for (std::size_t n = 0; n < packed.size(); ++n) CHECK_THROWS_AS(unpacked(packed.substr(0, n)), FileError);
  for (std::size_t i = 10; i < packed.size(); ++i) {  // after the header: the data and its checksum
    std::string bad = packed;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    try {
      const std::string same = unpacked(bad);  // some bits between data and checksum mean nothing
      CHECK(same == unpacked(packed));
    } catch (const FileError& e) {
      CHECK_THAT(e.what(), Contains("x.gz"));
    }
  }
  read_mutations(packed, [](const std::string& bad) { unpacked(bad); });
}

TEST_CASE("CRC-32C has the standard's check value, in pieces and without special instructions") {
  CHECK(crc32c(bytes_of("123456789")) == 0xE3069283U);
  CHECK(crc32c_portable(bytes_of("123456789")) == 0xE3069283U);
  CHECK(crc32c({}) == 0U);
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 37 % 251);
  for (std::size_t n = 0; n < 70; ++n) {
    const ByteView whole = bytes_of(text).subspan(n % 9, 900 + n);
    CHECK(crc32c(whole) == crc32c_portable(whole));
    CHECK(crc32c(whole.subspan(n), crc32c(whole.first(n))) == crc32c(whole));
  }
}
