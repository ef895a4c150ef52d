#include "squall/training/iterators.hpp"

namespace squall {

Augmented::Augmented(std::unique_ptr<DataIterator> inner, std::vector<std::unique_ptr<Augment>> changes,
                     std::uint64_t seed, std::string stream)
    : inner_(std::move(inner)),
      changes_(std::move(changes)),
      fields_(inner_->fields()),
      seed_(seed),
      stream_(std::move(stream)) {
  for (const auto& change : changes_) change->plan(fields_);
}

void Augmented::restart(Index epoch, Index first) {
  epoch_ = epoch;
  batch_ = first;
  inner_->restart(epoch, first);
}

bool Augmented::next(Batch& into) {
  if (!inner_->next(into)) return false;
  const Index number = epoch_ * batches() + batch_;
  for (std::size_t c = 0; c < changes_.size(); ++c) {
    Rng rng(seed_, concat(stream_, ".", c), static_cast<std::uint64_t>(number));
    changes_[c]->apply(into, rng);
  }
  ++batch_;
  return true;
}

}  // namespace squall
