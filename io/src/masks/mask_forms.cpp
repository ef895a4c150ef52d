// Forms of one slice: gaps, rows of columns, bits, blocks and groups.
#include <algorithm>
#include <map>
#include <set>

#include "masks/mask_bytes.hpp"

namespace squall::masks {

namespace {

constexpr Index kContinue = 255;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// The bits of the `groups` of a row, `width` columns each.
std::vector<std::uint8_t> group_bits(const SparsePattern& p, Index row, Index width) {
  std::vector<std::uint8_t> bits(at((p.columns + width - 1) / width), 0);
  for (const std::int32_t c : row_of(p, row))
    bits[at(c / width)] = static_cast<std::uint8_t>(bits[at(c / width)] | (1U << (c % width)));
  return bits;
}

// What patterns groups have; the narrower groups where both have few enough.
struct Groups {
  Index width = 0;  // 0: nothing is saved by groups
  std::vector<std::uint8_t> patterns;
  int bits() const { return static_cast<int>(std::bit_width(patterns.size() - 1)); }
};

Groups find_groups(const SparsePattern& p) {
  Groups best;
  double best_bits = 1;  // per weight, of a bitmap
  for (const Index width : {4, 8}) {
    std::set<std::uint8_t> seen;
    for (Index r = 0; r < p.rows; ++r)
      for (const std::uint8_t b : group_bits(p, r, width)) seen.insert(b);
    if (seen.empty()) continue;
    Groups g{width, {seen.begin(), seen.end()}};
    const double bits = static_cast<double>(g.bits()) / static_cast<double>(width);
    if (bits >= best_bits) continue;
    best = std::move(g);
    best_bits = bits;
  }
  return best;
}

}  // namespace

void append_gaps(const SparsePattern& p, ByteList& to) {
  Index previous = -1;
  for (Index r = 0; r < p.rows; ++r)
    for (const std::int32_t c : row_of(p, r)) {
      const Index position = r * p.columns + c;
      Index gap = position - previous - 1;
      for (; gap >= kContinue; gap -= kContinue) to.push_back(static_cast<std::uint8_t>(kContinue));
      to.push_back(static_cast<std::uint8_t>(gap));
      previous = position;
    }
}

SparsePattern take_gaps(Source& from, Index rows, Index columns, Index kept) {
  PatternBuilder p(rows, columns, kept);
  Index position = -1, row = 0;
  for (Index k = 0; k < kept; ++k) {
    ++position;
    std::uint8_t gap = 0;
    while ((gap = from.number<std::uint8_t>()) == kContinue) position += kContinue;
    position += gap;
    if (position >= rows * columns) from.fail("goes beyond ", rows, "x", columns);
    for (; row < position / columns; ++row) p.end_row();
    p.keep(position % columns);
  }
  for (; row < rows; ++row) p.end_row();
  return p.take();
}

void append_csr(const SparsePattern& p, bool wide, ByteList& to) {
  for (const Index begin : p.row_begin) append(to, static_cast<std::uint32_t>(begin));
  for (const std::int32_t c : p.column) {
    if (wide)
      append(to, static_cast<std::uint32_t>(c));
    else
      append(to, static_cast<std::uint16_t>(c));
  }
}

SparsePattern take_csr(Source& from, bool wide, Index rows, Index columns, Index kept) {
  PatternBuilder p(rows, columns, kept);
  std::vector<Index> begin;
  for (Index r = 0; r <= rows; ++r) begin.push_back(from.number<std::uint32_t>());
  if (begin.front() != 0 || begin.back() != kept || !std::ranges::is_sorted(begin))
    from.fail("has rows that do not begin where the ones before end");
  for (Index r = 0; r < rows; ++r) {
    Index previous = -1;
    for (Index k = begin[at(r)]; k < begin[at(r) + 1]; ++k) {
      const Index c = wide ? Index{from.number<std::uint32_t>()} : Index{from.number<std::uint16_t>()};
      if (c <= previous || c >= columns) from.fail("has column ", c, " in row ", r, " of ", columns, " columns");
      p.keep(c);
      previous = c;
    }
    p.end_row();
  }
  return p.take();
}

void append_bitmap(const SparsePattern& p, ByteList& to) {
  const std::size_t begin = to.size();
  to.resize(begin + at((p.rows * p.columns + 7) / 8), 0);
  for (Index r = 0; r < p.rows; ++r)
    for (const std::int32_t c : row_of(p, r)) {
      const Index position = r * p.columns + c;
      auto& byte = to[begin + at(position / 8)];
      byte = static_cast<std::uint8_t>(byte | (1U << (position % 8)));
    }
}

SparsePattern take_bitmap(Source& from, Index rows, Index columns, Index kept) {
  PatternBuilder p(rows, columns, kept);
  const auto bytes = from.take(at((rows * columns + 7) / 8));
  Index position = 0;
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c, ++position)
      if (((unsigned{bytes[at(position / 8)]} >> (position % 8)) & 1U) != 0) p.keep(c);
    p.end_row();
  }
  return p.take();
}

