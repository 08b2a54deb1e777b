#include "exact/assignment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

constexpr std::int32_t none = -1;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t index(std::int32_t k) { return static_cast<std::size_t>(k); }

/// Column prices v and the matching; a matched row sits on the cheapest column of cost - v.
template <class Scalar>
class Assignment {
 public:
  Assignment(std::int32_t n, std::span<const Scalar> cost)
      : n_(n),
        cost_(cost),
        price_(index(n)),
        distance_(index(n)),
        closed_(index(n)),
        before_(index(n)),
        column_of_(index(n), none),
        row_of_(index(n), none) {}

  std::vector<std::int32_t> solve() {
    reduce_columns();
    reduce_rows();
    for (std::int32_t row = 0; row < n_; ++row) {
      if (column_of_[index(row)] == none) augment_from(row);
    }
    return column_of_;
  }

  AssignmentSolution certified(std::vector<std::int32_t> columns) const {
    AssignmentSolution found{std::move(columns), std::vector<double>(index(n_)), price_};
    double dual = std::accumulate(found.column_potential.begin(), found.column_potential.end(), 0.0);
    for (std::int32_t i = 0; i < n_; ++i) {
      const Scalar* costs = row(i);
      double smallest = infinity;
      for (std::int32_t j = 0; j < n_; ++j) {
        const double reduced = static_cast<double>(costs[j]) - found.column_potential[index(j)];
        smallest = reduced < smallest ? reduced : smallest;
      }
      found.row_potential[index(i)] = smallest;
      found.cost += static_cast<double>(costs[found.column[index(i)]]);
      dual += smallest;
    }
    found.gap = found.cost - dual;
    return found;
  }

 private:
  const Scalar* row(std::int32_t i) const { return cost_.data() + index(i) * index(n_); }

  void match(std::int32_t row, std::int32_t column) {
    column_of_[index(row)] = column;
    row_of_[index(column)] = row;
  }

  /// v_j = min_i cost_ij; the first row that attains it takes the column.
  void reduce_columns() {
    std::vector<std::int32_t> cheapest(index(n_), 0);
    std::copy_n(row(0), n_, price_.begin());
    for (std::int32_t i = 1; i < n_; ++i) {
      const Scalar* costs = row(i);
      for (std::int32_t j = 0; j < n_; ++j) {
        if (static_cast<double>(costs[j]) >= price_[index(j)]) continue;
        price_[index(j)] = static_cast<double>(costs[j]);
        cheapest[index(j)] = i;
      }
    }
    for (std::int32_t j = 0; j < n_; ++j) {
      if (column_of_[index(cheapest[index(j)])] == none) match(cheapest[index(j)], j);
    }
  }

  struct TwoCheapest {
    std::int32_t column = none;
    double first = infinity, second = infinity;
  };

  TwoCheapest two_cheapest(std::int32_t i) const {
    const Scalar* costs = row(i);
    TwoCheapest found;
    for (std::int32_t j = 0; j < n_; ++j) {
      const double reduced = static_cast<double>(costs[j]) - price_[index(j)];
      if (reduced >= found.second) continue;
      if (reduced < found.first) {
        found.second = std::exchange(found.first, reduced);
        found.column = j;
      } else {
        found.second = reduced;
      }
    }
    return found;
  }

  /// Free rows take their cheapest column and lower its price to the point of indifference; a row driven out looks
  /// for a place at once. The budget bounds the bidding, which only prepares the shortest paths.
  void reduce_rows() {
    if (n_ < 2) return;
    std::int64_t budget = 4 * std::int64_t{n_};
    for (std::int32_t start = 0; start < n_; ++start) {
      std::int32_t free_row = column_of_[index(start)] == none ? start : none;
      while (free_row != none && budget-- > 0) {
        const TwoCheapest found = two_cheapest(free_row);
        const std::int32_t driven_out = row_of_[index(found.column)];
        const double gain = found.second - found.first;
        if (driven_out != none && gain <= 0.0) break;
        if (driven_out != none) column_of_[index(driven_out)] = none;
        price_[index(found.column)] -= gain;
        match(free_row, found.column);
        free_row = driven_out;
      }
    }
  }

  /// Distances from row i, entered at distance `base`, to the columns that are still open.
  void relax(std::int32_t i, double base) {
    const Scalar* costs = row(i);
    for (std::int32_t j = 0; j < n_; ++j) {
      const double reach = static_cast<double>(costs[j]) - price_[index(j)] + base + closed_[index(j)];
      const bool nearer = reach < distance_[index(j)];
      distance_[index(j)] = nearer ? reach : distance_[index(j)];
      before_[index(j)] = nearer ? i : before_[index(j)];
    }
  }

