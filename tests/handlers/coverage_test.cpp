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

}  // namespace

TEST_CASE("Every public operation has a test case", "[ops]") {
  const auto headers = std::filesystem::path(SQUALL_SOURCES) / "core/include/squall/core/ops";
  const std::set<std::string> declared = declared_ops(headers);
  REQUIRE(declared.size() > 50);
  for (const std::string& op : declared)
    if (covered_ops().count(op) == 0) FAIL_CHECK(op << " has no test case");
  for (const std::string& op : covered_ops())
    if (declared.count(op) == 0 && op != "MemoryOps::to_host") FAIL_CHECK(op << " has a test case but is not declared");
}
