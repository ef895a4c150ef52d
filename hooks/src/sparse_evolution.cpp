// Sparse evolutionary training: connections drawn at random that move to other places while training goes on.
#include <algorithm>
#include <cmath>

#include "squall/core/pass_plan.hpp"
#include "squall/training/forget_masked.hpp"
#include "squall/training/mask_memory.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct SparseEvolutionOptions : HookOptions {
  double epsilon = 20, zeta = 0.3;
  Index until = 0;
  json initializer = {{"@type", "GlorotUniform"}};
  std::vector<std::string> layers = {"*"};
  std::uint64_t seed = 0;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<SparseEvolutionOptions>(),
      std::tuple{
          field("epsilon", &SparseEvolutionOptions::epsilon,
                "weights without a mask get one of density epsilon (inputs + units) / (inputs units), at most 1"),
          field("zeta", &SparseEvolutionOptions::zeta,
                "share of the positive and of the negative weights that move each time, those closest to zero"),
          field("until", &SparseEvolutionOptions::until,
                "from this epoch (or update) on nothing moves any more; 0: always"),
          field("initializer", &SparseEvolutionOptions::initializer, "of new weights"),
          field("layers", &SparseEvolutionOptions::layers, "patterns of layers whose weights evolve"),
          field("seed", &SparseEvolutionOptions::seed, "of masks, places and new weights")});
};

// Of indices ordered by how close to zero their weights are: the first share.
void take_closest(std::vector<Index>& from, std::span<const double> values, double share, std::vector<Index>& out) {
  const auto count = static_cast<std::ptrdiff_t>(std::floor(share * static_cast<double>(from.size())));
  std::ranges::stable_sort(from, {}, [&](Index i) { return std::abs(values[at(i)]); });
  out.insert(out.end(), from.begin(), from.begin() + count);
}

// The active weights that go.
std::vector<Index> weakest(std::span<const double> values, std::span<const std::uint8_t> keep, double zeta) {
  std::vector<Index> positive, negative, out;
  for (Index i = 0; i < static_cast<Index>(values.size()); ++i) {
    if (keep[at(i)] == 0 || values[at(i)] == 0) continue;
    (values[at(i)] > 0 ? positive : negative).push_back(i);
  }
  take_closest(positive, values, zeta, out);
  take_closest(negative, values, zeta, out);
  return out;
}

// So many places that were inactive before `removed` went; those of `removed` only where there are not enough others.
std::vector<Index> new_places(std::span<const std::uint8_t> before, std::vector<Index> removed, Rng& rng) {
  const std::size_t count = removed.size();
  std::vector<Index> places;
  for (Index i = 0; i < static_cast<Index>(before.size()); ++i)
    if (before[at(i)] == 0) places.push_back(i);
  rng.shuffle(places);
  rng.shuffle(removed);
  places.insert(places.end(), removed.begin(), removed.end());
  places.resize(count);
  return places;
}

