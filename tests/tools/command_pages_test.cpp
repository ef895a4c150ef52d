// The pages of the commands say what the program says.
#include <regex>
#include <set>

#include "run_command.hpp"
#include "support/catch.hpp"

using namespace squall::testing;

namespace {

// Names of options ("-v,--verbose" are two) where a line begins with them.
std::set<std::string> options_in(const std::string& text) {
  std::set<std::string> names;
  const std::regex line(R"(^ +((?:-[A-Za-z],)?--[a-z][a-z-]*))");
  std::istringstream lines(text);
  std::smatch found;
  for (std::string one; std::getline(lines, one);) {
    if (!std::regex_search(one, found, line)) continue;
    std::istringstream parts(found[1].str());
    for (std::string name; std::getline(parts, name, ',');) names.insert(name);
  }
  return names;
}

std::vector<std::string> subcommands_in(const std::string& text) {
  std::vector<std::string> names;
  const auto begin = text.find("Subcommands:");
  if (begin == std::string::npos) return names;
  std::istringstream lines(text.substr(begin));
  std::string one;
  std::getline(lines, one);
  while (std::getline(lines, one) && one.starts_with("  "))
    if (one[2] != ' ') names.push_back(one.substr(2, one.find(' ', 2) - 2));
  return names;
}

// What follows "Usage: squall VERB" up to the next such line.
std::string section_of(const std::string& page, const std::string& command) {
  std::smatch found;
  const std::regex head("\nUsage: squall " + command + " (?:\\[OPTIONS\\]|[a-zA-Z]|\n)");
  if (!std::regex_search(page, found, head)) return {};
  const auto begin = static_cast<std::size_t>(found.position()) + 1;
  return page.substr(begin, page.find("\nUsage:", begin) - begin);
}

}  // namespace

TEST_CASE("the page of each command has the options of its help and no others") {
  const std::filesystem::path pages = SQUALL_COMMAND_PAGES;
  const auto verbs = subcommands_in(run_squall("--help").out);
  CHECK(verbs.size() > 10);
  for (const std::string& verb : verbs) {
    const std::string page = read_file((pages / (verb + ".md")).string());
    INFO(verb);
    REQUIRE_FALSE(page.empty());
    const std::string help = run_squall(verb + " --help").out;
    std::vector<std::string> commands{verb};
    for (const auto& sub : subcommands_in(help)) commands.push_back(verb + " " + sub);
    for (const auto& command : commands) {
      INFO(command);
      CHECK(options_in(section_of(page, command)) == options_in(run_squall(command + " --help").out));
    }
  }
  CHECK(options_in(section_of(read_file((pages / "train.md").string()), "train")).contains("--dry-run"));
}
