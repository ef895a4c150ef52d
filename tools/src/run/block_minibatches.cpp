#include "squall/tools/block_minibatches.hpp"

#include <algorithm>
#include <numeric>

#include "squall/core/random.hpp"

namespace squall {

namespace {
std::size_t at(Index i) { return static_cast<std::size_t>(i); }
}  // namespace

BlockMinibatches::BlockMinibatches(std::shared_ptr<const StoredSplit> split, bool has_time,
                                   std::vector<std::pair<std::string, std::string>> names, const BlockOptions& options)
    : split_(std::move(split)), has_time_(has_time), names_(std::move(names)), options_(options) {
  constexpr Index kBlockBytes = Index{1} << 22;
  if (options_.batch_size < 1) raise<ConfigError>("batch_size should be at least 1, not ", options_.batch_size);
  options_.batch_size = std::min(options_.batch_size, std::max(examples(), Index{1}));  // sums of it stay small
  if (options_.block < 1)
    options_.block = std::max<Index>(1, kBlockBytes / std::max<Index>(1, split_->bytes_per_example()));
  order_.resize(at(examples()));
  const Split& first = block(0);
  for (const auto& [array, field] : names_) {
    const auto found = first.find(array);
    if (found == first.end()) raise<DataError>("the data have no array '", array, "'");
    const Shape& shape = found->second.shape();
    if (has_time_) steps_ = shape[0];
    fields_.push_back({field, found->second.dtype(), shape.from(has_time_ ? 2 : 1)});
  }
  restart(0);
}

Index BlockMinibatches::batches() const { return (examples() + options_.batch_size - 1) / options_.batch_size; }

void BlockMinibatches::shuffle(Index epoch) {
  const Index blocks = (examples() + options_.block - 1) / options_.block;
  std::vector<Index> order(at(blocks));
  std::iota(order.begin(), order.end(), Index{0});
  Rng rng(options_.seed, options_.stream, static_cast<std::uint64_t>(epoch));
  rng.shuffle(order);
  auto to = order_.begin();
  for (Index first = 0; first < blocks; first += kWindow) {
    const auto window = to;
    for (Index b = first; b < std::min(first + kWindow, blocks); ++b) {
      const Index begin = order[at(b)] * options_.block;
      for (Index i = begin; i < std::min(begin + options_.block, examples()); ++i) *to++ = i;
    }
    rng.shuffle(std::span<Index>(window, to));
  }
}

void BlockMinibatches::restart(Index epoch, Index first) {
  std::iota(order_.begin(), order_.end(), Index{0});
  if (options_.shuffle) shuffle(epoch);
  batch_ = first;
}

const Split& BlockMinibatches::block(Index number) {
  const auto found = std::ranges::find(kept_, number, &Block::number);
  if (found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
    return kept_.front().arrays;
  }
  const Index begin = number * options_.block;
  while (kept_.size() >= kKept) kept_.pop_back();
  kept_.push_front({number, split_->read(begin, std::min(options_.block, examples() - begin))});
  return kept_.front().arrays;
}

std::size_t BlockMinibatches::bytes_kept() const {
  std::size_t bytes = 0;
  for (const auto& b : kept_)
    for (const auto& [name, array] : b.arrays) bytes += array.bytes();
  return bytes;
}

bool BlockMinibatches::next(Batch& into) {
  const Index begin = batch_ * options_.batch_size;
  if (begin >= examples()) return false;
  const Index count = std::min(options_.batch_size, examples() - begin);
  into.fields.resize(fields_.size());
  for (std::size_t f = 0; f < fields_.size(); ++f) {
    into.fields[f].first = fields_[f].name;
    into.fields[f].second.resize(fields_[f].dtype, fields_[f].features.with_front(count).with_front(steps_));
  }
  for (Index i = 0; i < count; ++i) {
    const Index example = order_[at(begin + i)];
    const Split& arrays = block(example / options_.block);
    const Index row = example % options_.block;
    for (std::size_t f = 0; f < fields_.size(); ++f) {
      const HostArray& from = arrays.find(names_[f].first)->second;
      const Index rows = from.shape()[has_time_ ? 1 : 0];
      const std::size_t bytes = at(fields_[f].features.elements()) * size_of(from.dtype());
      for (Index t = 0; t < steps_; ++t)
        std::memcpy(static_cast<std::byte*>(into.fields[f].second.data()) + at(t * count + i) * bytes,
                    static_cast<const std::byte*>(from.data()) + at(t * rows + row) * bytes, bytes);
    }
  }
  ++batch_;
  return true;
}

}  // namespace squall