BlockSize find_blocks(std::span<const SparsePattern* const> slices) {
  const Index rows = slices[0]->rows, columns = slices[0]->columns;
  BlockSize best;
  for (const Index h : {1, 2, 4, 8, 16})
    for (const Index w : {1, 2, 4, 8, 16}) {
      if (h * w <= best.height * best.width || rows % h != 0 || columns % w != 0) continue;
      const auto whole = [&](const SparsePattern* p) {
        return p->kept() > 0 && p->kept() % (h * w) == 0 && to_blocks(*p, {h, w}).kept() * h * w == p->kept();
      };
      const auto fits = [&](const SparsePattern* p) { return p->kept() == 0 || whole(p); };
      if (std::ranges::all_of(slices, fits) && std::ranges::any_of(slices, whole)) best = {h, w};
    }
  return best;
}

// Blocks with any kept weight.
SparsePattern to_blocks(const SparsePattern& p, BlockSize size) {
  PatternBuilder out(p.rows / size.height, p.columns / size.width, p.kept() / (size.height * size.width));
  for (Index b = 0; b < p.rows / size.height; ++b) {
    std::vector<char> any(at(p.columns / size.width), 0);
    for (Index r = b * size.height; r < (b + 1) * size.height; ++r)
      for (const std::int32_t c : row_of(p, r)) any[at(c / size.width)] = 1;
    for (std::size_t c = 0; c < any.size(); ++c)
      if (any[c] != 0) out.keep(static_cast<Index>(c));
    out.end_row();
  }
  return out.take();
}

SparsePattern from_blocks(const SparsePattern& blocks, BlockSize size) {
  PatternBuilder out(blocks.rows * size.height, blocks.columns * size.width, blocks.kept() * size.height * size.width);
  for (Index r = 0; r < blocks.rows * size.height; ++r) {
    for (const std::int32_t b : row_of(blocks, r / size.height))
      for (Index i = 0; i < size.width; ++i) out.keep(b * size.width + i);
    out.end_row();
  }
  return out.take();
}

void append_blocks(const SparsePattern& p, ByteList& to) {
  const SparsePattern* one[] = {&p};
  const BlockSize size = find_blocks(one);
  append(to, static_cast<std::uint8_t>(size.height));
  append(to, static_cast<std::uint8_t>(size.width));
  append_csr(to_blocks(p, size), false, to);
}

SparsePattern take_blocks(Source& from, Index rows, Index columns, Index kept) {
  const Index h = from.number<std::uint8_t>(), w = from.number<std::uint8_t>();
  if (h < 1 || w < 1 || rows % h != 0 || columns % w != 0 || kept % (h * w) != 0)
    from.fail("has blocks of ", h, "x", w, ", which do not fit ", rows, "x", columns, " with ", kept, " kept");
  return from_blocks(take_csr(from, false, rows / h, columns / w, kept / (h * w)), {h, w});
}

bool has_groups(const SparsePattern& p) { return find_groups(p).width > 0; }

void append_groups(const SparsePattern& p, ByteList& to) {
  const Groups g = find_groups(p);
  append(to, static_cast<std::uint8_t>(g.width));
  append(to, static_cast<std::uint8_t>(g.patterns.size()));  // at most 128: the width is narrower than a bitmap's
  to.insert(to.end(), g.patterns.begin(), g.patterns.end());
  BitWriter bits(to);
  for (Index r = 0; r < p.rows; ++r)
    for (const std::uint8_t pattern : group_bits(p, r, g.width))
      bits.put(static_cast<unsigned>(std::ranges::lower_bound(g.patterns, pattern) - g.patterns.begin()), g.bits());
}

SparsePattern take_groups(Source& from, Index rows, Index columns, Index kept) {
  const Index width = from.number<std::uint8_t>();
  const std::size_t count = from.number<std::uint8_t>();
  if ((width != 4 && width != 8) || count < 1 || count > 128)
    from.fail("has ", count, " patterns of groups of ", width, "; groups are of 4 or 8");
  const auto table = from.take(count);
  const Groups g{width, {table.begin(), table.end()}};
  const Index of_row = (columns + width - 1) / width;
  BitReader bits(from.take((at(rows * of_row) * at(g.bits()) + 7) / 8));
  PatternBuilder p(rows, columns, kept);
  for (Index r = 0; r < rows; ++r) {
    for (Index group = 0; group < of_row; ++group) {
      const unsigned index = bits.get(g.bits());
      if (index >= count) from.fail("names pattern ", index, " of ", count);
      for (Index i = 0; i < width; ++i) {
        if (((unsigned{g.patterns[index]} >> i) & 1U) == 0) continue;
        if (group * width + i >= columns) from.fail("goes beyond ", columns, " columns");
        p.keep(group * width + i);
      }
    }
    p.end_row();
  }
  return p.take();
}

}  // namespace squall::masks
