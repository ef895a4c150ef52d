#include "squall/training/trainer.hpp"

#include <algorithm>
#include <chrono>

#include "score_board.hpp"
#include "time_pieces.hpp"

namespace squall {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Trainer::Trainer(Network& network, std::unique_ptr<Stepper> stepper, std::vector<Task> tasks)
    : network_(network), stepper_(std::move(stepper)), tasks_(std::move(tasks)) {
  for (auto& task : tasks_) complete_task(task, network_.graph());
  for (std::size_t i = 0; i < tasks_.size(); ++i)
    for (std::size_t k = i + 1; k < tasks_.size(); ++k)
      if (tasks_[i].name == tasks_[k].name) raise<ConfigError>("two tasks have the name '", tasks_[i].name, "'");
  rolling_ = std::make_unique<ScoreBoard>(network_, tasks_);
  stepper_->start(network_);
}

Trainer::~Trainer() = default;

void Trainer::set_truncation(Index steps) {
  if (steps < 0) raise<ConfigError>("sequences cannot be cut into pieces of ", steps, " steps");
  truncate_ = steps;
}

Index Trainer::keep_only_masked() {
  if (std::ranges::any_of(hooks_, [](const auto& hook) { return hook->changes_masks(); })) return 0;
  const Index kept = network_.keep_only_masked();
  if (kept > 0) stepper_->start(network_);
  return kept;
}

void Trainer::add_hook(std::unique_ptr<Hook> hook) {
  for (const auto& other : hooks_)
    if (other->name() == hook->name())
      raise<ConfigError>("there is a hook '", hook->name(), "' already; give one of them another 'name'");
  if (hook->interval() < 1)
    raise<ConfigError>("hook '", hook->name(), "': option 'interval' should be at least 1, not ", hook->interval());
  const auto place = std::ranges::find_if(hooks_, [&](const auto& h) { return h->stage() > hook->stage(); });
  hooks_.insert(place, std::move(hook));
}

DataIterator* Trainer::iterator(std::string_view name) const {
  const auto found = named_.find(std::string(name));
  return found == named_.end() ? nullptr : found->second;
}

void Trainer::log(const std::string& path, double value) {
  logs_.add(path, value);
  logged_.emplace_back(path, value);
  if (quiet_ && observer_ != nullptr && hidden_.insert(path).second) observer_->hides(path);
}

void Trainer::say(const std::string& message) {
  if (observer_ != nullptr && !quiet_) observer_->message(message);
}

Ended Trainer::train(DataIterator& data, const std::map<std::string, DataIterator*>& named, Index max_epochs) {
  named_ = named;
  try {
    prepare(data);
    start_hooks();
    ended_ = run(data, max_epochs);
  } catch (...) {
    ended_ = Ended::Failed;
    finish_hooks(ended_);
    throw;
  }
  finish_hooks(ended_);
  return ended_;
}

void Trainer::prepare(DataIterator& data) {
  register_pass();
  const auto needed = needed_inputs(task_heads(tasks_, network_.graph()), network_.graph());
  Problems problems;
  for (const auto& name : needed)
    if (std::ranges::none_of(data.fields(), [&](const auto& f) { return f.name == name; }))
      problems.add("Input." + name, "is not among the fields of the training data");
  problems.raise_if_any("there is not all the data to train with");
  if (data.batches() < 1) raise<DataError>("the training data has no examples");
  if (!stepper_->fits(network_)) stepper_->start(network_);
  if (truncate_ == 0) return;
  auto fields = needed;
  for (const auto& task : tasks_)
    if (!task.mask.empty()) fields.push_back(task.mask);
  pieces_ = std::make_unique<TimePieces>(network_.graph(), fields);
}

void Trainer::register_pass() {
  PassRequest request;
  request.mode = stepper_->rule().mode();
  request.heads = task_heads(tasks_, network_.graph());
  request.frozen = frozen_;
  pass_ = network_.pass(request);
  if (!frozen_.empty() && stepper_->rule().learns() && network_.trainable(pass_).empty())
    raise<ConfigError>("frozen: ", join(frozen_), " leave nothing that could be trained");
}

void Trainer::start_hooks() {
  const auto looks = [](const auto& hook) {
    return hook->inspects_buffers() || hook->changes_masks() || hook->reads_gradients();
  };
  const bool all_there = network_.options().memory == MemoryMode::Inspectable;
  stepper_->keep_gradients(keep_gradients_ || all_there || std::ranges::any_of(hooks_, looks));
  Problems problems;
  for (const auto& hook : hooks_) {
    if (hook->stage() == HookStage::Save && !problems.empty()) break;  // they may begin to write
    try {
      hook->start(*this);
    } catch (const ConfigError& e) {
      problems.add("", concat("hook '", hook->name(), "': ", e.what()));
    }
  }
  problems.raise_if_any("training cannot begin");
}

void Trainer::finish_again(Ended how) {
  ended_ = how;
  finish_hooks(how);
}

void Trainer::finish_hooks(Ended how) {
  for (const auto& hook : hooks_) {
    try {
      hook->finish(*this);
    } catch (...) {
      if (how != Ended::Failed) throw;  // else what made training fail is the news
    }
  }
  named_.clear();
}

Ended Trainer::run(DataIterator& data, Index max_epochs) {
  if (!started_) {
    if (first_hooks()) return Ended::StoppedByHook;
  } else {
    for (const auto& hook : hooks_)
      if (hook->still_stopped(*this, progress_) == Verdict::Stop) return Ended::StoppedByHook;
  }
  for (Index done = 0; max_epochs == 0 || done < max_epochs; ++done) {
    const Ended ended = train_epoch(data);
    if (ended != Ended::Finished) return ended;
  }
  return Ended::Finished;
}

// Update hooks, then, if none of them stops, epoch hooks.
bool Trainer::first_hooks() {
  const auto start = std::chrono::steady_clock::now();
  logged_.clear();
  started_ = true;  // before hooks save it
  const bool stop = run_hooks(Timescale::Update) || run_hooks(Timescale::Epoch);
  if (observer_ != nullptr && !logged_.empty()) observer_->epoch_ends(progress_, logged_, seconds_since(start));
  logged_.clear();
  return stop;
}

// All hooks that are due, even after one of them has asked to stop.
bool Trainer::run_hooks(Timescale timescale) {
  const Index count = timescale == Timescale::Epoch ? progress_.epoch : progress_.update;
  bool stop = false;
  for (const auto& hook : hooks_) {
    if (hook->timescale() != timescale || count % hook->interval() != 0) continue;
    quiet_ = !hook->verbose();
    const Verdict verdict = hook->run(*this, progress_);
    quiet_ = false;
    if (verdict != Verdict::Stop) continue;
    say(concat(hook->name(), " stops training after epoch ", progress_.epoch));
    stop = true;
  }
  return stop;
}

Ended Trainer::train_epoch(DataIterator& data) {
  if (interrupted()) return Ended::Interrupted;
  const auto start = std::chrono::steady_clock::now();
  const Index batches = data.batches();
  if (observer_ != nullptr) observer_->epoch_begins(progress_.epoch + 1, batches);
  data.restart(progress_.epoch, batch_in_epoch_);
  bool stop = false;
  while (!stop && data.next(batch_)) {
    stop = train_batch(batches);
    if (!stop && interrupted()) return Ended::Interrupted;
  }
  ++progress_.epoch;
  batch_in_epoch_ = 0;
  if (stepper_->rule().learns()) require_finite_parameters(network_, progress_);
  for (const auto& [path, value] : score_paths(rolling_->scores())) log("rolling_training." + path, value);
  rolling_->clear();
  stop = run_hooks(Timescale::Epoch) || stop;
  if (observer_ != nullptr) observer_->epoch_ends(progress_, logged_, seconds_since(start));
  logged_.clear();
  return stop ? Ended::StoppedByHook : Ended::Finished;
}

// One update, or one for each piece of it in time; whether a hook stops.
bool Trainer::train_batch(Index batches) {
  if (truncate_ > 0) pieces_->cut(batch_, truncate_);
  const Index count = truncate_ > 0 ? pieces_->count() : 1;
  for (Index i = 0; i < count; ++i) {
    const Batch& piece = truncate_ > 0 ? pieces_->take(i) : batch_;
    network_.provide(piece);
    stepper_->step(pass_, progress_, i == 0 ? Start::Fresh : Start::Continue);
    ++progress_.update;
    if (i + 1 == count) ++batch_in_epoch_;
    last_loss_ = rolling_->add(piece, i == 0);
    if (observer_ != nullptr) observer_->update_done(progress_, batch_in_epoch_, batches, last_loss_);
    if (run_hooks(Timescale::Update)) return true;
  }
  return false;
}

json Trainer::save_state() const {
  json hooks = json::object();
  for (const auto& hook : hooks_)
    if (json state = hook->save_state(); !state.empty()) hooks[hook->name()] = std::move(state);
  return {{"epoch", progress_.epoch},
          {"update", progress_.update},
          {"batch_in_epoch", batch_in_epoch_},
          {"started", started_},
          {"random_step", network_.random_step()},
          {"rolling", rolling_->save()},
          {"logs", logs_.to_json()},
          {"hooks", hooks}};
}

void Trainer::load_state(const json& state) {
  for (const auto* key : {"epoch", "update", "batch_in_epoch", "started", "random_step", "rolling", "logs", "hooks"})
    if (!state.is_object() || !state.contains(key)) raise<DataError>("the saved state of training has no '", key, "'");
  rolling_->load(state["rolling"]);
  logs_ = Logs::from_json(state["logs"]);
  progress_ = {state["epoch"].get<Index>(), state["update"].get<Index>()};
  batch_in_epoch_ = state["batch_in_epoch"].get<Index>();
  started_ = state["started"].get<bool>();
  network_.set_random_step(state["random_step"].get<std::uint64_t>());
  for (const auto& hook : hooks_)
    hook->load_state(state["hooks"].contains(hook->name()) ? state["hooks"][hook->name()] : json::object());
}

std::vector<std::pair<std::string, HostArray>> Trainer::save_arrays() const {
  std::vector<std::pair<std::string, HostArray>> out;
  for (const auto& hook : hooks_) {
    auto arrays = hook->save_arrays();
    for (std::size_t i = 0; i < arrays.size(); ++i)
      out.emplace_back(concat(hook->name(), "/", i), std::move(arrays[i]));
  }
  return out;
}

void Trainer::load_arrays(const std::vector<std::pair<std::string, HostArray>>& arrays) {
  for (const auto& hook : hooks_) {
    std::vector<HostArray> own;
    for (bool more = true; more;) {
      const std::string name = concat(hook->name(), "/", own.size());
      const auto found = std::ranges::find_if(arrays, [&](const auto& a) { return a.first == name; });
      more = found != arrays.end();
      if (more) own.push_back(found->second);
    }
    if (!own.empty()) hook->load_arrays(std::move(own));
  }
}

}  // namespace squall