class SparseEvolution final : public HookOf<SparseEvolution, SparseEvolutionOptions> {
 public:
  static constexpr std::string_view kType = "SparseEvolution";
  static constexpr std::string_view kDoc =
      "Trains few connections per layer, drawn at random, and moves the weakest to random other places.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    initializer_ =
        catalog.of<Initializer>().make(options.initializer, concat(where, ".initializer"), catalog, problems);
    if (!(options.epsilon > 0))
      problems.add(where, concat("option 'epsilon' should be positive, not ", options.epsilon));
    if (!(options.zeta >= 0 && options.zeta <= 1))
      problems.add(where, concat("option 'zeta' should be a share, 0 to 1, not ", options.zeta));
    if (options.until < 0) problems.add(where, concat("option 'until' should not be negative, not ", options.until));
  }
  HookStage stage() const override { return HookStage::Judge; }
  bool changes_masks() const override { return true; }

  // Masks that are there stay, so that a continued training goes on with its own.
  void start(Trainer& trainer) override {
    Network& network = trainer.network();
    unpack_masks(network);
    const auto evolving = chosen(network);
    if (evolving.empty())
      raise<ConfigError>("hook '", name(), "': no layer of ", json(options.layers).dump(),
                         " has weights that can be masked; MaskedDense has");
    for (ParameterEntry* e : evolving)
      if (!network.store().mask(*e)) sparsify(network, *e);
    if (!trainer.stepper().fits(network)) trainer.stepper().start(network);
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    const Index count = options.timescale == Timescale::Epoch ? progress.epoch : progress.update;
    const bool moves = count > 0 && (options.until == 0 || count < options.until);
    if (moves) evolve(trainer, count);
    Index connections = 0;
    for (const ParameterEntry* e : chosen(trainer.network())) {
      const HostArray keep = *trainer.network().store().mask(*e);
      connections += std::ranges::count(keep.span<std::uint8_t>(), 1);
    }
    trainer.log(concat(name(), ".connections"), static_cast<double>(connections));
    return Verdict::Continue;
  }

 private:
  static std::string path_of(const Network& network, const ParameterEntry& e) {
    return concat(network.graph().node(e.node).name, ".", e.info->name);
  }
  std::vector<ParameterEntry*> chosen(Network& network) const {
    std::vector<ParameterEntry*> out;
    for (const auto& e : network.store().entries()) {
      const std::string& layer = network.graph().node(e.node).name;
      if (!e.info->maskable || e.info->bias || e.form == ParameterForm::Stored) continue;
      if (std::ranges::none_of(options.layers, [&](const auto& p) { return matches(p, layer); })) continue;
      if (e.info->task_axis)
        raise<ConfigError>("hook '", name(), "': '", path_of(network, e),
                           "' has a slice for each task; weights that evolve should belong to one, as in MaskedDense");
      out.push_back(network.store().find(layer, e.info->name));
    }
    return out;
  }
  void sparsify(Network& network, ParameterEntry& e) const {
    const auto units = static_cast<double>(e.info->shape[0]);
    const auto all = static_cast<double>(e.elements());
    const double density = std::min(1.0, options.epsilon * (all / units + units) / all);
    Rng rng(options.seed, concat("SparseEvolution/mask/", path_of(network, e)));
    std::vector<std::uint8_t> keep(at(e.elements()));
    for (auto& k : keep) k = rng.uniform() < density ? 1 : 0;
    network.store().set_mask(e, HostArray::of(e.info->shape, keep));
  }
  void evolve(Trainer& trainer, Index count) const {
    Network& network = trainer.network();
    struct Change {
      ParameterEntry* entry;
      std::vector<std::uint8_t> before, keep;
      std::vector<Index> removed;
    };
    std::vector<Change> changes;
    for (ParameterEntry* e : chosen(network)) {
      const HostArray mask = *network.store().mask(*e);
      const auto bytes = mask.span<std::uint8_t>();
      Change c{e, {bytes.begin(), bytes.end()}, {bytes.begin(), bytes.end()}, {}};
      c.removed = weakest(network.store().get(*e).doubles(), c.before, options.zeta);
      if (c.removed.empty()) continue;
      for (const Index i : c.removed) c.keep[at(i)] = 0;
      network.store().set_mask(*e, HostArray::of(e->info->shape, c.keep));
      changes.push_back(std::move(c));
    }
    if (changes.empty()) return;
    forget_masked(trainer.stepper(), network);  // of what goes and of what comes
    for (Change& c : changes) {
      Rng rng(options.seed, concat("SparseEvolution/", path_of(network, *c.entry)), static_cast<std::uint64_t>(count));
      const auto added = new_places(c.before, c.removed, rng);
      add(network, *c.entry, added, c.keep, rng);
    }
  }
  void add(Network& network, ParameterEntry& e, const std::vector<Index>& added, std::vector<std::uint8_t>& keep,
           Rng& rng) const {
    const ParameterContext context{network.graph().node(e.node).name, e.info->name, e.info->shape, false};
    std::vector<double> fresh(keep.size());
    initializer_->fill(fresh, context, rng);
    HostArray values = network.store().get(e);
    for (const Index i : added) {
      keep[at(i)] = 1;
      values.set_value(i, fresh[at(i)]);
    }
    network.store().set_mask(e, HostArray::of(e.info->shape, keep));
    network.store().set(e, values);
  }

  std::unique_ptr<Initializer> initializer_;
};

}  // namespace

void register_sparse_evolution(Catalog& catalog) { catalog.of<Hook>().add<SparseEvolution>(); }

}  // namespace squall
