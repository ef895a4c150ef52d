#include "squall/io/data_set.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "squall/core/nearest.hpp"
#include "squall/core/random.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

namespace {

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

Split gather(const Split& split, int axis, const std::vector<Index>& chosen) {
  Split out;
  for (const auto& [name, array] : split) out[name] = take_entries(array, axis, chosen);
  return out;
}

std::vector<Index> range(Index first, Index end) {
  std::vector<Index> all(static_cast<std::size_t>(end - first));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = first + static_cast<Index>(i);
  return all;
}

void check_split(const DataSet& set, const std::string& split_name, const std::string& name) {
  const int axis = set.example_axis();
  const Index examples = set.examples(split_name);
  for (const auto& [array_name, array] : set.split(split_name)) {
    if (array.shape().rank() <= axis + 1 || array.shape()[axis] != examples)
      raise<DataError>(name, ": '", array_name, "' of split '", split_name, "' has shape ", array.shape(), ", but ",
                       examples, " examples with at least one feature are needed");
  }
  set.array(split_name, "default");  // must be there
  if (examples == 0) raise<DataError>(name, ": split '", split_name, "' has no examples");
  if (set.classes == 0 || !set.split(split_name).contains("targets")) return;
  const HostArray& targets = set.array(split_name, "targets");
  for (Index i = 0; i < targets.elements(); ++i)
    if (const double label = targets.value(i); label < 0 || label >= static_cast<double>(set.classes))
      raise<DataError>(name, ": target ", i, " of split '", split_name, "' is class ", label, ", classes are 0 to ",
                       set.classes - 1);
}

void keep_classes(DataSet& set, const std::vector<Index>& classes, const std::string& name) {
  if (set.classes == 0 || set.has_time)
    raise<ConfigError>(name, ": 'classes' needs a data set of classified examples without time");
  for (const Index c : classes)
    if (c >= set.classes)
      raise<ConfigError>(name, ": 'classes' names class ", c, ", but the data set has classes 0 to ", set.classes - 1);
  for (auto& [split_name, split] : set.splits) {
    HostArray& targets = split.at("targets");
    std::vector<Index> chosen;
    for (Index i = 0; i < targets.elements(); ++i) {
      const auto found = std::ranges::find(classes, static_cast<Index>(targets.value(i)));
      if (found == classes.end()) continue;
      chosen.push_back(i);
      targets.set_value(i, static_cast<double>(found - classes.begin()));
    }
    split = gather(split, 0, chosen);
  }
  set.classes = static_cast<Index>(classes.size());
  std::vector<std::string> names;
  for (const Index c : classes)
    if (c < static_cast<Index>(set.class_names.size())) names.push_back(set.class_names[static_cast<std::size_t>(c)]);
  set.class_names = std::move(names);
}

void keep_first(DataSet& set, Index count, const std::string& name) {
  const Index there = set.examples("train");
  if (count > there) raise<ConfigError>(name, ": 'examples' asks for ", count, " training examples, there are ", there);
  if (count < there) set.splits["train"] = gather(set.split("train"), set.example_axis(), range(0, count));
}

void split_off_validation(DataSet& set, double fraction, const std::string& name) {
  if (set.has("validation"))
    raise<ConfigError>(name, ": the data set has validation examples of its own; leave out 'validation'");
  const Index all = set.examples("train");
  const auto apart = static_cast<Index>(std::llround(static_cast<double>(all) * fraction));
  if (apart < 1 || apart >= all)
    raise<ConfigError>(name, ": 'validation' ", fraction, " of ", all,
                       " training examples leaves one of the two empty");
  set.splits["validation"] = gather(set.split("train"), set.example_axis(), range(all - apart, all));
  set.splits["train"] = gather(set.split("train"), set.example_axis(), range(0, all - apart));
}

// The list's number for each channel; a list of one is for all.
std::vector<double> per_channel(const std::vector<double>& list, double if_empty, Index channels, const char* what,
                                const std::string& name) {
  if (list.size() > 1 && static_cast<Index>(list.size()) != channels)
    raise<ConfigError>(name, ": '", what, "' has ", list.size(), " numbers, the inputs have ", channels, " channels");
  std::vector<double> all(static_cast<std::size_t>(channels), list.empty() ? if_empty : list.front());
  if (list.size() > 1) all = list;
  return all;
}

HostArray normalized(const HostArray& inputs, const CommonOptions& options, const std::string& name) {
  const Index channels = inputs.shape()[-1];
  const std::vector<double> mean = per_channel(options.mean, 0, channels, "mean", name);
  const std::vector<double> deviation = per_channel(options.std, 1, channels, "std", name);
  const double scale = options.scale.value_or(1);
  HostArray out(DType::F32, inputs.shape());
  visit_dtype(inputs.dtype(), [&](auto zero) {
    const auto from = inputs.span<decltype(zero)>();
    const auto to = out.span<float>();
    std::size_t c = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i] = static_cast<float>((static_cast<double>(from[i]) / scale - mean[c]) / deviation[c]);
      if (++c == mean.size()) c = 0;
    }
  });
  return out;
}

