#include "kernels/pair_weights_host.hpp"

#include <algorithm>

#include "kernels/host_rows.hpp"
#include "kernels/panels.hpp"
#include "kernels/simd_exp2.hpp"

namespace thalweg {

namespace {

constexpr int group_vectors = simd::vector_bytes == 64 ? 4 : 2;
constexpr int panel_width = 4;
constexpr std::int64_t block_columns = 64;    // exponentials of a group and a block stay in the first cache
constexpr std::int64_t flush_columns = 1536;  // whose products are added in Scalar

template <class Scalar>
constexpr int group_rows = group_vectors* simd::lanes<Scalar>;
template <class Scalar>
using Sums = simd::Vector<Scalar>[panel_width * group_vectors];

/// A narrow matrix in groups of `width` rows: (group, k, row); rows that are missing are 0.
template <class Scalar>
class PackedRows {
 public:
  PackedRows(const NarrowRows& from, std::int64_t width)
      : depth_(from.depth),
        width_(width),
        num_groups_((from.rows + width - 1) / width),
        values_(num_groups_ * width * from.depth) {
    std::fill_n(values_.data(), num_groups_ * width * depth_, Scalar(0));
    for (std::int64_t i = 0; i < from.rows; ++i)
      for (std::int64_t k = 0; k < depth_; ++k)
        values_.data()[(i / width * depth_ + k) * width + i % width] = static_cast<Scalar>(from.row(i)[k]);
  }
  const Scalar* group(std::int64_t index) const { return values_.data() + index * depth_ * width_; }
  std::int64_t depth() const { return depth_; }
  std::int64_t num_groups() const { return num_groups_; }

