#include "cli/data_arrays.hpp"

#include <fmt/format.h>

#include "squall/io/h5_file.hpp"
#include "squall/io/prepare.hpp"

namespace squall::cli {

namespace {

struct ArraysOptions {
  std::filesystem::path file, out;
  std::string group = "normalized_split", from = "training";
  std::vector<double> ratios{9, 1};
  std::vector<std::string> names;
  int axis = 1;
};

// A group of splits as it stands in the file, and what is said about the file.
struct Arrays {
  std::map<std::string, Split> splits;
  std::map<std::string, HostArray> numbers;
  std::map<std::string, std::string> texts;
};

Arrays read_arrays(const ArraysOptions& o) {
  const H5Reader file = H5Reader::checked(o.file);
  Arrays out;
  const std::string group = "/" + o.group;
  if (!file.is_group(group))
    raise<FileError>("'", o.file.string(), "' has no group '", o.group,
                     "'; name one with --group: ", join(file.children()));
  for (const auto& split : file.children(group)) {
    const std::string path = group + "/" + split;
    if (!file.is_group(path)) continue;
    for (const auto& name : file.children(path)) out.splits[split][name] = file.read(path + "/" + name);
  }
  for (const auto& name : file.attributes("/")) {
    try {
      out.texts[name] = file.attribute_text("/", name);
    } catch (const FileError&) {
      out.numbers[name] = file.attribute_array("/", name);
    }
  }
  return out;
}

int write_arrays(const ArraysOptions& o, const Arrays& arrays, const Context& c) {
  H5DiskWriter file(o.out);
  json examples = json::object();
  std::string text = fmt::format("{} written, /{}:", o.out.string(), o.group);
  for (const auto& [split, members] : arrays.splits)
    for (const auto& [name, array] : members) {
      file.write(h5_path({o.group, split, name}), array, {4});
      if (examples.contains(split)) continue;
      examples[split] = array.shape().rank() > o.axis ? array.shape()[o.axis] : 0;
      text += fmt::format(" {} {}", examples[split].get<Index>(), split);
    }
  for (const auto& [name, value] : arrays.texts) file.attribute("/", name, value);
  for (const auto& [name, value] : arrays.numbers) file.attribute("/", name, value);
  file.commit();
  c.print({{"file", o.out.string()}, {"group", o.group}, {"examples", examples}}, text);
  return 0;
}

int split(const ArraysOptions& o, const Context& c) {
  if (o.names.size() != o.ratios.size())
    raise<ConfigError>("--names needs a name for each of the ", o.ratios.size(), " ratios, not ", o.names.size());
  Arrays arrays = read_arrays(o);
  const auto found = arrays.splits.find(o.from);
  std::vector<std::string> known;
  for (const auto& [name, members] : arrays.splits) known.push_back(name);
  if (found == arrays.splits.end())
    raise<ConfigError>("--from ", o.from, ": there is no such split", did_you_mean(o.from, known),
                       "; splits are: ", join(known));
  const auto parts = split_arrays(found->second, o.axis, o.ratios);
  arrays.splits.erase(found);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (arrays.splits.contains(o.names[i])) raise<ConfigError>("--names: there is a split '", o.names[i], "' already");
    arrays.splits[o.names[i]] = parts[i];
  }
  return write_arrays(o, arrays, c);
}

int shuffle(const ArraysOptions& o, const Context& c) {
  Arrays arrays = read_arrays(o);
  for (auto& [name, members] : arrays.splits) members = shuffle_arrays(members, o.axis, c.seed.value_or(1));
  return write_arrays(o, arrays, c);
}

}  // namespace

void add_data_arrays(CLI::App& data, Context& context) {
  auto o = std::make_shared<ArraysOptions>();
  CLI::App* split_command = add_command(data, context, "split", "one split of an HDF5 file into several",
                                        [o, &context] { return split(*o, context); });
  CLI::App* shuffle_command =
      add_command(data, context, "shuffle", "a new order of the examples in each split of an HDF5 file",
                  [o, &context] { return shuffle(*o, context); });
  for (CLI::App* command : {split_command, shuffle_command}) {
    command->add_option("file", o->file, "file in brainstorm's layout: GROUP/SPLIT/NAME")->required();
    command->add_option("--group", o->group, "the group of splits")->capture_default_str();
    command->add_option("--axis", o->axis, "axis of the examples")->check(CLI::Range(0, 5))->capture_default_str();
    command->add_option("--out", o->out, "file to write")->required();
  }
  split_command->add_option("--from", o->from, "the split to divide")->capture_default_str();
  split_command->add_option("--ratios", o->ratios, "sizes of the parts in proportion")
      ->delimiter(',')
      ->capture_default_str();
  split_command->add_option("--names", o->names, "names of the parts, like training,validation")
      ->delimiter(',')
      ->required();
}

}  // namespace squall::cli
