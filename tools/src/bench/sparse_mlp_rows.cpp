// The MLP 784-1200-1200-10 with random masks: packed inference against dense engines, training of kept weights against
// training all of them.
#include "bench/measure.hpp"
#include "bench/networks.hpp"
#include "model/timing.hpp"
#include "squall/core/random.hpp"
#include "squall/tools/convert.hpp"

namespace squall::bench {

namespace {

const std::vector<Index> kWidths{784, 1200, 1200, 10};

// Hidden layers masked at random.
std::shared_ptr<Network> masked(const BenchContext& c, Index batch, double sparsity) {
  auto net = make_network(c, mlp(kWidths, 0, "MaskedDense"), batch);
  Rng rng(1, "sparse_mlp_rows");
  for (const char* layer : {"Hidden_1", "Hidden_2"}) {
    ParameterEntry& weight = *net->store().find(layer, "W");
    HostArray keep(DType::U8, weight.info->shape);
    for (auto& k : keep.span<std::uint8_t>()) k = rng.uniform() * 100 < sparsity ? 0 : 1;
    net->store().set_mask(weight, keep);
  }
  net->store().refresh();
  return net;
}

Benchmark infer_row(Index batch) {
  const std::string b = std::to_string(batch);
  const std::vector<std::string> peer_rows{"mlp_infer_b" + b};
  return {concat("sp_mlp_infer_b", batch, "_s95"),
          [=](const BenchContext& c) {
            const auto net = masked(c, batch, 95);
            const std::shared_ptr<Network> dense = dense_copy(*net);
            convert_to_sparse(*net, {"Output.predictions"}, {batch});
            const Batch data = random_batch(*net, batch, 1);
            net->provide(data);
            dense->provide(data);
            BenchWork work = infer_work(net, batch);
            work.other = "squall dense";
            work.theirs = infer_work(dense, batch).ours;
            work.check = [=] { return compare_networks(*dense, *net, {"Output.predictions"}, batch) < 1e-4; };
            return work;
          },
          {{"mlp_infer.py", {"--batch", b, "--config", "onnxruntime"}, peer_rows},
           {"mlp_infer.py", {"--batch", b, "--config", "eager,freeze"}, peer_rows}}};
}

Benchmark train_row(int sparsity) {
  constexpr Index kBatch = 128;
  return {concat("sp_mlp_train_b", kBatch, "_s", sparsity),
          [=](const BenchContext& c) {
            const auto kept = masked(c, kBatch, sparsity);
            kept->keep_only_masked();
            const auto dense = make_network(c, mlp(kWidths, 0), kBatch);
            BenchWork work = train_work(c, kept);
            work.other = "squall dense";
            work.theirs = train_work(c, dense).ours;
            return work;
          },
          {{"masked_train.py",
            {"--batch", std::to_string(kBatch), "--sparsity", std::to_string(sparsity), "--config", "dense,dense-func"},
            {concat("masked_mlp_train_b", kBatch)}},
           {"masked_train.py",
            {"--batch", std::to_string(kBatch), "--sparsity", std::to_string(sparsity), "--config", "mask,mask-func"},
            {concat("masked_mlp_train_b", kBatch)}}}};
}

}  // namespace

void add_sparse_mlp_rows(std::vector<Benchmark>& rows) {
  for (const Index batch : {1, 8, 32, 128}) rows.push_back(infer_row(batch));
  for (const int sparsity : {80, 90, 95}) rows.push_back(train_row(sparsity));
}

}  // namespace squall::bench
