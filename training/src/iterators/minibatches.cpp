#include <algorithm>
#include <cstring>

#include "squall/training/iterators.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

void check_source(const DataSource& source) {
  if (source.fields.empty()) raise<DataError>("data without any field");
  const int lead = source.sequences ? 2 : 1;
  const auto& [first, model] = source.fields[0];
  for (const auto& [name, array] : source.fields) {
    if (array.shape().rank() < lead + (source.sequences ? 1 : 0))
      raise<DataError>("field '", name, "' should be ",
                       source.sequences ? "(time, examples, features...)" : "(examples, ...)", ", not ", array.shape());
    for (int axis = 0; axis < lead; ++axis)
      if (array.shape()[axis] != model.shape()[axis])
        raise<DataError>("field '", name, "' has ", array.shape()[axis], lead - axis == 1 ? " examples" : " time steps",
                         ", but '", first, "' has ", model.shape()[axis]);
  }
}

Shape features_of(const HostArray& a, bool sequences) {
  const Shape features = a.shape().from(sequences ? 2 : 1);
  return features.rank() == 0 ? Shape{1} : features;  // (N) is one number each
}

// 1 + the last step at which the mask is set, for each example.
std::vector<Index> lengths_of(const HostArray& mask) {
  const Index steps = mask.shape()[0], examples = mask.shape()[1], features = mask.shape().from(2).elements();
  std::vector<Index> lengths(at(examples), 0);
  for (Index t = 0; t < steps; ++t)
    for (Index b = 0; b < examples; ++b)
      for (Index f = 0; f < features; ++f)
        if (mask.value((t * examples + b) * features + f) != 0) lengths[at(b)] = t + 1;
  return lengths;
}

// (T, N, f...) -> (steps, B, f...)
void gather(const HostArray& from, Index steps, std::span<const Index> chosen, bool sequences, HostArray& to) {
  const Index examples = from.shape()[sequences ? 1 : 0];
  const Shape features = features_of(from, sequences);
  to.resize(from.dtype(), features.with_front(static_cast<Index>(chosen.size())).with_front(steps));
  const std::size_t bytes = at(features.elements()) * size_of(from.dtype());
  auto* out = static_cast<std::byte*>(to.data());
  const auto* in = static_cast<const std::byte*>(from.data());
  if (bytes == 0) return;
  for (Index t = 0; t < steps; ++t)
    for (const Index example : chosen) {
      std::memcpy(out, in + at(t * examples + example) * bytes, bytes);
      out += bytes;
    }
}

}  // namespace

Minibatches::Minibatches(std::shared_ptr<const DataSource> source, const MinibatchesOptions& options)
    : source_(std::move(source)), options_(options) {
  if (options_.batch_size < 1) raise<ConfigError>("batch_size should be at least 1, not ", options_.batch_size);
  check_source(*source_);
  options_.batch_size = std::min(options_.batch_size, std::max(examples(), Index{1}));  // sums of it stay small
  for (const auto& [name, array] : source_->fields) {
    fields_.push_back({name, array.dtype(), features_of(array, source_->sequences)});
    const bool tells = options_.lengths.empty() && !options_.cut_to.empty() && name == options_.cut_to;
    if (source_->sequences && tells) lengths_ = lengths_of(array);
  }
  take_lengths();
  order_.resize(at(examples()));
  restart(0);
}

void Minibatches::take_lengths() {
  if (options_.lengths.empty()) return;
  if (!source_->sequences) raise<ConfigError>("lengths are of sequences, but the data have no time");
  if (static_cast<Index>(options_.lengths.size()) != examples())
    raise<DataError>(options_.lengths.size(), " lengths are given for ", examples(), " sequences; one each is needed");
  const Index steps = source_->fields[0].second.shape()[0];
  for (const Index length : options_.lengths)
    if (length < 0 || length > steps)
      raise<DataError>("a length is ", length, ", but sequences have 0 to ", steps, " steps");
  lengths_ = options_.lengths;
}

Index Minibatches::batches() const { return (examples() + options_.batch_size - 1) / options_.batch_size; }

void Minibatches::restart(Index epoch, Index first) {
  std::iota(order_.begin(), order_.end(), Index{0});
  if (options_.shuffle) Rng(options_.seed, options_.stream, static_cast<std::uint64_t>(epoch)).shuffle(order_);
  batch_ = first;
}

Index Minibatches::steps_of(std::span<const Index> chosen) const {
  if (!source_->sequences) return 1;
  if (lengths_.empty()) return source_->fields[0].second.shape()[0];
  Index longest = 1;  // a batch has at least one step
  for (const Index example : chosen) longest = std::max(longest, lengths_[at(example)]);
  return longest;
}

bool Minibatches::next(Batch& into) {
  const Index begin = batch_ * options_.batch_size;
  if (begin >= examples()) return false;
  const Index count = std::min(options_.batch_size, examples() - begin);
  const std::span<const Index> chosen(order_.data() + begin, at(count));
  const Index steps = steps_of(chosen);
  into.fields.resize(source_->fields.size());
  for (std::size_t f = 0; f < source_->fields.size(); ++f) {
    into.fields[f].first = source_->fields[f].first;
    gather(source_->fields[f].second, steps, chosen, source_->sequences, into.fields[f].second);
  }
  ++batch_;
  return true;
}

}  // namespace squall
