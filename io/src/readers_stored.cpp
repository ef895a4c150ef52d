#include "readers_stored.hpp"

#include <algorithm>
#include <cmath>

namespace squall {

namespace {

constexpr Index kTargetsAtOnce = Index{1} << 20;

struct Array {
  std::string name, path;
  H5Reader::Info info;
  DType dtype = DType::F32;
};

// One split of the file: its arrays and the part of their examples that belongs to it.
class H5Split final : public StoredSplit {
 public:
  H5Split(std::shared_ptr<const H5Reader> file, std::string path, const StoredOptions& options)
      : file_(std::move(file)), path_(std::move(path)), options_(options) {
    for (const std::string& name : file_->children(path_)) {
      Array a{name, concat(path_, "/", name), {}, DType::F32};
      if (file_->is_group(a.path)) continue;
      a.info = file_->info(a.path);
      if (a.info.is_text) continue;
      if (a.info.is_integer || name == "targets") a.dtype = a.info.dtype;
      arrays_.push_back(a);
    }
    if (find("default") == nullptr)
      raise<FileError>("'", file_->name(), "': '", path_, "' has no dataset 'default' of inputs");
    for (const Array& a : arrays_) {
      if (a.info.shape.rank() <= axis() || a.info.shape[axis()] != find("default")->info.shape[axis()])
        raise<DataError>("'", file_->name(), "': '", a.path, "' is ", a.info.shape, ", but 'default' is ",
                         find("default")->info.shape);
    }
    count_ = find("default")->info.shape[axis()];
  }

  Index examples() const override { return count_; }
  Index bytes_per_example() const override {
    Index bytes = 0;
    for (const Array& a : arrays_)
      if (a.info.shape[axis()] > 0)
        bytes += a.info.shape.elements() / a.info.shape[axis()] * static_cast<Index>(sizeof(float));
    return bytes;
  }

  Split read(Index first, Index count) const override {
    DataSet set;
    set.has_time = options_.time && !single_step_;
    set.classes = classes_;
    Split& split = set.splits["test"];
    for (const Array& a : arrays_) {
      HostArray part = file_->read_part(a.path, axis(), first_ + first, count, a.dtype);
      if (single_step_) part = part.reshaped(part.shape().from(1));
      if (a.name == "targets") part = settled(part);
      split[a.name] = std::move(part);
    }
    CommonOptions common = options_.common;  // what selects examples has been done
    common.validation = 0;
    common.examples.reset();
    return prepare(std::move(set), common, concat("'", file_->name(), "'")).splits["test"];
  }

  // Only these examples of what the file has.
  void restrict(Index first, Index count) {
    first_ += first;
    count_ = count;
  }
  bool has_one_step() const {
    return std::ranges::all_of(arrays_, [](const Array& a) { return a.info.shape[0] == 1; });
  }
  void settle(bool one_step, Index classes) {
    single_step_ = one_step;
    classes_ = classes;
  }

  // The largest target, or nothing if one of them cannot be a class.
  std::optional<double> largest_target() const {
    const Array* targets = find("targets");
    if (targets == nullptr) return -1;
    const Index per_example = std::max<Index>(1, targets->info.shape.elements() / std::max<Index>(1, count_));
    const Index step = std::max<Index>(1, kTargetsAtOnce / per_example);
    double largest = -1;
    for (Index first = 0; first < count_; first += step) {
      const HostArray part = file_->read_part(targets->path, axis(), first, std::min(step, count_ - first));
      const int features_from = options_.time ? 2 : 1;
      if (part.shape().rank() > features_from && part.shape()[-1] != 1) return std::nullopt;
      for (Index i = 0; i < part.elements(); ++i) {
        const double v = part.value(i);
        if (!(v >= 0) || v != std::floor(v)) return std::nullopt;
        largest = std::max(largest, v);
      }
    }
    return largest;
  }

