// Rows as a Markdown table.
#include <fmt/format.h>

#include "squall/tools/bench.hpp"

namespace squall {

namespace {

std::string amount(double value, const std::string& unit) {
  if (unit != "us") return fmt::format("{:.1f} {}", value, unit);
  return value < 10000 ? fmt::format("{:.1f} us", value) : fmt::format("{:.2f} ms", value / 1000);
}

// Threads of a CPU, or the device.
std::string place(const BenchRow& r) { return r.handler.starts_with("cpu") ? std::to_string(r.threads) : r.handler; }

}  // namespace

std::string table_of(const std::vector<BenchRow>& rows) {
  std::string text =
      "| row | T or device | squall | peer | its time | ratio | spread | checked "
      "|\n|---|---|---|---|---|---|---|---|\n";
  for (const BenchRow& r : rows) {
    const bool alone = r.peer.empty();
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {:.0f} % | {} |\n", r.name, place(r),
                        amount(r.ours_us, r.unit), alone ? "-" : r.peer, alone ? "-" : amount(r.peer_us, r.unit),
                        alone ? "-" : fmt::format("{:.2f}x", r.ratio()), r.spread * 100, r.checked ? "yes" : "**no**");
  }
  return text;
}

}  // namespace squall
