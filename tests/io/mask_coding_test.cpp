// Masks as bytes: every coding there and back, how small they become, and what damage does.
#include "squall/io/mask_coding.hpp"

#include <cmath>

#include "squall/core/error.hpp"
#include "squall/core/random.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

using Slices = std::vector<SparsePattern>;

std::vector<const SparsePattern*> pointers(const Slices& slices) {
  std::vector<const SparsePattern*> out;
  for (const auto& s : slices) out.push_back(&s);
  return out;
}
std::vector<Index> kept_of(const Slices& slices) {
  std::vector<Index> out;
  for (const auto& s : slices) out.push_back(s.kept());
  return out;
}

// Each position asks `keep(row, column, task)`.
template <class Keep>
Slices make(Index rows, Index columns, std::size_t tasks, const Keep& keep) {
  Slices out(tasks);
  for (auto& s : out) s.rows = rows, s.columns = columns, s.row_begin = {0};
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c)
      for (std::size_t t = 0; t < tasks; ++t)
        if (keep(r, c, t)) out[t].column.push_back(static_cast<std::int32_t>(c));
    for (auto& s : out) s.row_begin.push_back(s.kept());
  }
  return out;
}

// Tasks own a share each, nobody what another owns.
Slices exclusive(Index rows, Index columns, std::size_t tasks, double share) {
  Rng rng(1, "exclusive");
  double drawn = 0;
  return make(rows, columns, tasks, [&](Index, Index, std::size_t t) {
    if (t == 0) drawn = rng.uniform();
    return drawn >= share * static_cast<double>(t) && drawn < share * static_cast<double>(t + 1);
  });
}
Slices overlapping(Index rows, Index columns, std::size_t tasks, double share) {
  Rng rng(2, "overlapping");
  return make(rows, columns, tasks, [&](Index, Index, std::size_t) { return rng.uniform() < share; });
}
// Of every four columns two are the first task's and two the second's.
Slices two_of_four(Index rows, Index columns) {
  Rng rng(3, "two_of_four");
  static constexpr int kPairs[] = {3, 5, 6, 9, 10, 12};
  int pair = 0;
  return make(rows, columns, 2, [&](Index, Index c, std::size_t t) {
    if (c % 4 == 0 && t == 0) pair = kPairs[static_cast<std::size_t>(rng.uniform() * 6)];
    return ((pair >> (c % 4)) & 1) == (t == 0 ? 1 : 0);
  });
}
Slices blocks(Index rows, Index columns, Index height, Index width) {
  const Slices coarse = exclusive(rows / height, columns / width, 2, 0.2);
  return make(rows, columns, 2, [&](Index r, Index c, std::size_t t) {
    const auto& s = coarse[t];
    const auto first = s.column.begin() + s.row_begin[static_cast<std::size_t>(r / height)];
    const auto last = s.column.begin() + s.row_begin[static_cast<std::size_t>(r / height) + 1];
    return std::find(first, last, static_cast<std::int32_t>(c / width)) != last;
  });
}

void check_equal(const Slices& a, const Slices& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t t = 0; t < a.size(); ++t) {
    b[t].check();
    CHECK(a[t].rows == b[t].rows);
    CHECK(a[t].columns == b[t].columns);
    CHECK(a[t].row_begin == b[t].row_begin);
    CHECK(a[t].column == b[t].column);
  }
}
Slices back(const std::vector<std::uint8_t>& bytes, MaskCoding coding, const Slices& like) {
  return decode_masks(bytes, coding, like[0].rows, like[0].columns, kept_of(like), "file");
}

// Shannon's bound for exclusive tasks of this share, in bytes.
double bound(Index weights, double tasks, double share) {
  const double rest = 1 - tasks * share;
  const double bits = -tasks * share * std::log2(share) - (rest > 0 ? rest * std::log2(rest) : 0);
  return bits * static_cast<double>(weights) / 8;
}

}  // namespace

