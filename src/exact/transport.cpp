#include "exact/transport.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "distributed/error.hpp"
#include "exact/integer_masses.hpp"
#include "exact/transport_tree.hpp"

namespace thalweg {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The rows and columns with mass, renumbered; forbidden entries have infinite cost.
struct ActiveProblem {
  IntegerMasses masses;
  std::vector<std::int64_t> rows, columns;
  Matrix cost;
  double largest_cost = 0.0;
  bool masked = false;
};

void check_input(std::span<const double> a, std::span<const double> b, const Matrix& cost, const Matrix* allowed) {
  const auto rows = static_cast<std::int64_t>(a.size()), columns = static_cast<std::int64_t>(b.size());
  const auto fits = [&](const Matrix& matrix) { return matrix.rows == rows && matrix.columns == columns; };
  if (!fits(cost) || (allowed && !fits(*allowed))) {
    throw DataError("matrix of the wrong shape in solve_transport; cost and allowed are " + std::to_string(rows) +
                    " x " + std::to_string(columns) + " for these masses; pass matching sizes");
  }
  for (std::size_t entry = 0; entry < cost.values.size(); ++entry) {
    if (std::isfinite(cost.values[entry]) || (allowed && allowed->values[entry] == 0.0)) continue;
    throw NumericalError("cost entry (" + std::to_string(entry / b.size()) + ", " + std::to_string(entry % b.size()) +
                         ") is not finite in solve_transport; costs are finite numbers; check the features");
  }
}

std::vector<std::int64_t> keep_positive(std::vector<std::int64_t>& masses) {
  std::vector<std::int64_t> kept;
  for (std::size_t k = 0; k < masses.size(); ++k) {
    if (masses[k] > 0) kept.push_back(static_cast<std::int64_t>(k));
  }
  std::erase(masses, 0);
  return kept;
}

ActiveProblem active_problem(std::span<const double> a, std::span<const double> b, const Matrix& cost,
                             const Matrix* allowed) {
  ActiveProblem problem;
  problem.masses = integer_masses(a, b, "solve_transport");
  problem.rows = keep_positive(problem.masses.row);
  problem.columns = keep_positive(problem.masses.column);
  problem.cost =
      Matrix(static_cast<std::int64_t>(problem.rows.size()), static_cast<std::int64_t>(problem.columns.size()));
  auto entry = problem.cost.values.begin();
  for (const std::int64_t k : problem.rows) {
    for (const std::int64_t l : problem.columns) {
      const bool forbidden = allowed && (*allowed)(k, l) == 0.0;
      *entry++ = forbidden ? infinity : cost(k, l);
      problem.masked |= forbidden;
      if (!forbidden) problem.largest_cost = std::max(problem.largest_cost, std::abs(cost(k, l)));
    }
  }
  return problem;
}

/// Finds entering arcs: rows are scanned in turn, a block at a time, and the most negative reduced cost of a block
/// enters.
template <bool masked>
class Pricing {
 public:
  struct Arc {
    std::int64_t row, column;
  };

  Pricing(const ActiveProblem& problem, const TransportTree& tree) : cost_(problem.cost), tree_(tree) {
    const double num_nodes = static_cast<double>(tree.num_nodes());
    tolerance_ = 32.0 * std::numeric_limits<double>::epsilon() * problem.largest_cost;
    penalty_weight_ = 4.0 * num_nodes * problem.largest_cost + 1.0;
    block_rows_ = std::max<std::int64_t>(1, block_arcs / std::max<std::int64_t>(1, cost_.columns));
  }

  /// The next arc to enter, or nothing at the optimum.
  std::optional<Arc> next() {
    double best = -tolerance_;
    std::int64_t best_row = -1;
    for (std::int64_t scanned = 0; scanned < cost_.rows; ++scanned) {
      if (best_row >= 0 && scanned % block_rows_ == 0) break;
      const double reduced = cheapest_in_row(cursor_);
      if (reduced < best) {
        best = reduced;
        best_row = cursor_;
      }
      cursor_ = cursor_ + 1 == cost_.rows ? 0 : cursor_ + 1;
    }
    if (best_row < 0) return std::nullopt;
    return Arc{best_row, column_of_cheapest(best_row)};
  }

