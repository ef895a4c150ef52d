// Mistakes in networks, initialisations, modifiers, steppers, hooks and data, one by one, as a user makes them in an
// experiment: what the message must say. The cases are those of brainstorm's architecture, network and training.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

const json kRight = json::parse(R"({"network": {
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 2], "targets": ["T", "B", 1]},
              "@outgoing_connections": {"default": ["Hid"], "targets": ["Output.targets"]}},
    "Hid": {"@type": "FullyConnected", "size": 4, "@outgoing_connections": ["Proj"]},
    "Proj": {"@type": "FullyConnected", "size": 2, "activation": "linear", "@outgoing_connections": ["Output"]},
    "Output": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["Loss"]}}, "Loss": {"@type": "Loss"}},
  "initialize": {"default": {"@type": "Gaussian", "std": 0.1}},
  "data": {"d": {"@type": "Synthetic", "set": "spirals", "examples": 40, "test_examples": 10, "validation": 0.2}},
  "train": {"stepper": {"@type": "Sgd", "learning_rate": 0.1}, "batch_size": 10, "max_epochs": 1,
            "hooks": [{"@type": "MonitorScores"}]}, "seed": 1})");

struct Mistake {
  std::string name;
  std::vector<std::string> changes;  // "a.b.0=JSON"; null takes away, + adds to a list
  std::vector<std::string> says;
};

void change(json& experiment, const std::string& text) {
  const auto equals = text.find('=');
  const json value = json::parse(text.substr(equals + 1));
  std::string path = text.substr(0, equals);
  json* place = &experiment;
  for (auto dot = path.find('.'); dot != std::string::npos; dot = path.find('.')) {
    place = &(*place)[path.substr(0, dot)];
    path.erase(0, dot + 1);
  }
  if (path == "+")
    place->push_back(value);
  else if (place->is_array())
    (*place)[std::stoul(path)] = value;
  else if (value.is_null())
    place->erase(path);
  else
    (*place)[path] = value;
}

void check(const std::vector<Mistake>& mistakes) {
  const Folder folder;
  for (const auto& mistake : mistakes) {
    json experiment = kRight;
    for (const auto& one : mistake.changes) change(experiment, one);
    const std::string file = folder.write("e.json", experiment.dump());
    const Ran ran = run_squall("train " + file + " --quiet --out " + (folder / "run"));
    INFO(mistake.name << " is told by: " << ran.err);
    CHECK(ran.code == 1);
    CHECK(ran.err.find('\n') != std::string::npos);
    for (const auto& part : mistake.says)
      if (ran.err.find(part) == std::string::npos) FAIL_CHECK("it does not say: " << part);
  }
}

