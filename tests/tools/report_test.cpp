// squall report: the page holds what the other commands say, and is well-formed XML without outside resources.
#include <cctype>
#include <regex>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// Why a text is not well-formed; "" when it is. Tags, attributes and entities as the page uses them.
std::string ill_formed(const std::string& text) {
  std::vector<std::string> open;
  const std::regex attributes(R"re((\s+[A-Za-z:_-]+=("[^"<]*"|'[^'<]*'))*\s*/?)re");
  const std::regex entity(R"re(&(amp|lt|gt|quot|apos|#[0-9]+);)re");
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '&' && !std::regex_search(text.substr(i, 12), entity, std::regex_constants::match_continuous))
      return "entity at " + text.substr(i, 30);
    if (text[i] != '<') {
      ++i;
      continue;
    }
    const std::size_t end = text.find('>', i);
    if (end == std::string::npos) return "no end of tag";
    std::string tag = text.substr(i + 1, end - i - 1);
    i = end + 1;
    if (tag.starts_with("?") || tag.starts_with("!DOCTYPE")) continue;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return "</" + tag.substr(1) + "> closes nothing";
      open.pop_back();
      continue;
    }
    std::size_t name = 0;
    while (name < tag.size() && std::isalnum(static_cast<unsigned char>(tag[name]))) ++name;
    // A long path is no matter of syntax, and too long for the expression.
    std::string rest = std::regex_replace(tag.substr(name), std::regex("(d|points)='[^'<]*'"), "d=''");
    if (!std::regex_match(rest, attributes)) return "attributes of <" + tag.substr(0, 80);
    if (!tag.ends_with("/")) open.push_back(tag.substr(0, name));
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

// The cells of the row that begins so.
std::vector<std::string> cells(const std::string& page, const std::string& row) {
  const auto begin = page.find(row);
  REQUIRE(begin != std::string::npos);
  const std::string line = page.substr(begin, page.find("</tr>", begin) - begin);
  std::vector<std::string> out;
  const std::regex cell("<td[^>]*>([^<]*)</td>");
  for (auto it = std::sregex_iterator(line.begin(), line.end(), cell); it != std::sregex_iterator(); ++it)
    out.push_back((*it)[1]);
  return out;
}

}  // namespace

TEST_CASE("the page of a run holds the numbers of the run and of its model") {
  const Folder folder;
  json e = json::parse(tiny_experiment());
  e["network"]["drop"]["drop_prob"] = 0.2;
  const std::string file = folder.write("e.json", e.dump());
  REQUIRE(run_squall("train " + file + " --quiet --out " + (folder / "run")).code == 0);
  const std::string out = folder / "page.html";
  const Ran ran = run_squall("report " + (folder / "run") + " --json --batch 4 --out " + out);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(ran.out);
  const std::string page = read_file(out);
  CHECK(ill_formed(page).empty());
  INFO(ill_formed(page));
  for (const char* outside : {"src=", "href=", "url(", "@import", "<script"})
    CHECK(page.find(outside) == std::string::npos);
  const json run = json::parse(read_file(folder / "run/report.json"));
  const json info = json::parse(run_squall("info " + (folder / "run/model.h5") + " --json").out);
  for (const std::string task : {"a", "b"}) {
    const auto row = cells(page, "<tr data-task='" + task + "'>");
    REQUIRE(row.size() == 10);
    CHECK(row[0] == task);
    CHECK(std::stod(row[1]) == Approx(run["tasks"][task]["accuracy"].get<double>()).epsilon(1e-5));
    CHECK(std::stod(row[2]) == Approx(run["tasks"][task]["loss"].get<double>()).epsilon(1e-5));
    CHECK(std::stod(row[6]) == Approx(info["masks"]["density"][task].get<double>()).epsilon(1e-5));
    CHECK(report["tasks"][task]["scores"] == run["tasks"][task]);
    CHECK(row[4] == std::to_string(report["tasks"][task]["kept"].get<int>()));
    const auto hidden = cells(page, "<tr data-layer='hidden' data-task='" + task + "'>");
    REQUIRE(hidden.size() == 14);
    const json& tensor = info["masks"]["tensors"][0];
    REQUIRE(tensor["parameter"] == "hidden.W");
    CHECK(hidden[2] == std::to_string(tensor["elements"].get<int>()));
    CHECK(hidden[3] == std::to_string(tensor["tasks"][task]["kept"].get<int>()));
    CHECK(hidden[8] == std::to_string(2 * tensor["tasks"][task]["kept"].get<int>()));
    CHECK(std::stod(hidden[12]) > 0);
  }
  CHECK(page.find("<span id='twice'>0</span>") != std::string::npos);
  CHECK(page.find("<span id='free'>" + std::to_string(report["free"].get<int>()) + "</span>") != std::string::npos);
  // Who owns what, square by square: hidden.W is small enough to be shown whole.
  for (const std::string task : {"a", "b"})
    CHECK(page.find("data-owner='" + task + "' data-count='" +
                    std::to_string(info["masks"]["tensors"][0]["tasks"][task]["kept"].get<int>()) + "'") !=
          std::string::npos);
  // The curve of the log ends where the log does.
  double last = 0;
  std::stringstream metrics(read_file(folder / "run/metrics.jsonl"));
  for (std::string line; std::getline(metrics, line);) last = json::parse(line).value("validation.total_loss", last);
  char text[64];
  std::snprintf(text, sizeof text, "validation.total_loss: %.6g at last", last);
  CHECK(page.find(text) != std::string::npos);
}

