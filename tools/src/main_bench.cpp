// squall-bench: measures rows of the suite and writes them as JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "squall/core/pass_plan.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/tools/bench.hpp"
#include "squall/tools/catalog.hpp"

namespace {

int run(const std::vector<std::string>& patterns, const std::vector<int>& threads, int rounds,
        const std::string& file) {
  const squall::Catalog catalog = squall::make_catalog();
  std::vector<squall::BenchRow> rows;
  for (const int t : threads) {
    const squall::BenchContext context{catalog, squall::make_handler("cpu:f32", {t}), t, rounds};
    for (const auto& benchmark : squall::benchmarks()) {
      const auto wanted = [&](const std::string& p) { return squall::matches(p, benchmark.name); };
      if (std::none_of(patterns.begin(), patterns.end(), wanted)) continue;
      rows.push_back(benchmark.run(context));
      const auto& r = rows.back();
      fmt::print(stderr, "{:<24} T={}  {:>10.1f} us  {}{}\n", r.name, r.threads, r.ours_us,
                 r.peer.empty() ? std::string() : fmt::format("{:.2f}x {}", r.ratio(), r.peer),
                 r.checked ? "" : "  NOT CHECKED");
    }
  }
  if (rows.empty())
    squall::raise<squall::ConfigError>("no row matches; rows are named like mlp_train_b32 and sp_fc_1200_b1_s90");
  const std::string text = squall::to_json(rows).dump(2) + "\n";
  if (file == "-")
    fmt::print("{}", text);
  else
    squall::write_file_atomically(file, text);
  return std::all_of(rows.begin(), rows.end(), [](const auto& r) { return r.checked; }) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures squall", "squall-bench");
  std::vector<std::string> patterns;
  std::vector<int> threads{1};
  int rounds = 9;
  std::string file;
  app.add_option("suite", patterns, "patterns of row names, like 'sp_fc_*'")->required();
  app.add_option("--threads", threads, "numbers of threads")->delimiter(',')->check(CLI::PositiveNumber);
  app.add_option("--rounds", rounds, "interleaved rounds")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--json", file, "file to write; - for stdout")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return run(patterns, threads, rounds, file);
  } catch (const std::exception& e) {
    fmt::print(stderr, "squall-bench: {}\n", e.what());
    return 1;
  }
}