const std::vector<Mistake> kInArchitectures{
    {"type missing", {R"(network.Hid={"size":4,"@outgoing_connections":["Proj"]})"}, {"network.Hid", "@type"}},
    {"a type that is no text", {R"(network.Hid.@type=3)"}, {"network.Hid: '@type' should be a text", "not 3"}},
    {"connections that are none",
     {R"(network.Hid.@outgoing_connections="Proj")"},
     {"network.Hid.@outgoing_connections", "a list of targets or an object of lists"}},
    {"a target that is no text",
     {R"(network.Hid.@outgoing_connections=[3])"},
     {"network.Hid.@outgoing_connections.default", "a target should be a text, not 3"}},
    {"a name with other characters", {R"(network.Hid-2={"@type":"NoOp"})"}, {"network.Hid-2", "letters, digits and _"}},
    {"a name that begins with a digit",
     {R"(network.2Hid={"@type":"NoOp"})"},
     {"network.2Hid", "does not begin with a digit"}},
    {"default as a name", {R"(network.default={"@type":"NoOp"})"}, {"'default' cannot be the name of a layer"}},
    {"fallback as a name", {R"(network.fallback={"@type":"NoOp"})"}, {"'fallback' cannot be the name of a layer"}},
    {"parameters as a name",
     {R"(network.parameters={"@type":"NoOp"})"},
     {"'parameters' cannot be the name of a layer"}},
    {"gradients as a name", {R"(network.gradients={"@type":"NoOp"})"}, {"'gradients' cannot be the name of a layer"}},
    {"total_loss as the name of a loss",
     {R"(network.total_loss={"@type":"Loss"})", R"(network.Hid.@outgoing_connections=["Proj","total_loss"])"},
     {"total_loss"}},
    {"an unknown target",
     {R"(network.Hid.@outgoing_connections=["Proi"])"},
     {"network.Hid.@outgoing_connections", "'Proi' does not exist; did you mean 'Proj'?"}},
    {"no Input", {R"(network.Input=null)"}, {"there is no layer 'Input' of type Input"}},
    {"an Input of another type",
     {R"(network.Input={"@type":"NoOp"})"},
     {"network.Input: should be of type Input, not NoOp"}},
    {"connections into Input",
     {R"(network.Hid.@outgoing_connections=["Proj","Input"])"},
     {"network.Hid.@outgoing_connections", "nothing can be connected into Input"}},
    {"a second Input",
     {R"(network.More={"@type":"Input","out_shapes":{"x":["T","B",2]}})"},
     {"network.More", "must be named Input"}},
    {"a cycle", {R"(network.Proj.@outgoing_connections=["Output","Hid"])"}, {"cycle: Hid -> Proj -> Hid"}},
    {"an input that nobody feeds",
     {R"(network.Hid.@outgoing_connections=[])"},
     {"FullyConnected 'Proj': input 'default' is not connected"}},
    {"an unknown output",
     {R"(network.Hid.@outgoing_connections={"defualt":["Proj"]})"},
     {"FullyConnected 'Hid'", "'defualt'; did you mean 'default'?", "outputs are: default"}},
    {"an unknown input",
     {R"(network.Hid.@outgoing_connections=["Proj","Proj.inputs"])"},
     {"FullyConnected 'Proj'", "no input 'inputs'", "inputs are: default"}},
    {"an unknown parameter",
     {R"(network.Hid.@outgoing_connections={"default":["Proj"],"..parameters.V":["Proj"]})"},
     {"FullyConnected 'Hid'", "no parameter 'V'", "parameters are: W, bias"}},
    {"an unknown internal",
     {R"(network.Hid.@outgoing_connections={"default":["Proj"],"..internals.H":["Proj"]})"},
     {"FullyConnected 'Hid'", "no internal 'H'", "internals are: none"}},
    {"another category",
     {R"(network.Hid.@outgoing_connections={"default":["Proj"],"..outputs.H":["Proj"]})"},
     {"FullyConnected 'Hid'", "'..outputs.H'", "..parameters.NAME and ..internals.NAME"}},
    {"sources of different shapes",
     {R"(network.Input.@outgoing_connections={"default":["Hid","Seq"],"targets":["Output.targets"]})",
      R"(network.Input.out_shapes.default=["T","B",2,2])",
      R"(network.Seq={"@type":"NoOp","@outgoing_connections":["Proj"]})"},
     {"last axis", "Hid.default", "Seq.default"}},
    {"an unknown type",
     {R"(network.Hid.@type="FullConnected")"},
     {"layer 'Hid'", "'FullConnected'; did you mean 'FullyConnected'?"}},
    {"an unknown option",
     {R"(network.Hid.siez=4)"},
     {"layer 'Hid'", "'siez'; did you mean 'size'?", "options are: activation, size"}},
    {"an option of a wrong type",
     {R"(network.Hid.size="four")"},
     {"layer 'Hid'", R"('size' should be a positive whole number or a list of them, not "four")"}},
    {"an unknown activation",
     {R"(network.Hid.activation="tahn")"},
     {"layer 'Hid'", "'activation'", "did you mean 'tanh'?"}},
    {"batch before time",
     {R"(network.Input.out_shapes.default=["B","T",2])"},
     {"Input 'Input'", "out_shapes.default", "T, B (first, in this order)"}},
    {"no feature axis",
     {R"(network.Input.out_shapes.default=["T","B"])"},
     {"Input 'Input'", "out_shapes.default", "at least one feature axis"}},
    {"a negative size",
     {R"(network.Input.out_shapes.default=["T","B",-2])"},
     {"Input 'Input'", "out_shapes.default", "positive whole number"}},
    {"no shapes", {R"(network.Input={"@type":"Input"})"}, {"Input", "out_shapes"}},
    {"an unknown kind of task",
     {R"(network={"@spec":"F4","in_shape":2,"out_shape":2,"task":"clasification"})"},
     {"'task'", "did you mean 'classification'?"}},
    {"an output of two axes",
     {R"(network={"@spec":"F4","in_shape":2,"out_shape":[2,2]})"},
     {"'out_shape' has 2 axes", "use_conv"}},
    {"a spec with an unknown letter",
     {R"(network={"@spec":"F4 X3","in_shape":2,"out_shape":2})"},
     {"'F4 X3', position 4", "no layer 'X'", "F, R, L, B, D, C, P"}},
    {"a spec whose B has an argument",
     {R"(network={"@spec":"F4 B3","in_shape":2,"out_shape":2})"},
     {"position 5: B takes no '3'"}},
    {"a spec with a broken size",
     {R"(network={"@spec":"F4.5","in_shape":2,"out_shape":2})"},
     {"position 2", "whole number, not '4.5'"}},
    {"a spec without a size",
     {R"(network={"@spec":"F","in_shape":2,"out_shape":2})"},
     {"position 1: F needs the size"}},
    {"a spec with a whole probability",
     {R"(network={"@spec":"F4 D2","in_shape":2,"out_shape":2})"},
     {"position 5", "written with a point, like D.2"}},
    {"a spec without a window",
     {R"(network={"@spec":"C4","in_shape":[4,4,1],"out_shape":2})"},
     {"position 1: C needs the size of the window"}},
    {"a spec with an unknown activation",
     {R"(network={"@spec":"Fq4","in_shape":2,"out_shape":2})"},
     {"position 2: 'q' is no activation"}},
    {"a convolution of vectors",
     {R"(network={"@spec":"C4:3","in_shape":2,"out_shape":2})"},
     {"Convolution2D 'Convolution2D'", "(height, width, channels)", "(T, B, 2)"}},
    {"no kernel",
     {R"(network.Hid={"@type":"Pooling2D","type":"max","@outgoing_connections":["Proj"]})"},
     {"Pooling2D 'Hid'", "kernel_size"}},
    {"targets of another shape",
     {R"(network.Input.out_shapes.targets=["T","B",2])"},
     {"SoftmaxCE 'Output'", "'targets' should be (T, B, 1)"}},
};

