// CRC-32C (Castagnoli), the checksum of model files.
#pragma once

#include "squall/io/bytes.hpp"

namespace squall {

// crc32c("123456789") is 0xE3069283. A text in pieces: crc32c(second, crc32c(first)).
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);
// The same without special instructions of the CPU.
std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t before = 0);

}  // namespace squall
