// A step that is run again and again: its work is recorded once as graphs of a device, and later runs only say what has
// changed. The step's host code runs every time, but its kernels are not launched: each is compared with the recorded
// one, and arguments that differ (a learning rate, a counter of random numbers) are put into the graph.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace squall::cuda {

// A kernel over so many blocks of so many threads; its only argument is given apart.
struct Launch {
  const void* kernel = nullptr;
  unsigned blocks = 0, threads = 0;
  bool operator==(const Launch&) const = default;
};

// Work that is not a kernel of ours.
class Call {
 public:
  virtual ~Call() = default;
  virtual void run() const = 0;
  virtual bool same(const Call& other) const = 0;
  virtual std::unique_ptr<Call> copy() const = 0;
};
template <class C>
class CallOf final : public Call {
 public:
  explicit CallOf(const C& call) : call_(call) {}
  void run() const override { call_(); }
  bool same(const Call& other) const override {
    const auto* o = dynamic_cast<const CallOf*>(&other);
    return o != nullptr && o->call_ == call_;
  }
  std::unique_ptr<Call> copy() const override { return std::make_unique<CallOf>(call_); }

 private:
  C call_;
};

// Work recorded between two points at which the host waits.
class Segment {
 public:
  virtual ~Segment() = default;
  virtual void run() = 0;
  // The kernel gets another argument of the same size from the next run on.
  virtual void set(std::size_t kernel, const Launch& launch, const void* argument, std::size_t bytes) = 0;
};

// The device's side of recording.
class Tape {
 public:
  virtual ~Tape() = default;
  virtual void begin() = 0;
  virtual void issue(const Launch& launch, const void* argument, std::size_t bytes) = 0;  // also when not recording
  virtual void issued_kernel() = 0;  // the last work was a kernel: the next number of Segment::set is its
  virtual std::unique_ptr<Segment> end() = 0;
  virtual void abandon() noexcept = 0;
};

class Recorder {
 public:
  explicit Recorder(Tape& tape) : tape_(tape) {}
  // Steps are told apart by their first work (those of other sizes have other operands). The first run of a step is an
  // ordinary one, which lets libraries prepare themselves; the second is recorded, later ones are compared. A run that
  // turns out to be another step goes on as an ordinary one, and the next is recorded anew. Where the device cannot
  // record (DeviceError), this run and all later ones are ordinary.
  void run(const std::function<void()>& step);

  // Allocate nothing while a recording serves.
  void launch(const Launch& launch, const void* argument, std::size_t bytes);
  void call(const Call& call);
  void host_point();  // the host is going to wait or to touch memory: all work so far must be on its way

  std::size_t repeated() const { return repeated_; }  // runs that a recording served
  bool gave_up() const { return gave_up_; }

 private:
  enum class Mode { Undecided, Ordinary, Recording, Comparing };
  // What is asked for: a kernel, or a call.
  struct Work {
    Launch launch;
    const std::byte* argument = nullptr;
    std::size_t bytes = 0;
    const Call* call = nullptr;
  };
  struct Entry {
    Entry() = default;
    explicit Entry(const Work& work);
    Work work() const { return {launch, argument.data(), argument.size(), call.get()}; }
    bool like(const Work& other) const;    // the same but for a kernel's argument
    bool equals(const Work& other) const;  // the same
    Launch launch;
    std::vector<std::byte> argument;
    std::unique_ptr<Call> call;  // or a kernel
    std::size_t kernel = 0;      // its number in the segment
  };
  struct Part {
    std::vector<Entry> entries;
    std::size_t kernels = 0;
    std::unique_ptr<Segment> segment;
  };
  struct Recording {
    Entry first;
    std::vector<Part> parts;  // none: it has had its ordinary run only
  };
  static constexpr std::size_t kMost = 8;

  void take(const Work& work);
  void decide(const Work& first);
  void record(const Work& work);
  void compare(const Work& work);
  void issue(const Work& work);
  void close_part();
  void finish();
  void abandon() noexcept;
  void diverge();
  void give_up();
  std::vector<Part>& parts() { return recordings_.back().parts; }

  Tape& tape_;
  Mode mode_ = Mode::Ordinary;
  std::vector<Recording> recordings_;  // the last one was used last
  bool open_ = false;                  // the tape is recording
  bool gave_up_ = false;
  std::size_t part_ = 0, at_ = 0, repeated_ = 0;
};

}  // namespace squall::cuda
