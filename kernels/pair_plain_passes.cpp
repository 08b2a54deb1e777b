#include "kernels/pair_plain_passes.hpp"

#include <algorithm>

#include "kernels/instantiate.hpp"
#include "kernels/pair_parallel.hpp"
#include "kernels/pair_plain.hpp"

namespace thalweg::plain {

namespace {

template <class Body, class ExecutionSpace>
void for_each_item(const ExecutionSpace& exec, std::int64_t count, const Body& body) {
  if (count == 0) return;
  Kokkos::parallel_for("thalweg::pair_rows::plain", Kokkos::RangePolicy<ExecutionSpace>(exec, 0, count), body);
  exec.fence("thalweg::pair_rows::plain");
}

/// What `Gather` collects for every row of the tiles.
template <class Gather, class Scalar, class ExecutionSpace>
std::vector<double> gather_rows(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                                std::span<const Scalar> shifts, std::span<const Scalar> column_logs = {}) {
  constexpr std::int64_t most_slices = is_host<ExecutionSpace> ? 1 : 16;
  const std::int64_t chunks = (operands.num_columns + flush_columns - 1) / flush_columns;
  const std::int64_t slices = std::clamp<std::int64_t>(chunks, 1, most_slices);
  const auto list = to_device<std::int64_t>(exec, tiles.list);
  const auto shift = to_device<Scalar>(exec, shifts), logs = to_device<Scalar>(exec, column_logs);
  constexpr int lanes = is_host<ExecutionSpace> ? host_lanes : 1;
  const std::int64_t rows = tiles.count * slices * tile_rows;
  const Kokkos::View<double*, typename ExecutionSpace::memory_space> results(
      "thalweg::pair_sums", static_cast<std::size_t>(rows * Gather::size));
  with_score(operands.score, [&](auto score) {
    using Pass = RowPass<Scalar, decltype(score), Gather, lanes>;
    for_each_item(exec, rows / lanes,
                  Pass{operands, tiles.list.empty() ? nullptr : list.data(), tiles.first,
                       shifts.empty() ? nullptr : shift.data(), logs.data(), results.data(), slices});
  });
  const std::vector<double> parts = to_host(results);
  constexpr std::int64_t stride = tile_rows * Gather::size;
  std::vector<double> gathered(static_cast<std::size_t>(tiles.count * stride));
  for (std::int64_t position = 0; position < tiles.count; ++position)
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

}  // namespace

template <class Scalar, class ExecutionSpace>
std::vector<double> row_sums(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                             std::span<const Scalar> shifts) {
  return gather_rows<RowSum>(exec, operands, tiles, shifts);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> row_maxima(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles) {
  return gather_rows<RowMaximum>(exec, operands, tiles, std::span<const Scalar>{});
}

template <class Scalar, class ExecutionSpace>
std::vector<double> row_moments(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                                std::span<const Scalar> shifts, std::span<const Scalar> column_logs) {
  return gather_rows<RowMoments>(exec, operands, tiles, shifts, column_logs);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> row_costs(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                              std::span<const Scalar> shifts) {
  return gather_rows<RowCosts>(exec, operands, tiles, shifts);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> apply(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& range,
                          std::span<const Scalar> shifts, std::span<const double> values, std::int64_t width) {
  const std::int64_t size = range.count * tile_rows * width;
  const auto shift = to_device<Scalar>(exec, shifts);
  const auto columns = to_device<double>(exec, values);
  const Kokkos::View<double*, typename ExecutionSpace::memory_space> products("thalweg::pair_products",
                                                                              static_cast<std::size_t>(size));
  with_score(operands.score, [&](auto score) {
    using Pass = ApplyPass<Scalar, decltype(score)>;
    for_each_item(exec, range.count * tile_rows * ((width + Pass::widest - 1) / Pass::widest),
                  Pass{operands, range.first, shift.data(), columns.data(), width, products.data()});
  });
  return to_host(products);
}

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> cost_counts(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                      const Tiles& range, std::span<const Scalar> shifts, RadixDigit digit) {
  const auto shift = to_device<Scalar>(exec, shifts);
  const Kokkos::View<unsigned long long*, typename ExecutionSpace::memory_space> sums(
      "thalweg::pair_counts", static_cast<std::size_t>(digit.num_digits()));
  with_score(operands.score, [&](auto score) {
    using Pass = CountPass<Scalar, decltype(score)>;
    const std::int64_t panels = (operands.num_columns + panel_columns<Scalar> - 1) / panel_columns<Scalar>;
    for_each_item(exec, range.count * tile_rows * panels,
                  Pass{operands, range.first, shift.data(), digit, sums.data()});
  });
  const auto host = to_host(sums);
  return {host.begin(), host.end()};
}

template <class Scalar, class ExecutionSpace>
std::vector<double> scores(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, std::int64_t first_row,
                           std::int64_t num_rows) {
  const auto size = static_cast<std::size_t>(num_rows * operands.num_columns);
  const auto fill = [&](double* values) {
    with_score(operands.score, [&](auto score) {
      using Pass = ScorePass<Scalar, decltype(score)>;
      for_each_item(exec, num_rows * operands.column_tiles(), Pass{operands, first_row, values});
    });
  };
  if constexpr (is_host<ExecutionSpace>) {
    std::vector<double> values(size);
    fill(values.data());
    return values;
  } else {
    const Kokkos::View<double*, typename ExecutionSpace::memory_space> values(
        Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::pair_scores"), size);
    fill(values.data());
    return to_host(values);
  }
}

#define THALWEG_PAIR_PLAIN(Scalar, Space)                                                                            \
  template std::vector<double> row_sums<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,      \
                                                       std::span<const Scalar>);                                     \
  template std::vector<double> row_maxima<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&);   \
  template std::vector<double> row_moments<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,   \
                                                          std::span<const Scalar>, std::span<const Scalar>);         \
  template std::vector<double> row_costs<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,     \
                                                        std::span<const Scalar>);                                    \
  template std::vector<double> apply<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,         \
                                                    std::span<const Scalar>, std::span<const double>, std::int64_t); \
  template std::vector<std::int64_t> cost_counts<Scalar, Space>(const Space&, const PairOperands<Scalar>&,           \
                                                                const Tiles&, std::span<const Scalar>, RadixDigit);  \
  template std::vector<double> scores<Scalar, Space>(const Space&, const PairOperands<Scalar>&, std::int64_t,        \
                                                     std::int64_t);
THALWEG_INSTANTIATE(THALWEG_PAIR_PLAIN)

}  // namespace thalweg::plain
