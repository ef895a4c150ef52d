#include "squall/io/text.hpp"

#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/prepare.hpp"

namespace squall {

PreparedFile prepare_text(const std::filesystem::path& path, const std::filesystem::path& out, const TextOrder& order) {
  constexpr Index kShare = 20;
  const SymbolText text = symbols_of(read_data_file(path));
  const auto total = static_cast<Index>(text.symbols.size());
  const Index validation = order.validation < 0 ? total / kShare : order.validation;
  const Index test = order.test < 0 ? total / kShare : order.test;
  if (order.length < 1 || order.strands < 1) raise<ConfigError>("length and strands should be at least 1");
  if (validation + test >= total)
    raise<ConfigError>("'", path.string(), "' has ", total, " bytes: ", validation, " for validation and ", test,
                       " for the test leave nothing to train with");
  H5DiskWriter file(out);
  file.attribute(
      "/", "description",
      concat("The ", total, " bytes of ", path.filename().string(), " as indices into the attribute unique, in ",
             order.strands, " parallel strands; targets are the indices that follow. Batches of ", order.strands,
             " sequences, in order, continue each other."));
  file.attribute("/", "unique", HostArray::of(Shape{static_cast<Index>(text.alphabet.size())}, text.alphabet));
  PreparedFile made{"split", {}};
  const auto write = [&](const char* split, Index first, Index count) {
    if (count == 0) return;
    try {
      const TextSequences s = sequences_of(text, first, count, order.length, order.strands);
      const std::string group = concat("/split/", split);
      file.append(group + "/default", s.symbols.view(), 1, {4}, order.strands);
      file.append(group + "/targets", s.next.cast(DType::U8).view(), 1, {4}, order.strands);
      made.examples.emplace_back(split, s.symbols.shape()[1]);
    } catch (const DataError& e) {
      raise<DataError>("'", path.string(), "', split '", split, "': ", e.what());
    }
  };
  write("training", 0, total - validation - test);
  write("validation", total - validation - test, validation);
  write("test", total - test, test);
  file.commit();
  return made;
}

}  // namespace squall