 private:
  static constexpr std::int64_t block_arcs = 1024;
  static constexpr std::int64_t lanes = 8;

  double reduced_cost(const double* cost, std::int64_t row, std::int64_t column) const {
    const double* value = tree_.value().data();
    const std::int64_t target = tree_.num_sources() + column;
    double reduced = cost[column] - value[target] - value[row];
    if constexpr (masked) {
      const double* penalty = tree_.penalty().data();
      reduced -= penalty_weight_ * (penalty[target] + penalty[row]);
    }
    return reduced;
  }

  double cheapest_in_row(std::int64_t row) const {
    const double* cost = cost_.row(row).data();
    std::array<double, lanes> smallest;
    smallest.fill(infinity);
    std::int64_t column = 0;
    for (; column + lanes <= cost_.columns; column += lanes) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) {  // a fixed length: becomes vector instructions
        const double reduced = reduced_cost(cost, row, column + lane);
        auto& kept = smallest[static_cast<std::size_t>(lane)];
        kept = reduced < kept ? reduced : kept;
      }
    }
    for (; column < cost_.columns; ++column) smallest[0] = std::min(smallest[0], reduced_cost(cost, row, column));
    return *std::min_element(smallest.begin(), smallest.end());
  }

  std::int64_t column_of_cheapest(std::int64_t row) const {
    const double* cost = cost_.row(row).data();
    std::int64_t best = 0;
    for (std::int64_t column = 1; column < cost_.columns; ++column) {
      if (reduced_cost(cost, row, column) < reduced_cost(cost, row, best)) best = column;
    }
    return best;
  }

  const Matrix& cost_;
  const TransportTree& tree_;
  double tolerance_, penalty_weight_;
  std::int64_t block_rows_, cursor_ = 0;
};

template <bool masked>
void exchange_until_optimal(const ActiveProblem& problem, TransportTree& tree) {
  Pricing<masked> pricing(problem, tree);
  while (const auto arc = pricing.next()) tree.exchange(arc->row, arc->column);
}

/// Finite potentials from (penalty, value): the smallest weight of the penalty that keeps every allowed entry's
/// reduced cost at or above 0.
double penalty_weight(const ActiveProblem& problem, const TransportTree& tree) {
  double weight = 0.0;
  for (std::int64_t k = 0; k < problem.cost.rows; ++k) {
    for (std::int64_t l = 0; l < problem.cost.columns; ++l) {
      const auto row = static_cast<std::size_t>(k), target = static_cast<std::size_t>(problem.cost.rows + l);
      const double penalty = tree.penalty()[row] + tree.penalty()[target];
      if (penalty >= 0.0 || std::isinf(problem.cost(k, l))) continue;
      weight = std::max(weight, (problem.cost(k, l) - tree.value()[row] - tree.value()[target]) / penalty);
    }
  }
  return weight;
}

void read_coupling(const ActiveProblem& problem, const TransportTree& tree, TransportSolution& solution) {
  tree.for_each_arc([&](std::int64_t k, std::int64_t l, std::int64_t flow) {
    const double mass = static_cast<double>(flow) * problem.masses.unit;
    if (std::isinf(problem.cost(k, l))) {
      solution.unplaced += mass;
    } else {
      solution.coupling(problem.rows[static_cast<std::size_t>(k)], problem.columns[static_cast<std::size_t>(l)]) = mass;
    }
  });
}

