// Products of exponentials with columns of values, and counts of costs, over one tile of rows. No Kokkos.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/ordered_bits.hpp"
#include "kernels/pair_operands.hpp"
#include "kernels/panels.hpp"

namespace thalweg::host {

/// Values of the columns of a pass in the order in which `apply` reads them: panel by panel, column by column.
template <class Scalar>
struct ValuePanels {
  /// 6 x 4 accumulators, 4 exponentials and a value in 32 vector registers, 3 x 2, 2 and 1 in 16.
#ifdef __AVX512F__
  static constexpr int widest = 6;
#else
  static constexpr int widest = 3;
#endif
  using Split = Panels<widest>;

  Split split;
  std::int64_t padded_columns = 0;
  std::vector<Scalar> values;

  /// @param rows   num_columns x width, row-major
  ValuePanels(const double* rows, std::int64_t num_columns, std::int64_t width);
  const Scalar* panel(std::int64_t p) const { return values.data() + split.begin(p) * padded_columns; }
};

/// products[w][i] = sum_j 2^s_ij V_jw of the rows of one tile, width x tile_rows.
template <class Scalar>
void apply(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
           const ValuePanels<Scalar>& values, double* products);

/// counts[digit] += number of pairs of one tile of rows, both points taking part, with the prefix.
template <class Scalar>
void count_costs(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, RadixDigit digit,
                 std::int64_t* counts);

}  // namespace thalweg::host