 private:
  std::int64_t depth_, width_, num_groups_;
  LineBuffer<Scalar> values_;
};

/// Columns of a narrow matrix in panels: (panel, row, column); columns that are missing are 0.
template <class Scalar>
PackedRows<Scalar> packed_columns(const NarrowRows& from) {
  std::vector<double> turned(from.values.size());
  for (std::int64_t j = 0; j < from.rows; ++j)
    for (std::int64_t w = 0; w < from.depth; ++w) turned[static_cast<std::size_t>(w * from.rows + j)] = from.row(j)[w];
  return PackedRows<Scalar>({turned, from.depth, from.rows}, panel_width);
}

/// sum[c][q] += left[k][q] right[k][c] over k.
template <class Scalar>
inline void accumulate(const Scalar* left, const Scalar* right, std::int64_t depth, Sums<Scalar>& sum) {
  constexpr int lanes = simd::lanes<Scalar>;
  simd::Vector<Scalar> total[panel_width * group_vectors];
#pragma GCC unroll 16
  for (int i = 0; i < panel_width * group_vectors; ++i) total[i] = sum[i];
  for (std::int64_t k = 0; k < depth; ++k) {
    simd::Vector<Scalar> row[group_vectors];
    for (int q = 0; q < group_vectors; ++q)
      row[q] = simd::in_register(simd::load(left + k * group_rows<Scalar> + q * lanes));
    for (int c = 0; c < panel_width; ++c) {
      const auto entry = simd::in_register(simd::broadcast(right[k * panel_width + c]));
      for (int q = 0; q < group_vectors; ++q) total[c * group_vectors + q] += row[q] * entry;
    }
  }
#pragma GCC unroll 16  // early, or the accumulators get an address and go through memory
  for (int i = 0; i < panel_width * group_vectors; ++i) sum[i] = total[i];
}

template <class Scalar>
inline void store_sums(const Sums<Scalar>& sum, Scalar* to) {
#pragma GCC unroll 16
  for (int i = 0; i < panel_width * group_vectors; ++i) simd::store<Scalar>(sum[i], to + i * simd::lanes<Scalar>);
}

/// What every group of rows reads of the columns.
template <class Scalar>
struct Columns {
  PackedRows<Scalar> exponents, weights, values;
  std::int64_t count;
};

/// Weighted exponentials of one group of rows and a block of columns: (column, row).
template <class Scalar>
void weighted_block(const Scalar* exponent_rows, const Scalar* weight_rows, const Columns<Scalar>& columns,
                    std::int64_t begin, std::int64_t end, Scalar* block) {
  for (std::int64_t panel = begin / panel_width; panel * panel_width < end; ++panel) {
    Scalar* place = block + (panel * panel_width - begin) * group_rows<Scalar>;
    Sums<Scalar> sum = {};
    accumulate(exponent_rows, columns.exponents.group(panel), columns.exponents.depth(), sum);
#pragma GCC unroll 16
    for (int i = 0; i < panel_width * group_vectors; ++i) sum[i] = simd::exp2<Scalar>(sum[i]);
    store_sums<Scalar>(sum, place);
    Sums<Scalar> weight = {};
    accumulate(weight_rows, columns.weights.group(panel), columns.weights.depth(), weight);
#pragma GCC unroll 16
    for (int i = 0; i < panel_width * group_vectors; ++i) weight[i] *= simd::load(place + i * simd::lanes<Scalar>);
    store_sums<Scalar>(weight, place);
  }
}

/// partial += block^T values of those columns: (value, row).
template <class Scalar>
void add_products(const Scalar* block, const Columns<Scalar>& columns, std::int64_t begin, std::int64_t end,
                  Scalar* partial) {
  for (std::int64_t panel = 0; panel < columns.values.num_groups(); ++panel) {
    Scalar* place = partial + panel * panel_width * group_rows<Scalar>;
    Sums<Scalar> sum;
#pragma GCC unroll 16
    for (int i = 0; i < panel_width * group_vectors; ++i) sum[i] = simd::load(place + i * simd::lanes<Scalar>);
    accumulate(block, columns.values.group(panel) + begin * panel_width, end - begin, sum);
    store_sums<Scalar>(sum, place);
  }
}

/// Products of one group of rows. @param out  rows x width of the group
template <class Scalar>
void products_of_group(const Scalar* exponent_rows, const Scalar* weight_rows, const Columns<Scalar>& columns,
                       NarrowRows shape, double* out) {
  const simd::FlushDenormals flush;
  alignas(64) Scalar block[block_columns * group_rows<Scalar>];
  const std::int64_t padded = columns.values.num_groups() * panel_width * group_rows<Scalar>;
  LineBuffer<Scalar> partial(padded);
  for (std::int64_t begin = 0; begin < columns.count; begin += flush_columns) {
    const std::int64_t end = std::min(columns.count, begin + flush_columns);
    std::fill_n(partial.data(), padded, Scalar(0));
    for (std::int64_t first = begin; first < end; first += block_columns) {
      const std::int64_t last = std::min(end, first + block_columns);
      weighted_block(exponent_rows, weight_rows, columns, first, last, block);
      add_products(block, columns, first, last, partial.data());
    }
    for (std::int64_t i = 0; i < shape.rows; ++i)
      for (std::int64_t w = 0; w < shape.depth; ++w)
        out[i * shape.depth + w] += static_cast<double>(partial.data()[w * group_rows<Scalar> + i]);
  }
}

}  // namespace

template <class Scalar>
std::vector<double> pair_weighted_products(const PairFactors& exponents, const PairFactors& weights,
                                           const NarrowRows& values) {
  const PackedRows<Scalar> exponent_rows(exponents.rows, group_rows<Scalar>),
      weight_rows(weights.rows, group_rows<Scalar>);
  const Columns<Scalar> columns{PackedRows<Scalar>(exponents.columns, panel_width),
                                PackedRows<Scalar>(weights.columns, panel_width), packed_columns<Scalar>(values),
                                values.rows};
  const std::int64_t rows = exponents.rows.rows, width = values.depth;
  std::vector<double> out(static_cast<std::size_t>(rows * width), 0.0);
  for_each_row_on_host(exponent_rows.num_groups(), [&](std::int64_t group) {
    const std::int64_t first = group * group_rows<Scalar>;
    const NarrowRows shape{{}, std::min<std::int64_t>(group_rows<Scalar>, rows - first), width};
    products_of_group(exponent_rows.group(group), weight_rows.group(group), columns, shape, out.data() + first * width);
  });
  return out;
}

template <class Scalar>
std::vector<Scalar> pair_exponentials(const PairFactors& exponents) {
  const std::int64_t rows = exponents.rows.rows, columns = exponents.columns.rows;
  const PackedRows<Scalar> lanes(exponents.columns, group_rows<Scalar>), panels(exponents.rows, panel_width);
  std::vector<Scalar> out(static_cast<std::size_t>(rows * columns));
  for_each_row_on_host(panels.num_groups(), [&](std::int64_t panel) {
    alignas(64) Scalar tile[panel_width * group_rows<Scalar>];
    const std::int64_t first = panel * panel_width, count = std::min<std::int64_t>(panel_width, rows - first);
    for (std::int64_t group = 0; group < lanes.num_groups(); ++group) {
      Sums<Scalar> sum = {};
      accumulate(lanes.group(group), panels.group(panel), lanes.depth(), sum);
#pragma GCC unroll 16
      for (int i = 0; i < panel_width * group_vectors; ++i) sum[i] = simd::exp2<Scalar>(sum[i]);
      store_sums<Scalar>(sum, tile);
      const std::int64_t column = group * group_rows<Scalar>;
      const std::int64_t width = std::min<std::int64_t>(group_rows<Scalar>, columns - column);
      for (std::int64_t i = 0; i < count; ++i)
        std::copy_n(tile + i * group_rows<Scalar>, width, out.data() + (first + i) * columns + column);
    }
  });
  return out;
}

template std::vector<double> pair_weighted_products<float>(const PairFactors&, const PairFactors&, const NarrowRows&);
template std::vector<double> pair_weighted_products<double>(const PairFactors&, const PairFactors&, const NarrowRows&);
template std::vector<float> pair_exponentials<float>(const PairFactors&);
template std::vector<double> pair_exponentials<double>(const PairFactors&);

}  // namespace thalweg
