// Packed and quantized model files: everything comes back, sizes, and what damage does.
#include <bit>
#include <cmath>

#include "run_command.hpp"
#include "squall/core/random.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/model_file.hpp"
#include "squall/tools/convert.hpp"
#include "squall/training/quantize.hpp"
#include "support/catch.hpp"
#include "tools/tool_catalog.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// Input (a, b) -> multi -> multi -> heads, and an embedding-like plain layer beside them.
Architecture architecture(Index units) {
  Architecture a;
  a.input({{"a", {"B", 12}}, {"b", {"B", 12}}});
  const json tasks{"a", "b"};
  a.add("one", "MultiMaskedDense", {{"tasks", tasks}, {"units", units}, {"activation", "rel"}});
  a.add("two", "MultiMaskedDense", {{"tasks", tasks}, {"units", units}});
  a.add("plain", "FullyConnected", {{"size", 3}});
  for (const char* t : {"a", "b"}) {
    a.connect({"Input", t, "one", t});
    a.connect({"one", t, "two", t});
  }
  a.connect({"two", "a", "plain", "default"});
  return a;
}

struct Model {
  Network network;
  explicit Model(Index units = 24, const std::string& handler = "cpu:f32")
      : network(architecture(units), catalog(), make_handler(handler)) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.4}}}}, 7);
  }
  ParameterEntry& entry(const std::string& layer, const std::string& name = "W") {
    ParameterEntry* e = network.store().find(layer, name);
    REQUIRE(e != nullptr);
    return *e;
  }
  // Tasks own a share each, nobody what another owns; `shared`: b reads all that a owns.
  void mask(double share, bool packs, bool shared = false) {
    for (const char* layer : {"one", "two"}) {
      ParameterEntry& e = entry(layer);
      HostArray keep(DType::U8, e.info->shape);
      auto bits = keep.span<std::uint8_t>();
      Rng rng(1, layer);
      for (std::size_t i = 0; i < bits.size() / 2; ++i) {
        const double drawn = rng.uniform();
        if (drawn < share) bits[i] = 1;
        if (drawn >= share && drawn < 2 * share) bits[bits.size() / 2 + i] = 1;
      }
      network.store().set_mask(e, keep);
      if (!packs) continue;
      network.store().pack({&e});
      if (!shared) continue;
      for (std::size_t i = 0; i < bits.size() / 2; ++i) bits[bits.size() / 2 + i] |= bits[i];
      network.store().set_read_mask(e, keep);
    }
  }
  void store(WeightFormat format = WeightFormat::Sparse) {
    for (const char* layer : {"one", "two"}) {
      ParameterEntry& e = entry(layer);
      const HostArray values = network.store().get(e).cast(DType::F32), keep = *network.store().mask(e);
      const auto size = static_cast<std::size_t>(e.slice_shape().elements());
      std::vector<PackedWeight> slices;
      for (std::size_t t = 0; t < 2; ++t) {
        slices.push_back(PackedWeight::from_dense(values.span<float>().subspan(t * size, size), e.slice_shape()[0],
                                                  e.slice_shape()[1],
                                                  keep.span<std::uint8_t>().subspan(t * size, size)));
        slices.back().format = format;
      }
      network.store().set_stored(e, std::move(slices));
    }
  }
  std::uintmax_t save(const std::string& path, const SaveOptions& options = {6}) const {
    save_model(path, network, {{"note", "test"}}, options);
    return std::filesystem::file_size(path);
  }
  void load(const std::string& path) { ModelFile(path).load_into(network); }
};

void check_same(Model& a, Model& b) {
  for (const auto& e : a.network.store().entries()) {
    const std::string layer = a.network.graph().node(e.node).name;
    INFO(layer << "." << e.info->name);
    const ParameterEntry& f = b.entry(layer, e.info->name);
    CHECK(e.form == f.form);
    CHECK(a.network.store().get(e) == b.network.store().get(f));
    CHECK(a.network.store().mask(e) == b.network.store().mask(f));
    REQUIRE(e.packed.size() == f.packed.size());
    for (std::size_t t = 0; t < e.packed.size(); ++t) {
      CHECK(e.packed[t].column == f.packed[t].column);
      CHECK(e.packed[t].row_begin == f.packed[t].row_begin);
      CHECK(e.packed[t].value == f.packed[t].value);
      CHECK(e.packed[t].format == f.packed[t].format);
    }
  }
}

// One line, and it names the file.
void check_refused(const std::function<void()>& act, const std::string& file) {
  try {
    act();
    FAIL_CHECK("was not refused");
  } catch (const Error& e) {
    const std::string what = e.what();
    CHECK(what.find(file) != std::string::npos);
    CHECK(what.find('\n') == std::string::npos);
  }
}

}  // namespace

