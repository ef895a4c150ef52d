// Things done before training, after epochs or after updates: monitoring, saving, stopping.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "squall/core/catalog.hpp"
#include "squall/core/host_array.hpp"
#include "squall/training/logs.hpp"
#include "squall/training/schedule.hpp"

namespace squall {

class Trainer;

enum class Verdict : std::uint8_t { Continue, Stop };
enum class Timescale : std::uint8_t { Epoch, Update };
std::span<const EnumName<Timescale>> enum_names(Timescale);  // "epoch", "update"

// Hooks run in this order, and as they were added within a stage, so that the buffers of the last update are inspected
// before other data runs through the network, what is measured can be judged and what was decided can be saved.
enum class HookStage : std::uint8_t { Inspect, Measure, Judge, Save };

class Hook : public Describable {
 public:
  static constexpr std::string_view kFamily = "hook";
  virtual HookStage stage() const { return HookStage::Measure; }
  // Whether it changes masks or needs gradients of masked weights, so that all weights must be there.
  virtual bool changes_masks() const { return false; }
  // Reads deltas and other buffers that share memory unless MemoryMode::Inspectable is on.
  virtual bool inspects_buffers() const { return false; }
  // Reads gradients after updates, which need not be there otherwise (Stepper::keep_gradients).
  virtual bool reads_gradients() const { return false; }
  virtual Timescale timescale() const = 0;
  virtual Index interval() const = 0;
  virtual std::string name() const = 0;  // unique in a trainer; default: the type
  virtual bool verbose() const { return true; }
  // Before training; throws ConfigError when something it needs is not there (an iterator, a layer, a log).
  virtual void start(Trainer&) {}
  // At count 0 before training, then whenever count % interval == 0. Not again when training is continued.
  virtual Verdict run(Trainer& trainer, const Progress& progress) = 0;
  // When training is continued, before anything else: whether there is nothing left to do.
  virtual Verdict still_stopped(Trainer&, const Progress&) { return Verdict::Continue; }
  virtual void finish(Trainer&) {}  // after training, however it ended (Trainer::ended())
  // State that a continued run needs; parameters are stored apart.
  virtual json save_state() const { return json::object(); }
  virtual void load_state(const json&) {}
  virtual std::vector<HostArray> save_arrays() const { return {}; }
  virtual void load_arrays(std::vector<HostArray>) {}
};

// Options every hook has; a hook's own options struct derives from it and lists these with hook_fields<O>().
struct HookOptions {
  HookOptions() = default;  // no aggregate, which g++ 12 warns about in derived ones
  std::string name;
  Timescale timescale = Timescale::Epoch;
  Index interval = 1;
  std::optional<bool> verbose;
};
template <class O>
constexpr auto hook_fields() {
  return std::tuple{
      field<O, std::string>("name", static_cast<std::string O::*>(&HookOptions::name),
                            "name in logs; the type if empty"),
      field<O, Timescale>("timescale", static_cast<Timescale O::*>(&HookOptions::timescale), "epoch or update"),
      field<O, Index>("interval", static_cast<Index O::*>(&HookOptions::interval),
                      "run every so many epochs or updates"),
      field<O, std::optional<bool>>("verbose", static_cast<std::optional<bool> O::*>(&HookOptions::verbose),
                                    "false: what it logs and says is not shown; it is logged all the same")};
}

template <class D, class O>
class HookOf : public DescribedAs<Hook, D, O> {
 public:
  Timescale timescale() const override { return this->options.timescale; }
  Index interval() const override { return this->options.interval; }
  bool verbose() const override { return this->options.verbose.value_or(true); }
  std::string name() const override { return this->options.name.empty() ? std::string(D::kType) : this->options.name; }
};

}  // namespace squall
