#include "kernels/pair_rows.hpp"

#include <algorithm>
#include <atomic>
#include <memory>

#include "kernels/instantiate.hpp"
#include "kernels/pair_apply_host.hpp"
#include "kernels/pair_plain.hpp"
#include "kernels/pair_rows_host.hpp"

namespace thalweg {

namespace {

template <class ExecutionSpace>
inline constexpr bool is_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename ExecutionSpace::memory_space>::accessible;

/// Calls body(position) for tiles of rows, handed to the threads of a host space one after another; in this thread
/// where the pairs are too few to be worth handing over.
template <class ExecutionSpace, class Body>
void for_each_tile(const ExecutionSpace& exec, std::int64_t count, std::int64_t num_columns, const Body& body) {
  constexpr std::int64_t worthwhile_pairs = 1 << 17;
  if (exec.concurrency() == 1 || count < 2 || count * tile_rows * num_columns < worthwhile_pairs) {
    for (std::int64_t position = 0; position < count; ++position) body(position);
    return;
  }
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;
  Kokkos::parallel_for("thalweg::pair_rows::host", Policy(exec, 0, count, Kokkos::ChunkSize(1)), body);
  exec.fence("thalweg::pair_rows::host");
}

template <class Value, class ExecutionSpace>
Kokkos::View<Value*, typename ExecutionSpace::memory_space> to_device(const ExecutionSpace& exec,
                                                                       std::span<const Value> values) {
  using Device = Kokkos::View<Value*, typename ExecutionSpace::memory_space>;
  Device device(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::pair_values"), values.size());
  using Host = Kokkos::View<const Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  Kokkos::deep_copy(exec, device, Host(values.data(), values.size()));
  exec.fence("thalweg::pair_rows::to_device");
  return device;
}

template <class Value, class Memory>
std::vector<Value> to_host(const Kokkos::View<Value*, Memory>& device) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, device);
  return {host.data(), host.data() + host.size()};
}

template <class Body, class ExecutionSpace>
void for_each_item(const ExecutionSpace& exec, std::int64_t count, const Body& body) {
  if (count == 0) return;
  Kokkos::parallel_for("thalweg::pair_rows::plain", Kokkos::RangePolicy<ExecutionSpace>(exec, 0, count), body);
  exec.fence("thalweg::pair_rows::plain");
}

/// The plain pass: what `Gather` collects for every row of the tiles. @param tiles  empty: the range
template <class Gather, class Scalar, class ExecutionSpace>
std::vector<double> gather_rows(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                std::span<const std::int64_t> tiles, TileRange range, std::span<const Scalar> shifts,
                                std::span<const Scalar> column_logs = {}) {
  constexpr std::int64_t most_slices = is_host<ExecutionSpace> ? 1 : 16;
  const std::int64_t chunks = (operands.num_columns + flush_columns - 1) / flush_columns;
  const std::int64_t slices = std::clamp<std::int64_t>(chunks, 1, most_slices);
  const auto list = to_device<std::int64_t>(exec, tiles);
  const auto shift = to_device<Scalar>(exec, shifts), logs = to_device<Scalar>(exec, column_logs);
  const std::int64_t items = range.count * tile_rows * slices;
  const Kokkos::View<double*, typename ExecutionSpace::memory_space> results(
      "thalweg::pair_sums", static_cast<std::size_t>(items * Gather::size));
  with_score(operands.score, [&](auto score) {
    using Pass = plain::RowPass<Scalar, decltype(score), Gather>;
    for_each_item(exec, items, Pass{operands, tiles.empty() ? nullptr : list.data(), range.first,
                                    shifts.empty() ? nullptr : shift.data(), logs.data(), results.data(), slices});
  });
  const std::vector<double> parts = to_host(results);
  constexpr std::int64_t stride = tile_rows * Gather::size;
  std::vector<double> gathered(static_cast<std::size_t>(range.count * stride));
  for (std::int64_t position = 0; position < range.count; ++position)
    for (std::int64_t i = 0; i < stride; ++i) {
      double& value = gathered[static_cast<std::size_t>(position * stride + i)];
      value = parts[static_cast<std::size_t>(position * slices * stride + i)];
      for (std::int64_t slice = 1; slice < slices; ++slice) {
        const double part = parts[static_cast<std::size_t>((position * slices + slice) * stride + i)];
        value = Gather::is_maximum(static_cast<int>(i % Gather::size)) ? std::max(value, part) : value + part;
      }
    }
  return gathered;
}

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

}  // namespace

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_sums_plain(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                        std::span<const std::int64_t> tiles, std::span<const Scalar> shifts) {
  return gather_rows<plain::RowSum>(exec, operands, tiles, {0, static_cast<std::int64_t>(tiles.size())}, shifts);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_sums(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                  std::span<const std::int64_t> tiles, std::span<const Scalar> shifts) {
  if constexpr (is_host<ExecutionSpace>) {
    std::vector<double> sums(tiles.size() * tile_rows);
    for_each_tile(exec, static_cast<std::int64_t>(tiles.size()), operands.num_columns, [&](const std::int64_t p) {
      host::row_sums(operands, tiles[static_cast<std::size_t>(p)], shifts.data() + p * tile_rows, sums.data() + p * tile_rows);
    });
    return sums;
  } else {
    return pair_row_sums_plain(exec, operands, tiles, shifts);
  }
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> pair_row_maxima(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                    std::span<const std::int64_t> tiles) {
  const auto count = static_cast<std::int64_t>(tiles.size());
  std::vector<Scalar> maxima(static_cast<std::size_t>(count * tile_rows));
  if constexpr (is_host<ExecutionSpace>) {
    for_each_tile(exec, count, operands.num_columns, [&](const std::int64_t position) {
      host::row_maxima(operands, tiles[static_cast<std::size_t>(position)], maxima.data() + position * tile_rows);
    });
  } else {
    const auto values = gather_rows<plain::RowMaximum>(exec, operands, tiles, {0, count}, std::span<const Scalar>{});
    for (std::size_t i = 0; i < maxima.size(); ++i) maxima[i] = static_cast<Scalar>(values[i]);
  }
  return maxima;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_moments(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange range,
                                     std::span<const Scalar> shifts, std::span<const Scalar> column_logs) {
  if constexpr (is_host<ExecutionSpace>)
    return host_rows(exec, range, operands.num_columns, 3, [&](std::int64_t tile, std::int64_t position, double* values) {
      host::row_moments(operands, tile, shifts.data() + position * tile_rows, column_logs.data(), values);
    });
  else
    return gather_rows<plain::RowMoments>(exec, operands, std::span<const std::int64_t>{}, range, shifts, column_logs);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_row_costs(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange range,
                                   std::span<const Scalar> shifts) {
  if constexpr (is_host<ExecutionSpace>)
    return host_rows(exec, range, operands.num_columns, 2, [&](std::int64_t tile, std::int64_t position, double* values) {
      host::row_costs(operands, tile, shifts.data() + position * tile_rows, values);
    });
  else
    return gather_rows<plain::RowCosts>(exec, operands, std::span<const std::int64_t>{}, range, shifts);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_apply(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, TileRange range,
                               std::span<const Scalar> shifts, std::span<const double> values, std::int64_t width) {
  const std::int64_t size = range.count * tile_rows * width;
  if constexpr (is_host<ExecutionSpace>) {
    std::vector<double> products(static_cast<std::size_t>(size));
    const host::ValuePanels<Scalar> panels(values.data(), operands.num_columns, width);
    for_each_tile(exec, range.count, operands.num_columns, [&](const std::int64_t position) {
      std::vector<double> tile(static_cast<std::size_t>(width * tile_rows));
      host::apply(operands, range.first + position, shifts.data() + position * tile_rows, panels, tile.data());
      for (std::int64_t i = 0; i < tile_rows; ++i)
        for (std::int64_t w = 0; w < width; ++w)
          products[static_cast<std::size_t>((position * tile_rows + i) * width + w)] = tile[static_cast<std::size_t>(w * tile_rows + i)];
    });
    return products;
  } else {
    const auto shift = to_device<Scalar>(exec, shifts);
    const auto columns = to_device<double>(exec, values);
    const Kokkos::View<double*, typename ExecutionSpace::memory_space> products("thalweg::pair_products", static_cast<std::size_t>(size));
    with_score(operands.score, [&](auto score) {
      using Pass = plain::ApplyPass<Scalar, decltype(score)>;
      for_each_item(exec, range.count * tile_rows * ((width + Pass::widest - 1) / Pass::widest),
                    Pass{operands, range.first, shift.data(), columns.data(), width, products.data()});
    });
    return to_host(products);
  }
}

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> pair_cost_counts(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                           TileRange range, std::span<const Scalar> shifts, RadixDigit digit) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(digit.num_digits()), 0);
  if constexpr (is_host<ExecutionSpace>) {
    const std::int64_t shares = exec.concurrency();
    std::vector<std::vector<std::int64_t>> own(static_cast<std::size_t>(shares), counts);
    for_each_tile(exec, shares, range.count * tile_rows * operands.num_columns, [&](const std::int64_t share) {
      for (std::int64_t p = range.count * share / shares; p < range.count * (share + 1) / shares; ++p)
        host::count_costs(operands, range.first + p, shifts.data() + p * tile_rows, digit, own[static_cast<std::size_t>(share)].data());
    });
    for (const auto& part : own)
      for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += part[i];
  } else {
    const auto shift = to_device<Scalar>(exec, shifts);
    const Kokkos::View<unsigned long long*, typename ExecutionSpace::memory_space> sums("thalweg::pair_counts", counts.size());
    with_score(operands.score, [&](auto score) {
      using Pass = plain::CountPass<Scalar, decltype(score)>;
      const std::int64_t panels = (operands.num_columns + plain::panel_columns - 1) / plain::panel_columns;
      for_each_item(exec, range.count * tile_rows * panels, Pass{operands, range.first, shift.data(), digit, sums.data()});
    });
    const auto host = to_host(sums);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<std::int64_t>(host[i]);
  }
  return counts;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> pair_scores(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                std::int64_t first_row, std::int64_t num_rows) {
  const Kokkos::View<double*, typename ExecutionSpace::memory_space> scores(
      Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::pair_scores"),
      static_cast<std::size_t>(num_rows * operands.num_columns));
  with_score(operands.score, [&](auto score) {
    using Pass = plain::ScorePass<Scalar, decltype(score)>;
    for_each_item(exec, num_rows * operands.column_tiles(), Pass{operands, first_row, scores.data()});
  });
  return to_host(scores);
}

template <class Scalar, class ExecutionSpace>
StripSums<Scalar> pair_strip(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const StripRows& rows,
                             std::span<const Scalar> shifts) {
  StripSums<Scalar> result;
  result.biases.resize(static_cast<std::size_t>(rows.tiles.count * tile_rows));
  result.logs.resize(result.biases.size());
  result.tile_masses.resize(static_cast<std::size_t>(rows.tiles.count));
  result.column_sums.assign(static_cast<std::size_t>(operands.num_columns), 0);
  const std::int64_t threads = std::clamp<std::int64_t>(exec.concurrency(), 1, std::max<std::int64_t>(1, rows.tiles.count));
  std::vector<std::unique_ptr<host::Strip<Scalar>>> strips(static_cast<std::size_t>(threads));
  std::atomic<std::int64_t> next = 0;
  for_each_tile(exec, threads, rows.tiles.count * tile_rows * operands.num_columns, [&](const std::int64_t thread) {
    auto& strip = strips[static_cast<std::size_t>(thread)];
    strip = std::make_unique<host::Strip<Scalar>>(operands);
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

#define THALWEG_PAIR_ROWS(Scalar, Space)                                                                               \
  template std::vector<Scalar> pair_row_maxima<Scalar, Space>(const Space&, const PairOperands<Scalar>&,               \
                                                              std::span<const std::int64_t>);                          \
  template std::vector<double> pair_row_sums<Scalar, Space>(                                                           \
      const Space&, const PairOperands<Scalar>&, std::span<const std::int64_t>, std::span<const Scalar>);              \
  template std::vector<double> pair_row_sums_plain<Scalar, Space>(                                                     \
      const Space&, const PairOperands<Scalar>&, std::span<const std::int64_t>, std::span<const Scalar>);              \
  template std::vector<double> pair_row_moments<Scalar, Space>(const Space&, const PairOperands<Scalar>&, TileRange,   \
                                                               std::span<const Scalar>, std::span<const Scalar>);      \
  template std::vector<double> pair_row_costs<Scalar, Space>(const Space&, const PairOperands<Scalar>&, TileRange,     \
                                                             std::span<const Scalar>);                                 \
  template std::vector<double> pair_apply<Scalar, Space>(const Space&, const PairOperands<Scalar>&, TileRange,         \
                                                         std::span<const Scalar>, std::span<const double>,             \
                                                         std::int64_t);                                                \
  template std::vector<std::int64_t> pair_cost_counts<Scalar, Space>(const Space&, const PairOperands<Scalar>&,        \
                                                                     TileRange, std::span<const Scalar>, RadixDigit);  \
  template std::vector<double> pair_scores<Scalar, Space>(const Space&, const PairOperands<Scalar>&, std::int64_t,     \
                                                          std::int64_t);                                               \
  template StripSums<Scalar> pair_strip<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const StripRows&,    \
                                                       std::span<const Scalar>);
THALWEG_INSTANTIATE(THALWEG_PAIR_ROWS)

}  // namespace thalweg