// The features behind the first `axes` axes in an order drawn by the seed, the same for all examples.
void permute(HostArray& inputs, int axes, Index seed) {
  std::vector<Index> order = range(0, inputs.shape().from(axes).elements());
  Rng rng(static_cast<std::uint64_t>(seed), "permute");
  rng.shuffle(std::span<Index>(order));
  visit_dtype(inputs.dtype(), [&](auto zero) {
    auto values = inputs.span<decltype(zero)>();
    std::vector<decltype(zero)> old(order.size());
    for (std::size_t first = 0; first < values.size(); first += order.size()) {
      const auto example = values.subspan(first, order.size());
      std::ranges::copy(example, old.begin());
      for (std::size_t i = 0; i < order.size(); ++i) example[i] = old[static_cast<std::size_t>(order[i])];
    }
  });
}

HostArray one_hot(const HostArray& inputs, Index classes, const std::string& name) {
  if (inputs.shape()[-1] != 1)
    raise<ConfigError>(name, ": 'one_hot' needs inputs of one number each, not ", inputs.shape());
  HostArray out(DType::U8, inputs.shape().with_last(classes));
  auto* to = out.span<std::uint8_t>().data();
  for (Index i = 0; i < inputs.elements(); ++i) {
    const double v = inputs.value(i);
    if (!(v >= 0 && v < static_cast<double>(classes)) || v != std::floor(v))
      raise<DataError>(name, ": 'one_hot' met ", v, ", which is no class of 0 to ", classes - 1);
    to[i * classes + static_cast<Index>(v)] = 1;
  }
  return out;
}

}  // namespace

HostArray take_entries(const HostArray& from, int axis, std::span<const Index> chosen) {
  const Shape& shape = from.shape();
  HostArray to(from.dtype(),
               shape.until(axis).with_back(static_cast<Index>(chosen.size())).joined(shape.from(axis + 1)));
  const auto entry = static_cast<std::size_t>(shape.from(axis + 1).elements()) * size_of(from.dtype());
  const Index outer = shape.until(axis).elements();
  const auto* source = static_cast<const std::byte*>(from.data());
  auto* target = static_cast<std::byte*>(to.data());
  for (Index o = 0; o < outer; ++o)
    for (const Index i : chosen) {
      if (entry > 0) std::memcpy(target, source + static_cast<std::size_t>(o * shape[axis] + i) * entry, entry);
      target += entry;
    }
  return to;
}

const Split& DataSet::split(std::string_view name) const {
  const auto found = splits.find(name);
  if (found == splits.end())
    raise<DataError>("the data set has no split '", name, "'; it has: ", join(keys_of(splits)));
  return found->second;
}
const HostArray& DataSet::array(std::string_view split_name, std::string_view name) const {
  const Split& arrays = split(split_name);
  const auto found = arrays.find(name);
  if (found == arrays.end())
    raise<DataError>("split '", split_name, "' has no array '", name, "'; it has: ", join(keys_of(arrays)));
  return found->second;
}
Index DataSet::examples(std::string_view split_name) const {
  const auto found = splits.find(split_name);
  if (found == splits.end() || found->second.empty()) return 0;
  const auto inputs = found->second.find("default");
  const Shape& shape = (inputs == found->second.end() ? found->second.begin() : inputs)->second.shape();
  return shape.rank() > example_axis() ? shape[example_axis()] : 0;
}

void check(const CommonOptions& o, std::string_view where, Problems& problems) {
  if (o.validation < 0 || o.validation >= 1)
    problems.add(where, concat("option 'validation' should be a fraction from 0 to below 1, not ", o.validation));
  if (!o.resize.empty() && (o.resize.size() != 2 || o.resize[0] < 1 || o.resize[1] < 1))
    problems.add(where, "option 'resize' should be [height, width], both positive");
  if (o.scale && (*o.scale == 0 || !std::isfinite(*o.scale))) problems.add(where, "option 'scale' should not be 0");
  if (std::ranges::find(o.std, 0.0) != o.std.end()) problems.add(where, "option 'std' should have no 0 in it");
  if (o.examples && *o.examples < 1) problems.add(where, "option 'examples' should be at least 1");
  if (o.permute && *o.permute < 0) problems.add(where, "option 'permute' should be a seed, 0 or more");
  if (o.one_hot < 0) problems.add(where, "option 'one_hot' should be the number of classes");
  if (!o.augment.is_array()) problems.add(where, "option 'augment' should be a list of iterators");
  for (std::size_t i = 0; i < o.classes.size(); ++i) {
    if (o.classes[i] < 0) problems.add(where, concat("option 'classes' has ", o.classes[i], ", classes count from 0"));
    if (std::find(o.classes.begin(), o.classes.begin() + static_cast<std::ptrdiff_t>(i), o.classes[i]) !=
        o.classes.begin() + static_cast<std::ptrdiff_t>(i))
      problems.add(where, concat("option 'classes' names class ", o.classes[i], " twice"));
  }
}

