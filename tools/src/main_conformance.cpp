// squall-conformance: replays recordings of the original systems, one line per case.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "squall/handlers/make_handler.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"

namespace {

using squall::ConformanceResult;

std::vector<std::filesystem::path> files_in(const std::vector<std::filesystem::path>& folders,
                                            const std::string& filter) {
  std::vector<std::filesystem::path> files;
  for (const auto& folder : folders) {
    if (!std::filesystem::is_directory(folder)) squall::raise<squall::FileError>(folder.string(), ": is not a folder");
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".h5" && entry.path().stem().string().find(filter) != std::string::npos)
        files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

int run(const std::string& handler_name, const std::string& filter, const std::vector<std::filesystem::path>& folders) {
  const squall::Catalog catalog = squall::make_catalog();
  const auto handler = squall::make_handler(handler_name);
  int passed = 0;
  int failed = 0;
  for (const auto& file : files_in(folders, filter)) {
    const ConformanceResult r = squall::replay(file, catalog, handler);
    if (r.state == ConformanceResult::State::Passed) {
      ++passed;
      fmt::print("ok {} worst={:.1e}\n", r.name, r.worst);
    } else if (r.state == ConformanceResult::State::Failed) {
      ++failed;
      fmt::print("FAIL {} {}\n", r.name, r.message);
    } else {
      fmt::print("n/a {} {}\n", r.name, r.message);
    }
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Replays recordings of the original systems and compares", "squall-conformance");
  std::string handler = "cpu:f64";
  std::string filter;
  std::vector<std::filesystem::path> folders;
  app.add_option("--handler", handler, "handler to run on")->capture_default_str();
  app.add_option("--filter", filter, "only cases whose name has this text");
  app.add_option("folders", folders, "folders of recordings")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return run(handler, filter, folders);
  } catch (const std::exception& e) {
    fmt::print(stderr, "squall-conformance: {}\n", e.what());
    return 1;
  }
}
