#include "squall/tools/experiment_data.hpp"

#include <cmath>

#include "squall/tools/block_minibatches.hpp"

namespace squall {

namespace {

// Puts the JSON path in front of what goes wrong there.
template <class F>
auto at_place(const std::string& where, const F& f) {
  try {
    return f();
  } catch (const FileError& e) {
    raise<FileError>(where, ": ", e.what());
  } catch (const DataError& e) {
    raise<DataError>(where, ": ", e.what());
  } catch (const Error& e) {
    raise<ConfigError>(where, ": ", e.what());
  } catch (const std::bad_alloc&) {
    raise<DataError>(where, ": there is not enough memory for these data");
  }
}

}  // namespace

ExperimentData::ExperimentData(const json& data, Tasks tasks, const Catalog& catalog, std::filesystem::path folder,
                               std::uint64_t seed)
    : tasks_(std::move(tasks)), catalog_(catalog), folder_(std::move(folder)), seed_(seed) {
  Problems problems;
  for (const auto& [name, description] : data.items()) {
    auto reader = catalog.of<Reader>().make(description, "data." + name, catalog, problems);
    if (reader) reader->check_files(folder_, "data." + name, problems);
    readers_[name] = std::move(reader);
  }
  problems.raise_if_any("the data cannot be read");
}

const TaskOptions& ExperimentData::task(std::string_view name) const {
  for (const auto& t : tasks_)
    if (t.first == name) return t.second;
  raise<ConfigError>("there is no task '", name, "'");
}

const DataSet& ExperimentData::set(const std::string& name) {
  auto found = sets_.find(name);
  if (found == sets_.end())
    found = at_place("data." + name, [&] { return sets_.emplace(name, readers_.at(name)->load(folder_)).first; });
  return found->second;
}

const StoredSet* ExperimentData::stored(const std::string& name) {
  auto found = stored_.find(name);
  if (found == stored_.end())
    found = at_place("data." + name, [&] { return stored_.emplace(name, readers_.at(name)->open(folder_)).first; });
  return found->second ? &*found->second : nullptr;
}

void ExperimentData::check_classes(const std::string& name, Index classes, const std::string& layer) {
  const std::string& where = task(name).data;
  if (stored(where) != nullptr) return;
  for (const auto& [split, arrays] : set(where).splits) {
    const auto targets = arrays.find("targets");
    if (targets == arrays.end()) continue;
    for (Index i = 0; i < targets->second.elements(); ++i) {
      const double value = targets->second.value(i);
      if (!(value >= 0 && value < static_cast<double>(classes) && value == std::floor(value)))
        raise<DataError>("data.", where, ": target ", i, " of split '", split, "' is ", value, ", but layer '", layer,
                         "' has the classes 0 to ", classes - 1);
    }
  }
}

std::string ExperimentData::details() const {
  std::string text;
  for (const auto& [name, set] : sets_)
    for (const auto& [split, arrays] : set.splits) {
      text += concat("data.", name, ", ", split, ": ", set.examples(split), " examples");
      for (const auto& [array, values] : arrays)
        text += concat(", ", array, " ", values.shape(), " ", name_of(values.dtype()));
      text += "\n";
    }
  for (const auto& [name, set] : stored_)
    if (set)
      for (const auto& [split, examples] : set->splits)
        text += concat("data.", name, ", ", split, ": ", examples->examples(), " examples, read block by block\n");
  if (!text.empty()) text.pop_back();
  return text;
}

std::unique_ptr<DataIterator> ExperimentData::batches(const std::string& name, std::string_view split, Index batch_size,
                                                      bool shuffle, const std::string& stream) {
  const TaskOptions& options = task(name);
  if (const StoredSet* set = stored(options.data)) {
    const auto found = set->splits.find(split);
    if (found == set->splits.end()) return nullptr;
    return std::make_unique<BlockMinibatches>(
        found->second, set->has_time,
        std::vector<std::pair<std::string, std::string>>{{"default", options.input}, {"targets", options.targets}},
        BlockOptions{.batch_size = batch_size, .shuffle = shuffle, .seed = seed_, .stream = stream});
  }
  const auto data = source(name, split);
  if (!data) return nullptr;
  return std::make_unique<Minibatches>(
      data, MinibatchesOptions{.batch_size = batch_size, .shuffle = shuffle, .seed = seed_, .stream = stream});
}

std::shared_ptr<const DataSource> ExperimentData::source(const std::string& name, std::string_view split) {
  const std::string key = concat(name, "/", split);
  auto& slot = sources_[key];
  if (slot) return slot;
  const TaskOptions& options = task(name);
  const DataSet& data = set(options.data);
  if (!data.has(split)) return nullptr;
  auto made = std::make_shared<DataSource>();
  made->sequences = data.has_time;
  made->fields.emplace_back(options.input, data.array(split, "default"));
  made->fields.emplace_back(options.targets, data.array(split, "targets"));
  slot = made;
  return slot;
}

const std::string& ExperimentData::feeder(const std::vector<std::string>& tasks, const std::string& name) const {
  for (const auto& other : tasks)
    if (task(other).input == task(name).input) return other;
  return name;
}

std::unique_ptr<DataIterator> ExperimentData::beside(const std::string& feeder, const std::string& name,
                                                     std::string_view split, const MinibatchesOptions& options) {
  const auto first = source(feeder, split);
  const auto own = source(name, split);
  if (!own || !first) return nullptr;
  if (!(first->fields[0].second == own->fields[0].second))
    raise<DataError>("tasks '", feeder, "' and '", name, "' both feed '", task(name).input, "', but data.",
                     task(feeder).data, " and data.", task(name).data, " have different examples; give each an input");
  auto targets = std::make_shared<DataSource>();
  targets->sequences = own->sequences;
  targets->fields.push_back(own->fields[1]);
  return std::make_unique<Minibatches>(targets, options);
}

std::unique_ptr<DataIterator> ExperimentData::scoring(const std::vector<std::string>& tasks, std::string_view split) {
  std::vector<std::unique_ptr<DataIterator>> parts;
  for (const auto& name : tasks) {
    const std::string& first = feeder(tasks, name);
    parts.push_back(first == name ? scoring(name, split)
                                  : beside(first, name, split, {.batch_size = 500, .shuffle = false}));
    if (!parts.back()) return nullptr;
  }
  return parts.size() == 1 ? std::move(parts[0]) : std::make_unique<Zipped>(std::move(parts), Mix::Shortest);
}

std::unique_ptr<DataIterator> ExperimentData::training(const std::vector<std::string>& tasks, Index batch_size,
                                                       bool shuffle, Mix mix) {
  std::vector<std::unique_ptr<DataIterator>> parts;
  for (const auto& name : tasks) {
    const std::string& first = feeder(tasks, name);
    auto part =
        first == name
            ? batches(name, "train", batch_size, shuffle, "shuffle/" + name)
            : beside(first, name, "train",
                     {.batch_size = batch_size, .shuffle = shuffle, .seed = seed_, .stream = "shuffle/" + first});
    if (!part) raise<DataError>("data.", task(name).data, " has no training data for task '", name, "'");
    std::vector<std::unique_ptr<Augment>> changes;
    Problems problems;
    const json& wanted = readers_.at(task(name).data)->common().augment;
    for (const auto& [key, description] : wanted.items())
      changes.push_back(catalog_.of<Augment>().make(description, concat("data.", task(name).data, ".augment.", key),
                                                    catalog_, problems));
    problems.raise_if_any("the data cannot be augmented");
    if (!changes.empty() && first == name)
      part = std::make_unique<Augmented>(std::move(part), std::move(changes), seed_, "augment/" + name);
    parts.push_back(std::move(part));
  }
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_unique<Zipped>(std::move(parts), mix);
}

std::unique_ptr<DataIterator> ExperimentData::scoring(const std::string& task_name, std::string_view split,
                                                      Index batch_size) {
  return batches(task_name, split, batch_size, false, "score");
}

}  // namespace squall
