#include "solvers/sinkhorn/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

constexpr double nothing_missing = 1e-15;  // of a mass of 1

double sum_of(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

Vector scaled(double factor, Vector values) {
  for (double& value : values) value *= factor;
  return values;
}

/// What a side lacks: delta, and its terms of U.
struct Remainder {
  Vector delta;
  double mass = 0.0;
  double divergence = 0.0;  // KL(delta / mass | weights), both of mass 1
};

Vector missing(std::span<const double> weights, std::span<const double> sums) {
  Vector delta(weights.size());
  for (std::size_t i = 0; i < delta.size(); ++i) delta[i] = std::max(0.0, weights[i] - sums[i]);
  return delta;
}

double divergence_term(double delta, double weight) { return delta > 0.0 ? delta * std::log(delta / weight) : 0.0; }

/// KL(delta / mass | w) from sum delta log(delta / w).
double normalised_divergence(double sum, double mass) { return mass > 0.0 ? sum / mass - std::log(mass) : 0.0; }

Remainder column_remainder(const TransportSide& target, std::span<const double> sums) {
  Remainder result{missing(target.weights, sums)};
  double sum = 0.0;
  for (std::size_t j = 0; j < sums.size(); ++j) sum += divergence_term(result.delta[j], target.weights[j]);
  result.mass = sum_of(result.delta);
  result.divergence = normalised_divergence(sum, result.mass);
  return result;
}

Remainder row_remainder(const Communicator& comm, std::span<const double> weights, std::span<const double> sums) {
  Remainder result{missing(weights, sums)};
  Vector terms;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    terms.push_back(result.delta[i]);
    terms.push_back(divergence_term(result.delta[i], weights[i]));
  }
  const Vector totals = ordered_sums(comm, terms, 2);
  result.mass = totals[0];
  result.divergence = normalised_divergence(totals[1], result.mass);
  return result;
}

/// sum s (f - epsilon log ratio): potentials of the product reference, which all references share in a balanced problem.
double row_terms(const Communicator& comm, const PreparedTransport& transport, std::span<const double> sums,
                 std::span<const double> f) {
  const auto log_ratio = transport.owned(transport.source.log_ratio);
  Vector terms(f.size());
  for (std::size_t i = 0; i < f.size(); ++i) terms[i] = sums[i] * (f[i] - transport.epsilon * log_ratio[i]);
  return ordered_sum(comm, terms);
}

double weighted_sum(std::span<const double> weights, std::span<const double> values) {
  return std::inner_product(weights.begin(), weights.end(), values.begin(), 0.0);
}

/// epsilon [KL(P | R) - KL(P | a b)], the same for all feasible P.
double reference_offset(const PreparedTransport& transport) {
  const double source = weighted_sum(transport.source.weights, transport.source.log_ratio);
  const double target = weighted_sum(transport.target.weights, transport.target.log_ratio);
  return transport.epsilon * (source + target - 1.0 + transport.reference_mass());
}

}  // namespace

double certified_upper_bound(const Communicator& comm, const PreparedTransport& transport, const Iterate& pair,
                             PairGeometry& geometry) {
  const double epsilon = transport.epsilon;
  const TransportSide& target = transport.target;
  Vector lowered = pair.g, column_sums = pair.column_sums;
  for (std::size_t j = 0; j < lowered.size(); ++j) {
    if (!(column_sums[j] > target.weights[j])) continue;
    if (target.weights[j] > 0.0) lowered[j] += epsilon * std::log(target.weights[j] / column_sums[j]);
    column_sums[j] = target.weights[j];
  }
  const Vector row_sums = geometry.row_sums(geometry.rows(), pair.f, lowered);
  const Remainder rows = row_remainder(comm, transport.owned(transport.source.weights), row_sums);
  const Remainder columns = column_remainder(target, column_sums);

  double upper = row_terms(comm, transport, row_sums, pair.f) + reference_offset(transport);
  for (std::size_t j = 0; j < lowered.size(); ++j) upper += column_sums[j] * (lowered[j] - epsilon * target.log_ratio[j]);
  const double theta = columns.mass;
  if (theta <= nothing_missing || rows.mass <= nothing_missing) return upper;
  if (theta < 1.0) upper -= epsilon * (1.0 - theta) * std::log1p(-theta);
  upper += theta * geometry.product_cost(scaled(1.0 / rows.mass, rows.delta), scaled(1.0 / theta, columns.delta));
  return upper + epsilon * theta * (rows.divergence + columns.divergence);
}

Bounds bounds_with_exact_columns(const Communicator& comm, const PreparedTransport& transport, const Iterate& pair,
                                 const PairGeometry& geometry) {
  const TransportSide& source = transport.source;
  Vector g = pair.g;
  Bounds bounds;
  for (std::size_t j = 0; j < g.size(); ++j)
    if (transport.target.weights[j] > 0.0 && !(pair.column_sums[j] > 0.0)) return bounds;
  for (std::size_t j = 0; j < g.size(); ++j)
    if (transport.target.weights[j] > 0.0) g[j] += transport.epsilon * std::log(transport.target.weights[j] / pair.column_sums[j]);
  const Vector row_sums = geometry.row_sums(geometry.rows(), pair.f, g);
  Vector terms;  // lambda1 KL(r | wanted), without cancellation
  for (std::size_t i = 0; i < row_sums.size(); ++i) {
    const double wanted = source.wanted(static_cast<std::size_t>(transport.rows.begin) + i, pair.f[i]);
    const double x = wanted > 0.0 ? (row_sums[i] - wanted) / wanted : 0.0;
    terms.push_back(x <= -1.0 ? wanted : wanted * ((1.0 + x) * std::log1p(x) - x));
  }
  bounds.dual = source_dual(comm, transport, pair.f) + target_dual(transport, g) -
                transport.epsilon * (transport.target.mass - transport.reference_mass());
  bounds.upper = bounds.dual + source.lambda * ordered_sum(comm, terms);
  return bounds;
}

}  // namespace thalweg
