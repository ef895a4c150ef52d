// squall's model file: HDF5 (h5py, h5dump and HDFView open it) behind 512 bytes that allow checking every byte
// before HDF5 sees one:
//   0  "SQUALL\0\1"   8  version, u32   12  length of the file, u64   20  CRC-32C of the whole file with this
//   field zero, u32   24  zeros to 512   512  the HDF5 file.   All little-endian.
#pragma once

#include "squall/io/h5_file.hpp"

namespace squall {

inline constexpr std::size_t kContainerHeader = 512;
inline constexpr std::uint32_t kContainerVersion = 1;

// A writer of what becomes a model file.
inline H5Writer container_writer() { return H5Writer(kContainerHeader); }

// The finished file, and the same put in place atomically. The writer must come from container_writer().
Bytes seal_container(H5Writer& writer);
void write_container(const std::filesystem::path& path, H5Writer& writer);

// Raises FileError unless every byte is as it was written: "not a squall file", "cut off", "damaged",
// "written by a newer squall".
void check_container(ByteView file, const std::string& name);
H5Reader open_container(const std::filesystem::path& path);
H5Reader open_container(Bytes file, std::string name);

// Whether the file begins as a model file does; false too where it cannot be read.
bool looks_like_container(const std::filesystem::path& path);

}  // namespace squall
