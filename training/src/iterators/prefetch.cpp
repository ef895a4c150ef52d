#include "squall/training/iterators.hpp"

namespace squall {

Prefetch::~Prefetch() { drop(); }

void Prefetch::begin() {
  ready_ = std::async(std::launch::async, [this] { return inner_->next(ahead_); });
}

// Waits for what is under way; nobody wants to know how it went.
void Prefetch::drop() {
  if (ready_.valid()) ready_.wait();
  ready_ = {};
}

void Prefetch::restart(Index epoch, Index first) {
  drop();
  inner_->restart(epoch, first);
  begin();
}

bool Prefetch::next(Batch& into) {
  if (!ready_.valid()) begin();
  if (!ready_.get()) return false;
  std::swap(into, ahead_);
  begin();
  return true;
}

}  // namespace squall
