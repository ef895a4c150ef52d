#include "squall/io/text.hpp"

#include <array>

#include "squall/core/error.hpp"

namespace squall {

SymbolText symbols_of(ByteView text) {
  std::array<bool, 256> occurs{};
  for (const std::byte b : text) occurs[static_cast<std::size_t>(b)] = true;
  SymbolText out;
  std::array<std::uint8_t, 256> symbol{};
  for (std::size_t b = 0; b < 256; ++b) {
    if (!occurs[b]) continue;
    symbol[b] = static_cast<std::uint8_t>(out.alphabet.size());
    out.alphabet.push_back(static_cast<std::uint8_t>(b));
  }
  out.symbols.reserve(text.size());
  for (const std::byte b : text) out.symbols.push_back(symbol[static_cast<std::size_t>(b)]);
  return out;
}

SymbolText byte_symbols_of(ByteView text) {
  constexpr std::size_t kBytes = 256;
  SymbolText out;
  for (std::size_t b = 0; b < kBytes; ++b) out.alphabet.push_back(static_cast<std::uint8_t>(b));
  for (const std::byte b : text) out.symbols.push_back(static_cast<std::uint8_t>(b));
  return out;
}

TextSequences sequences_of(const SymbolText& text, Index first, Index count, Index length, Index strands) {
  const auto total = static_cast<Index>(text.symbols.size());
  SQUALL_CHECK(length > 0 && strands > 0, "sequences need a positive length and number of strands, not ", length,
               " and ", strands);
  SQUALL_CHECK(first >= 0 && count >= 0 && first <= total && count <= total - first, "a text of ", total,
               " symbols has no ", count, " from ", first);
  const Index pieces = count / strands / length;
  if (pieces == 0)
    raise<DataError>(count, " symbols of text are too few for ", strands, " strands of at least ", length,
                     " steps; lower 'strands' or 'length'");
  const Index strand_length = pieces * length;
  TextSequences out{HostArray(DType::U8, {length, pieces * strands, 1}),
                    HostArray(DType::I32, {length, pieces * strands, 1})};
  auto* symbols = out.symbols.span<std::uint8_t>().data();
  auto* next = out.next.span<std::int32_t>().data();
  for (Index t = 0; t < length; ++t)
    for (Index piece = 0; piece < pieces; ++piece)
      for (Index strand = 0; strand < strands; ++strand) {
        const Index at = first + strand * strand_length + piece * length + t;
        *symbols++ = text.symbols[static_cast<std::size_t>(at)];
        *next++ = at + 1 < total ? text.symbols[static_cast<std::size_t>(at + 1)] : 0;
      }
  return out;
}

}  // namespace squall
