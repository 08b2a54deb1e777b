#include "exact/bounded_transport.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

constexpr double empty_share = 1e-14;  // of the total mass: what is left after the lower bounds counts as nothing

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

std::string entry_name(std::int64_t k, std::int64_t l) {
  return "entry (" + std::to_string(k) + ", " + std::to_string(l) + ")";
}

/// What is left of the masses once every entry has its lower bound; both sides have the same sum.
struct RemainingMasses {
  std::vector<double> a, b;
};

void check_bounds(const Matrix& cost, const EntryBounds& bounds) {
  for (const Matrix* matrix : {bounds.allowed, bounds.lower, bounds.upper}) {
    if (matrix && (matrix->rows != cost.rows || matrix->columns != cost.columns)) {
      throw DataError("matrix of the wrong shape in solve_bounded_transport; allowed, lower and upper are " +
                      std::to_string(cost.rows) + " x " + std::to_string(cost.columns) + "; pass matching sizes");
    }
  }
  for (std::int64_t k = 0; k < cost.rows; ++k) {
    for (std::int64_t l = 0; l < cost.columns; ++l) {
      const double lower = bounds.lower ? (*bounds.lower)(k, l) : 0.0;
      const bool closed = bounds.allowed && (*bounds.allowed)(k, l) == 0.0;
      const bool ordered = !bounds.upper || (*bounds.upper)(k, l) >= lower;
      if (lower >= 0.0 && ordered && !(closed && lower > 0.0)) continue;
      throw DataError("bounds of " + entry_name(k, l) + " exclude each other in solve_bounded_transport; 0 <= lower " +
                      "<= upper is needed, and lower = 0 on forbidden entries; correct the bounds");
    }
  }
}

void subtract_lower(std::vector<double>& left, const Matrix& lower, bool rows, double total) {
  for (std::int64_t k = 0; k < lower.rows; ++k) {
    for (std::int64_t l = 0; l < lower.columns; ++l) left[index(rows ? k : l)] -= lower(k, l);
  }
  for (std::size_t k = 0; k < left.size(); ++k) {
    if (left[k] < -1e-12 * total) {
      throw DataError(std::string("lower bounds of ") + (rows ? "row " : "column ") + std::to_string(k) +
                      " exceed its mass by " + std::to_string(-left[k]) +
                      " in solve_bounded_transport; they may sum to the mass at most; lower them");
    }
    left[k] = std::max(left[k], 0.0);
  }
}

RemainingMasses remaining_masses(std::span<const double> a, std::span<const double> b, const EntryBounds& bounds) {
  RemainingMasses left{{a.begin(), a.end()}, {b.begin(), b.end()}};
  const double total = sum(left.a);
  if (!bounds.lower) return left;
  const double scale = total / sum(left.b);
  for (double& mass : left.b) mass *= scale;
  subtract_lower(left.a, *bounds.lower, true, total);
  subtract_lower(left.b, *bounds.lower, false, total);
  if (sum(left.a) <= empty_share * total || sum(left.b) <= empty_share * total) {
    std::fill(left.a.begin(), left.a.end(), 0.0);
    std::fill(left.b.begin(), left.b.end(), 0.0);
    return left;
  }
  const double balance = sum(left.a) / sum(left.b);
  for (double& mass : left.b) mass *= balance;
  return left;
}

/// An entry whose upper bound can bind, and the room above its lower bound.
struct BoundedEntry {
  std::int64_t row, column;
  double room;
};

std::vector<BoundedEntry> binding_entries(const RemainingMasses& left, const EntryBounds& bounds) {
  std::vector<BoundedEntry> entries;
  if (!bounds.upper) return entries;
  for (std::int64_t k = 0; k < bounds.upper->rows; ++k) {
    for (std::int64_t l = 0; l < bounds.upper->columns; ++l) {
      if (bounds.allowed && (*bounds.allowed)(k, l) == 0.0) continue;
      const double room = (*bounds.upper)(k, l) - (bounds.lower ? (*bounds.lower)(k, l) : 0.0);
      if (room < std::min(left.a[index(k)], left.b[index(l)])) entries.push_back({k, l, room});
    }
  }
  return entries;
}

/// The problem without bounds: bounded entries are replaced by their detours.
struct ExpandedProblem {
  std::vector<double> a, b;
  Matrix cost, allowed;
};

ExpandedProblem expand(RemainingMasses left, const Matrix& cost, const EntryBounds& bounds,
                       const std::vector<BoundedEntry>& entries) {
  const auto added = static_cast<std::int64_t>(entries.size());
  ExpandedProblem wide{std::move(left.a), std::move(left.b), Matrix(cost.rows + added, cost.columns + added),
                       Matrix(cost.rows + added, cost.columns + added)};
  for (std::int64_t k = 0; k < cost.rows; ++k) {
    for (std::int64_t l = 0; l < cost.columns; ++l) {
      wide.cost(k, l) = cost(k, l);
      wide.allowed(k, l) = bounds.allowed ? (*bounds.allowed)(k, l) : 1.0;
    }
  }
  for (std::int64_t p = 0; p < added; ++p) {
    const auto& [row, column, room] = entries[index(p)];
    wide.allowed(row, column) = 0.0;
    wide.cost(row, cost.columns + p) = cost(row, column);
    wide.allowed(row, cost.columns + p) = 1.0;
    wide.allowed(cost.rows + p, cost.columns + p) = 1.0;
    wide.allowed(cost.rows + p, column) = 1.0;
    wide.a.push_back(room);
    wide.b.push_back(room);
  }
  return wide;
}

TransportSolution contract(const TransportSolution& wide, const Matrix& cost, const EntryBounds& bounds,
                           const std::vector<BoundedEntry>& entries) {
  const auto first = [](const std::vector<double>& values, std::int64_t count) {
    return std::vector<double>(values.begin(), values.begin() + count);
  };
  TransportSolution solution{Matrix(cost.rows, cost.columns),
                             first(wide.row_potential, cost.rows),
                             first(wide.column_potential, cost.columns),
                             0.0,
                             wide.gap,
                             wide.unplaced};
  for (std::int64_t k = 0; k < cost.rows; ++k) {
    for (std::int64_t l = 0; l < cost.columns; ++l) solution.coupling(k, l) = wide.coupling(k, l);
  }
  for (std::size_t p = 0; p < entries.size(); ++p) {
    const auto& [row, column, room] = entries[p];
    solution.coupling(row, column) = std::min(room, wide.coupling(row, cost.columns + static_cast<std::int64_t>(p)));
  }
  for (std::size_t entry = 0; entry < cost.values.size(); ++entry) {
    if (bounds.lower) solution.coupling.values[entry] += bounds.lower->values[entry];
    if (solution.coupling.values[entry] > 0.0) solution.cost += solution.coupling.values[entry] * cost.values[entry];
  }
  return solution;
}

}  // namespace

TransportSolution solve_bounded_transport(std::span<const double> a, std::span<const double> b, const Matrix& cost,
                                          const EntryBounds& bounds, double tolerance) {
  if (!bounds.lower && !bounds.upper) return solve_transport(a, b, cost, bounds.allowed, tolerance);
  check_bounds(cost, bounds);
  RemainingMasses left = remaining_masses(a, b, bounds);
  const auto entries = binding_entries(left, bounds);
  const ExpandedProblem wide = expand(std::move(left), cost, bounds, entries);
  return contract(solve_transport(wide.a, wide.b, wide.cost, &wide.allowed, tolerance), cost, bounds, entries);
}

}  // namespace thalweg
