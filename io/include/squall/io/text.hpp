// Text as symbols: every byte is one of the bytes that occur in it, or itself.
#pragma once

#include <filesystem>
#include <vector>

#include "squall/core/host_array.hpp"
#include "squall/io/bytes.hpp"

namespace squall {

struct SymbolText {
  std::vector<std::uint8_t> alphabet;  // the bytes that occur, ascending
  std::vector<std::uint8_t> symbols;   // indices into the alphabet, one per byte of the text
};

SymbolText symbols_of(ByteView text);
// The alphabet is all 256 bytes, in order.
SymbolText byte_symbols_of(ByteView text);
// So many bytes of an invented language with words, agreement over a distance and nesting; the same on every machine.
Bytes draw_text(Index bytes, std::uint64_t seed);

// Sequences for training: (length, pieces * strands, 1). The part [first, first + count) of the text is cut into
// `strands` parallel strands of equal length; piece k of every strand follows piece k - 1 of the same strand, so
// that batches of `strands` sequences in order are continuous. What is left over at the end is not used.
struct TextSequences {
  HostArray symbols;  // U8
  HostArray next;     // I32: the symbol that follows; 0 after the last of the text
};
TextSequences sequences_of(const SymbolText& text, Index first, Index count, Index length, Index strands);

}  // namespace squall