const std::vector<Mistake> kInPatterns{
    {"no initializer", {R"(initialize={"Hid":{"@type":"Gaussian"}})"}, {"'Proj.W' has no initializer", "exactly one"}},
    {"several initializers",
     {R"(initialize={"Hid":{"W":{"@type":"Gaussian"},"bias":0},"H*":1,"default":0})"},
     {"'Hid.W' has several initializers", "'Hid.bias' has several"}},
    {"several fallbacks",
     {R"(initialize={"default":0,"Hid":{"W":{"@type":"Orthogonal"},"fallback":0},"H*":{"bias":1,"fallback":1}})"},
     {"'Hid.W' has several fallbacks"}},
    {"a pattern for no layer",
     {R"(initialize={"default":0,"Hidd*":1})"},
     {"pattern 'Hidd*' matches no layer; did you mean 'Hid'?"}},
    {"a pattern for no parameter",
     {R"(initialize={"default":0,"Hid":{"V":1}})"},
     {"pattern 'Hid.V' matches no parameter"}},
    {"a pattern of other characters", {R"(initialize={"default":0,"Hi?":1})"}, {"pattern 'Hi?'"}},
    {"no initializer at all", {R"(initialize={"default":"Gaussian"})"}, {"'Hid.W'", "an object with an '@type'"}},
    {"a list of another shape", {R"(initialize={"default":0,"Hid":{"W":[1,2,3]}})"}, {"'Hid.W'", "(3)", "(4, 2)"}},
    {"an unknown initializer",
     {R"(initialize={"default":{"@type":"Gausian"}})"},
     {"'Gausian'; did you mean 'Gaussian'?"}},
    {"an initializer that does not suit",
     {R"(initialize={"default":{"@type":"Orthogonal"}})"},
     {"'Hid.bias'", "Orthogonal"}},
    {"a fallback of modifiers",
     {R"(train.weight_modifiers={"fallback":{"@type":"ClipValues"}})"},
     {"weight_modifiers", "'fallback' is for initializers"}},
    {"a gradient modifier for weights",
     {R"(train.weight_modifiers={"Hid":{"@type":"L2Decay"}})"},
     {"weight_modifiers", "L2Decay changes gradients; it belongs into gradient_modifiers"}},
    {"a number as a modifier",
     {R"(train.weight_modifiers={"Hid":3})"},
     {"weight_modifiers", "an object with an '@type'"}},
    {"a modifier for no layer",
     {R"(train.gradient_modifiers={"Hit":{"@type":"L2Decay"}})"},
     {"gradient_modifiers", "'Hit' matches no layer; did you mean 'Hid'?"}},
    {"an unknown modifier",
     {R"(train.gradient_modifiers={"Hid":{"@type":"L3Decay"}})"},
     {"gradient_modifiers", "'L3Decay'; did you mean"}},
};

