#include <cmath>

#include "squall/core/describe.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/idx.hpp"
#include "squall/io/prepare.hpp"

namespace squall {

namespace {

struct Images {
  HostArray pixels;  // (N, height, width, channels) U8
  HostArray labels;  // (N)
  Index count() const { return pixels.shape()[0]; }
};

// What is subtracted from each value of an image, and what it is divided by.
struct Scaling {
  std::vector<double> mean, deviation;
};

Scaling bytes_to_one(Index features) {
  constexpr double kWhite = 255;
  const auto n = static_cast<std::size_t>(features);
  return {std::vector<double>(n, 0), std::vector<double>(n, kWhite)};
}

// Mean and deviation of each pixel over the first images; a pixel that never changes is divided by 1.
Scaling of_pixels(const Images& images, Index count) {
  const auto n = static_cast<std::size_t>(images.pixels.shape().from(1).elements());
  std::vector<double> sum(n, 0), squares(n, 0);
  const auto* pixel = images.pixels.span<std::uint8_t>().data();
  for (Index i = 0; i < count; ++i)
    for (std::size_t f = 0; f < n; ++f, ++pixel) {
      sum[f] += *pixel;
      squares[f] += double{1} * *pixel * *pixel;  // whole numbers: exact
    }
  Scaling out = {sum, squares};
  const auto total = static_cast<double>(count);
  for (std::size_t f = 0; f < n; ++f) {
    out.mean[f] = sum[f] / total;
    const double variance = (squares[f] - sum[f] * out.mean[f]) / total;
    out.deviation[f] = variance > 0 ? std::sqrt(variance) : 1;
  }
  return out;
}

void write_images(H5Writer& file, const std::string& path, const Images& images, Index first, Index end,
                  const Scaling& scaling) {
  constexpr Index kChunkValues = Index{1} << 18;  // 1 MB
  const Shape shape = images.pixels.shape().from(1);
  const Index features = shape.elements();
  const Index block = std::max<Index>(1, kChunkValues / features);
  for (Index begin = first; begin < end; begin += block) {
    const Index count = std::min(block, end - begin);
    HostArray values(DType::F32, shape.with_front(count).with_front(1));
    HostArray labels(DType::U8, Shape{1, count, 1});
    const auto from = images.pixels.span<std::uint8_t>().subspan(static_cast<std::size_t>(begin * features));
    const auto to = values.span<float>();
    for (std::size_t i = 0, f = 0; i < to.size(); ++i) {
      to[i] = static_cast<float>((from[i] - scaling.mean[f]) / scaling.deviation[f]);
      if (++f == scaling.mean.size()) f = 0;
    }
    for (Index i = 0; i < count; ++i) labels.set_value(i, images.labels.value(begin + i));
    const Index chunk = std::min(block, end - first);
    file.append(path + "/default", values.view(), 1, {4}, chunk);
    file.append(path + "/targets", labels.view(), 1, {4}, chunk);
  }
}

PreparedFile write_file(const std::filesystem::path& out, const Images& train, const Images& test, Index validation,
                        const Scaling& scaling, const std::string& description, bool with_scaling) {
  H5DiskWriter file(out);
  file.attribute("/", "description", description);
  if (with_scaling) {
    const Shape shape = train.pixels.shape().from(1);
    file.attribute("/", "mean", HostArray::of(shape, scaling.mean));
    file.attribute("/", "std", HostArray::of(shape, scaling.deviation));
  }
  const Index kept = train.count() - validation;
  write_images(file, "/normalized_split/training", train, 0, kept, scaling);
  if (validation > 0) write_images(file, "/normalized_split/validation", train, kept, train.count(), scaling);
  write_images(file, "/normalized_split/test", test, 0, test.count(), scaling);
  write_images(file, "/normalized_full/training", train, 0, train.count(), scaling);
  file.link("/normalized_split/test", "/normalized_full/test");
  file.commit();
  return {"normalized_split", {{"training", kept}, {"validation", validation}, {"test", test.count()}}};
}

void check_validation(Index validation, Index examples) {
  if (validation < 0 || validation >= examples)
    raise<ConfigError>("of ", examples, " training images ", validation, " cannot be set apart for validation");
}

Images read_images(const std::filesystem::path& prefix) {
  IdxPair pair = read_idx_pair(prefix);
  return {pair.images.reshaped(pair.images.shape().with_back(1)), std::move(pair.labels)};
}

}  // namespace

PreparedFile prepare_idx(const std::filesystem::path& folder, const std::filesystem::path& out, Index validation) {
  const Images train = read_images(folder / "train");
  const Images test = read_images(folder / "t10k");
  check_validation(validation, train.count());
  return write_file(out, train, test, validation, bytes_to_one(train.pixels.shape().from(1).elements()),
                    concat("Images of ", folder.filename().string(),
                           ", values from 0 to 1, with their classes. "
                           "normalized_split sets the last ",
                           validation, " training images apart."),
                    false);
}

PreparedFile prepare_cifar(const std::filesystem::path& folder, Cifar kind, const std::filesystem::path& out,
                           Index validation) {
  const bool ten = kind == Cifar::Ten;
  std::vector<std::filesystem::path> train_files;
  if (ten)
    for (int i = 1; i <= 5; ++i) train_files.push_back(folder / concat("data_batch_", i, ".bin"));
  else
    train_files.push_back(folder / "train.bin");
  const std::filesystem::path test_file = folder / (ten ? "test_batch.bin" : "test.bin");
  const auto read = [&](std::span<const std::filesystem::path> files) {
    CifarBatch batch = read_cifar(files, kind);
    return Images{std::move(batch.images), std::move(batch.labels)};
  };
  const Images train = read(train_files);
  const Images test = read(std::span(&test_file, 1));
  check_validation(validation, train.count());
  const Scaling scaling = of_pixels(train, train.count() - validation);
  return write_file(out, train, test, validation, scaling,
                    concat("Images of CIFAR-", ten ? "10" : "100", " with their ", ten ? "" : "fine ",
                           "classes; of each value the attribute mean is subtracted, then it is divided by std, both "
                           "taken over the first ",
                           train.count() - validation, " training images."),
                    true);
}

}  // namespace squall
