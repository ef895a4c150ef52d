// Every operation of the facets and plans has a test case: their names are read from the headers.
#include <filesystem>
#include <fstream>
#include <regex>

#include "support/op_case.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// "Class::operation" for every virtual do_operation of the headers. do_plan stands for the plan's own operations.
std::set<std::string> declared_ops(const std::filesystem::path& headers) {
  const std::regex class_line("^class (\\w+)");
  const std::regex op_line("virtual .*\\bdo_(\\w+)\\(");
  std::set<std::string> ops;
  for (const auto& file : std::filesystem::directory_iterator(headers)) {
    std::ifstream in(file.path());
    std::string line, owner;
    while (std::getline(in, line)) {
      std::smatch found;
      if (std::regex_search(line, found, class_line)) owner = found[1];
      if (std::regex_search(line, found, op_line) && found[1] != "plan") ops.insert(owner + "::" + found[1].str());
    }
  }
  return ops;
}

std::filesystem::path op_headers() { return std::filesystem::path(SQUALL_SOURCES) / "core/include/squall/core/ops"; }

// What stands in `...` in a cell.
std::set<std::string> quoted(const std::string& cell) {
  std::set<std::string> out;
  const std::regex code("`([^`]+)`");
  for (std::sregex_iterator i(cell.begin(), cell.end(), code), end; i != end; ++i) out.insert((*i)[1]);
  return out;
}

}  // namespace

TEST_CASE("Every public operation has a test case", "[ops]") {
  const std::set<std::string> declared = declared_ops(op_headers());
  REQUIRE(declared.size() > 50);
  for (const std::string& op : declared)
    if (covered_ops().count(op) == 0) FAIL_CHECK(op << " has no test case");
  for (const std::string& op : covered_ops())
    if (declared.count(op) == 0 && op != "MemoryOps::to_host") FAIL_CHECK(op << " has a test case but is not declared");
}

TEST_CASE("brainstorm's operations have counterparts with cases", "[ops]") {
  std::set<std::string> declared = declared_ops(op_headers());
  declared.insert("MemoryOps::to_host");  // made of others
  std::ifstream page(std::filesystem::path(SQUALL_SOURCES) / "docs/handler_operations.md");
  const std::regex row(R"(\| (\d+) \| (\w+)\([^|]*\| ([^|]*) \| [^|]* \| ([^|]*) \|)");
  std::set<std::string> theirs;
  std::string line;
  while (std::getline(page, line)) {
    std::smatch cells;
    if (!std::regex_match(line, cells, row)) continue;
    INFO(line);
    theirs.insert(cells[2]);
    CHECK(cells[1] == std::to_string(theirs.size()));
    const auto ours = quoted(cells[3]);
    const auto cases = quoted(cells[4]);
    CHECK_FALSE(ours.empty());
    CHECK_FALSE(cases.empty());
    for (const std::string& op : ours) CHECK(declared.count(op) == 1);
    for (const std::string& name : cases) CHECK(op_cases().count(name) == 1);
  }
  CHECK(theirs.size() == 56);
}
