#include "solvers/sinkhorn/report.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "solvers/ordered_sum.hpp"
#include "solvers/sinkhorn/bounds.hpp"
#include "solvers/sinkhorn/unweighted.hpp"

namespace thalweg {

namespace {

constexpr double collapsed_share = 1e-3;

/// (f + t, g - t) with sum_j b_j g_j = 0; the same coupling.
void centre_potentials(const PreparedTransport& transport, Iterate& pair) {
  const std::vector<double>& b = transport.target.weights;
  const double shift = std::inner_product(b.begin(), b.end(), pair.g.begin(), 0.0) / transport.target.mass;
  for (double& value : pair.f) value += shift;
  for (double& value : pair.g) value -= shift;
}

/// Sums over the entries of one side.
struct SideTotals {
  double sum = 0.0;                 // of its marginal
  double with_potential = 0.0;      // sum s f
  double with_log_reference = 0.0;  // sum s log alpha
  double penalty = 0.0;
  double difference = 0.0;          // |s - wanted|
  double wanted = 0.0;
};

constexpr std::size_t num_totals = 6;

void append_terms(const TransportSide& side, std::size_t index, double sum, double potential, std::vector<double>& terms) {
  const double wanted = side.wanted(index, potential);
  const double log_reference = side.weights[index] > 0.0 ? side.log_reference[index] : 0.0;
  for (const double term : {sum, sum * potential, sum * log_reference, side.penalty(index, sum), std::abs(sum - wanted), wanted})
    terms.push_back(term);
}

SideTotals totals_of(const std::vector<double>& sums) { return {sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]}; }

SideTotals source_totals(const Communicator& comm, const PreparedTransport& transport, std::span<const double> sums,
                         std::span<const double> f) {
  std::vector<double> terms;
  for (std::size_t i = 0; i < f.size(); ++i)
    append_terms(transport.source, static_cast<std::size_t>(transport.rows.begin) + i, sums[i], f[i], terms);
  return totals_of(ordered_sums(comm, terms, num_totals));
}

SideTotals target_totals(const TransportSide& target, std::span<const double> sums, std::span<const double> g) {
  std::vector<double> totals(num_totals, 0.0), terms;
  for (std::size_t j = 0; j < g.size(); ++j) {
    terms.clear();
    append_terms(target, j, sums[j], g[j], terms);
    for (std::size_t k = 0; k < num_totals; ++k) totals[k] += terms[k];
  }
  return totals_of(totals);
}

void set_extremes(const Communicator& comm, const PreparedTransport& transport, SinkhornSolution& solution) {
  double largest = 0.0, smallest_ratio = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < solution.row_sums.size(); ++i) {
    const std::size_t row = static_cast<std::size_t>(transport.rows.begin) + i;
    const double weight = transport.source.weights[row];
    largest = std::max(largest, std::abs(solution.row_sums[i] - transport.source.wanted(row, solution.f[i])));
    if (weight > 0.0) smallest_ratio = std::min(smallest_ratio, solution.row_sums[i] / weight);
  }
  for (std::size_t j = 0; j < solution.column_sums.size(); ++j)
    largest = std::max(largest, std::abs(solution.column_sums[j] - transport.target.wanted(j, solution.g[j])));
  solution.max_marginal_error = comm.all_reduce(largest, Reduction::max);
  solution.smallest_row_ratio = comm.all_reduce(smallest_ratio, Reduction::min);
}

/// Primal value and its terms by name.
///   F = sum r f + sum c g - epsilon (|P| - |R|) + lambda1 KL(r | a) + lambda2 KL(c | b)
void set_primal(const PreparedTransport& transport, const SideTotals& rows, const SideTotals& columns, double plain_entropy,
                SinkhornSolution& solution) {
  const double epsilon = transport.epsilon, reference = transport.reference_mass();
  solution.mass = columns.sum;
  solution.relative_entropy = plain_entropy - solution.mass + reference;
  solution.cost = rows.with_potential + columns.with_potential - epsilon * plain_entropy;
  solution.entropy = -(plain_entropy + rows.with_log_reference + columns.with_log_reference);
  solution.marginal_penalty_source = rows.penalty;
  solution.marginal_penalty_target = columns.penalty;
  solution.primal = rows.with_potential + columns.with_potential - epsilon * (solution.mass - reference) + rows.penalty + columns.penalty;
  solution.error_source = rows.difference / rows.wanted;
  solution.error_target = columns.difference / columns.wanted;
  solution.is_collapsed = !transport.is_balanced() &&
                          solution.mass < collapsed_share * std::min(transport.source.mass, transport.target.mass);
}

void set_bounds(const Communicator& comm, const PreparedTransport& transport, const SinkhornSettings& settings,
                PairGeometry& geometry, const Iterate& pair, SinkhornSolution& solution) {
  solution.dual = source_dual(comm, transport, pair.f) + target_dual(transport, pair.g) -
                  transport.epsilon * (solution.mass - transport.reference_mass());
  solution.upper = solution.primal;
  if (transport.is_balanced()) {  // P itself is not feasible: its F is no bound
    solution.upper = settings.certify ? certified_upper_bound(comm, transport, pair, geometry) : std::numeric_limits<double>::quiet_NaN();
  } else if (!transport.is_balanced() && transport.target.is_exact()) {
    const Bounds bounds = bounds_with_exact_columns(comm, transport, pair, geometry);
    solution.upper = bounds.upper;
    solution.dual = std::max(solution.dual, bounds.dual);
  }
  solution.gap = solution.upper - solution.dual;
}

}  // namespace

void report_solution(const Communicator& comm, const PreparedTransport& transport, const SinkhornSettings& settings,
                     PairGeometry& geometry, Iterate final, SinkhornSolution& solution) {
  if (transport.is_balanced()) centre_potentials(transport, final);
  RowStatistics statistics = geometry.row_statistics(final.f, final.g);
  const double plain_entropy = ordered_sum(comm, statistics.relative_entropy);  // sum P log(P / R)
  solution.row_sums = std::move(statistics.sum);
  solution.column_sums = final.column_sums;
  const SideTotals rows = source_totals(comm, transport, solution.row_sums, final.f);
  const SideTotals columns = target_totals(transport.target, solution.column_sums, final.g);
  set_primal(transport, rows, columns, plain_entropy, solution);
  set_bounds(comm, transport, settings, geometry, final, solution);
  set_unweighted_potentials(comm, transport, geometry, final.f, final.g);
  solution.f = std::move(final.f);
  solution.g = std::move(final.g);
  set_extremes(comm, transport, solution);
  solution.epsilon = transport.epsilon;
  solution.log_alpha = transport.source.log_reference;
  solution.log_beta = transport.target.log_reference;
}

}  // namespace thalweg
