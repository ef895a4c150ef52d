// Masks of all tasks as one arithmetic code: position after position, task after task, each bit with a probability that
// is learned on the way from how full the row and the column of the task have been so far (or, where groups of columns
// hold a fixed number, from what the group still lacks). Where masks exclude each other nothing follows the owner.
#include <algorithm>
#include <array>

#include "masks/mask_bytes.hpp"

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

constexpr int kCountLimit = 255;
constexpr std::uint32_t kSurest = 24;  // of 65536

// How likely a bit is 1, of 65536; learns quickly at first.
struct Chance {
  std::uint16_t one = 1U << 15;
  std::uint8_t seen = 0;
  void learn(bool bit) {
    static const auto kRate = [] {
      std::array<std::int32_t, kCountLimit + 1> rate{};
      for (int n = 0; n <= kCountLimit; ++n) rate[static_cast<std::size_t>(n)] = static_cast<int>(65536 / (n + 1.6));
      return rate;
    }();
    const std::int32_t p = one;
    const std::int32_t target = bit ? 65535 : 0;
    const auto moved = p + static_cast<std::int32_t>((std::int64_t{target - p} * kRate[seen]) >> 16);
    one = static_cast<std::uint16_t>(std::clamp<std::int32_t>(moved, kSurest, 65535 - kSurest));
    if (seen < kCountLimit) ++seen;
  }
};

class Encoder {
 public:
  static constexpr bool kReads = false;
  explicit Encoder(ByteList& to) : to_(to) {}
  bool operator()(Chance& chance, bool bit) {
    const std::uint32_t middle = low_ + static_cast<std::uint32_t>((std::uint64_t{high_ - low_} * chance.one) >> 16);
    (bit ? high_ : low_) = bit ? middle : middle + 1;
    for (; ((low_ ^ high_) >> 24) == 0; low_ <<= 8, high_ = (high_ << 8) | 0xFFU)
      to_.push_back(static_cast<std::uint8_t>(high_ >> 24));
    chance.learn(bit);
    return bit;
  }
  void finish() {
    for (int i = 0; i < 4; ++i, low_ <<= 8) to_.push_back(static_cast<std::uint8_t>(low_ >> 24));
  }

 private:
  ByteList& to_;
  std::uint32_t low_ = 0, high_ = 0xFFFFFFFFU;
};

class Decoder {
 public:
  static constexpr bool kReads = true;
  explicit Decoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    for (int i = 0; i < 4; ++i) next();
  }
  bool operator()(Chance& chance, bool) {
    const std::uint32_t middle = low_ + static_cast<std::uint32_t>((std::uint64_t{high_ - low_} * chance.one) >> 16);
    const bool bit = code_ <= middle;
    (bit ? high_ : low_) = bit ? middle : middle + 1;
    for (; ((low_ ^ high_) >> 24) == 0; low_ <<= 8, high_ = (high_ << 8) | 0xFFU) next();
    chance.learn(bit);
    return bit;
  }
  std::size_t taken() const { return taken_; }

 private:
  void next() {
    code_ = (code_ << 8) | (taken_ < bytes_.size() ? bytes_[taken_] : 0U);
    ++taken_;
  }
  std::span<const std::uint8_t> bytes_;
  std::size_t taken_ = 0;
  std::uint32_t low_ = 0, high_ = 0xFFFFFFFFU, code_ = 0;
};

struct Header {
  bool exclusive = false;
  Index group = 0;  // columns of a group; 0: none
  BlockSize block;
};

// A running share of 65536 as one of 22 classes, two per power of two.
constexpr std::size_t kClasses = 22;
std::size_t class_of(std::uint32_t share) {
  const auto width = static_cast<std::uint32_t>(std::bit_width(share));
  return width <= 6 ? 0 : std::size_t{2 * (width - 6) + ((share >> (width - 2)) & 1U)};
}

// The probability to use for a bit, given what came before.
class Model {
 public:
  Model(const Header& h, Index rows, Index columns, std::span<const Index> kept)
      : group_(h.group), columns_(at(columns)), tasks_(kept.size()), row_(tasks_), in_group_(tasks_) {
    const Index all = std::max<Index>(1, rows * columns);
    for (const Index k : kept)
      start_.push_back(static_cast<std::uint16_t>(std::clamp<Index>(k * 65536 / all, 1, 65535)));
    for (const std::uint16_t s : start_) column_.insert(column_.end(), columns_, s);
    const std::size_t situations = group_ > 0 ? at(group_ * (group_ + 1)) : kClasses * kClasses;
    chances_.resize(tasks_ * 2 * situations);
    situations_ = situations;
  }
  void begin_row() {
    std::ranges::copy(start_, row_.begin());
    std::ranges::fill(in_group_, std::size_t{0});
  }
  Chance& chance(std::size_t task, Index c, bool taken) {
    std::size_t situation = 0;
    if (group_ > 0) {
      situation = at(c % group_ * (group_ + 1)) + in_group_[task];
    } else {
      situation = class_of(column_[task * columns_ + at(c)]) * kClasses + class_of(row_[task]);
    }
    return chances_[(task * 2 + (taken ? 1 : 0)) * situations_ + situation];
  }
  void learn(std::size_t task, Index c, bool bit) {
    move(column_[task * columns_ + at(c)], bit, 4);
    move(row_[task], bit, 5);
    in_group_[task] += bit ? 1 : 0;
    if (group_ > 0 && (c + 1) % group_ == 0) in_group_[task] = 0;
  }

 private:
  static void move(std::uint16_t& share, bool bit, int slowness) {
    share = static_cast<std::uint16_t>(bit ? share + ((65535 - share) >> slowness) : share - (share >> slowness));
  }
  Index group_;
  std::size_t columns_, tasks_, situations_ = 0;
  std::vector<std::uint16_t> start_, column_, row_;
  std::vector<std::size_t> in_group_;
  std::vector<Chance> chances_;
};

