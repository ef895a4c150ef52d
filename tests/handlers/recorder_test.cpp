// What a recorder gives to a device: how often it starts recorded work, and which arguments it changes.
#include "cuda/recorder.hpp"

#include "squall/core/error.hpp"
#include "support/catch.hpp"

using namespace squall::cuda;

namespace {

struct Counts {
  int issued = 0, recorded = 0, started = 0, changed = 0;
  int fails_at = -1;  // the number of recorded work at which the device refuses
  bool fails_at_end = false, fails_to_change = false;
};

class CountingSegment final : public Segment {
 public:
  explicit CountingSegment(Counts& counts) : counts_(counts) {}
  void run() override { ++counts_.started; }
  void set(std::size_t, const Launch&, const void*, std::size_t) override {
    if (counts_.fails_to_change) throw squall::DeviceError("not changed");
    ++counts_.changed;
  }

 private:
  Counts& counts_;
};
class CountingTape final : public Tape {
 public:
  explicit CountingTape(Counts& counts) : counts_(counts) {}
  void begin() override { recording_ = true; }
  void issue(const Launch&, const void*, std::size_t) override {
    if (recording_ && counts_.recorded == counts_.fails_at) throw squall::DeviceError("not recorded");
    ++(recording_ ? counts_.recorded : counts_.issued);
  }
  void issued_kernel() override {}
  std::unique_ptr<Segment> end() override {
    if (counts_.fails_at_end) throw squall::DeviceError("not recorded");
    recording_ = false;
    return std::make_unique<CountingSegment>(counts_);
  }
  void abandon() noexcept override { recording_ = false; }

 private:
  Counts& counts_;
  bool recording_ = false;
};

void kernel(Recorder& r, int number, int argument) {
  static const char names[8] = {};
  r.launch({names + number, 1, 32}, &argument, sizeof argument);
}

}  // namespace

TEST_CASE("A step is issued once and recorded once and then only started") {
  Counts n;
  CountingTape tape(n);
  Recorder r(tape);
  for (int run = 0; run < 5; ++run)
    r.run([&] {
      kernel(r, 0, 7);
      kernel(r, 1, run);
      r.host_point();
      kernel(r, 2, 7);
    });
  CHECK(n.issued == 3);
  CHECK(n.recorded == 3);
  CHECK(n.started == 2 * 4);  // two parts in each run but the first
  CHECK(n.changed == 3);      // one argument in each run that is compared
  CHECK(r.repeated() == 3);
}

TEST_CASE("Another step than the recorded one is issued whole and recorded at its next run") {
  Counts n;
  CountingTape tape(n);
  Recorder r(tape);
  bool other = false;
  const auto step = [&] {
    kernel(r, 0, 7);
    kernel(r, other ? 3 : 1, 7);
    kernel(r, 2, 7);
  };
  for (int run = 0; run < 3; ++run) r.run(step);
  REQUIRE(r.repeated() == 1);
  n = {};
  other = true;
  r.run(step);
  CHECK(n.issued == 3);
  CHECK(n.started == 0);
  r.run(step);
  CHECK(n.recorded == 3);
  r.run(step);
  CHECK(r.repeated() == 2);
}

TEST_CASE("Steps that begin with other operands have recordings of their own") {
  Counts n;
  CountingTape tape(n);
  Recorder r(tape);
  for (int run = 0; run < 12; ++run)
    r.run([&] {
      kernel(r, run % 3 == 2 ? 4 : 0, 1);
      kernel(r, 1, run);
    });
  CHECK(r.repeated() == 6 + 2);
}

TEST_CASE("A device that cannot record a step runs it as an ordinary one from then on") {
  for (const int way : {0, 1, 2}) {
    INFO("way " << way);
    Counts n;
    n.fails_at = way == 0 ? 1 : -1;
    n.fails_at_end = way == 1;
    n.fails_to_change = way == 2;
    CountingTape tape(n);
    Recorder r(tape);
    for (int run = 0; run < 4; ++run)
      r.run([&] {
        kernel(r, 0, 7);
        kernel(r, 1, run);
        kernel(r, 2, 7);
      });
    CHECK(r.gave_up());
    CHECK(r.repeated() == 0);
    CHECK(n.issued == (way == 2 ? 3 * 3 : 4 * 3));  // in way 2 the recording itself served once
    CHECK(n.started == (way == 2 ? 1 : 0));
  }
}
