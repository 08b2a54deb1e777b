// Passes of tiles of rows against all columns: exponents of pairs are formed, used and discarded.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/device_pool.hpp"
#include "kernels/ordered_bits.hpp"
#include "kernels/pair_operands.hpp"
#include "kernels/pair_strip_host.hpp"

namespace thalweg {

/// Tiles of rows of a pass; what is given or returned a row covers them one after another, padding included.
struct TileRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// Operands are addresses in the memory of the execution space; spans are on the host. The host uses register tiles,
/// a Hopper device its matrix units for sums (in double also moments) of dot products, all else the plain kernels; they
/// agree to rounding. A row's sum has the same bits wherever it is formed.
///
/// rho_i = sum_j omega_j 2^s_ij of some tiles, one after another.
/// @param pool  device memory for what the pass needs beside the operands
template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_sums(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                  std::span<const std::int64_t> tiles, std::span<const Scalar> shifts,
                                  const DevicePool<ExecutionSpace>& pool = {});

/// The same sums by the plain kernels, one source for every device and one for hosts: the oracle of the tuned ones.
template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_sums_plain(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                        std::span<const std::int64_t> tiles, std::span<const Scalar> shifts,
                                        const DevicePool<ExecutionSpace>& pool = {});

/// max_j s_ij of some tiles with u = 0; near no_bias where no column takes part.
template <class Scalar, class ExecutionSpace>
std::vector<Scalar> pair_row_maxima(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                    std::span<const std::int64_t> tiles, const DevicePool<ExecutionSpace>& pool = {});

/// Sums over j of e, e s and e lambda_j with e = 2^s_ij: three numbers a row.
/// @param column_logs  lambda, padded to tiles, finite
template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_moments(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange tiles,
                                     std::span<const Scalar> shifts, std::span<const Scalar> column_logs,
                                     const DevicePool<ExecutionSpace>& pool = {});

/// Sum and maximum over the columns that take part of -s_ij: two numbers a row.
template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_costs(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange tiles,
                                   std::span<const Scalar> shifts, const DevicePool<ExecutionSpace>& pool = {});

/// sum_j 2^s_ij V_jw, rows x width. @param values   V, num_columns x width, row-major
template <class Scalar, class ExecutionSpace>
std::vector<double> pair_apply(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange tiles,
                               std::span<const Scalar> shifts, std::span<const double> values, std::int64_t width,
                               const DevicePool<ExecutionSpace>& pool = {});

/// How many pairs, both points taking part, have each digit of -s_ij: 2^width counts.
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> pair_cost_counts(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                           TileRange tiles, std::span<const Scalar> shifts, RadixDigit digit,
                                           const DevicePool<ExecutionSpace>& pool = {});

/// Scores in double from the packed numbers, rows x num_columns. @param rows   of one side's points
template <class Scalar, class ExecutionSpace>
std::vector<double> pair_scores(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                std::int64_t first_row, std::int64_t num_rows);

/// Both updates of one evaluation from one set of exponentials; on host spaces only, empty on others.
template <class Scalar>
struct StripSums {
  std::vector<Scalar> biases;             // new u of the rows
  std::vector<double> logs;               // l of the rows
  std::vector<std::int64_t> column_sums;  // of alpha_i 2^s_ij with the new u, in the fixed-point form of `bound`
  std::vector<double> tile_masses;        // what every tile of rows added
  std::int64_t fallback_tiles = 0;
};

/// What of the rows a strip pass needs beside the operands.
struct StripRows {
  TileRange tiles;
  double tau = 1.0;
  std::span<const double> offsets;  // of BiasUpdate
  std::span<const double> alpha;    // 0 for padding
  double bound = 1.0;               // of the column sums
  int height = tile_rows;           // of the strips
};

template <class Scalar, class ExecutionSpace>
StripSums<Scalar> pair_strip(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const StripRows& rows,
                             std::span<const Scalar> shifts);

}  // namespace thalweg