TEST_CASE("Masks come back exactly from every coding they have", "[masks]") {
  const std::vector<std::pair<std::string, Slices>> cases{
      {"one task", exclusive(17, 23, 1, 0.3)},
      {"two tasks", exclusive(40, 61, 2, 0.1)},
      {"all of it", exclusive(9, 16, 5, 0.2)},
      {"shared", overlapping(31, 20, 3, 0.4)},
      {"nothing", exclusive(5, 7, 2, 0)},
      {"everything", overlapping(6, 10, 2, 1.1)},
      {"one row", exclusive(1, 300, 2, 0.02)},
      {"one column", exclusive(300, 1, 2, 0.2)},
      {"no rows", exclusive(0, 8, 2, 0.2)},
      {"far apart", make(3, 70000, 1, [](Index r, Index c, std::size_t) { return r == 2 && c == 69999; })},
      {"2:4", two_of_four(12, 32)},
      {"2:4 and a rest", two_of_four(12, 30)},
      {"blocks", blocks(32, 48, 4, 8)},
      {"blocks of rows", blocks(32, 30, 16, 1)},
  };
  int coded = 0;
  for (const auto& [name, slices] : cases)
    for (const MaskCoding coding : kMaskCodings) {
      if (!can_code(pointers(slices), coding)) continue;
      INFO(name << " as " << name_of(coding));
      const auto bytes = code_masks(pointers(slices), coding);
      check_equal(slices, back(bytes, coding, slices));
      CHECK(code_masks(pointers(slices), coding) == bytes);
      ++coded;
    }
  CHECK(coded > 60);
}

TEST_CASE("Which forms patterns have", "[masks]") {
  const auto can = [](const Slices& s, MaskCoding c) { return can_code(pointers(s), c); };
  const Slices wide = make(1, 65537, 1, [](Index, Index c, std::size_t) { return c == 65536; });
  CHECK_FALSE(can(wide, MaskCoding::Csr16));
  CHECK(can(wide, MaskCoding::Csr32));
  CHECK_THROWS_WITH(code_masks(pointers(wide), MaskCoding::Csr16), Catch::Contains("csr16"));
  CHECK(can(blocks(32, 32, 4, 4), MaskCoding::Blocks));
  CHECK_FALSE(can(exclusive(33, 31, 2, 0.2), MaskCoding::Blocks));
  CHECK(can(two_of_four(8, 16), MaskCoding::Groups));
  CHECK_FALSE(can(overlapping(64, 64, 1, 0.5), MaskCoding::Groups));
  CHECK(mask_coding_of("csr16") == MaskCoding::Csr16);
  CHECK(mask_coding_of("zip") == std::nullopt);
}

TEST_CASE("Sizes of the forms that can be computed from", "[masks]") {
  const Slices s = exclusive(100, 200, 1, 0.1);
  const auto kept = static_cast<std::size_t>(s[0].kept());
  const auto size = [&](const Slices& of, MaskCoding c) { return code_masks(pointers(of), c).size(); };
  CHECK(size(s, MaskCoding::Csr32) == 101 * 4 + kept * 4);
  CHECK(size(s, MaskCoding::Csr16) == 101 * 4 + kept * 2);
  CHECK(size(s, MaskCoding::Bitmap) == 100 * 200 / 8);
  const Slices b = blocks(64, 64, 4, 8);
  const auto in_blocks = static_cast<std::size_t>(b[0].kept() + b[1].kept()) / 32;
  CHECK(size(b, MaskCoding::Blocks) == 2 * (2 + 17 * 4) + in_blocks * 2);
  CHECK(size(two_of_four(64, 64), MaskCoding::Groups) == 2 * (2 + 6 + 64 * 16 * 3 / 8));  // 6 patterns: 3 bits
}

