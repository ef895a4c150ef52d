// Things done before training, after epochs or after updates: monitoring, saving, stopping.
#pragma once

#include <memory>
#include <string>

#include "squall/core/catalog.hpp"
#include "squall/training/logs.hpp"
#include "squall/training/schedule.hpp"

namespace squall {

class Trainer;

enum class Verdict : std::uint8_t { Continue, Stop };
enum class Timescale : std::uint8_t { Epoch, Update };
std::span<const EnumName<Timescale>> enum_names(Timescale);  // "epoch", "update"

class Hook : public Describable {
 public:
  static constexpr std::string_view kFamily = "hook";
  virtual Timescale timescale() const = 0;
  virtual Index interval() const = 0;
  virtual std::string name() const = 0;  // unique in a trainer; default: the type
  // Before training; throws ConfigError when something it needs is not there (an iterator, a layer, a log).
  virtual void start(Trainer&) {}
  // At count 0 before training, then whenever count % interval == 0.
  virtual Verdict run(Trainer& trainer, const Progress& progress) = 0;
  virtual void finish(Trainer&) {}  // after training, however it ended
  // State that a continued run needs; parameters are stored apart.
  virtual json save_state() const { return json::object(); }
  virtual void load_state(const json&) {}
};

// Options every hook has; a hook's own options struct derives from it and lists these with kHookFields.
struct HookOptions {
  std::string name;
  Timescale timescale = Timescale::Epoch;
  Index interval = 1;
};
template <class O>
constexpr auto hook_fields() {
  return std::tuple{
      field<O, std::string>("name", static_cast<std::string O::*>(&HookOptions::name),
                            "name in logs; the type if empty"),
      field<O, Timescale>("timescale", static_cast<Timescale O::*>(&HookOptions::timescale), "epoch or update"),
      field<O, Index>("interval", static_cast<Index O::*>(&HookOptions::interval),
                      "run every so many epochs or updates")};
}

template <class D, class O>
class HookOf : public DescribedAs<Hook, D, O> {
 public:
  Timescale timescale() const override { return this->options.timescale; }
  Index interval() const override { return this->options.interval; }
  std::string name() const override { return this->options.name.empty() ? std::string(D::kType) : this->options.name; }
};

}  // namespace squall
