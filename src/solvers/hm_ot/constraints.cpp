#include "solvers/hm_ot/constraints.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "exact/max_flow.hpp"

namespace thalweg {

namespace {

std::string type_name(const HmOtSlice& slice, std::int64_t type) {
  const auto k = static_cast<std::size_t>(type);
  return k < slice.type_names.size() ? slice.type_names[k] : std::to_string(k);
}

std::string type_list(const HmOtSlice& slice, const std::vector<std::int64_t>& types) {
  std::string text;
  for (const std::int64_t type : types) text += (text.empty() ? "" : ", ") + type_name(slice, type);
  return "{" + text + "}";
}

std::string times_of(const HmOtProblem& problem, std::size_t first, std::size_t last) {
  return problem.slices[first].name + ":" + problem.slices[last].name;
}

struct Sums {
  std::vector<double> rows, columns;
  explicit Sums(const Matrix& matrix) : rows(static_cast<std::size_t>(matrix.rows), 0.0), columns(static_cast<std::size_t>(matrix.columns), 0.0) {
    for (std::int64_t k = 0; k < matrix.rows; ++k)
      for (std::int64_t l = 0; l < matrix.columns; ++l) {
        rows[static_cast<std::size_t>(k)] += matrix(k, l);
        columns[static_cast<std::size_t>(l)] += matrix(k, l);
      }
  }
};

/// A given T fixes the masses at both of its ends.
void fix_masses_of_given_couplings(const HmOtProblem& problem, Chain& chain) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    if (!chain.edges[t].coupling) continue;
    const Sums sums(*chain.edges[t].coupling);
    for (const auto& [slice, masses] : {std::pair{t, &sums.rows}, std::pair{t + 1, &sums.columns}}) {
      auto& fixed = chain.slices[slice].fixed_mass;
      if (fixed && mass_difference(*fixed, *masses) > max_mass_difference)
        throw DataError("the given coupling " + times_of(problem, t, t + 1) + " has other type masses at " + problem.slices[slice].name +
                        " than the labels, memberships, masses or the other coupling given there; make them agree to 1e-6");
      if (!fixed) fixed = normalised(*masses);
    }
  }
}

void check_diagonals(const HmOtProblem& problem, const Chain& chain) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    if (!chain.edges[t].is_diagonal) continue;
    const ChainSlice &source = chain.slices[t], &target = chain.slices[t + 1];
    const std::string where = times_of(problem, t, t + 1);
    if (source.num_types != target.num_types)
      throw DataError("diagonal coupling " + where + " between " + std::to_string(source.num_types) + " and " +
                      std::to_string(target.num_types) + " types; both ends need the same number; change rank");
    if (source.fixed_mass && target.fixed_mass && mass_difference(*source.fixed_mass, *target.fixed_mass) > max_mass_difference)
      throw DataError("diagonal coupling " + where + " between different given type masses; they may differ by 1e-6; let one of them free or allow other transitions");
  }
}

/// A free slice next to a type without mass would divide by it. With every membership given nothing is divided.
void check_masses(const HmOtProblem& problem, const Chain& chain) {
  const bool is_all_fixed = std::all_of(chain.slices.begin(), chain.slices.end(), [](const ChainSlice& slice) { return slice.has_fixed_membership(); });
  if (is_all_fixed) return;
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    if (!chain.slices[t].fixed_mass) continue;
    const std::vector<double>& masses = *chain.slices[t].fixed_mass;
    const auto empty = std::find_if(masses.begin(), masses.end(), [](double mass) { return !(mass > 0.0); });
    if (empty != masses.end())
      throw DataError("type '" + type_name(problem.slices[t], empty - masses.begin()) + "' of time " + problem.slices[t].name +
                      " has no mass in what is given; leave it out or give it some");
  }
}

bool has_mass(const ChainSlice& slice, std::int64_t type) { return !slice.fixed_mass || (*slice.fixed_mass)[static_cast<std::size_t>(type)] > 0.0; }

