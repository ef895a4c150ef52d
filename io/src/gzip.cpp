#include <zlib.h>

#include <algorithm>
#include <new>
#include <string>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace {

// zlib's inflater for a gzip of one or more members.
class Inflater {
 public:
  Inflater(ByteView packed, std::string_view name) : packed_(packed), name_(name) {
    if (::inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills as much of `out` as there is; less only at the end of everything.
  std::size_t fill(std::span<std::byte> out) {
    std::size_t filled = 0;
    while (filled < out.size() && !finished_) {
      const std::size_t room = std::min(out.size() - filled, kPiece);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_.avail_out = static_cast<uInt>(room);
      step();
      filled += room - stream_.avail_out;
    }
    return filled;
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{1} << 30;

  void step() {
    if (stream_.avail_in == 0) {
      const std::size_t piece = std::min(packed_.size() - taken_, kPiece);
      // zlib's interface is older than const; it does not write there.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed_.data() + taken_));
      stream_.avail_in = static_cast<uInt>(piece);
      taken_ += piece;
    }
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      member_ended();
    } else if (status == Z_BUF_ERROR && at_end()) {
      raise<FileError>("'", name_, "': the compressed data is cut off after ", packed_.size(), " bytes");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      raise<FileError>("'", name_, "': the compressed data is damaged near byte ", position(), ": ",
                       stream_.msg != nullptr ? stream_.msg : "not gzip");
    }
  }
  void member_ended() {
    const std::size_t position_now = position();
    const ByteView rest = packed_.subspan(position_now);
    finished_ = std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; });  // padding
    if (finished_) return;
    if (!is_gzip(rest))
      raise<FileError>("'", name_, "': ", rest.size(), " bytes follow the end of the compressed data");
    ::inflateReset(&stream_);
  }
  bool at_end() const { return stream_.avail_in == 0 && taken_ == packed_.size(); }
  std::size_t position() const { return taken_ - stream_.avail_in; }

  ByteView packed_;
  std::string name_;
  z_stream stream_{};
  std::size_t taken_ = 0;
  bool finished_ = false;
};

}  // namespace

bool is_gzip(ByteView content) {
  return content.size() >= 2 && content[0] == std::byte{0x1F} && content[1] == std::byte{0x8B};
}

Bytes gunzip_front(ByteView packed, std::string_view name, std::size_t count) {
  Bytes out(count);
  out.resize(Inflater(packed, name).fill(out));
  return out;
}

Bytes gunzip(ByteView packed, std::string_view name, std::size_t max_bytes) try {
  Inflater inflater(packed, name);
  Bytes out;
  for (;;) {
    const std::size_t before = out.size();
    const std::size_t wanted = std::max<std::size_t>({std::size_t{1} << 16, packed.size() * 4, before});
    const std::size_t piece = std::min(wanted, max_bytes - before);
    out.resize(before + piece);
    const std::size_t got = inflater.fill(std::span(out).subspan(before));
    out.resize(before + got);
    if (got < piece) return out;
    if (out.size() == max_bytes) break;
  }
  std::byte more{};
  if (inflater.fill(std::span(&more, 1)) > 0)
    raise<FileError>("'", name, "' unpacks to more than the ", max_bytes, " bytes expected");
  return out;
} catch (const std::bad_alloc&) {
  raise<FileError>("'", name, "' unpacks to more than fits into memory");
}

}  // namespace squall
