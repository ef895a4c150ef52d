#include "progress/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <set>

#include "squall/training/progress_bar.hpp"

namespace squall {

namespace {

using Clock = std::chrono::steady_clock;
using Values = std::vector<std::pair<std::string, double>>;

// Keeps apart what is not to be shown.
class Shown : public TrainingObserver {
 public:
  void hides(const std::string& path) override { hidden_.insert(path); }

 protected:
  Values shown(const Values& values) const {
    Values out;
    for (const auto& one : values)
      if (!hidden_.contains(one.first)) out.push_back(one);
    return out;
  }

 private:
  std::set<std::string> hidden_;
};

class Plain : public Shown {
 public:
  void epoch_ends(const Progress& p, const Values& values, double seconds) override {
    std::string text;
    for (const auto& [path, value] : shown(values)) text += fmt::format("  {}={:.4f}", path, value);
    fmt::print(stderr, "epoch {}  {:.1f} s{}\n", p.epoch, seconds, text);
  }
  void message(const std::string& text) override { fmt::print(stderr, "{}\n", text); }
};

class Lines : public Shown {  // JSON, one object per line
 public:
  void epoch_ends(const Progress& p, const Values& values, double seconds) override {
    json line = {{"event", "epoch"}, {"epoch", p.epoch}, {"update", p.update}, {"seconds", seconds}};
    for (const auto& [path, value] : shown(values)) line[path] = std::isfinite(value) ? json(value) : json(nullptr);
    fmt::print(stderr, "{}\n", line.dump());
  }
  void message(const std::string& text) override {
    fmt::print(stderr, "{}\n", json{{"event", "message"}, {"text", text}}.dump());
  }
};

// Redrawn at most ten times a second; cleared before anything else is written.
class Bar : public Plain {
 public:
  void epoch_begins(Index epoch, Index batches) override {
    epoch_ = epoch;
    begun_ = Clock::now();
    drawn_ = Clock::time_point{};
    draw(0, batches, 0);
  }
  void update_done(const Progress&, Index batch, Index batches, double loss) override {
    if (Clock::now() - drawn_ > std::chrono::milliseconds(100)) draw(batch, batches, loss);
  }
  void epoch_ends(const Progress& p, const Values& values, double seconds) override {
    clear();
    Plain::epoch_ends(p, values, seconds);
  }
  void message(const std::string& text) override {
    clear();
    Plain::message(text);
  }

 private:
  void clear() { fmt::print(stderr, "\r\033[K"); }
  void draw(Index batch, Index batches, double loss) {
    drawn_ = Clock::now();
    ProgressBarText bar(static_cast<double>(std::max<Index>(batches, 1)), std::string(30, '#'));
    bar.advance(static_cast<double>(batch));
    const double passed = std::chrono::duration<double>(drawn_ - begun_).count();
    const double left = batch > 0 ? passed / static_cast<double>(batch) * static_cast<double>(batches - batch) : 0;
    fmt::print(stderr, "\r\033[Kepoch {} [{}] {}/{}  {:.0f} s left  loss={:.4f}", epoch_, bar.text('.'), batch, batches,
               left, loss);
    std::fflush(stderr);
  }
  Index epoch_ = 0;
  Clock::time_point begun_, drawn_;
};

bool can_redraw() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

std::unique_ptr<TrainingObserver> make_progress(std::string_view mode, bool quiet) {
  if (quiet || mode == "none") return std::make_unique<TrainingObserver>();
  if (mode == "json") return std::make_unique<Lines>();
  if (mode == "bar" || (mode == "auto" && can_redraw())) return std::make_unique<Bar>();
  return std::make_unique<Plain>();
}

}  // namespace squall
