// Hooks that write files, look into layers, listen to signals or change rates by what was logged.
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "squall/io/h5_file.hpp"
#include "training_support.hpp"

using namespace training_test;

namespace {

struct Lines : TrainingObserver {
  std::vector<std::string> said, hidden;
  void message(const std::string& text) override { said.push_back(text); }
  void hides(const std::string& path) override { hidden.push_back(path); }
};

struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / concat("squall_hooks_", ::getpid())) {
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string text(const std::string& name) const {
    std::ifstream in(path / name);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  std::filesystem::path path;
};

struct Small {
  explicit Small(MemoryMode memory = MemoryMode::Compact, const json& step = {{"@type", "Sgd"}})
      : net(classifier(4, 5, 3), "cpu:f64", options(memory)),
        data(blobs(12, 4, 3, 1), {.batch_size = 6}),
        trainer(net.network, stepper(step), {Task()}) {
    trainer.set_folder(folder.path);
    trainer.set_observer(&lines);
  }
  static NetworkOptions options(MemoryMode memory) {
    NetworkOptions o;
    o.memory = memory;
    return o;
  }
  void add(const json& j) { trainer.add_hook(make<Hook>(j)); }
  const std::vector<double>& log(const std::string& path) {
    const auto* found = trainer.logs().find(path);
    INFO(path);
    REQUIRE(found != nullptr);
    return *found;
  }
  Folder folder;
  Lines lines;
  Net net;
  Minibatches data;
  Trainer trainer;
};

double least(const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }
double most(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }

}  // namespace

TEST_CASE("SaveLogs writes every log as HDF5 or JSON") {
  Small s;
  s.add({{"@type", "SaveLogs"}, {"filename", "logs.h5"}});
  s.add({{"@type", "SaveLogs"}, {"name", "json"}, {"filename", "logs.json"}});
  s.trainer.add_hook(logs("v", {1, 2, 3}));
  s.trainer.add_hook(logs("v.deep", {4, 5, 6}));
  s.trainer.train(s.data, {}, 2);
  const H5Reader file(s.folder.path / "logs.h5");
  CHECK(file.read("/rolling_training/total_loss").doubles() == s.log("rolling_training.total_loss"));
  CHECK(file.read("/v").doubles() == std::vector<double>{1, 2, 3});
  CHECK(file.read("/v.deep").doubles() == std::vector<double>{4, 5, 6});
  CHECK(Logs::from_json(json::parse(s.folder.text("logs.json"))).all() == s.trainer.logs().all());
  CHECK(mentions(complaint([] { make<Hook>({{"@type", "SaveLogs"}}); }), "filename"));
}

TEST_CASE("SaveNetwork saves each time") {
  Small s;
  std::vector<std::string> written;
  s.trainer.set_network_writer([&](const Network&, const std::string& file) { written.push_back(file); });
  s.add({{"@type", "SaveNetwork"}, {"filename", "epoch{epoch}.h5"}, {"interval", 2}});
  s.trainer.train(s.data, {}, 4);
  CHECK(written == std::vector<std::string>{"epoch0.h5", "epoch2.h5", "epoch4.h5"});
  Small none;
  none.add({{"@type", "SaveNetwork"}, {"filename", "x"}});
  CHECK(mentions(complaint([&] { none.trainer.train(none.data, {}, 1); }), "'x'"));
}

TEST_CASE("MonitorLayerParameters logs extremes and means of values and of the norms of rows") {
  Small s;
  s.add({{"@type", "MonitorLayerParameters"}, {"layer_name", "Out"}});
  s.trainer.train(s.data, {}, 1);
  const auto w = s.net.network.get("Out.parameters.W").doubles();
  const std::string where = "MonitorParameters_Out.parameters.";
  CHECK(s.log(where + "W.min").size() == 2);
  CHECK(s.log(where + "W.min")[1] == least(w));
  CHECK(s.log(where + "W.max")[1] == most(w));
  double sum = 0;
  std::vector<double> norms(3);
  for (std::size_t i = 0; i < w.size(); ++i) sum += w[i], norms[i / 5] += w[i] * w[i];
  CHECK(s.log(where + "W.avg")[1] == Approx(sum / 15));
  CHECK(s.log(where + "W.norm_max")[1] == Approx(std::sqrt(most(norms))));
  CHECK(s.log(where + "W.norm_min")[1] == Approx(std::sqrt(least(norms))));
  CHECK(s.trainer.logs().find(where + "bias.norm_min") == nullptr);
  Small wrong;
  wrong.add({{"@type", "MonitorLayerParameters"}, {"layer_name", "Outt"}});
  CHECK(mentions(complaint([&] { wrong.trainer.train(wrong.data, {}, 1); }), "did you mean 'Out'"));
}