 private:
  int axis() const { return options_.time ? 1 : 0; }
  const Array* find(std::string_view name) const {
    const auto found = std::ranges::find(arrays_, name, &Array::name);
    return found == arrays_.end() ? nullptr : &*found;
  }
  HostArray settled(const HostArray& targets) const {
    const int lead = options_.time && !single_step_ ? 2 : 1;
    const HostArray cast = targets.cast(classes_ > 0 ? DType::I32 : DType::F32);
    return cast.shape().rank() == lead ? cast.reshaped(cast.shape().with_back(1)) : cast;
  }

  std::shared_ptr<const H5Reader> file_;
  std::string path_;
  StoredOptions options_;
  std::vector<Array> arrays_;
  Index first_ = 0, count_ = 0, classes_ = 0;
  bool single_step_ = false;
};

using Splits = std::map<std::string, std::shared_ptr<H5Split>>;

Index classes_of(const Splits& splits, TargetKind kind, const std::string& name) {
  constexpr double kMostAutoClasses = 1e6;
  if (kind == TargetKind::Values) return 0;
  double largest = -1;
  bool whole = true;
  for (const auto& [split, stored] : splits) {
    const auto here = stored->largest_target();
    whole = whole && here.has_value();
    largest = std::max(largest, here.value_or(-1));
  }
  if (kind == TargetKind::Classes && !whole)
    raise<DataError>(name, ": the targets are not classes, which are whole numbers from 0, one per example");
  return whole && (kind == TargetKind::Classes || largest < kMostAutoClasses) ? static_cast<Index>(largest) + 1 : 0;
}

// 'examples' and 'validation', as they are for sets in memory.
void select_examples(Splits& splits, const CommonOptions& common, const std::shared_ptr<const H5Reader>& file,
                     const std::string& train_path, const StoredOptions& options) {
  const std::string name = concat("'", file->name(), "'");
  if (!common.examples && common.validation == 0) return;
  const auto train = splits.find("train");
  if (train == splits.end()) raise<ConfigError>(name, ": 'examples' and 'validation' need a split 'training'");
  Index all = train->second->examples();
  if (common.examples) {
    if (*common.examples > all)
      raise<ConfigError>(name, ": 'examples' asks for ", *common.examples, " training examples, there are ", all);
    all = *common.examples;
    train->second->restrict(0, all);
  }
  if (common.validation == 0) return;
  if (splits.contains("validation"))
    raise<ConfigError>(name, ": the data set has validation examples of its own; leave out 'validation'");
  const auto apart = static_cast<Index>(std::llround(static_cast<double>(all) * common.validation));
  if (apart < 1 || apart >= all)
    raise<ConfigError>(name, ": 'validation' ", common.validation, " of ", all,
                       " training examples leaves one of the two empty");
  splits["validation"] = std::make_shared<H5Split>(file, train_path, options);
  splits["validation"]->restrict(all - apart, apart);
  train->second->restrict(0, all - apart);
}

}  // namespace

StoredSet open_stored(const std::shared_ptr<const H5Reader>& file, const std::string& group,
                      const StoredOptions& options) {
  if (!options.common.classes.empty())
    raise<ConfigError>("'", file->name(), "': 'classes' needs the whole set in memory; leave out 'lazy'");
  Splits splits;
  std::string train_path;
  for (const std::string& child : file->children(group.empty() ? "/" : group)) {
    const std::string name = child == "training" ? "train" : child;
    if (name != "train" && name != "validation" && name != "test") continue;
    splits[name] = std::make_shared<H5Split>(file, concat(group, "/", child), options);
    if (name == "train") train_path = concat(group, "/", child);
  }
  if (splits.empty())
    raise<FileError>("'", file->name(), "': group '", group, "' has none of training, validation, test");
  const Index classes = classes_of(splits, options.targets_are, concat("'", file->name(), "'"));
  const bool one_step =
      options.time && std::ranges::all_of(splits, [](const auto& s) { return s.second->has_one_step(); });
  select_examples(splits, options.common, file, train_path, options);
  StoredSet out;
  out.classes = classes;
  out.has_time = options.time && !one_step;
  for (auto& [name, split] : splits) {
    split->settle(one_step, classes);
    out.splits[name] = std::move(split);
  }
  return out;
}

}  // namespace squall
