// squall-bench: measures rows of the suite and writes them as JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "bench/packed_rows.hpp"
#include "squall/core/pass_plan.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/tools/bench.hpp"
#include "squall/tools/catalog.hpp"

namespace {

struct Options {
  std::vector<std::string> patterns;
  std::vector<int> threads{1};
  int rounds = 9, steps = 0;
  std::string file, model, table, python, scripts = SQUALL_PEER_SCRIPTS;
  std::string handler = "cpu:f32", precision = "exact";
  std::vector<squall::Index> batches{1, 2, 4, 8, 16, 32, 64, 128, 256};
};

void print(const squall::BenchRow& r) {
  fmt::print(stderr, "{:<28} T={}  {:>10.1f} {}  {}{}\n", r.name, r.threads, r.ours_us, r.unit,
             r.peer.empty() ? std::string() : fmt::format("{:.2f}x {}", r.ratio(), r.peer),
             r.checked ? "" : "  NOT CHECKED");
}

squall::BenchContext context_of(const Options& o, const squall::Catalog& catalog, int threads) {
  squall::HandlerOptions options{threads};
  for (const auto& known : squall::enum_names(squall::Precision{}))
    if (known.name == o.precision) options.precision = known.value;
  return {catalog, squall::make_handler(o.handler, options), threads, o.rounds, {}, o.precision};
}

// Of a packed model, into the table and the file.
std::vector<squall::BenchRow> model_rows(const Options& o, const squall::Catalog& catalog) {
  std::vector<squall::bench::PackedRow> all;
  for (const int t : o.threads) {
    const squall::BenchContext context = context_of(o, catalog, t);
    for (auto& row : squall::bench::packed_rows(context, o.model, o.batches)) {
      print(row);
      all.push_back(std::move(row));
    }
  }
  if (!o.table.empty()) squall::write_file_atomically(o.table, squall::bench::packed_table(all));
  return {all.begin(), all.end()};
}

std::vector<squall::Benchmark> wanted_rows(const Options& o) {
  std::vector<squall::Benchmark> rows = squall::benchmarks();
  std::erase_if(rows, [&](const squall::Benchmark& b) {
    return std::none_of(o.patterns.begin(), o.patterns.end(),
                        [&](const std::string& p) { return squall::matches(p, b.name); });
  });
  return rows;
}

std::optional<squall::PeerOptions> peers_of(const Options& o) {
  if (o.python.empty()) return std::nullopt;
  if (!std::filesystem::exists(o.scripts))
    squall::raise<squall::ConfigError>("there is no folder ", o.scripts, "; --peer-scripts says where the scripts are");
  return squall::PeerOptions{o.python, o.scripts};
}

// One row's work in this process, and nothing else.
int live(const Options& o, const squall::Catalog& catalog) {
  const auto rows = wanted_rows(o);
  if (rows.size() != 1) squall::raise<squall::ConfigError>("--steps takes one row, not ", rows.size());
  const squall::BenchContext context = context_of(o, catalog, o.threads[0]);
  fmt::print("{}\n", squall::one_life(rows[0], context, o.steps).dump());
  return 0;
}

int run(const Options& o) {
  const squall::Catalog catalog = squall::make_catalog();
  if (o.steps > 0) return live(o, catalog);
  std::vector<squall::BenchRow> rows;
  if (!o.model.empty()) rows = model_rows(o, catalog);
  for (const int t : o.threads) {
    squall::BenchContext context = context_of(o, catalog, t);
    context.peers = peers_of(o);
    for (const auto& benchmark : wanted_rows(o)) {
      for (auto& row : squall::measure(benchmark, context)) {
        print(row);
        rows.push_back(std::move(row));
      }
    }
  }
  if (!o.table.empty() && o.model.empty()) squall::write_file_atomically(o.table, squall::table_of(rows));
  if (rows.empty())
    squall::raise<squall::ConfigError>("no row matches; rows are named like mlp_train_b32 and sp_fc_1200_b1_s90");
  const std::string text = squall::to_json(rows).dump(2) + "\n";
  if (o.file == "-")
    fmt::print("{}", text);
  else
    squall::write_file_atomically(o.file, text);
  return std::all_of(rows.begin(), rows.end(), [](const auto& r) { return r.checked; }) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures squall", "squall-bench");
  Options o;
  app.add_option("suite", o.patterns, "patterns of row names, like 'sp_fc_*'");
  app.add_option("--model", o.model, "a packed model: its layers, tasks and the whole of it against dense");
  app.add_option("--batches", o.batches, "batch sizes for --model")->delimiter(',')->check(CLI::PositiveNumber);
  app.add_option("--table", o.table, "file for a Markdown table of the rows");
  app.add_option("--handler", o.handler, "handler that is measured: cpu:f32, cuda:0:f32")->capture_default_str();
  app.add_option("--precision", o.precision, "of products on a GPU, and of the peers'")
      ->check(CLI::IsMember({"exact", "tf32", "bf16"}))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "numbers of threads")->delimiter(',')->check(CLI::PositiveNumber);
  app.add_option("--peers", o.python, "a Python with torch and onnxruntime: their scripts run in turns with ours");
  app.add_option("--peer-scripts", o.scripts, "folder of these scripts")->capture_default_str();
  app.add_option("--steps", o.steps,
                 "do so many steps of one row only; say when the first was done and the memory used");
  app.add_option("--rounds", o.rounds, "interleaved rounds")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--json", o.file, "file to write; - for stdout")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return run(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "squall-bench: {}\n", e.what());
    return 1;
  }
}
