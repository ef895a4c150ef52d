// Runs squall as a user would, and a folder that is gone afterwards.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace squall::testing {

struct Ran {
  int code = -1;  // 128 + signal when killed
  std::string out, err;
};

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "squall_test_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// `arguments` are those of a shell. `prefix` comes before the program ("timeout -s KILL 1").
inline Ran run_squall(const std::string& arguments, const std::string& prefix = "",
                      const char* program = SQUALL_PROGRAM) {
  const Folder folder;
  const std::string command =
      prefix + " " + program + " " + arguments + " > " + (folder / "out") + " 2> " + (folder / "err");
  const int status = std::system(command.c_str());
  Ran ran;
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.out = read_file(folder / "out");
  ran.err = read_file(folder / "err");
  return ran;
}

// A small experiment of two tasks: seconds to train.
inline std::string tiny_experiment() {
  return R"({"network": {
    "Input": {"@type": "Input", "out_shapes": {"a": ["T", "B_a", 2], "a_targets": ["T", "B_a", 1], "b": ["T", "B_b", 2], "b_targets": ["T", "B_b", 1]},
      "@outgoing_connections": {"a": ["hidden.a"], "a_targets": ["a_ce.targets"], "b": ["hidden.b"], "b_targets": ["b_ce.targets"]}},
    "hidden": {"@type": "MultiMaskedDense", "tasks": ["a", "b"], "units": 32, "activation": "rel", "@outgoing_connections": {"a": ["drop"], "b": ["head.b"]}},
    "drop": {"@type": "Dropout", "drop_prob": 0.1, "@outgoing_connections": ["head.a"]},
    "head": {"@type": "MultiMaskedDense", "tasks": ["a", "b"], "units": 3, "@outgoing_connections": {"a": ["a_ce"], "b": ["b_ce"]}},
    "a_ce": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["a_loss"]}}, "a_loss": {"@type": "Loss"},
    "b_ce": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["b_loss"]}}, "b_loss": {"@type": "Loss"}},
  "initialize": {"*": {"W": {"@type": "HeNormal"}, "bias": 0}},
  "data": {"one": {"@type": "Synthetic", "set": "spirals", "examples": 300, "validation": 0.2},
           "two": {"@type": "Synthetic", "set": "spirals3", "examples": 200, "validation": 0.2}},
  "tasks": {"a": {"data": "one", "loss": "a_loss"}, "b": {"data": "two", "loss": "b_loss"}},
  "sparsify": {"@type": "Rsn2", "sparsity": 50},
  "train": {"stepper": {"@type": "Adam", "learning_rate": 0.01}, "batch_size": 16, "max_epochs": 6,
    "hooks": [{"@type": "MonitorScores"}, {"@type": "EarlyStopper", "log": "validation.total_loss", "patience": 3}]},
  "seed": 3})";
}

}  // namespace squall::testing