TEST_CASE("a report counts what convolutions compute at every place") {
  const Folder folder;
  const std::string file = folder.write("e.json", R"({
    "network": {"@spec": "C3:3p1", "in_shape": [6, 5, 2], "out_shape": 10, "tasks": ["x", "y"]},
    "data": {"d": {"@type": "Npy", "train": "x.npy"}}, "tasks": {"x": {"data": "d"}, "y": {"data": "d"}},
    "train": {"max_epochs": 1}})");
  json e = json::parse(read_file(file));
  e["network"]["in_shape"] = {28, 28, 1};
  e["data"]["d"] = {
      {"@type", "Synthetic"}, {"set", "strokes"}, {"examples", 20}, {"test_examples", 10}, {"scale", 255}};
  e["sparsify"] = {{"@type", "Rsn2"}, {"sparsity", 50}};
  e["train"] = {{"stepper", {{"@type", "Adam"}}}, {"batch_size", 10}, {"max_epochs", 1}};
  const Ran trained = run_squall("train " + folder.write("f.json", e.dump()) + " --quiet --out " + (folder / "run"));
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const Ran ran = run_squall("report " + (folder / "run/model.h5") + " --json --batch 0");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(ran.out);
  const json& conv = report["layers"][0];
  CHECK(conv["layer"] == "Convolution2D");
  CHECK(conv["dense_operations"] == 2 * 27 * 28 * 28);
  CHECK(conv["operations"] == 2 * conv["kept"].get<int>() * 28 * 28);
  CHECK_FALSE(conv.contains("packed_us"));
  CHECK(run_squall("report " + (folder / "run/model.h5") + " --out x.pdf").code == 1);
}

TEST_CASE("a report counts units that are given a shape once and transposed convolutions where they read") {
  const Folder folder;
  const std::string file = folder.write("e.json", R"({
    "network": {
      "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 28, 28, 1]},
                "@outgoing_connections": {"default": ["Code", "Error.targets"]}},
      "Code": {"@type": "FullyConnected", "size": [14, 14, 1], "activation": "rel", "@outgoing_connections": ["Wider"]},
      "Wider": {"@type": "ConvTranspose2D", "filters": 3, "kernel_size": 2, "stride": 2, "@outgoing_connections": ["Pixel"]},
      "Pixel": {"@type": "Conv2D", "filters": 1, "kernel_size": 3, "@outgoing_connections": ["Error"]},
      "Error": {"@type": "SquaredError", "@outgoing_connections": {"loss": ["Loss"]}},
      "Loss": {"@type": "Loss"}},
    "data": {"d": {"@type": "Synthetic", "set": "strokes", "examples": 20, "test_examples": 10, "scale": 255}},
    "initialize": {"default": 0.1}, "tasks": {"default": {"data": "d", "scorers": []}},
    "train": {"stepper": {"@type": "Adam"}, "batch_size": 10, "max_epochs": 1}})");
  const Ran trained = run_squall("train " + file + " --quiet --out " + (folder / "run"));
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const Ran ran = run_squall("report " + (folder / "run/model.h5") + " --json --batch 0");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(ran.out);
  CHECK(report["layers"][0]["dense_operations"] == 2 * 28 * 28 * 14 * 14);
  CHECK(report["layers"][1]["dense_operations"] == 2 * (2 * 2 * 3) * 14 * 14);
  CHECK(report["layers"][2]["dense_operations"] == 2 * (3 * 3 * 3) * 28 * 28);
}
