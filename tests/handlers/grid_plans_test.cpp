// The CUDA handler has plans of its own where they are worth it, and takes few kernels for a step.
#include "handlers/on_host/host_context.hpp"
#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/recurrent.hpp"
#include "support/op_case.hpp"

using namespace squall;
using namespace squall::test;

TEST_CASE("The CUDA handler has fused plans for sequences and normalisation and packed weights", "[gpu]") {
  const auto h = make_on_host("on_host:f32");
  for (const Cell cell : {Cell::Simple, Cell::Lstm, Cell::Gru}) {
    RecurrentSpec s;
    s.cell = cell;
    s.time = s.batch = s.in = s.size = 2;
    CHECK(h->recurrent().plan(s)->kind() == "fused cells");
  }
  BatchNormSpec columns;
  columns.rows = columns.channels = 2;
  CHECK(h->norm().plan(columns)->kind() == "fused columns");
  GroupNormSpec rows;
  rows.examples = rows.channels = 2;
  CHECK(h->norm().plan(rows)->kind() == "fused rows");
  AttentionSpec attention;
  attention.batch = attention.queries = attention.keys = attention.key_dim = attention.value_dim = 2;
  CHECK(h->attention().plan(attention)->kind() == "batched products");
  PackedWeight packed = PackedWeight::from_dense(std::vector<float>{1, 0, 0, 0, 2, 0}, 2, 3);
  DenseSpec dense;
  dense.rows = 1, dense.in = 3, dense.out = 2;
  dense.packed = &packed;
  for (const auto& [format, kind] :
       {std::pair(WeightFormat::Sparse, "sparse"), std::pair(WeightFormat::Compacted, "compacted")}) {
    packed.format = format;
    CHECK(h->dense().plan(dense)->kind() == kind);
  }
  ConvSpec conv;
  conv.images = conv.filters = 2;
  conv.window = Window{.height = 3, .width = 3, .channels = 3};
  conv.packed = &packed;
  packed.format = WeightFormat::Sparse;
  CHECK(h->conv().plan(conv)->kind() == "sparse");
}

TEST_CASE("Reduced precision is refused where there is none", "[gpu]") {
  for (const Precision precision : {Precision::Tf32, Precision::Bf16}) {
    const HandlerOptions options{.precision = precision};
    const std::string name(enum_name(precision));
    expect_error<DeviceError>([&] { make_handler("cpu", options); }, {"precision " + name, "'cpu'", "needs a GPU"});
    expect_error<DeviceError>([&] { make_handler("cuda:0:f64", options); }, {"precision " + name, "double precision"});
  }
}
