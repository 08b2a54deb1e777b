#include "kernels/pair_rows.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <type_traits>

#include "kernels/instantiate.hpp"
#include "kernels/pair_apply_host.hpp"
#include "kernels/pair_gather_hopper.hpp"
#include "kernels/pair_parallel.hpp"
#include "kernels/pair_plain_passes.hpp"
#include "kernels/pair_rows_host.hpp"
#include "kernels/pair_sums_hopper.hpp"

namespace thalweg {

namespace {

/// A pass of the host over tiles of a range: body(tile, position, results of the tile).
template <class ExecutionSpace, class Body>
std::vector<double> host_rows(const ExecutionSpace& exec, TileRange range, std::int64_t num_columns,
                              std::int64_t values_per_row, const Body& body) {
  std::vector<double> results(static_cast<std::size_t>(range.count * tile_rows * values_per_row));
  for_each_tile(exec, range.count, num_columns, [&](const std::int64_t position) {
    double values[3 * tile_rows];
    body(range.first + position, position, values);
    for (std::int64_t i = 0; i < tile_rows; ++i)
      for (std::int64_t w = 0; w < values_per_row; ++w)
        results[static_cast<std::size_t>((position * tile_rows + i) * values_per_row + w)] = values[w * tile_rows + i];
  });
  return results;
}

/// Every thread keeps its own sums and takes the next tile; which one makes no difference to them.
template <class Scalar, class ExecutionSpace>
StripSums<Scalar> strip_on_host(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const StripRows& rows,
                                std::span<const Scalar> shifts) {
  StripSums<Scalar> result;
  result.biases.resize(static_cast<std::size_t>(rows.tiles.count * tile_rows));
  result.logs.resize(result.biases.size());
  result.tile_masses.resize(static_cast<std::size_t>(rows.tiles.count));
  result.column_sums.assign(static_cast<std::size_t>(operands.num_columns), 0);
  const std::int64_t threads =
      std::clamp<std::int64_t>(exec.concurrency(), 1, std::max<std::int64_t>(1, rows.tiles.count));
  std::vector<std::unique_ptr<host::Strip<Scalar>>> strips(static_cast<std::size_t>(threads));
  std::atomic<std::int64_t> next = 0;
  for_each_tile(exec, threads, rows.tiles.count * tile_rows * operands.num_columns, [&](const std::int64_t thread) {
    auto& strip = strips[static_cast<std::size_t>(thread)];
    strip = std::make_unique<host::Strip<Scalar>>(operands, rows.height);
    for (std::int64_t p = next++; p < rows.tiles.count; p = next++) {
      const std::int64_t at = p * tile_rows;
      result.tile_masses[static_cast<std::size_t>(p)] = strip->add_tile(
          rows.tiles.first + p, shifts.empty() ? nullptr : shifts.data() + at, {rows.tau, rows.offsets.data() + at},
          rows.alpha.data() + at, rows.bound, {result.biases.data() + at, result.logs.data() + at});
    }
  });
  for (const auto& strip : strips) {
    strip->add_to(result.column_sums.data());
    result.fallback_tiles += strip->fallback_tiles();
  }
  return result;
}

template <class ExecutionSpace>
std::vector<double> sums_on_hopper(const ExecutionSpace& exec, const PairOperands<float>& operands,
                                   std::span<const std::int64_t> tiles, std::span<const float> shifts,
                                   const DevicePool<ExecutionSpace>& pool) {
  const auto count = static_cast<std::int64_t>(tiles.size()), rows = count * tile_rows;
  if (count == 0) return {};
  const auto list = pool.copy(exec, tiles);
  const auto of_rows = pool.copy(exec, shifts);
  const auto packed = pool.template values<unsigned char>(exec, hopper::packed_bytes(operands));
  const auto parts = pool.template values<double>(exec, num_slices(operands.num_columns) * rows),
             sums = pool.template values<double>(exec, rows);
  hopper::start_sums(exec.cuda_stream(),
                     {operands, list.data(), count, of_rows.data(), packed.data(), parts.data(), sums.data()});
  return values_on_host(exec, static_cast<const double*>(sums.data()), rows);
}

template <hopper::RowGather which, class ExecutionSpace>
std::vector<double> gathered_on_hopper(const ExecutionSpace& exec, const PairOperands<double>& operands,
                                       const plain::Tiles& tiles, std::span<const double> shifts,
                                       std::span<const double> column_logs, const DevicePool<ExecutionSpace>& pool) {
  const std::int64_t size = tiles.count * tile_rows * hopper::values_per_row(which);
  if (size == 0) return {};
  const auto list = pool.copy(exec, tiles.list);
  const auto of_rows = pool.copy(exec, shifts), logs = pool.copy(exec, column_logs);
  const auto parts = pool.template values<double>(exec, num_slices(operands.num_columns) * size),
             results = pool.template values<double>(exec, size);
  hopper::start_gather(exec.cuda_stream(),
                       {operands, tiles.list.empty() ? nullptr : list.data(), tiles.first, tiles.count, of_rows.data(),
                        logs.data(), parts.data(), results.data()},
                       which);
  return values_on_host(exec, static_cast<const double*>(results.data()), size);
}

}  // namespace

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_sums_plain(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                        std::span<const std::int64_t> tiles, std::span<const Scalar> shifts,
                                        const DevicePool<ExecutionSpace>& pool) {
  return plain::row_sums(exec, operands, plain::Tiles::of_list(tiles), shifts, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_sums(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                  std::span<const std::int64_t> tiles, std::span<const Scalar> shifts,
                                  const DevicePool<ExecutionSpace>& pool) {
  if constexpr (is_host<ExecutionSpace>) {
    std::vector<double> sums(tiles.size() * tile_rows);
    for_each_tile(exec, static_cast<std::int64_t>(tiles.size()), operands.num_columns, [&](const std::int64_t p) {
      host::row_sums(operands, tiles[static_cast<std::size_t>(p)], shifts.data() + p * tile_rows,
                     sums.data() + p * tile_rows);
    });
    return sums;
  } else {
    if constexpr (std::is_same_v<Scalar, float>) {
      if (hopper::can_sum(operands)) return sums_on_hopper(exec, operands, tiles, shifts, pool);
    } else if (hopper::can_gather(operands)) {
      return gathered_on_hopper<hopper::RowGather::sum>(exec, operands, plain::Tiles::of_list(tiles), shifts, {}, pool);
    }
    return pair_row_sums_plain(exec, operands, tiles, shifts, pool);
  }
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> pair_row_maxima(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                    std::span<const std::int64_t> tiles, const DevicePool<ExecutionSpace>& pool) {
  const auto count = static_cast<std::int64_t>(tiles.size());
  std::vector<Scalar> maxima(static_cast<std::size_t>(count * tile_rows));
  if constexpr (is_host<ExecutionSpace>) {
    for_each_tile(exec, count, operands.num_columns, [&](const std::int64_t position) {
      host::row_maxima(operands, tiles[static_cast<std::size_t>(position)], maxima.data() + position * tile_rows);
    });
  } else {
    const auto values = plain::row_maxima(exec, operands, plain::Tiles::of_list(tiles), pool);
    for (std::size_t i = 0; i < maxima.size(); ++i) maxima[i] = static_cast<Scalar>(values[i]);
  }
  return maxima;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_moments(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange range,
                                     std::span<const Scalar> shifts, std::span<const Scalar> column_logs,
                                     const DevicePool<ExecutionSpace>& pool) {
  if constexpr (is_host<ExecutionSpace>) {
    return host_rows(
        exec, range, operands.num_columns, 3, [&](std::int64_t tile, std::int64_t position, double* values) {
          host::row_moments(operands, tile, shifts.data() + position * tile_rows, column_logs.data(), values);
        });
  } else {
    const auto tiles = plain::Tiles::of_range(range.first, range.count);
    if constexpr (std::is_same_v<Scalar, double>)
      if (hopper::can_gather(operands))
        return gathered_on_hopper<hopper::RowGather::moments>(exec, operands, tiles, shifts, column_logs, pool);
    return plain::row_moments(exec, operands, tiles, shifts, column_logs, pool);
  }
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_costs(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange range,
                                   std::span<const Scalar> shifts, const DevicePool<ExecutionSpace>& pool) {
  if constexpr (is_host<ExecutionSpace>)
    return host_rows(exec, range, operands.num_columns, 2,
                     [&](std::int64_t tile, std::int64_t position, double* values) {
                       host::row_costs(operands, tile, shifts.data() + position * tile_rows, values);
                     });
  else return plain::row_costs(exec, operands, plain::Tiles::of_range(range.first, range.count), shifts, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_apply(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange range,
                               std::span<const Scalar> shifts, std::span<const double> values, std::int64_t width,
                               const DevicePool<ExecutionSpace>& pool) {
  if constexpr (is_host<ExecutionSpace>) {
    std::vector<double> products(static_cast<std::size_t>(range.count * tile_rows * width));
    const host::ValuePanels<Scalar> panels(values.data(), operands.num_columns, width);
    for_each_tile(exec, range.count, operands.num_columns, [&](const std::int64_t position) {
      std::vector<double> tile(static_cast<std::size_t>(width * tile_rows));
      host::apply(operands, range.first + position, shifts.data() + position * tile_rows, panels, tile.data());
      for (std::int64_t i = 0; i < tile_rows; ++i)
        for (std::int64_t w = 0; w < width; ++w)
          products[static_cast<std::size_t>((position * tile_rows + i) * width + w)] =
              tile[static_cast<std::size_t>(w * tile_rows + i)];
    });
    return products;
  } else {
    return plain::apply(exec, operands, plain::Tiles::of_range(range.first, range.count), shifts, values, width, pool);
  }
}

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> pair_cost_counts(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                           TileRange range, std::span<const Scalar> shifts, RadixDigit digit,
                                           const DevicePool<ExecutionSpace>& pool) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(digit.num_digits()), 0);
  if constexpr (is_host<ExecutionSpace>) {
    const std::int64_t shares = exec.concurrency();
    std::vector<std::vector<std::int64_t>> own(static_cast<std::size_t>(shares), counts);
    for_each_tile(exec, shares, range.count * tile_rows * operands.num_columns, [&](const std::int64_t share) {
      for (std::int64_t p = range.count * share / shares; p < range.count * (share + 1) / shares; ++p)
        host::count_costs(operands, range.first + p, shifts.data() + p * tile_rows, digit,
                          own[static_cast<std::size_t>(share)].data());
    });
    for (const auto& part : own)
      for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += part[i];
  } else {
    counts = plain::cost_counts(exec, operands, plain::Tiles::of_range(range.first, range.count), shifts, digit, pool);
  }
  return counts;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_scores(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                std::int64_t first_row, std::int64_t num_rows) {
  return plain::scores(exec, operands, first_row, num_rows);
}

template <class Scalar, class ExecutionSpace>
StripSums<Scalar> pair_strip(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const StripRows& rows,
                             std::span<const Scalar> shifts) {
  if constexpr (is_host<ExecutionSpace>) return strip_on_host(exec, operands, rows, shifts);
  else return {};
}

#define THALWEG_PAIR_ROWS(Scalar, Space)                                                                              \
  template std::vector<Scalar> pair_row_maxima<Scalar, Space>(                                                        \
      const Space&, const PairOperands<Scalar>&, std::span<const std::int64_t>, const DevicePool<Space>&);            \
  template std::vector<double> pair_row_sums<Scalar, Space>(const Space&, const PairOperands<Scalar>&,                \
                                                            std::span<const std::int64_t>, std::span<const Scalar>,   \
                                                            const DevicePool<Space>&);                                \
  template std::vector<double> pair_row_sums_plain<Scalar, Space>(const Space&, const PairOperands<Scalar>&,          \
                                                                  std::span<const std::int64_t>,                      \
                                                                  std::span<const Scalar>, const DevicePool<Space>&); \
  template std::vector<double> pair_row_moments<Scalar, Space>(const Space&, const PairOperands<Scalar>&, TileRange,  \
                                                               std::span<const Scalar>, std::span<const Scalar>,      \
                                                               const DevicePool<Space>&);                             \
  template std::vector<double> pair_row_costs<Scalar, Space>(const Space&, const PairOperands<Scalar>&, TileRange,    \
                                                             std::span<const Scalar>, const DevicePool<Space>&);      \
  template std::vector<double> pair_apply<Scalar, Space>(const Space&, const PairOperands<Scalar>&, TileRange,        \
                                                         std::span<const Scalar>, std::span<const double>,            \
                                                         std::int64_t, const DevicePool<Space>&);                     \
  template std::vector<std::int64_t> pair_cost_counts<Scalar, Space>(const Space&, const PairOperands<Scalar>&,       \
                                                                     TileRange, std::span<const Scalar>, RadixDigit,  \
                                                                     const DevicePool<Space>&);                       \
  template std::vector<double> pair_scores<Scalar, Space>(const Space&, const PairOperands<Scalar>&, std::int64_t,    \
                                                          std::int64_t);                                              \
  template StripSums<Scalar> pair_strip<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const StripRows&,   \
                                                       std::span<const Scalar>);
THALWEG_INSTANTIATE(THALWEG_PAIR_ROWS)

}  // namespace thalweg