const std::vector<Mistake> kInTraining{
    {"two hooks of one name", {R"(train.hooks.+={"@type":"MonitorScores"})"}, {"'MonitorScores'", "another 'name'"}},
    {"an unknown hook",
     {R"(train.hooks.+={"@type":"EarlyStop"})"},
     {"train.hooks.1", "'EarlyStop'; did you mean 'EarlyStopper'?"}},
    {"an unknown stepper", {R"(train.stepper={"@type":"SGD"})"}, {"train.stepper", "'SGD'; did you mean 'Sgd'?"}},
    {"scaling that is no bool",
     {R"(train.stepper={"@type":"Momentum","scale_learning_rate":1})"},
     {"train.stepper", "'scale_learning_rate' should be true or false"}},
    {"steps and values of different length",
     {R"(train.hooks.+={"@type":"ModifyStepperAttribute","schedule":{"@type":"MultiStep","initial_value":1,"steps":[1,2],"values":[1]}})"},
     {"'steps' and 'values' should be of equal length"}},
    {"steps counted in intervals",
     {R"(train.hooks.+={"@type":"ModifyStepperAttribute","interval":2,"schedule":{"@type":"MultiStep","initial_value":1,"steps":[1],"values":[1]}})"},
     {"MultiStep", "interval of 1, not 2"}},
    {"an unknown attribute",
     {R"(train.hooks.+={"@type":"ModifyStepperAttribute","attr_name":"lerning_rate","schedule":{"@type":"Linear","initial_value":1,"final_value":0}})"},
     {"Sgd", "'lerning_rate'"}},
    {"a monitor of no layer",
     {R"(train.hooks.+={"@type":"MonitorLayerParameters","layer_name":"Hit"})"},
     {"'Hit'; did you mean 'Hid'?"}},
    {"another monitor of no layer",
     {R"(train.hooks.+={"@type":"MonitorLayerInOuts","layer_name":"Hit"})"},
     {"'Hit'; did you mean 'Hid'?"}},
    {"a monitor of no data",
     {R"(train.hooks.0={"@type":"MonitorScores","iter_name":"validaton"})"},
     {"MonitorScores", "'validaton'", "did you mean 'validation'?"}},
    {"an unknown criterion",
     {R"(train.hooks.+={"@type":"EarlyStopper","log_name":"validation.total_loss","criterion":"least"})"},
     {"train.hooks.1", "'criterion'", R"("least")"}},
    {"a log that nobody writes",
     {R"(train.hooks.+={"@type":"SaveBestNetwork","log_name":"validaton.total_loss"})"},
     {"'validaton.total_loss'", "did you mean 'validation.total_loss'?"}},
    {"a threshold on no log",
     {R"(train.hooks.+={"@type":"StopAfterThresholdReached","log_name":"validaton.total_loss","threshold":0})"},
     {"'validaton.total_loss'", "did you mean 'validation.total_loss'?"}},
    {"names of logs that are none",
     {R"(train.hooks.+={"@type":"Visualizer","log_names":3})"},
     {"'log_names' should be a text or a list of texts"}},
    {"logs without a file", {R"(train.hooks.+={"@type":"SaveLogs"})"}, {"'filename'"}},
    {"no interval",
     {R"(train.hooks.0={"@type":"MonitorScores","interval":0})"},
     {"'interval' should be at least 1, not 0"}},
    {"an unknown timescale",
     {R"(train.hooks.0={"@type":"MonitorScores","timescale":"batch"})"},
     {R"('timescale' should be one of epoch, update, not "batch")"}},
    {"an unknown scorer",
     {R"(tasks={"default":{"data":"d","scorers":["Acuracy"]}})"},
     {"'Acuracy'; did you mean 'Accuracy'?"}},
    {"an echo state that is not square",
     {R"(initialize={"default":0,"Hid":{"W":{"@type":"EchoState"}}})"},
     {"'Hid.W'", "EchoState needs a square matrix", "(4, 2)"}},
    {"a fan-in of a vector",
     {R"(initialize={"default":{"@type":"DenseSqrtFanIn"}})"},
     {"'Hid.bias'", "DenseSqrtFanIn"}},
    {"an identity that is not square",
     {R"(initialize={"default":0,"Hid":{"W":{"@type":"Identity"}}})"},
     {"'Hid.W'", "enforce_square"}},
    {"blocks that do not divide",
     {R"(initialize={"default":0,"Proj":{"W":{"@type":"LstmOptInit"}}})"},
     {"'Proj.W'", "four blocks"}},
    {"more connections than there are",
     {R"(initialize={"default":0,"Hid":{"W":{"@type":"SparseInputs","sub_initializer":{"@type":"Gaussian"},"connections":15}}})"},
     {"'Hid.W'", "15"}},
    {"bounds the wrong way round",
     {R"(initialize={"default":{"@type":"Uniform","low":1,"high":0.5}})"},
     {"'Hid.W'", "low"}},
    {"an unknown scale",
     {R"(initialize={"default":0,"Hid":{"W":{"@type":"DenseSqrtFanIn","scale":"softplus"}}})"},
     {"'Hid.W'", "'scale'", R"("softplus")"}},
    {"a mask of another shape",
     {R"(train.weight_modifiers={"Hid":{"W":{"@type":"MaskValues","mask":[[1,0]]}}})"},
     {"MaskValues", "Hid.W", "(4, 2)"}},
    {"limits the wrong way round",
     {R"(train.weight_modifiers={"Hid":{"W":{"@type":"ClipValues","low":1,"high":-1}}})"},
     {"weight_modifiers", "'low' should not be above 'high'"}},
    {"noise on an unknown field",
     {R"(data.d.augment=[{"@type":"AddGaussianNoise","std_dict":{"defualt":1}}])"},
     {"AddGaussianNoise", "'defualt'; did you mean 'default'?"}},
    {"a mean without a deviation",
     {R"(data.d.augment=[{"@type":"AddGaussianNoise","std_dict":{"default":1},"mean_dict":{"targets":1}}])"},
     {"AddGaussianNoise", "'mean_dict' names 'targets'"}},
    {"a flip of vectors",
     {R"(data.d.augment=[{"@type":"Flip","prob_dict":{"default":0.5}}])"},
     {"Flip", "(height, width, channels), not (2)"}},
    {"a padding of vectors",
     {R"(data.d.augment=[{"@type":"Pad","size_dict":{"default":2}}])"},
     {"Pad", "(height, width, channels), not (2)"}},
    {"a crop of vectors",
     {R"(data.d.augment=[{"@type":"RandomCrop","shape_dict":{"default":[30,30]}}])"},
     {"RandomCrop", "(height, width, channels), not (2)"}},
    {"a broken number of classes",
     {R"(data.d.augment=[{"@type":"OneHot","vocab_size_dict":{"default":2.5}}])"},
     {"OneHot", "'vocab_size_dict' should hold a whole number, not 2.5"}},
    {"several indices for one",
     {R"(data.d.augment=[{"@type":"OneHot","vocab_size_dict":{"default":5}}])"},
     {"OneHot", "one index each, not (2)"}},
    {"an index beyond the classes",
     {R"(data.d.augment=[{"@type":"OneHot","vocab_size_dict":{"targets":1}}])"},
     {"OneHot", "'targets' holds 1, which is no class of 0 to 0"}},
    {"a crop larger than the image",
     {R"(data.d={"@type":"Synthetic","set":"strokes","examples":20,"test_examples":10})",
      R"(network.Input.out_shapes.default=["T","B",28,28,1])",
      R"(data.d.augment=[{"@type":"RandomCrop","shape_dict":{"default":[30,30]}}])"},
     {"RandomCrop", "30 x 30", "(28, 28, 1)"}},
    {"a probability above one",
     {R"(data.d={"@type":"Synthetic","set":"strokes","examples":20,"test_examples":10})",
      R"(network.Input.out_shapes.default=["T","B",28,28,1])",
      R"(data.d.augment=[{"@type":"Flip","prob_dict":{"default":1.5}}])"},
     {"Flip", "1.5"}},
    {"a value for what is not padded",
     {R"(data.d={"@type":"Synthetic","set":"strokes","examples":20,"test_examples":10})",
      R"(network.Input.out_shapes.default=["T","B",28,28,1])",
      R"(data.d.augment=[{"@type":"Pad","size_dict":{"default":2},"value_dict":{"targets":1}}])"},
     {"Pad", "'value_dict' names 'targets'"}},
};

}  // namespace

TEST_CASE("the experiment of the mistakes is right without them") {
  const Folder folder;
  const Ran ran = run_squall("train " + folder.write("e.json", kRight.dump()) + " --quiet --out " + (folder / "run"));
  INFO(ran.err);
  CHECK(ran.code == 0);
}

TEST_CASE("mistakes in architectures and their construction are told with layer and key and remedy") {
  check(kInArchitectures);
}

TEST_CASE("mistakes in initialisation and modifiers are told with parameter and key and remedy") { check(kInPatterns); }

TEST_CASE("mistakes in steppers and hooks and data are told with their place and remedy") { check(kInTraining); }
