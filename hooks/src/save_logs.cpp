// Writes all logs to a file.
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct SaveLogsOptions : HookOptions {
  std::string filename;
  static constexpr auto fields =
      std::tuple_cat(hook_fields<SaveLogsOptions>(),
                     std::tuple{field("filename", &SaveLogsOptions::filename,
                                      "where to; a name that ends in .json gives JSON, any other HDF5")});
};

// "validation.total_loss" -> "/validation/total_loss"; where a series has the name of a group, the rest stays one name.
std::string place_of(const Logs& logs, const std::string& path) {
  std::string out = concat("/", path);
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i] == '/') out[i] = ':';
    if (out[i] != '.') continue;
    if (logs.all().contains(path.substr(0, i - 1))) break;
    out[i] = '/';
  }
  return out;
}

class SaveLogs final : public HookOf<SaveLogs, SaveLogsOptions> {
 public:
  static constexpr std::string_view kType = "SaveLogs";
  static constexpr std::string_view kDoc = "Writes all logs to a file, which is replaced each time.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.filename.empty()) problems.add(where, "option 'filename' should say where to");
  }
  HookStage stage() const override { return HookStage::Save; }
  Verdict run(Trainer& trainer, const Progress&) override {
    const auto path = trainer.file(options.filename);
    if (path.extension() == ".json") {
      write_file_atomically(path, trainer.logs().to_json().dump(2) + "\n");
      return Verdict::Continue;
    }
    H5Writer file;
    for (const auto& [name, values] : trainer.logs().all())
      file.write(place_of(trainer.logs(), name), HostArray::of(Shape{static_cast<Index>(values.size())}, values));
    write_file_atomically(path, file.finish());
    return Verdict::Continue;
  }
};

}  // namespace

void register_save_logs(Catalog& catalog) { catalog.of<Hook>().add<SaveLogs>(); }

}  // namespace squall
