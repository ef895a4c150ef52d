// Nested objects by dotted path.
#include "squall/core/json_paths.hpp"

#include "squall/core/error.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

const json kLogs = json::parse(R"({"rolling": {"Loss": [3, 2], "Accuracy": [0.5]},
  "validation": {"digits": {"total_loss": [1]}, "none": {}}, "epochs": 2})");

std::string error_of(std::string_view path) {
  try {
    get_by_path(kLogs, path);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("keys of nested objects are flattened to dotted paths in order") {
  CHECK(flatten_keys(kLogs) ==
        std::vector<std::string>{"rolling.Loss", "rolling.Accuracy", "validation.digits.total_loss", "epochs"});
  CHECK(flatten_keys(json::object()).empty());
  CHECK(flatten_keys(json{{"a", 1}}) == std::vector<std::string>{"a"});
  CHECK_THROWS_AS(flatten_keys(json::array({1})), ConfigError);
  for (const auto& path : flatten_keys(kLogs)) CHECK_FALSE(get_by_path(kLogs, path).is_object());
}

TEST_CASE("what lies at a path is found") {
  CHECK(get_by_path(kLogs, "epochs") == 2);
  CHECK(get_by_path(kLogs, "validation.digits.total_loss") == json::array({1}));
  CHECK(get_by_path(kLogs, "rolling.Loss.1") == 2);
  CHECK(get_by_path(kLogs, "validation.none") == json::object());
  CHECK(&get_by_path(kLogs, "") == &kLogs);
}

TEST_CASE("a path that leads nowhere is told with where it ends and what can follow") {
  CHECK(error_of("rolling.Lost") == "there is no 'Lost' in 'rolling'; did you mean 'Loss'?; there are: Loss, Accuracy");
  CHECK_THAT(error_of("epoch"), Catch::StartsWith("there is no 'epoch' in the whole; did you mean 'epochs'?"));
  CHECK(error_of("validation.none.x") == "there is no 'x' in 'validation.none'; it is empty");
  CHECK(error_of("epochs.x") == "'epochs' is 2; nothing lies below it, so there is no 'epochs.x'");
  CHECK(error_of("rolling.Loss.2") == "'rolling.Loss' is a list of 2; there is no entry '2'");
  CHECK(error_of("rolling.Loss.last") == "'rolling.Loss' is a list of 2; there is no entry 'last'");
}
