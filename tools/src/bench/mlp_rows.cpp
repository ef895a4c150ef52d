#include "bench/measure.hpp"
#include "bench/networks.hpp"

namespace squall::bench {

namespace {

struct Net {
  std::string name, peer;  // of rows here, and of the peer's rows and option --net
  std::vector<Index> widths;
  double dropout;
};

Benchmark train_row(const Net& net, Index batch) {
  return {concat(net.name, "_train_b", batch),
          [=](const BenchContext& c) { return train_work(c, make_network(c, mlp(net.widths, net.dropout), batch)); },
          {{"mlp_train.py",
            {"--net", net.peer, "--batch", std::to_string(batch), "--config", "eager,fused,compile-func,compile-rand"},
            {concat(net.peer, "_train_b", batch)},
            "eager,compile-func,reduce-overhead,cuda-graph"}}};
}

Benchmark infer_row(const Net& net, Index batch) {
  const std::vector<std::string> rows{concat(net.name, "_infer_b", batch)};
  const std::string b = std::to_string(batch);
  return {rows[0],
          [=](const BenchContext& c) { return infer_work(make_network(c, mlp(net.widths, 0), batch), batch); },
          {{"mlp_infer.py", {"--batch", b, "--config", "onnxruntime"}, rows},
           {"mlp_infer.py", {"--batch", b, "--config", "eager,jit,freeze,max-autotune"}, rows}}};
}

}  // namespace

void add_mlp_rows(std::vector<Benchmark>& rows) {
  const Net large{"mlp", "mlp", {784, 1200, 1200, 10}, 0.5};
  const Net tiny{"mlp_tiny", "tiny", {16, 32, 2}, 0};
  for (const Index batch : {1, 32, 128}) {
    rows.push_back(train_row(large, batch));
    rows.push_back(train_row(tiny, batch));
  }
  for (const Index batch : {1, 8, 32, 128}) rows.push_back(infer_row(large, batch));
}

}  // namespace squall::bench