/// Every type with mass comes from somewhere and goes somewhere, and a given T keeps to its mask.
void check_allowed_edges(const HmOtProblem& problem, const Chain& chain, std::size_t t) {
  const ChainEdge& edge = chain.edges[t];
  if (!edge.allowed) return;
  const HmOtSlice &source = problem.slices[t], &target = problem.slices[t + 1];
  const std::string where = "the mask of " + times_of(problem, t, t + 1);
  if (edge.coupling)
    for (std::int64_t k = 0; k < edge.coupling->rows; ++k)
      for (std::int64_t l = 0; l < edge.coupling->columns; ++l)
        if ((*edge.coupling)(k, l) > 0.0 && (*edge.allowed)(k, l) == 0.0)
          throw DataError(where + " forbids " + type_name(source, k) + " -> " + type_name(target, l) + ", to which the coupling given there gives mass; change one of them");
  const Sums degrees(*edge.allowed);
  for (std::int64_t k = 0; k < edge.allowed->rows; ++k)
    if (degrees.rows[static_cast<std::size_t>(k)] == 0.0 && has_mass(chain.slices[t], k))
      throw DataError(where + " is infeasible: type " + type_name(source, k) + " of time " + source.name + " has no allowed target; allow a transition from it");
  for (std::int64_t l = 0; l < edge.allowed->columns; ++l)
    if (degrees.columns[static_cast<std::size_t>(l)] == 0.0 && has_mass(chain.slices[t + 1], l))
      throw DataError(where + " is infeasible: type " + type_name(target, l) + " of time " + target.name + " has no allowed source; allow a transition to it");
}

/// Types of slice `last` that paths from a type of slice `first` can reach; free masses in between bound nothing.
Matrix reachable_types(const Chain& chain, std::size_t first, std::size_t last) {
  Matrix reach(chain.slices[first].num_types, chain.slices[first].num_types);
  for (std::int64_t k = 0; k < reach.rows; ++k) reach(k, k) = 1.0;
  for (std::size_t t = first; t < last; ++t) {
    const ChainEdge& edge = chain.edges[t];
    Matrix next(reach.rows, chain.slices[t + 1].num_types);
    for (std::int64_t k = 0; k < reach.rows; ++k)
      for (std::int64_t l = 0; l < reach.columns; ++l)
        for (std::int64_t m = 0; m < next.columns && reach(k, l) != 0.0; ++m)
          if ((!edge.allowed || (*edge.allowed)(l, m) != 0.0) && (!edge.is_diagonal || l == m)) next(k, m) = 1.0;
    reach = std::move(next);
  }
  return reach;
}

std::vector<std::int64_t> targets_of(const Matrix& reach, const std::vector<std::int64_t>& sources) {
  std::vector<std::int64_t> targets;
  for (std::int64_t l = 0; l < reach.columns; ++l)
    if (std::any_of(sources.begin(), sources.end(), [&](std::int64_t k) { return reach(k, l) != 0.0; })) targets.push_back(l);
  return targets;
}

void check_flow_between(const HmOtProblem& problem, const Chain& chain, std::size_t first, std::size_t last) {
  bool is_masked = false;
  for (std::size_t t = first; t < last; ++t) is_masked |= chain.edges[t].allowed.has_value() || chain.edges[t].is_diagonal;
  if (!is_masked || chain.edges[first].coupling) return;
  // Diagonal transitions compare masses that may differ by as much.
  const bool is_diagonal = chain.edges[first].is_diagonal || chain.edges[last - 1].is_diagonal;
  const double tolerance = is_diagonal ? max_mass_difference : 1e-9;
  const Matrix reach = reachable_types(chain, first, last);
  const FlowCheck check = check_flow(*chain.slices[first].fixed_mass, *chain.slices[last].fixed_mass, reach, nullptr, tolerance);
  if (check.feasible) return;
  throw DataError("mask of " + times_of(problem, first, last) + " is infeasible: types " + type_list(problem.slices[first], check.sources) +
                  " hold " + shortest_number(check.demand) + " of the mass, their allowed targets " + type_list(problem.slices[last], targets_of(reach, check.sources)) +
                  " take " + shortest_number(check.capacity) + "; allow more edges");
}

}  // namespace

double mass_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += std::abs(a[k] - b[k]);
  return sum;
}

std::vector<double> normalised(std::vector<double> masses) {
  const double sum = std::accumulate(masses.begin(), masses.end(), 0.0);
  for (double& mass : masses) mass /= sum;
  return masses;
}

void apply_constraints(const HmOtProblem& problem, Chain& chain) {
  fix_masses_of_given_couplings(problem, chain);
  check_diagonals(problem, chain);
  check_masses(problem, chain);
  std::optional<std::size_t> previous;
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    if (!chain.slices[t].fixed_mass) continue;
    if (previous) check_flow_between(problem, chain, *previous, t);
    previous = t;
  }
  for (std::size_t t = 0; t < chain.edges.size(); ++t) check_allowed_edges(problem, chain, t);
}

}  // namespace thalweg