DataSet prepare(DataSet set, const CommonOptions& options, const std::string& name) {
  Problems problems;
  check(options, name, problems);
  problems.raise_if_any("data set");
  for (const auto& [split_name, split] : set.splits) check_split(set, split_name, name);
  if (!options.classes.empty()) keep_classes(set, options.classes, name);
  if (options.examples) keep_first(set, *options.examples, name);
  if (options.validation > 0) split_off_validation(set, options.validation, name);
  for (auto& [split_name, split] : set.splits) {
    check_split(set, split_name, name);
    HostArray& inputs = split.at("default");
    if (!options.resize.empty()) inputs = resize_bilinear(inputs, options.resize[0], options.resize[1]);
    if (options.permute) permute(inputs, set.example_axis() + 1, *options.permute);
    if (options.scale || !options.mean.empty() || !options.std.empty()) inputs = normalized(inputs, options, name);
    if (options.one_hot > 0) inputs = one_hot(inputs, options.one_hot, name);
  }
  return set;
}

HostArray resize_bilinear(const HostArray& images, Index height, Index width) {
  const int rank = images.shape().rank();
  SQUALL_CHECK(rank == 4 || rank == 5, "'resize' needs images (N, height, width, channels), not ", images.shape());
  const Index old_height = images.shape()[-3];
  const Index old_width = images.shape()[-2];
  const Index channels = images.shape()[-1];
  SQUALL_CHECK(height > 0 && width > 0 && old_height > 0 && old_width > 0, "cannot resize images ", images.shape(),
               " to ", height, " by ", width);
  HostArray out(DType::F32, images.shape().until(rank - 3).joined({height, width, channels}));
  struct Tap {
    Index low, high;
    double weight;  // of high
  };
  const auto taps = [](Index from, Index to) {
    std::vector<Tap> all;
    for (Index i = 0; i < to; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
      const double inside = std::clamp(centre, 0.0, static_cast<double>(from - 1));
      const auto low = static_cast<Index>(inside);
      all.push_back({low, std::min(low + 1, from - 1), inside - static_cast<double>(low)});
    }
    return all;
  };
  const std::vector<Tap> rows = taps(old_height, height);
  const std::vector<Tap> columns = taps(old_width, width);
  visit_dtype(images.dtype(), [&](auto zero) {
    const auto* image = images.span<decltype(zero)>().data();
    float* to = out.span<float>().data();
    const Index count = images.shape().until(rank - 3).elements();
    for (Index n = 0; n < count; ++n, image += old_height * old_width * channels)
      for (const Tap& y : rows)
        for (const Tap& x : columns)
          for (Index c = 0; c < channels; ++c) {
            const auto at = [&](Index row, Index column) {
              return static_cast<double>(image[(row * old_width + column) * channels + c]);
            };
            const double top = at(y.low, x.low) + (at(y.low, x.high) - at(y.low, x.low)) * x.weight;
            const double bottom = at(y.high, x.low) + (at(y.high, x.high) - at(y.high, x.low)) * x.weight;
            *to++ = static_cast<float>(top + (bottom - top) * y.weight);
          }
  });
  return out;
}

bool could_be_classes(const HostArray& targets) {
  if (targets.shape().rank() > 1 && targets.shape()[-1] != 1) return false;
  for (Index i = 0; i < targets.elements(); ++i)
    if (const double v = targets.value(i);
        !(v >= 0 && v <= std::numeric_limits<std::int32_t>::max() && v == std::floor(v)))
      return false;
  return true;
}

void save_data_set(const std::filesystem::path& path, const DataSet& set, const std::string& group,
                   const std::string& description) {
  H5Writer file;
  if (!description.empty()) file.attribute("/", "description", description);
  for (const auto& [split_name, split] : set.splits)
    for (const auto& [name, array] : split) {
      const Shape shape = set.has_time ? array.shape() : array.shape().with_front(1);
      file.write(h5_path({group, split_name == "train" ? "training" : split_name, name}), array.view().reshaped(shape),
                 {4});
    }
  write_file_atomically(path, file.finish());
}

}  // namespace squall