// Codes or decodes all bits; `bits` are those of one row, task after task.
template <class Coder, class Load, class Store>
void run(Coder& coder, const Header& h, Index rows, Index columns, std::span<const Index> kept, const Load& load,
         const Store& store) {
  Model model(h, rows, columns, kept);
  const std::size_t tasks = kept.size(), width = at(columns);
  std::vector<std::uint8_t> bits(tasks * width);
  for (Index r = 0; r < rows; ++r) {
    std::ranges::fill(bits, std::uint8_t{0});
    load(r, bits);
    model.begin_row();
    for (Index c = 0; c < columns; ++c) {
      bool taken = false;
      for (std::size_t t = 0; t < tasks; ++t) {
        auto& bit = bits[t * width + at(c)];
        const bool known = taken && h.exclusive;
        if (!known) bit = coder(model.chance(t, c, taken), bit != 0) ? 1 : 0;
        model.learn(t, c, bit != 0);
        taken = taken || bit != 0;
      }
    }
    store(r, bits);
  }
}

bool are_exclusive(std::span<const SparsePattern* const> slices) {
  std::vector<char> taken(at(slices[0]->columns));
  for (Index r = 0; r < slices[0]->rows; ++r) {
    std::ranges::fill(taken, char{0});
    for (const auto* p : slices)
      for (const std::int32_t c : row_of(*p, r)) {
        if (taken[at(c)] != 0) return false;
        taken[at(c)] = 1;
      }
  }
  return true;
}

// Columns of a group where no group holds more than half, in no slice; 0: none.
Index find_group(std::span<const SparsePattern* const> slices) {
  for (const Index width : {4, 8, 16}) {
    const auto half_at_most = [&](const SparsePattern* p) {
      for (Index r = 0; r < p->rows; ++r) {
        Index group = -1, count = 0;
        for (const std::int32_t c : row_of(*p, r)) {
          count = c / width == group ? count + 1 : 1;
          group = c / width;
          if (count > width / 2) return false;
        }
      }
      return true;
    };
    const auto full_enough = [&](const SparsePattern* p) { return 4 * p->kept() >= p->rows * p->columns / width; };
    if (std::ranges::all_of(slices, half_at_most) && std::ranges::any_of(slices, full_enough)) return width;
  }
  return 0;
}

ByteList code(std::span<const SparsePattern* const> slices, const Header& h) {
  ByteList out;
  append(out, static_cast<std::uint8_t>(h.exclusive ? 1 : 0));
  for (const Index n : {h.group, h.block.height, h.block.width}) append(out, static_cast<std::uint8_t>(n));
  const Index rows = slices[0]->rows, columns = slices[0]->columns;
  std::vector<Index> kept;
  for (const auto* p : slices) kept.push_back(p->kept());
  Encoder coder(out);
  run(
      coder, h, rows, columns, kept,
      [&](Index r, ByteList& bits) {
        for (std::size_t t = 0; t < slices.size(); ++t)
          for (const std::int32_t c : row_of(*slices[t], r)) bits[t * at(columns) + at(c)] = 1;
      },
      [](Index, const ByteList&) {});
  coder.finish();
  return out;
}

}  // namespace

ByteList code_range(std::span<const SparsePattern* const> slices) {
  Header h{are_exclusive(slices), 0, find_blocks(slices)};
  std::vector<SparsePattern> blocks;
  std::vector<const SparsePattern*> reduced(slices.begin(), slices.end());
  if (h.block.height * h.block.width > 1) {
    for (const auto* p : slices) blocks.push_back(to_blocks(*p, h.block));
    for (std::size_t t = 0; t < slices.size(); ++t) reduced[t] = &blocks[t];
  }
  ByteList plain = code(reduced, h);
  h.group = find_group(reduced);
  if (h.group == 0) return plain;
  ByteList grouped = code(reduced, h);
  return grouped.size() < plain.size() ? grouped : plain;
}

std::vector<SparsePattern> decode_range(Source& from, Index rows, Index columns, std::span<const Index> kept) {
  const auto head = from.take(4);
  const Header h{head[0] != 0, head[1], {head[2], head[3]}};
  const Index area = h.block.height * h.block.width;
  if (head[0] > 1 || h.group > 16 || area < 1 || rows % h.block.height != 0 || columns % h.block.width != 0)
    from.fail("has an unknown head");
  std::vector<Index> in_blocks;
  for (const Index k : kept) in_blocks.push_back(k / area);
  std::vector<PatternBuilder> found;
  const Index block_rows = rows / h.block.height, block_columns = columns / h.block.width;
  for (const Index k : in_blocks) found.emplace_back(block_rows, block_columns, k);
  Decoder coder(from.rest());
  run(
      coder, h, block_rows, block_columns, in_blocks, [](Index, const ByteList&) {},
      [&](Index, const ByteList& bits) {
        for (std::size_t t = 0; t < found.size(); ++t) {
          for (Index c = 0; c < block_columns; ++c)
            if (bits[t * at(block_columns) + at(c)] != 0) found[t].keep(c);
          if (found[t].kept() > in_blocks[t]) from.fail("keeps more than the ", kept[t], " weights it should");
          found[t].end_row();
        }
      });
  if (coder.taken() > from.rest().size() + 4) from.fail("ends too early");
  from.take(std::min(coder.taken(), from.rest().size()));
  std::vector<SparsePattern> out;
  for (auto& f : found) out.push_back(area > 1 ? from_blocks(f.take(), h.block) : f.take());
  return out;
}

}  // namespace squall::masks