TEST_CASE("MonitorLayerGradients logs what the last update had and not what other data left") {
  Small s;
  s.add({{"@type", "MonitorLoss"}});
  s.add({{"@type", "MonitorLayerGradients"}, {"layer_name", "Hid"}, {"timescale", "update"}});
  Minibatches validation(blobs(9, 4, 3, 2), {.batch_size = 9});
  s.trainer.train(s.data, {{"validation", &validation}}, 2);
  const auto g = s.net.network.get("Hid.gradients.W").doubles();
  CHECK(s.log("MonitorGradients_Hid.gradients.W.min").size() == 4);
  CHECK(s.log("MonitorGradients_Hid.gradients.W.min").back() == least(g));
  CHECK(s.log("MonitorGradients_Hid.gradients.W.max").back() == most(g));
}

TEST_CASE("MonitorLayerDeltas and MonitorLayerInOuts look at the last training pass") {
  Small s(MemoryMode::Inspectable);
  s.add({{"@type", "MonitorLoss"}});  // runs after what looks at buffers
  s.add({{"@type", "MonitorLayerDeltas"}, {"layer_name", "Out"}});
  s.add({{"@type", "MonitorLayerInOuts"}, {"layer_name", "Out"}});
  std::vector<double> in, out, back;
  s.trainer.add_hook(std::make_unique<Call>(
      "look",
      [&](Trainer& t, const Progress& p) {
        if (p.update == 2) {
          in = t.network().get("Out.inputs.default").doubles();
          out = t.network().get("Out.outputs.default").doubles();
          back = t.network().get("Out.input_deltas.default").doubles();
        }
        return Verdict::Continue;
      },
      Timescale::Update));
  Minibatches validation(blobs(9, 4, 3, 2), {.batch_size = 9});
  s.trainer.train(s.data, {{"validation", &validation}}, 1);
  REQUIRE(in.size() == 30);
  CHECK(s.log("MonitorInOuts_Out.inputs.default.min") == std::vector<double>{least(in)});
  CHECK(s.log("MonitorInOuts_Out.outputs.default.max") == std::vector<double>{most(out)});
  CHECK(s.log("MonitorDeltas_Out.input_deltas.default.max") == std::vector<double>{most(back)});
  CHECK(s.log("MonitorDeltas_Out.output_deltas.default.avg").size() == 1);
  Small compact;
  compact.add({{"@type", "MonitorLayerDeltas"}, {"layer_name", "Out"}});
  CHECK(mentions(complaint([&] { compact.trainer.train(compact.data, {}, 1); }), "Inspectable"));
}

TEST_CASE("StopOnSigQuit stops after the signal and gives the signal back") {
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGQUIT, &ignore, &before);
  {
    Small s;
    s.add({{"@type", "StopOnSigQuit"}});
    s.trainer.add_hook(std::make_unique<Call>(
        "quit",
        [](Trainer&, const Progress& p) {
          if (p.update == 3) ::raise(SIGQUIT);
          return Verdict::Continue;
        },
        Timescale::Update));
    CHECK(s.trainer.train(s.data, {}, 10) == Ended::StoppedByHook);
    CHECK(s.trainer.progress().epoch == 2);
    CHECK(s.trainer.train(s.data, {}, 1) == Ended::Finished);  // an old signal counts no more
  }
  struct sigaction now {};
  sigaction(SIGQUIT, &before, &now);
  CHECK(now.sa_handler == SIG_IGN);
}

TEST_CASE("InfoUpdater tells how far training is") {
  Small s;
  s.add({{"@type", "InfoUpdater"}});
  s.trainer.train(s.data, {}, 2);
  const json info = json::parse(s.folder.text("info.json"));
  CHECK(info["epoch"] == 2);
  CHECK(info["update"] == 4);
  CHECK(info["parameters"] == 4 * 5 + 5 + 5 * 3 + 3);
  CHECK(info["logs"]["rolling_training"]["total_loss"].size() == 2);
}

TEST_CASE("Visualizer draws the named logs") {
  Small s;
  s.add({{"@type", "Visualizer"},
         {"log_names", {"v.loss", "not.there", "w.<odd>"}},
         {"filename", "curves.svg"},
         {"terminal", false}});
  s.trainer.add_hook(logs("v.loss", {3, 2, std::nan(""), 1, 0.5}));
  s.trainer.add_hook(logs("w.<odd>", {0, 1, 2, 3}));
  s.trainer.train(s.data, {}, 4);
  const std::string svg = s.folder.text("curves.svg");
  CHECK(mentions(svg, "</svg>"));
  CHECK(mentions(svg, "v.loss"));
  CHECK(mentions(svg, "w.&lt;odd>"));
  CHECK_FALSE(mentions(svg, "not.there"));
  CHECK_FALSE(mentions(svg, "nan"));
  std::size_t lines = 0;
  for (auto at = svg.find("<polyline"); at != std::string::npos; at = svg.find("<polyline", at + 1)) ++lines;
  CHECK(lines == 3);  // one curve is broken where there is no number
  CHECK(mentions(svg, "points=\"70,40 207.5,146.7\""));
  CHECK(mentions(complaint([] { make<Hook>({{"@type", "Visualizer"}}); }), "log_names"));
}

