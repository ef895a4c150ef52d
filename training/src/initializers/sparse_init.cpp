// Few connections: everything else that another initializer gives is set to zero.
#include "initializers/sub_initializer.hpp"

namespace squall {

namespace {

enum class Along : std::uint8_t { Column, Row };
std::span<const EnumName<Along>> enum_names(Along) {
  static constexpr EnumName<Along> kNames[] = {{"column", Along::Column}, {"row", Along::Row}};
  return kNames;
}

// Weights are (outputs, inputs): a row belongs to an output, a column to an input.
template <Along kAlong>
struct SparseOptions {
  json sub_initializer;
  Index connections = 15;
  Along along = kAlong;
  static constexpr auto fields = std::tuple{
      field("sub_initializer", &SparseOptions::sub_initializer, "what gives the values: a number or an initializer"),
      field("connections", &SparseOptions::connections, "how many are kept in each column or row"),
      field("along", &SparseOptions::along, "column: for each input; row: for each output")};
};

template <class D, Along kAlong>
class Sparse : public DescribedAs<Initializer, D, SparseOptions<kAlong>> {
 public:
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    if (this->options.connections < 0) problems.add(where, "option 'connections' should not be negative");
    sub_.resolve(this->options.sub_initializer, catalog, concat(where, ".sub_initializer"), problems);
  }
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    need_matrix(D::kType, p);
    const Index rows = p.shape[0], columns = p.shape.from(1).elements();
    const bool by_column = this->options.along == Along::Column;
    const Index lines = by_column ? columns : rows, length = by_column ? rows : columns;
    if (length < this->options.connections)
      unsuited(D::kType, p, by_column ? "columns" : "rows", " of at least ", this->options.connections, " weights");
    sub_.fill(values, p, rng);
    for (Index line = 0; line < lines; ++line) {
      const auto order = rng.permutation(length);
      for (Index k = this->options.connections; k < length; ++k) {
        const Index other = order[static_cast<std::size_t>(k)];
        values[static_cast<std::size_t>(by_column ? other * columns + line : line * columns + other)] = 0;
      }
    }
  }

 private:
  SubInitializer sub_;
};

class SparseInputs final : public Sparse<SparseInputs, Along::Column> {
 public:
  static constexpr std::string_view kType = "SparseInputs";
  static constexpr std::string_view kDoc =
      "Values of another initializer, so many kept in each column and the others 0.";
};
class SparseOutputs final : public Sparse<SparseOutputs, Along::Row> {
 public:
  static constexpr std::string_view kType = "SparseOutputs";
  static constexpr std::string_view kDoc = "Values of another initializer, so many kept in each row and the others 0.";
};

}  // namespace

void register_sparse_init(Catalog& catalog) {
  catalog.of<Initializer>().add<SparseInputs>();
  catalog.of<Initializer>().add<SparseOutputs>();
}

}  // namespace squall
