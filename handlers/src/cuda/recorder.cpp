#include "cuda/recorder.hpp"

#include <algorithm>

#include "squall/core/error.hpp"

namespace squall::cuda {

Recorder::Entry::Entry(const Work& work)
    : launch(work.launch),
      argument(work.argument, work.argument + work.bytes),
      call(work.call != nullptr ? work.call->copy() : nullptr) {}

bool Recorder::Entry::like(const Work& other) const {
  if (call || other.call != nullptr) return call && other.call != nullptr && call->same(*other.call);
  return launch == other.launch && argument.size() == other.bytes;
}

bool Recorder::Entry::equals(const Work& other) const {
  return like(other) && std::equal(argument.begin(), argument.end(), other.argument);
}

void Recorder::run(const std::function<void()>& step) {
  part_ = at_ = 0;
  mode_ = gave_up_ ? Mode::Ordinary : Mode::Undecided;
  try {
    step();
    finish();
  } catch (...) {
    abandon();
    throw;
  }
}

void Recorder::finish() {
  if (mode_ == Mode::Recording) close_part();
  if (mode_ != Mode::Comparing) return;
  if (part_ + 1 != parts().size() || at_ != parts()[part_].entries.size()) return diverge();
  if (parts()[part_].segment) parts()[part_].segment->run();
  ++repeated_;
}

// After an exception: what the step wanted before it is done, as it would be in an ordinary run.
void Recorder::abandon() noexcept {
  try {
    if (mode_ == Mode::Comparing) diverge();
    if (mode_ == Mode::Recording) {
      if (open_) tape_.abandon();
      open_ = false;
      for (const Entry& e : parts().back().entries) issue(e.work());
      parts().clear();
    }
  } catch (...) {  // the exception on its way says more
  }
  mode_ = Mode::Ordinary;
}

// What was compared so far is issued, and the rest of the run is ordinary.
void Recorder::diverge() {
  mode_ = Mode::Ordinary;
  std::vector<Part> old = std::move(parts());
  parts().clear();
  if (part_ >= old.size()) return;
  for (std::size_t i = 0; i < at_; ++i) issue(old[part_].entries[i].work());
}

// The device does not record: what it was given since the host last waited is issued.
void Recorder::give_up() {
  gave_up_ = true;
  mode_ = Mode::Ordinary;
  if (open_) tape_.abandon();
  open_ = false;
  std::vector<Part> old = std::move(parts());
  parts().clear();
  for (const Entry& e : old.back().entries) issue(e.work());
}

void Recorder::issue(const Work& work) {
  if (work.call != nullptr)
    work.call->run();
  else
    tape_.issue(work.launch, work.argument, work.bytes);
}

void Recorder::launch(const Launch& launch, const void* argument, std::size_t bytes) {
  if (mode_ == Mode::Ordinary) return tape_.issue(launch, argument, bytes);
  take({launch, static_cast<const std::byte*>(argument), bytes, nullptr});
}

void Recorder::call(const Call& call) {
  if (mode_ == Mode::Ordinary) return call.run();
  take({{}, nullptr, 0, &call});
}

void Recorder::take(const Work& work) {
  if (mode_ == Mode::Undecided) decide(work);
  if (mode_ == Mode::Recording) return record(work);
  if (mode_ == Mode::Comparing) return compare(work);
  issue(work);
}

// Looks for the step that begins like this: the very same work first.
void Recorder::decide(const Work& first) {
  auto found = std::ranges::find_if(recordings_, [&](const Recording& r) { return r.first.equals(first); });
  if (found == recordings_.end())
    found = std::ranges::find_if(recordings_, [&](const Recording& r) { return r.first.like(first); });
  if (found == recordings_.end()) {
    if (recordings_.size() == kMost) recordings_.erase(recordings_.begin());
    recordings_.push_back({Entry(first), {}});
    mode_ = Mode::Ordinary;
    return;
  }
  std::rotate(found, found + 1, recordings_.end());
  mode_ = parts().empty() ? Mode::Recording : Mode::Comparing;
  if (mode_ == Mode::Recording) parts().emplace_back();
}

void Recorder::compare(const Work& work) {
  Part* part = part_ < parts().size() ? &parts()[part_] : nullptr;
  Entry* expected = part != nullptr && at_ < part->entries.size() ? &part->entries[at_] : nullptr;
  if (expected == nullptr || !expected->like(work)) {
    diverge();
    return issue(work);
  }
  ++at_;
  if (work.call != nullptr || expected->equals(work)) return;
  std::copy_n(work.argument, work.bytes, expected->argument.begin());
  try {
    part->segment->set(expected->kernel, expected->launch, expected->argument.data(), expected->argument.size());
  } catch (const DeviceError&) {
    gave_up_ = true;
    diverge();
  }
}

void Recorder::record(const Work& work) {
  try {
    if (!open_) tape_.begin();
    open_ = true;
    issue(work);
    if (work.call == nullptr) tape_.issued_kernel();
  } catch (const DeviceError&) {
    give_up();
    return issue(work);
  }
  Part& part = parts().back();
  Entry entry(work);
  if (work.call == nullptr) entry.kernel = part.kernels++;
  part.entries.push_back(std::move(entry));
}

void Recorder::close_part() {
  if (!open_) return;
  try {
    parts().back().segment = tape_.end();
  } catch (const DeviceError&) {
    return give_up();
  }
  open_ = false;
  parts().back().segment->run();
}

void Recorder::host_point() {
  if (mode_ == Mode::Recording) {
    close_part();
    if (mode_ == Mode::Recording) parts().emplace_back();
  } else if (mode_ == Mode::Comparing) {
    if (part_ + 1 >= parts().size() || at_ != parts()[part_].entries.size()) return diverge();
    if (parts()[part_].segment) parts()[part_].segment->run();
    ++part_;
    at_ = 0;
  }
}

}  // namespace squall::cuda
