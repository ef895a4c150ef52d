// The folder of a run: one run at a time writes in it, and a new run leaves nothing of the one before.
#pragma once

#include <filesystem>

namespace squall {

// Held while it lives; the system lets go of it when the process dies, however that happens.
class RunFolder {
 public:
  // Makes the folder. Throws FileError when it cannot be made or another run holds it.
  explicit RunFolder(std::filesystem::path path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // What says that a run is finished: model.h5 and report.json. With `all`, its checkpoints and best.h5 too.
  void forget(bool all) const;

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace squall