  std::int32_t nearest_open_column() const {
    constexpr std::int32_t lanes = 8;
    std::array<double, lanes> smallest;
    smallest.fill(infinity);
    std::int32_t j = 0;
    for (; j + lanes <= n_; j += lanes) {
      for (std::int32_t lane = 0; lane < lanes; ++lane) {  // a fixed length: becomes vector instructions
        const double reach = distance_[index(j + lane)] + closed_[index(j + lane)];
        smallest[index(lane)] = reach < smallest[index(lane)] ? reach : smallest[index(lane)];
      }
    }
    double nearest = *std::min_element(smallest.begin(), smallest.end());
    for (; j < n_; ++j) nearest = std::min(nearest, distance_[index(j)] + closed_[index(j)]);
    return first_at(nearest);
  }

  /// Among equally near columns a free one, which ends the search, then the lowest.
  std::int32_t first_at(double nearest) const {
    constexpr std::int32_t block = 64;
    std::int32_t first = none;
    for (std::int32_t begin = 0; begin < n_; begin += block) {
      const std::int32_t end = std::min(begin + block, n_);
      int hits = 0;
      for (std::int32_t j = begin; j < end; ++j) hits += distance_[index(j)] + closed_[index(j)] == nearest;
      for (std::int32_t j = begin; hits > 0 && j < end; ++j) {
        if (distance_[index(j)] + closed_[index(j)] != nearest) continue;
        if (row_of_[index(j)] == none) return j;
        if (first == none) first = j;
      }
    }
    return first;
  }

  /// Dijkstra over reduced costs from a free row to the nearest free column, then the path is flipped.
  void augment_from(std::int32_t free_row) {
    std::fill(distance_.begin(), distance_.end(), infinity);
    std::fill(closed_.begin(), closed_.end(), 0.0);
    reached_.clear();
    std::int32_t i = free_row, column = none;
    double base = 0.0;
    for (;;) {
      relax(i, base);
      column = nearest_open_column();
      const double distance = distance_[index(column)];
      i = row_of_[index(column)];
      if (i == none) break;
      closed_[index(column)] = infinity;
      reached_.push_back(column);
      base = distance - (static_cast<double>(row(i)[column]) - price_[index(column)]);
    }
    for (const std::int32_t j : reached_) price_[index(j)] += distance_[index(j)] - distance_[index(column)];
    for (i = none; i != free_row;) {
      i = before_[index(column)];
      row_of_[index(column)] = i;
      std::swap(column, column_of_[index(i)]);
    }
  }

  std::int32_t n_;
  std::span<const Scalar> cost_;
  std::vector<double> price_, distance_;
  std::vector<double> closed_;        // infinite for columns whose distance is final, else 0
  std::vector<std::int32_t> before_;  // row from which a column was reached
  std::vector<std::int32_t> column_of_, row_of_, reached_;
};

template <class Scalar>
void check(std::int64_t n, std::span<const Scalar> cost) {
  if (n < 0 || n > std::numeric_limits<std::int32_t>::max() || static_cast<std::int64_t>(cost.size()) != n * n) {
    throw DataError("cost of " + std::to_string(cost.size()) + " entries in solve_assignment; an assignment of " +
                    std::to_string(n) + " rows needs n x n; pass a square matrix");
  }
  const auto bad = std::find_if_not(cost.begin(), cost.end(), [](Scalar value) { return std::isfinite(value); });
  if (bad != cost.end()) {
    const std::int64_t entry = bad - cost.begin();
    throw NumericalError("cost entry (" + std::to_string(entry / n) + ", " + std::to_string(entry % n) +
                         ") is not finite in solve_assignment; costs are finite numbers; check the features");
  }
}

}  // namespace

template <class Scalar>
std::vector<std::int32_t> solve_assignment(std::int64_t n, std::span<const Scalar> cost) {
  check(n, cost);
  return n == 0 ? std::vector<std::int32_t>{} : Assignment<Scalar>(static_cast<std::int32_t>(n), cost).solve();
}

template <class Scalar>
AssignmentSolution solve_certified_assignment(std::int64_t n, std::span<const Scalar> cost) {
  check(n, cost);
  if (n == 0) return {};
  Assignment<Scalar> assignment(static_cast<std::int32_t>(n), cost);
  return assignment.certified(assignment.solve());
}

template std::vector<std::int32_t> solve_assignment<float>(std::int64_t, std::span<const float>);
template std::vector<std::int32_t> solve_assignment<double>(std::int64_t, std::span<const double>);
template AssignmentSolution solve_certified_assignment<float>(std::int64_t, std::span<const float>);
template AssignmentSolution solve_certified_assignment<double>(std::int64_t, std::span<const double>);

}  // namespace thalweg
