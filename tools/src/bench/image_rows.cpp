// Networks of images: brainstorm's for CIFAR-10, and a small stack in the manner of VGG (3x3, 64-64-128-128-256³).
#include "bench/measure.hpp"
#include "bench/networks.hpp"

namespace squall::bench {

namespace {

Link convolution(int number, Index filters, Index kernel) {
  return {
      concat("Conv_", number),
      "Convolution2D",
      {{"num_filters", filters}, {"kernel_size", {kernel, kernel}}, {"padding", kernel / 2}, {"activation", "rel"}}};
}
Link pooling(int number, Index kernel, Index stride) {
  return {concat("Pool_", number),
          "Pooling2D",
          {{"type", "max"}, {"kernel_size", {kernel, kernel}}, {"stride", {stride, stride}}}};
}

Architecture cifar10_cnn() {
  std::vector<Link> links;
  int number = 0;
  for (const Index filters : {32, 32, 64}) {
    links.push_back(convolution(++number, filters, 5));
    links.push_back(pooling(number, 3, 2));
  }
  links.push_back({"Hidden", "FullyConnected", {{"size", 64}, {"activation", "rel"}}});
  links.push_back({"Last", "FullyConnected", {{"size", 10}, {"activation", "linear"}}});
  return chain({32, 32, 3}, links);
}

Architecture vgg_small() {
  std::vector<Link> links;
  int number = 0;
  for (const auto& [filters, times] : std::vector<std::pair<Index, int>>{{64, 2}, {128, 2}, {256, 3}}) {
    for (int i = 0; i < times; ++i) links.push_back(convolution(++number, filters, 3));
    links.push_back(pooling(number, 2, 2));
  }
  links.push_back({"Last", "FullyConnected", {{"size", 10}, {"activation", "linear"}}});
  return chain({32, 32, 3}, links);
}

Benchmark train_row(const std::string& net, Architecture (*make)(), Index batch) {
  const std::string name = concat(net, "_train_b", batch);
  return {name,
          [=](const BenchContext& c) { return train_work(c, make_network(c, make(), batch)); },
          {{"cnn_train.py",
            {"--net", net, "--config", "eager,fused,compile-func,compile"},
            {name},
            "eager,compile-func,reduce-overhead,cuda-graph"}}};
}

Benchmark infer_row(Index batch) {
  const std::vector<std::string> name{concat("cifar10_cnn_infer_b", batch)};
  const std::string b = std::to_string(batch);
  return {name[0],
          [=](const BenchContext& c) { return infer_work(make_network(c, cifar10_cnn(), batch), batch); },
          {{"cnn_infer.py", {"--batch", b, "--config", "onnxruntime"}, name},
           {"cnn_infer.py", {"--batch", b, "--config", "eager,jit,freeze,max-autotune"}, name}}};
}

}  // namespace

void add_image_rows(std::vector<Benchmark>& rows) {
  rows.push_back(train_row("cifar10_cnn", cifar10_cnn, 100));
  rows.push_back(train_row("vgg_small", vgg_small, 32));
  for (const Index batch : {1, 100}) rows.push_back(infer_row(batch));
}

}  // namespace squall::bench
