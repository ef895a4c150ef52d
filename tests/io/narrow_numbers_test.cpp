// Numbers of two bytes and of one in files: everything they can hold comes back exactly.
#include <bit>
#include <cmath>

#include "squall/core/error.hpp"
#include "squall/io/h5_file.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

HostArray through_file(const HostArray& values, Quantization format, int deflate) {
  H5Writer writer;
  writer.write("/x", values, {deflate, format});
  const H5Reader reader(writer.finish(), "test");
  CHECK(reader.info("/x").stored_type == (format == Quantization::Int8 ? "int8" : "float16"));
  return reader.read("/x", DType::F32);
}

// Every finite number of 16 bits with this many bits of fraction.
std::vector<float> all_of(int fraction) {
  std::vector<float> out;
  const int exponents = 1 << (15 - fraction), bias = exponents / 2 - 1;
  for (const double sign : {1.0, -1.0})
    for (int e = 0; e < exponents - 1; ++e)
      for (int m = 0; m < 1 << fraction; ++m) {
        const double significand = m + (e > 0 ? 1 << fraction : 0);
        out.push_back(static_cast<float>(sign * std::ldexp(significand, std::max(e, 1) - bias - fraction)));
      }
  return out;
}

void check_bits(const std::vector<float>& values, Quantization format) {
  for (const int deflate : {0, 6}) {
    const HostArray back =
        through_file(HostArray::of(Shape{static_cast<Index>(values.size())}, values), format, deflate);
    std::size_t different = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      different +=
          std::bit_cast<std::uint32_t>(values[i]) == std::bit_cast<std::uint32_t>(back.span<float>()[i]) ? 0 : 1;
    CHECK(different == 0);
  }
}

}  // namespace

TEST_CASE("Every half precision number comes back from a file", "[h5]") {
  const auto values = all_of(10);
  REQUIRE(values.size() == 2 * 31 * 1024);
  check_bits(values, Quantization::Fp16);
  for (const float v : values) REQUIRE(round_to_fp16(static_cast<double>(v)) == static_cast<double>(v));
}

TEST_CASE("Every bfloat16 number comes back from a file", "[h5]") {
  const auto values = all_of(7);
  REQUIRE(values.size() == 2 * 255 * 128);
  check_bits(values, Quantization::Bf16);
}

TEST_CASE("Whole numbers of one byte come back from a file and take one byte", "[h5]") {
  std::vector<float> values;
  for (int i = -127; i <= 127; ++i) values.push_back(static_cast<float>(i));
  check_bits(values, Quantization::Int8);
  const auto bytes = [](std::optional<Quantization> as) {
    H5Writer writer;
    writer.write("/x", HostArray(DType::F32, Shape{100000}), {0, as});
    return writer.finish().size();
  };
  CHECK(bytes(std::nullopt) - bytes(Quantization::Fp16) == 200000);
  CHECK(bytes(Quantization::Fp16) - bytes(Quantization::Int8) == 100000);
}

TEST_CASE("Scales of 8 bits give back what was rounded with them", "[h5]") {
  for (double largest = 1e-30; largest < 1e30; largest *= 1.37) {
    const float scale = int8_scale(largest);
    CHECK(static_cast<double>(scale) * 127 >= largest);
    CHECK(static_cast<double>(scale) * 127 <= largest * (1 + 1.0 / 32768));
    CHECK(int8_scale(127 * static_cast<double>(scale)) == scale);
    CHECK(int8_code(largest, scale) == 127);
    for (int code = -127; code <= 127; ++code) {
      const float v = static_cast<float>(code) * scale;
      CHECK(static_cast<double>(v) == code * static_cast<double>(scale));
      CHECK(int8_code(static_cast<double>(v), scale) == code);
    }
  }
  CHECK(int8_scale(0) == 0);
  CHECK(int8_code(0, 0) == 0);
}
