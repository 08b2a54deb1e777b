#include "kernels/pair_columns_host.hpp"

#include <algorithm>

#include "kernels/pair_logs.hpp"
#include "kernels/pair_tile_host.hpp"

namespace thalweg::host {

namespace {

/// Calls use(column, first row of the group, exponents) for every group of rows of a tile and column of `columns`:
/// kappa score + u, one vector after another; v is still to be added.
template <class Scalar, class Use>
void for_each_column(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, ColumnSlice columns,
                     const Use& use) {
  const simd::FlushDenormals flush;
  for (int at = 0; at < tile_rows; at += group_rows<Scalar>) {
    Group<Scalar> shift;
    load_group(shifts + at, shift);
    for_each_panel<Scalar, DenseScore>(operands, {tile, at}, columns.begin, columns.end, shift,
                                       [&](std::int64_t column, const Panel<Scalar>& exponents) {
                                         for (int c = 0; c < panel_columns && column + c < columns.end; ++c)
                                           use(column + c, at, exponents + c * group_vectors);
                                       });
  }
}

template <class Scalar>
double sum_of_lanes(simd::Vector<Scalar> vector) {
  double sum = 0.0;
  for (int lane = 0; lane < simd::lanes<Scalar>; ++lane) sum += static_cast<double>(vector[lane]);
  return sum;
}

inline void store_narrow(simd::Vector<double> value, double* to) { simd::store<double>(value, to); }
inline void store_narrow(simd::Vector<double> value, float* to) {
  const simd::HalfVector narrow = __builtin_convertvector(value, simd::HalfVector);
  std::memcpy(to, &narrow, sizeof(narrow));
}

}  // namespace

template <class Scalar>
void add_column_sums(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
                     const Scalar* weights, ColumnSlice columns, double* sums) {
  for_each_column(operands, tile, shifts, columns,
                  [&](std::int64_t column, int at, const simd::Vector<Scalar>* exponents) {
                    simd::Vector<Scalar> sum = {};
                    for (int q = 0; q < group_vectors; ++q)
                      sum += simd::exp2<Scalar>(exponents[q] + operands.column_bias[column]) *
                             simd::load(weights + at + q * simd::lanes<Scalar>);
                    sums[column - columns.begin] += sum_of_lanes<Scalar>(sum);
                  });
}

template <class Scalar>
void raise_column_maxima(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
                         ColumnSlice columns, double* maxima) {
  for_each_column(operands, tile, shifts, columns,
                  [&](std::int64_t column, int, const simd::Vector<Scalar>* exponents) {
                    simd::Vector<Scalar> top = exponents[0];
                    for (int q = 1; q < group_vectors; ++q) top = simd::max(top, exponents[q]);
                    double& maximum = maxima[column - columns.begin];
                    for (int lane = 0; lane < simd::lanes<Scalar>; ++lane)
                      maximum = std::max(maximum, static_cast<double>(top[lane]));
                  });
}

template <class Scalar>
void add_column_products(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
                         const double* values, std::int64_t rows, std::int64_t width, ColumnSlice columns,
                         double* products) {
  for_each_column(operands, tile, shifts, columns,
                  [&](std::int64_t column, int at, const simd::Vector<Scalar>* exponents) {
                    alignas(64) Scalar terms[group_rows<Scalar>];
                    for (int q = 0; q < group_vectors; ++q)
                      simd::store<Scalar>(simd::exp2<Scalar>(exponents[q] + operands.column_bias[column]),
                                          terms + q * simd::lanes<Scalar>);
                    double* to = products + (column - columns.begin) * width;
                    const std::int64_t count = std::min<std::int64_t>(group_rows<Scalar>, rows - at);
                    for (std::int64_t i = 0; i < count; ++i)
                      for (std::int64_t w = 0; w < width; ++w)
                        to[w] += static_cast<double>(terms[i]) * values[(at + i) * width + w];
                  });
}

template <class Scalar>
void coupling_of_tile(const CouplingTile<Scalar>& of, ColumnSlice columns, std::int64_t stride, Scalar* coupling) {
  constexpr int lanes = simd::lanes<double>;
  const simd::FlushDenormals flush;
  for (std::int64_t j = columns.begin; j < columns.end; ++j) {
    const Scalar* scores = of.costs.column(of.tile, j);
    Scalar* to = coupling + (j - columns.begin) * stride;
    for (int i = 0; i < tile_rows; i += lanes)
      store_narrow(simd::exp2<double>(simd::load_wide(scores + i) * of.kappa + (simd::load(of.u + i) + of.v[j])), to + i);
  }
}

#define THALWEG_COLUMNS_HOST(Scalar)                                                                                 \
  template void add_column_sums<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, const Scalar*,     \
                                        ColumnSlice, double*);                                                       \
  template void raise_column_maxima<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, ColumnSlice,   \
                                            double*);                                                                \
  template void add_column_products<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, const double*, \
                                            std::int64_t, std::int64_t, ColumnSlice, double*);                       \
  template void coupling_of_tile<Scalar>(const CouplingTile<Scalar>&, ColumnSlice, std::int64_t, Scalar*);
THALWEG_COLUMNS_HOST(float)
THALWEG_COLUMNS_HOST(double)

}  // namespace thalweg::host
