// Files that are being written beside the one they will replace: TARGET.PID.tmp.
#pragma once

#include <filesystem>

namespace squall::h5 {

std::filesystem::path temporary_beside(const std::filesystem::path& target);

// Removes those that a process left which is gone. One that is alive is known by its number and by its lock, so that
// writers in other containers and on other machines keep theirs where the file system has locks.
void remove_abandoned(const std::filesystem::path& target);

// Locks an open file for as long as it is open; false when somebody has taken it for an abandoned one in between.
bool own_temporary(int descriptor);

}  // namespace squall::h5
