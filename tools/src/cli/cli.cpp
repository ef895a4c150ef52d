#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>

#include "cli/context.hpp"
#include "cli/usage.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/tools/run.hpp"

namespace squall::cli {

std::shared_ptr<Handler> Context::make_handler() const {
  HandlerOptions options{threads};
  for (const auto& known : enum_names(Precision{}))
    if (known.name == precision) options.precision = known.value;
  auto made = squall::make_handler(handler, options);
  if (verbose) {
    say(concat("handler ", made->name(), ", ", thread_count(), " threads"));
    for (const auto& line : handler_report()) say("  " + line);
  }
  return made;
}

int Context::thread_count() const {
  return threads > 0 ? threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void Context::print(const json& result, const std::string& text) const {
  const std::string out = as_json ? result.dump(2) : text;
  const char* end = out.empty() || out.back() == '\n' ? "" : "\n";
  const bool written = std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fputs(end, stdout) >= 0;
  if (!written || std::fflush(stdout) != 0)
    raise<FileError>("the result cannot be written to stdout: ", std::strerror(errno));
}

void Context::say(const std::string& text) const {
  if (!quiet) fmt::print(stderr, "{}\n", text);
}

void Context::detail(const Network& network) const {
  if (verbose) say(binding_details(network));
}

CLI::App* add_command(CLI::App& app, Context& c, const std::string& name, const std::string& doc,
                      std::function<int()> action) {
  CLI::App* command = app.add_subcommand(name, doc);
  command
      ->add_option("--handler", c.handler,
                   "cpu[:f32|f64] or cuda:N[:f32|f64], 'debug:' in front checks every operation")
      ->check(handler_name)
      ->capture_default_str();
  command->add_option("--precision", c.precision, "exact, tf32 or bf16")
      ->check(CLI::IsMember({"exact", "tf32", "bf16"}))
      ->capture_default_str();
  command->add_option("--threads", c.threads, "threads of the handler; 0: all cores")->check(count_or_none);
  command->add_option("--seed", c.seed, "beats the file's seed")->check(seed);
  command->add_flag("--quiet", c.quiet, "no chatter");
  command->add_flag("-v,--verbose", c.verbose, "more chatter: handler, data found, memory, the plan of each layer");
  command->add_option("--progress", c.progress, "auto, bar, plain, json or none")
      ->check(CLI::IsMember({"auto", "bar", "plain", "json", "none"}))
      ->capture_default_str();
  command->add_flag("--json", c.as_json, "the result as one JSON object on stdout");
  command->callback([&c, action = std::move(action)] { c.run = action; });
  return command;
}

namespace {

int fail(std::string_view what) {
  fmt::print(stderr, "squall: {}\n", what);
  return 1;
}

int run_chosen(const Context& context) {
  try {
    return context.run();
  } catch (const Error& e) {
    return fail(e.what());
  } catch (const std::bad_alloc&) {
    return fail("out of memory; use smaller batches or --threads 1");
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(e.what());
  } catch (const std::exception& e) {
    return fail(std::string("internal error: ") + e.what());
  }
}

// The first word of the line that should be a command and is none, told with the nearest; empty: there is none.
std::string wrong_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc && at->get_require_subcommand_min() > 0; ++i) {
    const std::string word = argv[i];
    if (word.starts_with('-')) return {};
    std::vector<std::string> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(sub->get_name());
      if (known.back() == word) next = sub;
    }
    if (next == nullptr)
      return concat("there is no command '", word, "'", did_you_mean(word, known), "; commands are: ", join(known));
    at = next;
  }
  return {};
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("squall: several tasks in one sparse network that really is smaller and faster", "squall");
  app.require_subcommand(1);
  app.set_version_flag("--version", "squall 0.1.0");
  Context context;
  for (const auto add : {add_train, add_eval, add_predict, add_sparsify, add_masks, add_convert, add_extract,
                         add_import, add_info, add_describe, add_report, add_draw, add_layout, add_gradcheck, add_data})
    add(app, context);
  if (const std::string wrong = wrong_command(app, argc, argv); !wrong.empty()) {
    fail(wrong);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return run_chosen(context);
}

}  // namespace squall::cli
