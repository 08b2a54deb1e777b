#include "solvers/gromov/anchors.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t nobody = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t tie_draws = 1U << 16;  // draws of a cell before these choose anchors

/// Some points of a set.
Matrix rows_of(const PointSet& points, const std::vector<std::int64_t>& cells) {
  Matrix rows(static_cast<std::int64_t>(cells.size()), points.dimension);
  std::visit(
      [&](const auto& values) {
        for (std::size_t k = 0; k < cells.size(); ++k)
          std::copy_n(values.begin() + cells[k] * points.dimension, points.dimension,
                      rows.row(static_cast<std::int64_t>(k)).begin());
      },
      points.values);
  return rows;
}

/// The anchors chosen so far as the owned rows see them.
class Seeding {
 public:
  Seeding(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights, RandomStream random)
      : comm_(comm),
        costs_(costs),
        weights_(weights),
        random_(random),
        nearest_(static_cast<std::size_t>(costs.rows().size()), infinity),
        anchor_(nearest_.size(), 0) {}

  /// The cell whose exponential time of rate weight x squared distance comes first; `nobody` where no rate is positive.
  std::int64_t next_cell() const {
    std::vector<double> times(nearest_.size());
    const Host exec;
    Kokkos::parallel_for("thalweg::anchors::times", Kokkos::RangePolicy<Host>(exec, 0, costs_.rows().size()),
                         [&](const std::int64_t i) { times[static_cast<std::size_t>(i)] = time_of(i); });
    exec.fence("thalweg::anchors::times");
    double first = infinity;
    std::int64_t cell = nobody;
    for (std::size_t i = 0; i < times.size(); ++i)
      if (times[i] < first) {
        first = times[i];
        cell = costs_.rows().begin + static_cast<std::int64_t>(i);
      }
    const double first_of_all = comm_.all_reduce(first, Reduction::min);
    return comm_.all_reduce(first == first_of_all ? cell : nobody, Reduction::min);
  }

  void add(std::int64_t cell) {
    cells_.push_back(cell);
    const std::vector<double> costs = costs_.column(cell);
    const Host exec;
    Kokkos::parallel_for("thalweg::anchors::nearest", Kokkos::RangePolicy<Host>(exec, 0, costs_.rows().size()),
                         [&](const std::int64_t i) {
                           // Factors are approximations: of no exact 0 within a cell, and negative in places.
                           const bool is_own = costs_.rows().begin + i == cell;
                           see(i, is_own ? 0.0 : std::max(0.0, costs[static_cast<std::size_t>(i)]));
                         });
    exec.fence("thalweg::anchors::nearest");
  }

  Anchors anchors() const {
    const std::vector<std::int32_t> all = comm_.all_gather(std::span<const std::int32_t>(anchor_));
    std::vector<std::size_t> order(cells_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t k, std::size_t l) { return cells_[k] < cells_[l]; });
    std::vector<double> sums(cells_.size(), 0.0);
    for (std::size_t i = 0; i < all.size(); ++i) sums[static_cast<std::size_t>(all[i])] += weights_[i];
    Anchors result;
    for (const std::size_t k : order) {
      result.cells.push_back(cells_[k]);
      result.weights.push_back(sums[k]);
    }
    return result;
  }

 private:
  double time_of(std::int64_t local_row) const {
    const auto cell = static_cast<std::size_t>(costs_.rows().begin + local_row);
    const double cost = cells_.empty() ? 1.0 : nearest_[static_cast<std::size_t>(local_row)];
    const double rate = weights_[cell] * (costs_.are_squared() ? cost : cost * cost);
    if (!(rate > 0.0)) return infinity;
    return -std::log1p(-random_.uniform(cell, static_cast<std::uint32_t>(cells_.size()))) / rate;
  }

  void see(std::int64_t local_row, double cost) {
    double& nearest = nearest_[static_cast<std::size_t>(local_row)];
    std::int32_t& anchor = anchor_[static_cast<std::size_t>(local_row)];
    const auto newest = static_cast<std::int32_t>(cells_.size()) - 1;
    const bool is_first_of_equals =
        cost == nearest && cost > 0.0 && tie_bits(local_row, newest) < tie_bits(local_row, anchor);
    if (cost < nearest || is_first_of_equals) anchor = newest;
    nearest = std::min(nearest, cost);
  }

  std::uint64_t tie_bits(std::int64_t local_row, std::int32_t anchor) const {
    return random_.bits(static_cast<std::uint64_t>(costs_.rows().begin + local_row),
                        tie_draws + static_cast<std::uint32_t>(anchor));
  }

  const Communicator& comm_;
  const IntraRows& costs_;
  const std::vector<double>& weights_;
  RandomStream random_;
  std::vector<std::int64_t> cells_;
  std::vector<double> nearest_;       // C to the nearest anchor
  std::vector<std::int32_t> anchor_;  // which that is
};

}  // namespace

