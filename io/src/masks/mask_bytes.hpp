// Numbers and bits behind each other in a vector of bytes, little-endian, and back with every access checked.
#pragma once

#include <bit>
#include <string>

#include "squall/core/error.hpp"
#include "squall/core/sparse_pattern.hpp"
#include "squall/io/bytes.hpp"

namespace squall::masks {

using ByteList = std::vector<std::uint8_t>;

template <class T>
void append(ByteList& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

class BitWriter {
 public:
  explicit BitWriter(ByteList& to) : to_(to) {}
  void put(unsigned value, int bits) {
    for (int i = 0; i < bits; ++i) {
      if (used_ == 0) to_.push_back(0);
      to_.back() = static_cast<std::uint8_t>(to_.back() | (((value >> i) & 1U) << used_));
      used_ = (used_ + 1) % 8;
    }
  }

 private:
  ByteList& to_;
  int used_ = 0;
};

class Source {
 public:
  Source(std::span<const std::uint8_t> bytes, std::string_view who) : bytes_(bytes), who_(who) {}
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    raise<DataError>(who_, ": the mask ", parts...);
  }
  std::span<const std::uint8_t> take(std::size_t count) {
    if (count > bytes_.size()) fail("ends too early");
    const auto front = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return front;
  }
  template <class T>
  T number() {
    const auto raw = take(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{raw[i]} << (8 * i);
    return static_cast<T>(value);
  }
  std::span<const std::uint8_t> rest() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::string_view who_;
};

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  unsigned get(int bits) {
    unsigned value = 0;
    for (int i = 0; i < bits; ++i, ++at_) value |= ((unsigned{bytes_[at_ / 8]} >> (at_ % 8)) & 1U) << i;
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

// A pattern that grows by rows.
class PatternBuilder {
 public:
  PatternBuilder(Index rows, Index columns, Index kept) {
    p_.rows = rows;
    p_.columns = columns;
    p_.row_begin.reserve(static_cast<std::size_t>(rows) + 1);
    p_.row_begin.push_back(0);
    p_.column.reserve(static_cast<std::size_t>(kept));
  }
  void keep(Index column) { p_.column.push_back(static_cast<std::int32_t>(column)); }
  void end_row() { p_.row_begin.push_back(p_.kept()); }
  Index kept() const { return p_.kept(); }
  SparsePattern take() { return std::move(p_); }

 private:
  SparsePattern p_;
};

inline std::span<const std::int32_t> row_of(const SparsePattern& p, Index row) {
  const auto r = static_cast<std::size_t>(row);
  return std::span(p.column).subspan(static_cast<std::size_t>(p.row_begin[r]),
                                     static_cast<std::size_t>(p.row_begin[r + 1] - p.row_begin[r]));
}

// The largest blocks (powers of two up to 16 each way) of which every one is kept or masked as a whole in all slices;
// {1, 1} where there are none. Extents must be multiples of them.
struct BlockSize {
  Index height = 1, width = 1;
};
BlockSize find_blocks(std::span<const SparsePattern* const> slices);
SparsePattern to_blocks(const SparsePattern& p, BlockSize size);
SparsePattern from_blocks(const SparsePattern& blocks, BlockSize size);

// Of one slice, each form.
void append_gaps(const SparsePattern& p, ByteList& to);
void append_csr(const SparsePattern& p, bool wide, ByteList& to);
void append_bitmap(const SparsePattern& p, ByteList& to);
void append_blocks(const SparsePattern& p, ByteList& to);
bool has_groups(const SparsePattern& p);
void append_groups(const SparsePattern& p, ByteList& to);
SparsePattern take_gaps(Source& from, Index rows, Index columns, Index kept);
SparsePattern take_csr(Source& from, bool wide, Index rows, Index columns, Index kept);
SparsePattern take_bitmap(Source& from, Index rows, Index columns, Index kept);
SparsePattern take_blocks(Source& from, Index rows, Index columns, Index kept);
SparsePattern take_groups(Source& from, Index rows, Index columns, Index kept);

// Of all slices together.
ByteList code_range(std::span<const SparsePattern* const> slices);
std::vector<SparsePattern> decode_range(Source& from, Index rows, Index columns, std::span<const Index> kept);

}  // namespace squall::masks
