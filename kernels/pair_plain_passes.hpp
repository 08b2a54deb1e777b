// The plain passes as functions: one source for every execution space, the oracle of the tuned ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/device_pool.hpp"
#include "kernels/ordered_bits.hpp"
#include "kernels/pair_operands.hpp"

namespace thalweg::plain {

/// Tiles of rows: those listed, or all of a range.
struct Tiles {
  std::span<const std::int64_t> list;
  std::int64_t first = 0;  // where there is no list
  std::int64_t count = 0;

  static Tiles of_list(std::span<const std::int64_t> list) { return {list, 0, static_cast<std::int64_t>(list.size())}; }
  static Tiles of_range(std::int64_t first, std::int64_t count) { return {{}, first, count}; }
};

/// Results of the functions of pair_rows.hpp of the same names.
template <class Scalar, class ExecutionSpace>
std::vector<double> row_sums(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                             std::span<const Scalar> shifts, const DevicePool<ExecutionSpace>& pool = {});
template <class Scalar, class ExecutionSpace>
std::vector<double> row_maxima(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                               const DevicePool<ExecutionSpace>& pool = {});
template <class Scalar, class ExecutionSpace>
std::vector<double> row_moments(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                                std::span<const Scalar> shifts, std::span<const Scalar> column_logs,
                                const DevicePool<ExecutionSpace>& pool = {});
template <class Scalar, class ExecutionSpace>
std::vector<double> row_costs(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                              std::span<const Scalar> shifts, const DevicePool<ExecutionSpace>& pool = {});
template <class Scalar, class ExecutionSpace>
std::vector<double> apply(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& range,
                          std::span<const Scalar> shifts, std::span<const double> values, std::int64_t width,
                          const DevicePool<ExecutionSpace>& pool = {});
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> cost_counts(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                      const Tiles& range, std::span<const Scalar> shifts, RadixDigit digit,
                                      const DevicePool<ExecutionSpace>& pool = {});
template <class Scalar, class ExecutionSpace>
std::vector<double> scores(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, std::int64_t first_row,
                           std::int64_t num_rows);

}  // namespace thalweg::plain
