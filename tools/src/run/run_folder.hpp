// The folder of a run: one run at a time writes in it, and a new run leaves nothing of the one before.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace squall {

// Held while it lives; the system lets go of it when the process dies, however that happens. Folders it made are gone
// again in the end when nothing was put there.
class RunFolder {
 public:
  // Makes the folder. Throws FileError when it cannot be made or another run holds it.
  explicit RunFolder(std::filesystem::path path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Which file of a run in this folder `file` is, by whatever way it is named; "" if none: a new run would replace it.
  std::string owns(const std::filesystem::path& file) const;
  // What says that a run is finished: model.h5 and report.json. With `all`, its checkpoints and best.h5 too.
  void forget(bool all) const;

 private:
  void make();
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // outermost first
  int lock_ = -1;
};

}  // namespace squall