Anchors choose_anchors(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights,
                       std::int64_t count, RandomStream random) {
  Seeding seeding(comm, costs, weights, random);
  for (std::int64_t chosen = 0; chosen < count; ++chosen) {
    const std::int64_t cell = seeding.next_cell();
    if (cell == nobody) break;
    seeding.add(cell);
  }
  return seeding.anchors();
}

Anchors leading_anchors(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights,
                        std::int64_t count, RandomStream random) {
  Seeding seeding(comm, costs, weights, random);
  for (std::int64_t cell = 0; cell < std::min(count, costs.num_cells()); ++cell) seeding.add(cell);
  return seeding.anchors();
}

AnchorSide::AnchorSide(const Communicator& comm, const IntraRows& costs, Anchors anchors)
    : anchors_(std::move(anchors)), are_points_(costs.are_squared()) {
  values_ = are_points_ ? costs.points_of(anchors_.cells) : costs.between(comm, anchors_.cells);
  if (are_points_) divisor_ = costs.divisor();
}

IntraCosts AnchorSide::costs() const {
  const std::span<const double> values(values_.values);
  if (are_points_) return SquaredDistances{{values_.rows, values_.columns, values}, divisor_};
  return StoredIntraCosts{values_.rows, values, divisor_};
}

IntraCosts AnchorSide::costs_on(const Communicator& comm) const {
  IntraCosts all = costs();
  auto* stored = std::get_if<StoredIntraCosts>(&all);
  if (stored == nullptr) return all;
  const RowRange rows = Partition(values_.rows, comm.size(), block_rows).rows_of(comm.rank());
  const auto width = static_cast<std::size_t>(values_.columns);
  stored->values = std::span<const double>(values_.values)
                       .subspan(static_cast<std::size_t>(rows.begin) * width, static_cast<std::size_t>(rows.size()) * width);
  return all;
}

AnchorLinear::AnchorLinear(const Communicator& comm, const GromovProblem& problem,
                           const std::vector<std::int64_t>& source, const std::vector<std::int64_t>& target) {
  if (!problem.linear) return;
  if (const auto* shared = std::get_if<SharedFeatures>(&*problem.linear)) {
    source_ = rows_of(shared->source, source);
    target_ = rows_of(shared->target, target);
    return;
  }
  const auto n = static_cast<std::int64_t>(problem.a.size()), m = static_cast<std::int64_t>(problem.b.size());
  const RowRange rows = Partition(n, comm.size(), block_rows).rows_of(comm.rank());
  costs_.emplace(static_cast<std::int64_t>(source.size()), static_cast<std::int64_t>(target.size()));
  std::visit(
      [&](const auto& values) {
        for (std::int64_t k = 0; k < costs_->rows; ++k) {
          const std::int64_t row = source[static_cast<std::size_t>(k)];
          if (row < rows.begin || row >= rows.end) continue;
          for (std::int64_t l = 0; l < costs_->columns; ++l)
            (*costs_)(k, l) = static_cast<double>(values[static_cast<std::size_t>(
                (row - rows.begin) * m + target[static_cast<std::size_t>(l)])]);
        }
      },
      std::get<StoredLinearCosts>(*problem.linear).values);
  comm.all_reduce(std::span(costs_->values), Reduction::sum);  // one rank alone has more than 0 of an entry
}

std::optional<LinearCosts> AnchorLinear::costs() const {
  if (costs_) return StoredLinearCosts{std::span<const double>(costs_->values)};
  if (!source_) return {};
  return SharedFeatures{{source_->rows, source_->columns, std::span<const double>(source_->values)},
                        {target_->rows, target_->columns, std::span<const double>(target_->values)}};
}

}  // namespace thalweg
