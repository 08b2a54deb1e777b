#include "kernels/pair_apply_host.hpp"

#include <algorithm>

#include "kernels/pair_logs.hpp"
#include "kernels/pair_tile_host.hpp"

namespace thalweg::host {

namespace {

/// Adds the products of one tile of exponentials, column by column of a group of rows, with one panel of values.
template <class Scalar, int width>
void add_products(const Scalar* exponentials, int columns, const Scalar* values, Scalar* partial) {
  simd::Vector<Scalar> sum[width * group_vectors];
  for (int i = 0; i < width * group_vectors; ++i)
    sum[i] = simd::load(partial + i / group_vectors * group_rows<Scalar> + i % group_vectors * simd::lanes<Scalar>);
  for (int c = 0; c < columns; ++c) {
    Group<Scalar> row;
    for (int q = 0; q < group_vectors; ++q)
      row[q] = simd::in_register(simd::load(exponentials + c * group_rows<Scalar> + q * simd::lanes<Scalar>));
    for (int w = 0; w < width; ++w) {
      const auto entry = simd::in_register(simd::broadcast(values[c * width + w]));
      for (int q = 0; q < group_vectors; ++q) sum[w * group_vectors + q] += row[q] * entry;
    }
  }
#pragma GCC unroll 24
  for (int i = 0; i < width * group_vectors; ++i)
    simd::store<Scalar>(sum[i],
                        partial + i / group_vectors * group_rows<Scalar> + i % group_vectors * simd::lanes<Scalar>);
}

template <class Scalar, class Score>
void products_of_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts,
                       const ValuePanels<Scalar>& values, double* products) {
  constexpr int tile = tile_rows;
  Group<Scalar> shift;
  load_group(shifts, shift);
  alignas(64) Scalar exponentials[tile * group_rows<Scalar>];
  LineBuffer<Scalar> partial(values.split.size * group_rows<Scalar>);
  for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
    const std::int64_t end = std::min(begin + flush_columns, operands.num_columns);
    std::fill_n(partial.data(), values.split.size * group_rows<Scalar>, Scalar(0));
    for (std::int64_t first = begin; first < end; first += tile) {
      const std::int64_t last = std::min(first + tile, end);
      for_each_panel<Scalar, Score>(
          operands, rows, first, last, shift, [&](std::int64_t column, const Panel<Scalar>& exponents) {
            Scalar* place = exponentials + (column - first) * group_rows<Scalar>;
            for (int i = 0; i < panel_columns * group_vectors; ++i)
              simd::store<Scalar>(simd::exp2<Scalar>(exponents[i] + operands.column_bias[column + i / group_vectors]),
                                  place + i * simd::lanes<Scalar>);
          });
      for (std::int64_t p = 0; p < values.split.count(); ++p)
        values.split.with_width(p, [&](auto width) {
          add_products<Scalar, width>(exponentials, static_cast<int>(last - first), values.panel(p) + first * width,
                                      partial.data() + values.split.begin(p) * group_rows<Scalar>);
        });
    }
    for (std::int64_t w = 0; w < values.split.size; ++w)
      for (int i = 0; i < group_rows<Scalar>; ++i)
        products[w * tile + i] += static_cast<double>(partial.data()[w * group_rows<Scalar> + i]);
  }
}

template <class Scalar, class Score>
void count_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts, RadixDigit digit,
                 std::int64_t* counts) {
  Group<Scalar> shift;
  load_group(shifts, shift);
  for_each_panel<Scalar, Score>(
      operands, rows, 0, operands.num_columns, shift, [&](std::int64_t column, const Panel<Scalar>& exponents) {
        alignas(64) Scalar costs[group_rows<Scalar>];
        for (int c = 0; c < panel_columns; ++c) {
          const Scalar bias = operands.column_bias[column + c];
          if (!takes_part(static_cast<double>(bias))) continue;
          for (int q = 0; q < group_vectors; ++q)
            simd::store<Scalar>(-(exponents[c * group_vectors + q] + bias), costs + q * simd::lanes<Scalar>);
          for (int i = 0; i < group_rows<Scalar>; ++i) {
            const std::uint64_t bits = ordered_bits(costs[i]);
            if (digit.matches(bits) && takes_part(static_cast<double>(shifts[i]))) ++counts[digit.digit(bits)];
          }
        }
      });
}

}  // namespace

template <class Scalar>
ValuePanels<Scalar>::ValuePanels(const double* rows, std::int64_t num_columns, std::int64_t width)
    : split{width},
      padded_columns(PairOperands<Scalar>::tiles_of(num_columns) * tile_rows),
      values(static_cast<std::size_t>(padded_columns * width), Scalar(0)) {
  for (std::int64_t p = 0; p < split.count(); ++p) {
    Scalar* to = values.data() + split.begin(p) * padded_columns;
    for (std::int64_t j = 0; j < num_columns; ++j)
      for (int w = 0; w < split.width(p); ++w) *to++ = static_cast<Scalar>(rows[j * width + split.begin(p) + w]);
  }
}

template <class Scalar>
void apply(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
           const ValuePanels<Scalar>& values, double* products) {
  const simd::FlushDenormals flush;
  std::fill_n(products, values.split.size * tile_rows, 0.0);
  with_score(operands.score, [&](auto score) {
    for (int at = 0; at < tile_rows; at += group_rows<Scalar>)
      products_of_group<Scalar, decltype(score)>(operands, {tile, at}, shifts + at, values, products + at);
  });
}

template <class Scalar>
void count_costs(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, RadixDigit digit,
                 std::int64_t* counts) {
  const simd::FlushDenormals flush;
  with_score(operands.score, [&](auto score) {
    for (int at = 0; at < tile_rows; at += group_rows<Scalar>)
      count_group<Scalar, decltype(score)>(operands, {tile, at}, shifts + at, digit, counts);
  });
}

#define THALWEG_APPLY_HOST(Scalar)                                                                                  \
  template struct ValuePanels<Scalar>;                                                                              \
  template void apply<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, const ValuePanels<Scalar>&, \
                              double*);                                                                             \
  template void count_costs<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, RadixDigit,           \
                                    std::int64_t*);
THALWEG_APPLY_HOST(float)
THALWEG_APPLY_HOST(double)

}  // namespace thalweg::host
