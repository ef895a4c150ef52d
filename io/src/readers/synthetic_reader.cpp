#include "readers_common.hpp"
#include "squall/core/nearest.hpp"
#include "squall/io/synthetic.hpp"

namespace squall {

namespace {

struct SyntheticOptions : CommonOptions {
  std::string set = "strokes";
  Index test_examples = 1000;
  std::uint64_t seed = 1;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{field("set", &SyntheticOptions::set,
                       "strokes, textures, spirals, spirals3, xor, sine, houses, reviews, newswire, faces_age, "
                       "faces_gender, faces_ethnicity, objects or shapes"),
                 field("test_examples", &SyntheticOptions::test_examples, "number of test examples"),
                 field("seed", &SyntheticOptions::seed, "another seed draws another set")},
      CommonOptions::own_fields());
};

class SyntheticReader final : public ReaderAs<SyntheticReader, SyntheticOptions> {
 public:
  static constexpr std::string_view kType = "Synthetic";
  static constexpr std::string_view kDoc =
      "Data drawn by the program itself, the same everywhere: 'examples' (6000 if not given) training examples and "
      "'test_examples' others.";

  void check_options(std::string_view where, Problems& problems) const {
    std::vector<std::string> names;
    for (const SyntheticSet& known : synthetic_sets()) names.emplace_back(known.name);
    if (std::ranges::find(names, options.set) == names.end())
      problems.add(where, concat("option 'set' should be one of ", join(names), did_you_mean(options.set, names)));
    else if (!options.classes.empty() && synthetic_set(options.set).by_pixel)
      problems.add(where,
                   concat("option 'classes' does not apply to '", options.set, "', where each pixel has a class"));
    if (options.test_examples < 1) problems.add(where, "option 'test_examples' should be at least 1");
  }
  Files files(const std::filesystem::path&) const override { return {}; }
  DataSet read(const std::filesystem::path&) const {
    constexpr Index kExamples = 6000;
    // With chosen classes, 'examples' counts what is left of them: draw until there are enough.
    const Index wanted = options.examples.value_or(kExamples);
    DataSet set;
    set.classes = synthetic_set(options.set).classes;
    const Index enough = options.classes.empty() ? wanted : train_with_classes(wanted);
    set.splits["train"] = draw_synthetic(options.set, "train", enough, options.seed);
    set.splits["test"] = draw_synthetic(options.set, "test", options.test_examples, options.seed);
    return set;
  }

 private:
  Index train_with_classes(Index wanted) const {
    Index drawn = 0;
    for (Index kept = 0; kept < wanted; ++drawn) {
      const Index label = synthetic_label(options.set, "train", drawn, options.seed);
      if (std::ranges::find(options.classes, label) != options.classes.end()) ++kept;
      if (drawn > 1000 && kept == 0) break;  // classes that there are not: reported later
    }
    return drawn;
  }
};

}  // namespace

void register_synthetic_reader(Catalog& catalog) { catalog.of<Reader>().add<SyntheticReader>(); }

}  // namespace squall
