#include <cmath>
#include <numeric>

#include "readers_common.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/text.hpp"

namespace squall {

namespace {

struct TextOptions : CommonOptions {
  std::string path;
  bool all_bytes = false;
  Index draw = 1000000;
  Index seed = 1;
  Index length = 100;
  Index strands = 100;
  double test = 0.05;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{
          field("path", &TextOptions::path, "the text, plain or gzip; every byte is a symbol; empty: a text is drawn"),
          field("all_bytes", &TextOptions::all_bytes,
                "symbols are the 256 bytes themselves, not only those that occur"),
          field("draw", &TextOptions::draw,
                "without a path: so many bytes of an invented language are drawn (words, agreement, nesting)"),
          field("seed", &TextOptions::seed, "of the text that is drawn"),
          field("length", &TextOptions::length, "time steps of a sequence"),
          field("strands", &TextOptions::strands,
                "parallel strands; batches of so many sequences, in order, continue each other"),
          field("test", &TextOptions::test, "fraction of the text, the last part, that is the test split")},
      CommonOptions::own_fields());
};

// Sequences in memory whose inputs become rows of 0 and 1 when they are read.
class EncodedSplit final : public StoredSplit {
 public:
  EncodedSplit(Split symbols, CommonOptions encoding, Index classes)
      : symbols_(std::move(symbols)), encoding_(std::move(encoding)), classes_(classes) {}
  Index examples() const override { return symbols_.at("default").shape()[1]; }
  Index bytes_per_example() const override { return symbols_.at("default").shape()[0] * encoding_.one_hot; }
  Split read(Index first, Index count) const override {
    std::vector<Index> chosen(static_cast<std::size_t>(count));
    std::iota(chosen.begin(), chosen.end(), first);
    DataSet part;
    part.has_time = true;
    part.classes = classes_;
    for (const auto& [name, array] : symbols_) part.splits["test"][name] = take_entries(array, 1, chosen);
    return prepare(std::move(part), encoding_, "Text").splits["test"];
  }

 private:
  Split symbols_;
  CommonOptions encoding_;
  Index classes_;
};

class TextReader final : public ReaderAs<TextReader, TextOptions> {
 public:
  static constexpr std::string_view kType = "Text";
  static constexpr std::string_view kDoc =
      "Text to be continued: symbols (T, N, 1) and, as targets, the symbols that follow. 'validation' is a fraction of "
      "the "
      "whole text, before the test part; 'examples' counts sequences.";

  void check_options(std::string_view where, Problems& problems) const {
    if (options.path.empty() && options.draw < 1) problems.add(where, "options 'path' or 'draw' are needed");
    if (options.length < 1) problems.add(where, "option 'length' should be at least 1");
    if (options.strands < 1) problems.add(where, "option 'strands' should be at least 1");
    if (!(options.test >= 0) || options.test + options.validation >= 1)
      problems.add(where, "options 'test' and 'validation' should leave some text to train with");
    if (!options.classes.empty()) problems.add(where, "option 'classes' does not apply to text");
  }
  Files files(const std::filesystem::path& folder) const override {
    return options.path.empty() ? Files{} : Files{{folder / options.path}};
  }

  // Rows of 0 and 1 are made when they are needed: they are hundreds of times as large as the text.
  std::optional<StoredSet> open(const std::filesystem::path& folder) const override {
    if (options.one_hot == 0) return std::nullopt;
    CommonOptions plain = options;
    plain.validation = 0;
    plain.one_hot = 0;
    DataSet set = prepare(read(folder), plain, std::string(kType));
    CommonOptions encoding;
    encoding.one_hot = options.one_hot;
    StoredSet out;
    out.classes = set.classes;
    out.has_time = true;
    for (auto& [name, split] : set.splits)
      out.splits[name] = std::make_shared<EncodedSplit>(std::move(split), encoding, set.classes);
    return out;
  }

  // The common 'validation' would take whole sequences; of text it takes the stretch before the test part.
  DataSet load(const std::filesystem::path& folder) const override {
    CommonOptions rest = options;
    rest.validation = 0;
    return prepare(read(folder), rest, std::string(kType));
  }

  DataSet read(const std::filesystem::path& folder) const {
    const bool drawn = options.path.empty();
    const std::filesystem::path path = drawn ? "drawn text" : folder / options.path;
    const Bytes bytes =
        drawn ? draw_text(options.draw, static_cast<std::uint64_t>(options.seed)) : read_data_file(path);
    const SymbolText text = options.all_bytes ? byte_symbols_of(bytes) : symbols_of(bytes);
    const auto total = static_cast<Index>(text.symbols.size());
    const auto part = [&](double fraction) {
      return static_cast<Index>(std::llround(static_cast<double>(total) * fraction));
    };
    const Index test = part(options.test);
    const Index validation = part(options.validation);
    DataSet set;
    set.has_time = true;
    set.classes = static_cast<Index>(text.alphabet.size());
    for (const std::uint8_t symbol : text.alphabet) set.class_names.push_back(shown(symbol));
    add(set, "train", text, 0, total - validation - test, path);
    if (validation > 0) add(set, "validation", text, total - validation - test, validation, path);
    if (test > 0) add(set, "test", text, total - test, test, path);
    return set;
  }

 private:
  static std::string shown(std::uint8_t symbol) {
    if (symbol >= 32 && symbol < 127) return std::string(1, static_cast<char>(symbol));
    constexpr std::string_view kHex = "0123456789abcdef";
    return concat("0x", kHex[symbol >> 4], kHex[symbol & 15]);
  }
  void add(DataSet& set, const char* split, const SymbolText& text, Index first, Index count,
           const std::filesystem::path& path) const {
    try {
      TextSequences made = sequences_of(text, first, count, options.length, options.strands);
      set.splits[split] = {{"default", std::move(made.symbols)}, {"targets", std::move(made.next)}};
    } catch (const DataError& e) {
      raise<DataError>("'", path.string(), "', split '", split, "': ", e.what());
    }
  }
};

}  // namespace

void register_text_reader(Catalog& catalog) { catalog.of<Reader>().add<TextReader>(); }

}  // namespace squall
