#include "run/checkpoint.hpp"

namespace squall {

namespace {

std::filesystem::path numbered(const std::filesystem::path& path, Index i) {
  if (i == 0) return path;
  std::filesystem::path out = path;
  return out.replace_filename(concat(path.stem().string(), ".", i, path.extension().string()));
}

void rotate(const std::filesystem::path& path, Index keep) {
  std::error_code ignored;  // an older copy that cannot be kept does not stop training
  for (Index i = keep - 1; i > 0; --i)
    if (std::filesystem::exists(numbered(path, i - 1), ignored)) {
      std::filesystem::remove(numbered(path, i), ignored);
      std::filesystem::create_hard_link(numbered(path, i - 1), numbered(path, i), ignored);
    }
}

std::string array_path(std::string_view group, const std::string& name) {
  std::string safe = name;
  for (char& c : safe)
    if (c == '/') c = ':';
  return concat("/", group, "/", safe);
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, Index keep, const Network& network, const Trainer* trainer,
                     const CheckpointInfo& info, const json& description) {
  H5Writer file = container_writer();
  json whole = description;
  whole["architecture"] = network.architecture().to_json();
  json& state = whole["checkpoint"];
  state = {{"phase", info.phase},
           {"phase_done", info.phase_done},
           {"metrics_lines", info.metrics_lines},
           {"seconds", info.seconds},
           {"random_step", network.random_step()},
           {"epochs", info.epochs},
           {"iterative", info.iterative},
           {"dtype", network.handler().dtype() == DType::F64 ? "f64" : "f32"}};
  if (trainer != nullptr) {
    state["trainer"] = trainer->save_state();
    state["steps"] = trainer->stepper().steps();
    state["stopped_by_hook"] = trainer->ended() == Ended::StoppedByHook;
    const auto vectors = trainer->stepper().save_state();
    state["state_vectors"] = vectors.size();
    for (std::size_t i = 0; i < vectors.size(); ++i) file.write(concat("/stepper/", i), vectors[i]);
    json names = json::array();
    for (const auto& [name, array] : trainer->save_arrays()) {
      names.push_back(name);
      file.write(array_path("hooks", name), array);
    }
    state["hook_arrays"] = names;
  }
  file.write_text("/description", whole.dump());
  file.attribute("/", "format", "squall checkpoint");
  write_network(file, network, 0);
  rotate(path, keep);
  write_container(path, file);
}

CheckpointInfo Checkpoint::info() const {
  const json& s = file_.description().at("checkpoint");
  CheckpointInfo info;
  info.phase = s.at("phase").get<std::size_t>();
  info.phase_done = s.at("phase_done").get<bool>();
  info.metrics_lines = s.at("metrics_lines").get<Index>();
  info.seconds = s.at("seconds").get<double>();
  info.epochs = s.at("epochs");
  info.iterative = s.value("iterative", json::object());
  return info;
}

bool Checkpoint::has_trainer() const { return file_.description().at("checkpoint").contains("trainer"); }

Ended Checkpoint::ended() const {
  const json& s = file_.description().at("checkpoint");
  return s.value("stopped_by_hook", false) ? Ended::StoppedByHook : Ended::Finished;
}

void Checkpoint::restore(Network& network) const {
  file_.load_into(network);
  network.set_random_step(file_.description()["checkpoint"]["random_step"].get<std::uint64_t>());
}

void Checkpoint::restore(Trainer& trainer) const {
  const json& s = file_.description()["checkpoint"];
  std::vector<HostArray> vectors;
  for (std::size_t i = 0; i < s["state_vectors"].get<std::size_t>(); ++i)
    vectors.push_back(file_.reader().read(concat("/stepper/", i)));
  trainer.stepper().load_state(vectors, s["steps"].get<Index>());
  std::vector<std::pair<std::string, HostArray>> arrays;
  for (const auto& name : s["hook_arrays"])
    arrays.emplace_back(name.get<std::string>(), file_.reader().read(array_path("hooks", name.get<std::string>())));
  trainer.load_arrays(arrays);
  trainer.load_state(s["trainer"]);
}

}  // namespace squall
