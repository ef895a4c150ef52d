#include "squall/io/cifar.hpp"

#include <string>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace {

constexpr std::size_t kPixels = 32 * 32, kChannels = 3;

struct Layout {
  std::size_t labels;  // bytes in front of the pixels
  std::size_t classes, coarse_classes;
  const char* name;
  std::size_t record() const { return labels + kPixels * kChannels; }
};
Layout layout_of(Cifar kind) {
  return kind == Cifar::Ten ? Layout{1, 10, 0, "CIFAR-10"} : Layout{2, 100, 20, "CIFAR-100"};
}

std::int32_t label_of(std::byte stored, std::size_t classes, std::size_t record, const Layout& layout,
                      const std::string& name) {
  const auto label = static_cast<std::size_t>(stored);
  if (label >= classes)
    raise<FileError>("'", name, "' is not ", layout.name, " in its binary version: record ", record, " has label ",
                     label, ", the largest is ", classes - 1);
  return static_cast<std::int32_t>(label);
}

}  // namespace

CifarBatch parse_cifar(ByteView file, Cifar kind, const std::string& name) {
  const Layout layout = layout_of(kind);
  const std::size_t count = file.size() / layout.record();
  if (file.empty() || file.size() % layout.record() != 0)
    raise<FileError>("'", name, "' is not ", layout.name, " in its binary version: ", file.size(),
                     " bytes are not a whole number of records of ", layout.record(), " bytes");
  const auto n = static_cast<Index>(count);
  CifarBatch batch{HostArray(DType::U8, {n, 32, 32, 3}), HostArray(DType::I32, {n}), {}};
  if (kind == Cifar::Hundred) batch.coarse_labels = HostArray(DType::I32, {n});
  auto* pixel = batch.images.span<std::uint8_t>().data();
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* record = file.data() + i * layout.record();
    const std::byte fine = record[layout.labels - 1];
    batch.labels.span<std::int32_t>()[i] = label_of(fine, layout.classes, i, layout, name);
    if (kind == Cifar::Hundred)
      batch.coarse_labels.span<std::int32_t>()[i] = label_of(record[0], layout.coarse_classes, i, layout, name);
    const std::byte* planes = record + layout.labels;
    for (std::size_t p = 0; p < kPixels; ++p)
      for (std::size_t c = 0; c < kChannels; ++c) *pixel++ = static_cast<std::uint8_t>(planes[c * kPixels + p]);
  }
  return batch;
}

CifarBatch read_cifar(std::span<const std::filesystem::path> files, Cifar kind) {
  Bytes all;
  for (const auto& path : files) {
    const Bytes one = read_whole_file(path);
    parse_cifar(one, kind, path.string());  // so that an error names the file
    all.insert(all.end(), one.begin(), one.end());
  }
  return parse_cifar(all, kind, files.empty() ? "CIFAR" : files.front().string());
}

}  // namespace squall