void read_potentials(const ActiveProblem& problem, const TransportTree& tree, TransportSolution& solution) {
  const double weight = problem.masked ? penalty_weight(problem, tree) : 0.0;
  const std::size_t num_rows = problem.rows.size();
  for (std::size_t node = 0; node < static_cast<std::size_t>(tree.num_nodes()); ++node) {
    const double potential = tree.value()[node] + weight * tree.penalty()[node];
    if (node < num_rows) {
      solution.row_potential[static_cast<std::size_t>(problem.rows[node])] = potential;
    } else {
      solution.column_potential[static_cast<std::size_t>(problem.columns[node - num_rows])] = potential;
    }
  }
}

/// Largest potentials that the others permit: first of columns without mass, then of all rows.
void tighten_potentials(const ActiveProblem& problem, const Matrix& cost, const Matrix* allowed,
                        TransportSolution& solution) {
  auto& u = solution.row_potential;
  auto& v = solution.column_potential;
  std::vector<double> bound(v.size(), infinity);
  for (const std::int64_t k : problem.rows) {
    for (std::int64_t l = 0; l < cost.columns; ++l) {
      if (allowed && (*allowed)(k, l) == 0.0) continue;
      auto& smallest = bound[static_cast<std::size_t>(l)];
      smallest = std::min(smallest, cost(k, l) - u[static_cast<std::size_t>(k)]);
    }
  }
  for (const std::int64_t l : problem.columns) bound[static_cast<std::size_t>(l)] = v[static_cast<std::size_t>(l)];
  for (std::size_t l = 0; l < v.size(); ++l) v[l] = std::isinf(bound[l]) ? 0.0 : bound[l];
  for (std::int64_t k = 0; k < cost.rows; ++k) {
    double smallest = infinity;
    for (std::int64_t l = 0; l < cost.columns; ++l) {
      if (allowed && (*allowed)(k, l) == 0.0) continue;
      smallest = std::min(smallest, cost(k, l) - v[static_cast<std::size_t>(l)]);
    }
    u[static_cast<std::size_t>(k)] = std::isinf(smallest) ? 0.0 : smallest;
  }
}

void value_coupling(const ActiveProblem& problem, const Matrix& cost, TransportSolution& solution) {
  double primal = 0.0, dual = 0.0;
  for (std::size_t entry = 0; entry < cost.values.size(); ++entry) {
    const double mass = solution.coupling.values[entry];
    if (mass > 0.0) primal += mass * cost.values[entry];
  }
  const auto add = [&](const auto& masses, const auto& kept, const auto& potential) {
    for (std::size_t k = 0; k < kept.size(); ++k) {
      dual += static_cast<double>(masses[k]) * problem.masses.unit * potential[static_cast<std::size_t>(kept[k])];
    }
  };
  add(problem.masses.row, problem.rows, solution.row_potential);
  add(problem.masses.column, problem.columns, solution.column_potential);
  solution.cost = primal;
  solution.gap = primal - dual;
}

}  // namespace

TransportSolution solve_transport(std::span<const double> a, std::span<const double> b, const Matrix& cost,
                                  const Matrix* allowed, double tolerance) {
  check_input(a, b, cost, allowed);
  const ActiveProblem problem = active_problem(a, b, cost, allowed);
  TransportSolution solution{Matrix(cost.rows, cost.columns), std::vector<double>(a.size()),
                             std::vector<double>(b.size())};
  if (!problem.rows.empty()) {
    TransportTree tree(problem.masses, problem.cost);
    problem.masked ? exchange_until_optimal<true>(problem, tree) : exchange_until_optimal<false>(problem, tree);
    read_coupling(problem, tree, solution);
    read_potentials(problem, tree, solution);
  }
  if (solution.unplaced > tolerance * problem.masses.unit * 0x1.0p60) {
    throw DataError("mass " + std::to_string(solution.unplaced) + " cannot be placed on allowed entries in " +
                    "solve_transport; every set of types must fit into its allowed targets; relax the mask");
  }
  tighten_potentials(problem, cost, allowed, solution);
  value_coupling(problem, cost, solution);
  return solution;
}

}  // namespace thalweg
