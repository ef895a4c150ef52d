// Single layers of other systems, replayed.
#include <filesystem>

#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

using namespace squall;

namespace {

// Replays the recordings of a folder that are one of `words`, or contain one without a dot; gives how many.
int replay_folder(const char* folder, const std::vector<std::string>& words) {
  const Catalog catalog = make_catalog();
  int replayed = 0;
  for (const std::string name : {"cpu:f64", "cpu:f32", "debug:cpu:f64"}) {
    const auto handler = test::make_under_test(name);
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SQUALL_GOLDEN) / folder)) {
      const std::string file = entry.path().filename().string();
      bool wanted = false;
      for (const auto& word : words)
        wanted = wanted || (word.find('.') == std::string::npos ? file.find(word) != std::string::npos : file == word);
      if (!wanted) continue;
      const auto result = replay(entry.path(), catalog, handler);
      INFO(name << " " << result.name << ": " << result.message);
      CHECK(result.state == ConformanceResult::State::Passed);
      ++replayed;
    }
  }
  return replayed;
}

}  // namespace

TEST_CASE("PyTorch's convolutions and pools and upsampling are reproduced", "[golden]") {
  CHECK(replay_folder("torch", {"conv", "pool", "upsample", "pixelshuffle"}) >= 3 * 44);
}

TEST_CASE("BeyondML's layers are reproduced", "[golden]") {
  CHECK(replay_folder("beyondml", {"conv", "dense", "pool", "selector", "filter", "sum", "normalization",
                                   "pt_attention", "positional"}) >= 3 * 110);
}

TEST_CASE("PyTorch's Linear is reproduced", "[golden]") { CHECK(replay_folder("torch", {"linear.h5"}) == 3); }

TEST_CASE("numpy-ml's dense layer and softmax and sums and flattening are reproduced", "[golden]") {
  CHECK(replay_folder("numpy_ml", {"fully_connected", "softmax", "add", "flatten"}) == 3 * 5);
}

TEST_CASE("numpy-ml's convolutions and pools are reproduced", "[golden]") {
  CHECK(replay_folder("numpy_ml", {"conv", "pool"}) >= 3 * 8);
}

TEST_CASE("PyTorch's attention and transformers are reproduced", "[golden]") {
  CHECK(replay_folder("torch", {"attention", "sdpa", "transformer"}) >= 3 * 22);
}

TEST_CASE("PyTorch's normalisation and embeddings are reproduced", "[golden]") {
  CHECK(replay_folder("torch", {"layernorm", "rmsnorm", "groupnorm", "instancenorm", "batchnorm", "embedding"}) >=
        3 * 32);
}

TEST_CASE("numpy-ml's normalisation and embeddings are reproduced", "[golden]") {
  CHECK(replay_folder("numpy_ml", {"batchnorm", "layernorm", "embedding"}) == 3 * 7);
}

TEST_CASE("PyTorch's recurrent layers and cells are reproduced", "[golden]") {
  CHECK(replay_folder("torch", {"rnn_", "lstm_", "gru_", "lstmcell", "grucell"}) == 3 * 21);
}

TEST_CASE("PyTorch's activations and Bilinear are reproduced", "[golden]") {
  CHECK(replay_folder("torch", {"act_", "bilinear.h5"}) == 3 * 29);
}

TEST_CASE("numpy-ml's product and layer with evolving connections are reproduced", "[golden]") {
  CHECK(replay_folder("numpy_ml", {"multiply", "sparse_evolution"}) == 3 * 2);
}