TEST_CASE("packed weights come back from files exactly however their masks are coded") {
  const Folder folder;
  std::vector<std::optional<MaskCoding>> codings{std::nullopt};
  for (const MaskCoding c : kMaskCodings) codings.emplace_back(c);
  for (const auto& coding : codings)
    for (const bool shared : {false, true}) {
      INFO((coding ? name_of(*coding) : "auto") << (shared ? " shared" : ""));
      Model written, read;
      written.mask(0.2, true, shared);
      written.store(shared ? WeightFormat::Compacted : WeightFormat::Sparse);
      written.save(folder / "m.h5", {6, std::nullopt, coding});
      read.load(folder / "m.h5");
      check_same(written, read);
      const std::string used = ModelFile(folder / "m.h5").reader().attribute_text("/masks/one/W", "encoding");
      const bool always = coding && *coding != MaskCoding::Blocks && *coding != MaskCoding::Groups;
      if (always) CHECK(used == name_of(*coding));  // blocks and groups need such masks
    }
}

TEST_CASE("weights that tasks share are in a packed file once") {
  const Folder folder;
  Model apart, together;
  apart.mask(0.2, true, true);
  together.mask(0.2, true, true);
  apart.store();
  together.store();
  auto slices = apart.entry("two").packed;
  slices[1].value[0] += 1;  // no longer the same weight
  for (const char* layer : {"one", "two"}) {
    auto changed = apart.entry(layer).packed;
    for (auto& v : changed[1].value) v += 1;
    apart.network.store().set_stored(apart.entry(layer), std::move(changed));
  }
  apart.save(folder / "apart.h5");
  together.save(folder / "together.h5");
  const auto values = [&](const std::string& file, Model& m) {
    Model read;
    read.load(folder / file);
    check_same(m, read);
    return ModelFile(folder / file).reader().shape("/parameters/two/W").elements();
  };
  const auto& two = together.entry("two").packed;
  CHECK(values("together.h5", together) == two[1].kept());  // b reads all that a owns, and its own
  CHECK(values("apart.h5", apart) == two[0].kept() + two[1].kept());
}

TEST_CASE("packed files become smaller with every weight that goes") {
  const Folder folder;
  std::uintmax_t before = 1U << 30U;
  for (const double share : {0.5, 0.3, 0.2, 0.1, 0.05, 0.02}) {
    Model m(64);
    m.mask(share, true);
    m.store();
    const auto bytes = m.save(folder / "m.h5");
    CHECK(bytes < before);
    before = bytes;
  }
}

TEST_CASE("a file of 16 or 8 bits gives back the rounded model exactly in every form") {
  constexpr Index kUnits = 300;
  const Folder folder;
  for (const Quantization format : {Quantization::Fp16, Quantization::Bf16, Quantization::Int8})
    for (const int form : {0, 1, 2, 3, 4, 5}) {
      INFO(enum_name(format) << " form " << form);
      Model plain(kUnits), written(kUnits);
      if (form > 0)
        for (Model* m : {&plain, &written}) m->mask(0.3, form >= 2, form == 4);
      if (form == 3 || form == 5)
        for (Model* m : {&plain, &written}) m->store();
      const HostArray before = plain.network.store().get(plain.entry("two"));
      const QuantizeReport report = quantize_network(written.network, format);
      CHECK(report.bytes > 0);
      const auto small = written.save(folder / "small.h5", {6, format}), large = plain.save(folder / "large.h5");
      CHECK(static_cast<double>(small) < (format == Quantization::Int8 ? 0.6 : 0.75) * static_cast<double>(large));
      Model read(kUnits), wide(kUnits, "cpu:f64");
      read.load(folder / "small.h5");
      check_same(written, read);
      wide.load(folder / "small.h5");
      CHECK(wide.network.store().get(wide.entry("two")).cast(DType::F32) ==
            written.network.store().get(written.entry("two")));
      const HostArray after = read.network.store().get(read.entry("two"));
      Index revived = 0;
      for (Index i = 0; i < before.elements(); ++i) revived += before.value(i) == 0 && after.value(i) != 0 ? 1 : 0;
      CHECK(revived == 0);
      const std::string values = "/parameters/two/W";
      const ModelFile file(folder / "small.h5");
      CHECK(file.reader().info(values).stored_type == (format == Quantization::Int8 ? "int8" : "float16"));
      CHECK(file.reader().exists("/scales/two/W") == (format == Quantization::Int8));
      if (format == Quantization::Int8) CHECK(file.reader().shape("/scales/two/W") == Shape{2, kUnits});
    }
}

