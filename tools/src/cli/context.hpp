// What every command shares: common options, the catalog, results on stdout and chatter on stderr.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "squall/core/handler.hpp"
#include "squall/core/json.hpp"
#include "squall/core/network.hpp"
#include "squall/tools/catalog.hpp"

namespace squall::cli {

struct Context {
  std::string handler = "cpu", precision = "exact", progress = "auto";
  int threads = 0;
  std::optional<std::uint64_t> seed;
  bool quiet = false, verbose = false, as_json = false;
  Catalog catalog = make_catalog();

  // Set by the command that was chosen.
  std::function<int()> run;

  std::shared_ptr<Handler> make_handler() const;
  int thread_count() const;
  // Results: the JSON object with --json, else the text.
  void print(const json& result, const std::string& text) const;
  void say(const std::string& text) const;    // to stderr, unless --quiet
  void detail(const Network& network) const;  // with --verbose: how it ran
};

// A subcommand with the common options; `action` runs when it was chosen.
CLI::App* add_command(CLI::App& app, Context& context, const std::string& name, const std::string& doc,
                      std::function<int()> action);

// One per command, each in a file of its own.
void add_train(CLI::App& app, Context& context);
void add_eval(CLI::App& app, Context& context);
void add_predict(CLI::App& app, Context& context);
void add_sparsify(CLI::App& app, Context& context);
void add_masks(CLI::App& app, Context& context);
void add_convert(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_extract(CLI::App& app, Context& context);
void add_info(CLI::App& app, Context& context);
void add_describe(CLI::App& app, Context& context);
void add_report(CLI::App& app, Context& context);
void add_draw(CLI::App& app, Context& context);
void add_layout(CLI::App& app, Context& context);
void add_gradcheck(CLI::App& app, Context& context);
void add_data(CLI::App& app, Context& context);

// Runs a command line; returns the exit code (0 done, 1 failed, 2 wrong usage, 75 stopped and saved).
int run_command_line(int argc, char** argv);

}  // namespace squall::cli