TEST_CASE("Coded masks of all tasks are near their entropy", "[masks]") {
  for (const auto& [tasks, share] :
       {std::pair{2, 0.1}, std::pair{2, 0.05}, std::pair{2, 0.01}, std::pair{5, 0.2}, std::pair{1, 0.5}}) {
    INFO(tasks << " tasks of " << share);
    const Slices s = exclusive(400, 500, static_cast<std::size_t>(tasks), share);
    const CodedMasks coded = coded_masks(pointers(s));
    CHECK(static_cast<double>(coded.bytes.size()) < 1.02 * bound(200000, tasks, share) + 150);
  }
  const CodedMasks pairs = coded_masks(pointers(two_of_four(400, 500)));  // six patterns of four columns
  CHECK(pairs.coding == MaskCoding::Range);
  CHECK(static_cast<double>(pairs.bytes.size()) < 1.02 * std::log2(6) * 50000 / 8 + 150);
  const CodedMasks in_blocks = coded_masks(pointers(blocks(400, 480, 4, 8)));
  CHECK(static_cast<double>(in_blocks.bytes.size()) < 1.05 * bound(6000, 2, 0.2) + 150);
}

TEST_CASE("Rows and columns that are fuller than others make masks smaller", "[masks]") {
  Rng rng(5, "uneven");
  const Slices s = make(300, 300, 1, [&](Index r, Index c, std::size_t) {
    return rng.uniform() < (r % 3 == 0 && c % 2 == 0 ? 0.6 : 0.0);
  });
  const double even = bound(90000, 1, static_cast<double>(s[0].kept()) / 90000);
  CHECK(static_cast<double>(code_masks(pointers(s), MaskCoding::Range).size()) < 0.5 * even);
}

TEST_CASE("The smallest coding is chosen and sparser weights are smaller", "[masks]") {
  std::size_t before = 1U << 30U;
  for (const double share : {0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001}) {
    const Slices s = exclusive(120, 250, 2, share);
    const CodedMasks best = coded_masks(pointers(s));
    for (const MaskCoding c : {MaskCoding::Range, MaskCoding::Bitmap, MaskCoding::Gaps})
      CHECK(best.deflated <= coded_masks(pointers(s), c).deflated);
    const std::size_t packed = best.bytes.size() + 4 * static_cast<std::size_t>(s[0].kept() + s[1].kept());
    CHECK(packed < before);
    before = packed;
    CHECK(coded_masks(pointers(s), MaskCoding::Csr16).coding == MaskCoding::Csr16);
  }
}

TEST_CASE("Damaged masks are refused or are masks all the same", "[masks]") {
  const Slices s = exclusive(24, 33, 2, 0.2);
  Rng rng(7, "damage");
  for (const MaskCoding coding : kMaskCodings) {
    const Slices& of = coding == MaskCoding::Blocks   ? blocks(32, 32, 4, 4)
                       : coding == MaskCoding::Groups ? two_of_four(16, 32)
                                                      : s;
    REQUIRE(can_code(pointers(of), coding));
    const auto good = code_masks(pointers(of), coding);
    const auto attempt = [&](const std::vector<std::uint8_t>& bytes) {
      try {
        for (const auto& p : back(bytes, coding, of)) p.check();
        return true;
      } catch (const DataError& e) {
        CHECK(std::string(e.what()).rfind("file: ", 0) == 0);
        CHECK(std::string(e.what()).find('\n') == std::string::npos);
        return false;
      }
    };
    INFO(name_of(coding));
    for (std::size_t n = 0; n < good.size(); ++n)
      CHECK_FALSE(attempt({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}));
    auto longer = good;
    longer.push_back(0);
    CHECK_FALSE(attempt(longer));
    for (int i = 0; i < 300; ++i) {
      auto harmed = good;
      harmed[static_cast<std::size_t>(rng.uniform() * static_cast<double>(good.size()))] ^=
          static_cast<std::uint8_t>(1 + rng.uniform() * 254);
      attempt(harmed);
    }
  }
  CHECK_THROWS_AS(decode_masks({}, MaskCoding::Range, 4, 4, std::vector<Index>{17}, "file"), DataError);
  CHECK_THROWS_AS(decode_masks({}, MaskCoding::Gaps, 4, 4, std::vector<Index>{-1}, "file"), DataError);
}
