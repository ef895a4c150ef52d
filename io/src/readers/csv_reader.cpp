#include <algorithm>

#include "readers_common.hpp"
#include "squall/core/nearest.hpp"
#include "squall/io/csv.hpp"

namespace squall {

namespace {

struct CsvOptions : CommonOptions {
  std::string train, test;
  json targets = -1;
  TargetKind targets_are = TargetKind::Auto;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{
          field("train", &CsvOptions::train, "table of training examples, one per line"),
          field("test", &CsvOptions::test, "table of test examples with the same columns; none if empty"),
          field(
              "targets", &CsvOptions::targets,
              "column of the targets: a name of the header line, a number from 0 (-1 is the last), or a list of these"),
          field("targets_are", &CsvOptions::targets_are,
                "classes, values, or auto: classes if they are whole numbers, one per example")},
      CommonOptions::own_fields());
};

class CsvReader final : public ReaderAs<CsvReader, CsvOptions> {
 public:
  static constexpr std::string_view kType = "Csv";
  static constexpr std::string_view kDoc =
      "Tables of numbers as text, separated by commas, semicolons or tabs, with or without a header line.";

  void check_options(std::string_view where, Problems& problems) const {
    require_option(options.train, "train", where, problems);
    const auto is_column = [](const json& j) { return j.is_string() || j.is_number_integer(); };
    const bool fine = options.targets.is_array()
                          ? !options.targets.empty() && std::ranges::all_of(options.targets, is_column)
                          : is_column(options.targets);
    if (!fine) problems.add(where, "option 'targets' should be a column's name or number, or a list of these");
  }
  Files files(const std::filesystem::path& folder) const override {
    Files all;
    for (const std::string& name : {options.train, options.test})
      if (!name.empty()) all.push_back({folder / name});
    return all;
  }
  DataSet read(const std::filesystem::path& folder) const {
    const Table train = read_csv(folder / options.train);
    DataSet set;
    set.splits["train"] = split(train, folder / options.train);
    if (!options.test.empty()) {
      const Table test = read_csv(folder / options.test);
      if (test.columns != train.columns || test.values.shape()[1] != train.values.shape()[1])
        raise<DataError>("'", (folder / options.test).string(), "' does not have the columns of '",
                         (folder / options.train).string(), "'");
      set.splits["test"] = split(test, folder / options.test);
    }
    settle_targets(set, options.targets_are, std::string(kType));
    return set;
  }

 private:
  Index column(const Table& table, const json& which, const std::filesystem::path& path) const {
    const Index count = table.values.shape()[1];
    if (which.is_string()) {
      const auto found = std::ranges::find(table.columns, which.get<std::string>());
      if (found == table.columns.end())
        raise<DataError>("'", path.string(), "' has no column '", which.get<std::string>(), "'; ",
                         table.columns.empty() ? "it has no header line, give the column's number"
                                               : "it has: " + join(table.columns));
      return found - table.columns.begin();
    }
    const auto number = which.get<Index>();
    const Index at = number < 0 ? number + count : number;
    if (at < 0 || at >= count)
      raise<DataError>("'", path.string(), "' has ", count, " columns, there is no column ", number);
    return at;
  }
  Split split(const Table& table, const std::filesystem::path& path) const {
    std::vector<Index> chosen;
    if (options.targets.is_array()) {
      for (const json& one : options.targets) chosen.push_back(column(table, one, path));
    } else {
      chosen.push_back(column(table, options.targets, path));
    }
    std::vector<Index> others;
    for (Index c = 0; c < table.values.shape()[1]; ++c)
      if (std::ranges::find(chosen, c) == chosen.end()) others.push_back(c);
    if (others.empty()) raise<DataError>("'", path.string(), "' has no column left for the inputs");
    return {{"default", columns(table.values, others).cast(DType::F32)}, {"targets", columns(table.values, chosen)}};
  }
  static HostArray columns(const HostArray& table, const std::vector<Index>& which) {
    HostArray out(DType::F64, {table.shape()[0], static_cast<Index>(which.size())});
    double* to = out.span<double>().data();
    for (Index row = 0; row < table.shape()[0]; ++row)
      for (const Index c : which) *to++ = table.value(row * table.shape()[1] + c);
    return out;
  }
};

}  // namespace

void register_csv_reader(Catalog& catalog) { catalog.of<Reader>().add<CsvReader>(); }

}  // namespace squall
