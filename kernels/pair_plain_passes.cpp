#include "kernels/pair_plain_passes.hpp"

#include <algorithm>

#include "kernels/device_launch.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/pair_parallel.hpp"
#include "kernels/pair_plain.hpp"
#include "kernels/pair_team.hpp"

namespace thalweg::plain {

namespace {

template <class Body, class ExecutionSpace>
void for_each_item(const ExecutionSpace& exec, std::int64_t count, const Body& body) {
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<std::int64_t>>;
  if (count == 0) return;
  Kokkos::parallel_for("thalweg::pair_rows::plain", Policy(exec, std::int64_t{0}, count), body);
  check_launches("thalweg::pair_rows::plain");
  exec.fence("thalweg::pair_rows::plain");
}

/// What a gather reads of the rows and columns beside the operands.
template <class Scalar>
struct OfPoints {
  std::span<const Scalar> shifts, column_logs;
};

template <class Gather, class Scalar, class ExecutionSpace>
std::vector<double> gather_on_host(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                                   const OfPoints<Scalar>& of_points) {
  const std::int64_t rows = tiles.count * tile_rows;
  std::vector<double> results(static_cast<std::size_t>(rows * Gather::size));
  with_score(operands.score, [&](auto score) {
    using Pass = RowPass<Scalar, decltype(score), Gather, host_lanes>;
    for_each_item(exec, rows / host_lanes,
                  Pass{operands, tiles.list.empty() ? nullptr : tiles.list.data(), tiles.first,
                       of_points.shifts.empty() ? nullptr : of_points.shifts.data(), of_points.column_logs.data(),
                       results.data()});
  });
  return results;
}

template <class Pass, class ExecutionSpace>
void run_teams(const ExecutionSpace& exec, const Pass& pass, std::int64_t league) {
  using Policy = Kokkos::TeamPolicy<ExecutionSpace, Kokkos::LaunchBounds<Pass::team_size, Pass::teams_at_once>>;
  Policy policy(exec, static_cast<int>(league), Pass::team_size);
  const std::size_t bytes = Pass::scratch_bytes + Pass::scratch_alignment;
  Kokkos::parallel_for("thalweg::pair_rows::teams", policy.set_scratch_size(0, Kokkos::PerTeam(bytes)), pass);
  check_launches("thalweg::pair_rows::teams");
}

template <class Gather, class Scalar, class ExecutionSpace>
std::vector<double> gather_on_device(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                     const Tiles& tiles, const OfPoints<Scalar>& of_points,
                                     const DevicePool<ExecutionSpace>& pool) {
  const std::int64_t slices = num_slices(operands.num_columns), size = tiles.count * tile_rows * Gather::size;
  if (size == 0) return {};
  const auto list = pool.copy(exec, tiles.list);
  const auto shifts = pool.copy(exec, of_points.shifts), logs = pool.copy(exec, of_points.column_logs);
  const auto parts = pool.template values<double>(exec, slices * size),
             joined = pool.template values<double>(exec, size);
  with_score(operands.score, [&](auto score) {
    run_teams(exec,
              TeamRowPass<Scalar, decltype(score), Gather>{
                  operands, tiles.list.empty() ? nullptr : list.data(), tiles.first, tiles.count,
                  of_points.shifts.empty() ? nullptr : shifts.data(), logs.data(), parts.data()},
              tiles.count * slices);
  });
  for_each_item(exec, size, JoinSlices<Gather>{parts.data(), size, slices, joined.data()});
  return values_on_host(exec, static_cast<const double*>(joined.data()), size);
}

/// What `Gather` collects for every row of the tiles.
template <class Gather, class Scalar, class ExecutionSpace>
std::vector<double> gather_rows(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                                const OfPoints<Scalar>& of_points, const DevicePool<ExecutionSpace>& pool) {
  if constexpr (is_host<ExecutionSpace>) return gather_on_host<Gather>(exec, operands, tiles, of_points);
  else return gather_on_device<Gather>(exec, operands, tiles, of_points, pool);
}

}  // namespace

template <class Scalar, class ExecutionSpace>
std::vector<double> row_sums(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                             std::span<const Scalar> shifts, const DevicePool<ExecutionSpace>& pool) {
  return gather_rows<RowSum>(exec, operands, tiles, OfPoints<Scalar>{shifts, {}}, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> row_maxima(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                               const DevicePool<ExecutionSpace>& pool) {
  return gather_rows<RowMaximum>(exec, operands, tiles, OfPoints<Scalar>{}, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> row_moments(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                                std::span<const Scalar> shifts, std::span<const Scalar> column_logs,
                                const DevicePool<ExecutionSpace>& pool) {
  return gather_rows<RowMoments>(exec, operands, tiles, OfPoints<Scalar>{shifts, column_logs}, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> row_costs(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& tiles,
                              std::span<const Scalar> shifts, const DevicePool<ExecutionSpace>& pool) {
  return gather_rows<RowCosts>(exec, operands, tiles, OfPoints<Scalar>{shifts, {}}, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> apply(const ExecutionSpace& exec, const PairOperands<Scalar>& operands, const Tiles& range,
                          std::span<const Scalar> shifts, std::span<const double> values, std::int64_t width,
                          const DevicePool<ExecutionSpace>& pool) {
  const std::int64_t size = range.count * tile_rows * width;
  const auto shift = pool.copy(exec, shifts);
  const auto columns = pool.copy(exec, values);
  const auto products = pool.template values<double>(exec, size);
  with_score(operands.score, [&](auto score) {
    using Pass = ApplyPass<Scalar, decltype(score)>;
    for_each_item(exec, range.count * tile_rows * ((width + Pass::widest - 1) / Pass::widest),
                  Pass{operands, range.first, shift.data(), columns.data(), width, products.data()});
  });
  return values_on_host(exec, static_cast<const double*>(products.data()), size);
}

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> cost_counts(const ExecutionSpace& exec, const PairOperands<Scalar>& operands,
                                      const Tiles& range, std::span<const Scalar> shifts, RadixDigit digit,
                                      const DevicePool<ExecutionSpace>& pool) {
  const auto shift = pool.copy(exec, shifts);
  const Kokkos::View<std::int64_t*, typename ExecutionSpace::memory_space> sums(
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

#define THALWEG_PAIR_PLAIN(Scalar, Space)                                                                           \
  template std::vector<double> row_sums<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,     \
                                                       std::span<const Scalar>, const DevicePool<Space>&);          \
  template std::vector<double> row_maxima<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,   \
                                                         const DevicePool<Space>&);                                 \
  template std::vector<double> row_moments<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,  \
                                                          std::span<const Scalar>, std::span<const Scalar>,         \
                                                          const DevicePool<Space>&);                                \
  template std::vector<double> row_costs<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,    \
                                                        std::span<const Scalar>, const DevicePool<Space>&);         \
  template std::vector<double> apply<Scalar, Space>(const Space&, const PairOperands<Scalar>&, const Tiles&,        \
                                                    std::span<const Scalar>, std::span<const double>, std::int64_t, \
                                                    const DevicePool<Space>&);                                      \
  template std::vector<std::int64_t> cost_counts<Scalar, Space>(const Space&, const PairOperands<Scalar>&,          \
                                                                const Tiles&, std::span<const Scalar>, RadixDigit,  \
                                                                const DevicePool<Space>&);                          \
  template std::vector<double> scores<Scalar, Space>(const Space&, const PairOperands<Scalar>&, std::int64_t,       \
                                                     std::int64_t);
THALWEG_INSTANTIATE(THALWEG_PAIR_PLAIN)

}  // namespace thalweg::plain