TEST_CASE("ProgressBar says after each epoch how many updates it had and how long it took") {
  Small s;
  s.add({{"@type", "ProgressBar"}});
  s.trainer.train(s.data, {}, 2);
  REQUIRE(s.lines.said.size() == 2);
  CHECK(s.lines.said[0].starts_with(
      "epoch 1 [====1====2====3====4====5====6====7====8====9====0] 2 updates, took 0:00:"));
  CHECK(s.lines.said[1].starts_with("epoch 2 ["));
}

TEST_CASE("A hook that is not verbose logs but neither shows nor says anything") {
  Small s;
  s.add({{"@type", "ProgressBar"}, {"verbose", false}});
  s.add({{"@type", "MonitorLayerParameters"}, {"layer_name", "Out"}, {"verbose", false}});
  s.add({{"@type", "MonitorLayerParameters"}, {"layer_name", "Hid"}, {"verbose", nullptr}});
  s.add({{"@type", "StopAfterEpoch"}, {"max_epochs", 2}, {"verbose", true}});
  s.trainer.train(s.data, {}, 5);
  CHECK(s.lines.said == std::vector<std::string>{"StopAfterEpoch stops training after epoch 2"});
  CHECK(s.log("MonitorParameters_Out.parameters.bias.max").size() == 3);
  CHECK(s.lines.hidden.size() == 9);  // min, avg and max of W, of the norms of its rows and of bias, once each
  for (const auto& path : s.lines.hidden) CHECK(path.starts_with("MonitorParameters_Out."));
}

TEST_CASE("ReduceOnPlateau lowers the learning rate when a log stands still and goes on where it was") {
  const json hook = {{"@type", "ReduceOnPlateau"}, {"log_name", "v.loss"}, {"factor", 0.5}, {"patience", 1}};
  const std::vector<double> series{5, 4, 4, 4, 4, 4, 3};
  const json step = {{"@type", "Sgd"}, {"learning_rate", 0.8}};
  std::vector<double> rates;
  const auto run = [&](Small& s) {
    s.add(hook);
    s.trainer.add_hook(logs("v.loss", series));
    s.trainer.add_hook(std::make_unique<Call>(
        "rates",
        [&](Trainer& t, const Progress& p) {
          rates.push_back(t.stepper().rule().learning_rate(p));
          return Verdict::Continue;
        },
        Timescale::Epoch, 1, HookStage::Save));
  };
  Small whole(MemoryMode::Compact, step);
  run(whole);
  whole.trainer.train(whole.data, {}, 6);
  CHECK(rates == std::vector<double>{0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2});
  Small half(MemoryMode::Compact, step), rest(MemoryMode::Compact, step);
  run(half);
  half.trainer.train(half.data, {}, 4);
  rates.clear();
  run(rest);
  rest.trainer.load_state(json::parse(half.trainer.save_state().dump()));
  rest.trainer.train(rest.data, {}, 2);
  CHECK(rates == std::vector<double>{0.2, 0.2});
}

TEST_CASE("King lowers the learning rate only while losses do not fall") {
  const json hook = {{"@type", "King"}, {"patience", 5}, {"factor", 0.5}};
  const auto rate_after = [&](double target) {
    Net net(regressor(2, 1));
    net.network.initialize(0.0, 1);
    Minibatches data(source({{"default", HostArray::of(Shape{4, 2}, std::vector<double>{1, 2, 3, 4, -1, 0, 2, -2})},
                             {"targets", HostArray::of(Shape{4, 1}, std::vector<double>(4, target))}}),
                     {.batch_size = 4});
    Trainer trainer(net.network, stepper({{"@type", "Sgd"}, {"learning_rate", 0.01}}), {Task()});
    trainer.add_hook(make<Hook>(hook));
    trainer.train(data, {}, 7);
    return trainer.stepper().rule().learning_rate({});
  };
  CHECK(rate_after(1) == 0.01);      // the loss falls
  CHECK(rate_after(0) == 0.01 / 8);  // it is 0 from the start: updates 5, 6 and 7
}
