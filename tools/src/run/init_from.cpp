#include "run/init_from.hpp"

#include "squall/core/nearest.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/model_file.hpp"
#include "squall/training/add_tasks.hpp"

namespace squall {

namespace {

TakenTasks take(const ModelFile& file, Network& network) {
  const Architecture before = file.architecture();
  if (tasks_differ(before, network.graph())) {
    const char* handler = network.handler().dtype() == DType::F64 ? "cpu:f64" : "cpu:f32";
    Network from(before, network.catalog(), make_handler(handler));
    file.load_into(from);
    return take_tasks(from, network);
  }
  NotTaken left = take_matching(file.reader(), network);
  // Scores that the file does not have begin as their mask says.
  for (const auto& e : network.store().entries()) {
    if (e.info->scores_of < 0) continue;
    const std::string path = h5_path({"parameters", network.graph().node(e.node).name, e.info->name});
    std::erase_if(left.parameters,
                  [&](const std::string& line) { return line.find("has no " + path) != std::string::npos; });
  }
  return {left.parameters, left.states, {}};
}

}  // namespace

void init_from(const Experiment& experiment, Network& network, const std::function<void(const std::string&)>& say) {
  const auto from = experiment.init_file();
  TakenTasks taken;
  try {
    taken = take(ModelFile(from), network);
  } catch (const ConfigError& e) {
    raise<ConfigError>("init_from: ", from.string(), ": ", e.what());
  } catch (const Error& e) {
    raise<FileError>("init_from: ", e.what());
  }
  if (!taken.parameters.empty() && taken.parameters.size() == network.store().entries().size())
    raise<ConfigError>("init_from: no parameter of ", from.string(),
                       " fits this network; the first: ", taken.parameters.front());
  if (experiment.initialize.is_null() && !(taken.parameters.empty() && taken.added.empty()))
    raise<ConfigError>(
        "init_from: ", taken.parameters.empty() ? "tasks " + join(taken.added) + " are new" : taken.parameters.front(),
        "; say under 'initialize' how what the file does not give begins");
  for (const auto* lines : {&taken.parameters, &taken.states})
    for (const auto& line : *lines) say("init_from: " + line);
  if (!taken.added.empty())
    say(concat("init_from: ", join(taken.added), taken.added.size() == 1 ? " is" : " are", " new"));
}

}  // namespace squall
