#include "cuda/recorder.hpp"

#include <algorithm>

#include "squall/core/error.hpp"

namespace squall::cuda {

bool Recorder::Entry::like(const Entry& other) const {
  if (call || other.call) return call && other.call && call->same(*other.call);
  return launch == other.launch && argument.size() == other.argument.size();
}

bool Recorder::Entry::equals(const Entry& other) const { return like(other) && argument == other.argument; }

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
      for (const Entry& e : parts().back().entries) issue(e);
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
  for (std::size_t i = 0; i < at_; ++i) issue(old[part_].entries[i]);
}

// The device does not record: what it was given since the host last waited is issued.
void Recorder::give_up() {
  gave_up_ = true;
  mode_ = Mode::Ordinary;
  if (open_) tape_.abandon();
  open_ = false;
  std::vector<Part> old = std::move(parts());
  parts().clear();
  for (const Entry& e : old.back().entries) issue(e);
}

void Recorder::issue(const Entry& e) {
  if (e.call)
    e.call->run();
  else
    tape_.issue(e.launch, e.argument.data(), e.argument.size());
}

void Recorder::launch(const Launch& launch, const void* argument, std::size_t bytes) {
  if (mode_ == Mode::Ordinary) return tape_.issue(launch, argument, bytes);
  const auto* first = static_cast<const std::byte*>(argument);
  take({launch, {first, first + bytes}, nullptr, 0});
}

void Recorder::call(std::unique_ptr<Call> call) {
  if (mode_ == Mode::Ordinary) return call->run();
  take({{}, {}, std::move(call), 0});
}

void Recorder::take(Entry entry) {
  if (mode_ == Mode::Undecided) decide(entry);
  if (mode_ == Mode::Recording) return record(std::move(entry));
  if (mode_ == Mode::Comparing) return compare(std::move(entry));
  issue(entry);
}

// Looks for the step that begins like this: the very same work first.
void Recorder::decide(Entry& first) {
  auto found = std::ranges::find_if(recordings_, [&](const Recording& r) { return r.first.equals(first); });
  if (found == recordings_.end())
    found = std::ranges::find_if(recordings_, [&](const Recording& r) { return r.first.like(first); });
  if (found == recordings_.end()) {
    if (recordings_.size() == kMost) recordings_.erase(recordings_.begin());
    Recording fresh;
    fresh.first.launch = first.launch;
    fresh.first.argument = first.argument;
    if (first.call) fresh.first.call = first.call->copy();
    recordings_.push_back(std::move(fresh));
    mode_ = Mode::Ordinary;
    return;
  }
  std::rotate(found, found + 1, recordings_.end());
  mode_ = parts().empty() ? Mode::Recording : Mode::Comparing;
  if (mode_ == Mode::Recording) parts().emplace_back();
}

void Recorder::compare(Entry entry) {
  Part* part = part_ < parts().size() ? &parts()[part_] : nullptr;
  Entry* expected = part != nullptr && at_ < part->entries.size() ? &part->entries[at_] : nullptr;
  if (expected == nullptr || !expected->like(entry)) {
    diverge();
    return issue(entry);
  }
  ++at_;
  if (entry.call || expected->argument == entry.argument) return;
  expected->argument = std::move(entry.argument);
  try {
    part->segment->set(expected->kernel, expected->launch, expected->argument.data(), expected->argument.size());
  } catch (const DeviceError&) {
    gave_up_ = true;
    diverge();
  }
}

void Recorder::record(Entry entry) {
  try {
    if (!open_) tape_.begin();
    open_ = true;
    issue(entry);
    if (!entry.call) tape_.issued_kernel();
  } catch (const DeviceError&) {
    give_up();
    return issue(entry);
  }
  Part& part = parts().back();
  if (!entry.call) entry.kernel = part.kernels++;
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
