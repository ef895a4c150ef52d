// Whole files: replaced in one step or not at all, read with errors that say what to do, unpacked from gzip.
#pragma once

#include <filesystem>
#include <limits>

#include "squall/io/bytes.hpp"
#include "squall/io/file_calls.hpp"

namespace squall {

// Puts `content` in place of the file: temporary beside it, write, fsync, rename, fsync of the folder. Whoever
// reads, or a crash at any moment, sees the old file or the new one. On failure the temporary is gone, the
// previous file is as it was, and a FileError says path, step, reason and remedy. Follows links; keeps the
// permissions of the file it replaces. What is not a plain file (a pipe, a device) is written to directly.
// Temporaries that a killed process left for this file are removed.
void write_file_atomically(const std::filesystem::path& path, ByteView content, const FileCalls& calls = FileCalls{});
void write_file_atomically(const std::filesystem::path& path, std::string_view text,
                           const FileCalls& calls = FileCalls{});

Bytes read_whole_file(const std::filesystem::path& path);
// Raises what read_whole_file would raise if the file cannot be opened.
void check_readable(const std::filesystem::path& path);
// The same, unpacked if the content is gzip, whatever the name.
Bytes read_data_file(const std::filesystem::path& path);

bool is_gzip(ByteView content);
inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
// Unpacks; `name` is for messages. Cut off or damaged content, or more than `max_bytes` of result: FileError.
Bytes gunzip(ByteView packed, std::string_view name, std::size_t max_bytes = kNoLimit);
// Only the first `count` bytes of the result, or fewer if there are no more.
Bytes gunzip_front(ByteView packed, std::string_view name, std::size_t count);

// "the previous file is unchanged", "free some space" and the like for an errno; "" where nothing helps.
std::string remedy_for(int error_number, const std::filesystem::path& path);

}  // namespace squall
