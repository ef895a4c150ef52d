// The folder of a run: one run at a time writes in it, and a new run leaves nothing of the one before once it has saved
// something itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace squall {

// Held while it lives; the system lets go of it when the process dies, however that happens. Folders it made are gone
// again in the end when nothing was put there.
class RunFolder {
 public:
  // Makes the folder, and puts back what a run that was killed had set aside. Throws FileError when it cannot be made
  // or another run holds it.
  explicit RunFolder(std::filesystem::path path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Which file of a run in this folder `file` is, by whatever way it is named; "" if none: a new run would replace it.
  std::string owns(const std::filesystem::path& file) const;
  // Takes out of sight what says that a run is finished, model.h5 and report.json; with `all`, everything of a run. It
  // comes back in the end unless settle() was called.
  void set_aside(bool all);
  // This run has saved something: what was set aside goes for good.
  void settle();

 private:
  void make();
  void put_back();
  void recover();
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;   // outermost first
  std::vector<std::filesystem::path> aside_;  // the names they had
  int lock_ = -1;
};

}  // namespace squall