TEST_CASE("a packed file that is cut off or changed anywhere is refused in one line") {
  const Folder folder;
  Model m;
  m.mask(0.2, true);
  m.store();
  m.save(folder / "m.h5", {6, Quantization::Int8});
  const std::string whole = read_file(folder / "m.h5");
  const auto image = [&](const std::string& text) {
    const auto view = bytes_of(text);
    return Bytes(view.begin(), view.end());
  };
  REQUIRE_NOTHROW(open_container(image(whole), "m.h5"));
  for (std::size_t n = 0; n < whole.size(); n += 1 + whole.size() / 150)
    check_refused([&] { open_container(image(whole.substr(0, n)), "m.h5"); }, "m.h5");
  for (std::size_t n = 0; n < whole.size(); n += 1 + whole.size() / 400) {
    std::string harmed = whole;
    harmed[n] = static_cast<char>(harmed[n] ^ (1 << (n % 8)));
    check_refused([&] { open_container(image(harmed), "m.h5"); }, "m.h5");
  }
  const Ran ran = run_squall("info " + folder.write("cut.h5", whole.substr(0, whole.size() / 2)));
  CHECK(ran.code == 1);
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
}

// Files whose bytes are right and whose content is not: written by something else.
TEST_CASE("packed parameters that contradict themselves are refused") {
  struct Content {
    std::vector<Index> kept{3, 2}, format{2, 2}, shape{2, 24, 12};
    std::string encoding = "gaps8", quantized;
    std::vector<std::uint8_t> mask{0, 1, 5, 9, 4};
    Index values = 5;
    Shape scales{2, 24};
  };
  const Folder folder;
  Model m;
  const auto with = [&](const std::function<void(Content&)>& change) {
    Content c;
    change(c);
    const auto numbers = [](const std::vector<Index>& v) {
      HostArray a(DType::I32, Shape{static_cast<Index>(v.size())});
      for (std::size_t i = 0; i < v.size(); ++i) a.set_value(static_cast<Index>(i), static_cast<double>(v[i]));
      return a;
    };
    H5Writer file = container_writer();
    file.write("/parameters/one/W", HostArray(DType::F32, Shape{c.values}));
    file.attribute("/parameters/one/W", "form", "stored");
    file.attribute("/parameters/one/W", "shape", numbers(c.shape));
    file.attribute("/parameters/one/W", "kept", numbers(c.kept));
    file.attribute("/parameters/one/W", "format", numbers(c.format));
    if (!c.quantized.empty()) file.attribute("/parameters/one/W", "quantized", c.quantized);
    if (c.quantized == "int8") file.write("/scales/one/W", HostArray(DType::F32, c.scales));
    file.write("/masks/one/W", HostArray::of(Shape{static_cast<Index>(c.mask.size())}, c.mask));
    file.attribute("/masks/one/W", "encoding", c.encoding);
    const NotTaken left = take_matching(open_container(seal_container(file), "odd.h5"), m.network);
    const auto found = std::find_if(left.parameters.begin(), left.parameters.end(),
                                    [](const auto& line) { return line.find("/one/W") != std::string::npos; });
    return found == left.parameters.end() ? std::string() : *found;
  };
  CHECK(with([](Content&) {}).empty());
  const auto refused = [&](const std::function<void(Content&)>& change, const std::string& says) {
    const std::string line = with(change);
    INFO(line);
    CHECK(line.find(says) != std::string::npos);
    CHECK(line.find('\n') == std::string::npos);
  };
  refused([](Content& c) { c.kept = {3, 3}; }, "ends too early");
  refused([](Content& c) { c.kept = {2, 2}; }, "too many");
  refused([](Content& c) { c.kept = {-1, 2}; }, "do not fit");
  refused([](Content& c) { c.kept = {5}; }, "1 tasks");
  refused([](Content& c) { c.values = 4; }, "masks keep 5");
  refused([](Content& c) { c.format[1] = 9; }, "unknown weight format 9");
  refused([](Content& c) { c.shape[1] = 25; }, "the network has");
  refused([](Content& c) { c.encoding = "zip"; }, "unknown encoding 'zip'");
  refused([](Content& c) { c.encoding = "csr16"; }, "the mask");
  refused([](Content& c) { c.quantized = "int7"; }, "unknown numbers 'int7'");
  refused([](Content& c) { c.quantized = "int8", c.scales = Shape{24}; }, "should be (2, 24)");
}
