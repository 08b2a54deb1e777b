#include "solvers/sinkhorn/prepare.hpp"

#include <cassert>
#include <cmath>
#include <numeric>

#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

constexpr double mass_tolerance = 1e-9;

void check_weights(std::span<const double> weights, std::int64_t count, const std::string& name) {
  if (static_cast<std::int64_t>(weights.size()) != count)
    throw DataError(std::to_string(weights.size()) + " " + name + " weights for " + std::to_string(count) +
                    " points; one weight a point is needed");
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!(weights[i] >= 0.0) || std::isinf(weights[i]))
      throw DataError("weight of row " + std::to_string(i) + " of the " + name + " is " + shortest_number(weights[i]) +
                      "; weights are finite and not negative; drop the row or set its weight to 0");
}

double num_positive(std::span<const double> weights) {
  std::int64_t count = 0;
  for (const double weight : weights) count += weight > 0.0;
  return static_cast<double>(count);
}

TransportSide prepare_side(const std::vector<double>& weights, double lambda, const SinkhornProblem& problem,
                           const std::string& name) {
  if (!(lambda > 0.0)) throw ConfigError("lambda of the " + name + " is " + shortest_number(lambda) + "; allowed: > 0, or inf for an exact marginal");
  TransportSide side;
  side.weights = weights;
  side.lambda = lambda;
  side.mass = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(side.mass > 0.0)) throw DataError("all weights of the " + name + " are zero; at least one point must have weight");
  const double count = num_positive(weights);
  const double log_constant = problem.reference == EntropyReference::uniform ? -std::log(count) : 0.0;
  side.reference_mass = problem.reference == EntropyReference::product ? side.mass : std::exp(log_constant) * count;
  side.log_reference.assign(weights.size(), -std::numeric_limits<double>::infinity());
  side.log_ratio.assign(weights.size(), 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0) continue;
    const double log_weight = std::log(weights[i]);
    side.log_reference[i] = problem.reference == EntropyReference::product ? log_weight : log_constant;
    side.log_ratio[i] = log_weight - side.log_reference[i];
  }
  return side;
}

void check_start(const SinkhornProblem& problem) {
  const std::vector<double>& g = problem.initial_g;
  if (g.empty()) return;
  if (g.size() != problem.b.size())
    throw DataError("warm start has " + std::to_string(g.size()) + " potentials for " + std::to_string(problem.b.size()) +
                    " target points; one potential a point is needed");
  for (std::size_t j = 0; j < g.size(); ++j)
    if (!std::isfinite(g[j]))
      throw DataError("potential of row " + std::to_string(j) + " of the warm start is " + shortest_number(g[j]) +
                      "; potentials are finite; start without them");
}

void check_sums(const PreparedTransport& transport) {
  if (!transport.is_balanced()) return;
  for (const TransportSide* side : {&transport.source, &transport.target})
    if (std::abs(side->mass - 1.0) > mass_tolerance)
      throw DataError("weights of a balanced problem sum to " + shortest_number(transport.source.mass) + " and " +
                      shortest_number(transport.target.mass) + "; both must sum to 1; normalise them or relax a side with a finite lambda");
}

}  // namespace

bool TransportSide::is_exact() const { return std::isinf(lambda); }

double TransportSide::tau(double epsilon) const { return is_exact() ? 1.0 : lambda / (lambda + epsilon); }

double TransportSide::wanted(std::size_t index, double potential) const {
  if (is_exact() || weights[index] == 0.0) return weights[index];
  return weights[index] * std::exp(-potential / lambda);
}

double TransportSide::dual_term(std::size_t index, double potential) const {
  if (weights[index] == 0.0) return 0.0;
  return is_exact() ? weights[index] * potential : -lambda * weights[index] * std::expm1(-potential / lambda);
}

double TransportSide::penalty(std::size_t index, double sum) const {
  const double w = weights[index];
  if (is_exact() || w == 0.0) return 0.0;
  return sum > 0.0 ? lambda * (sum * std::log(sum / w) - sum + w) : lambda * w;
}

std::span<const double> PreparedTransport::owned(const std::vector<double>& of_all_rows) const {
  return std::span(of_all_rows).subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size()));
}

PreparedTransport prepare_transport(const SinkhornProblem& problem) {
  if (!(problem.epsilon > 0.0) || std::isinf(problem.epsilon))
    throw ConfigError("epsilon is " + shortest_number(problem.epsilon) + "; allowed: > 0, in units of the scaled cost");
  check_weights(problem.a, problem.geometry->num_rows(), "source");
  check_weights(problem.b, problem.geometry->num_columns(), "target");
  check_start(problem);
  assert(!problem.is_symmetric || (problem.a == problem.b && problem.lambda1 == problem.lambda2));
  PreparedTransport transport;
  transport.source = prepare_side(problem.a, problem.lambda1, problem, "source");
  transport.target = prepare_side(problem.b, problem.lambda2, problem, "target");
  transport.epsilon = problem.epsilon;
  transport.is_symmetric = problem.is_symmetric;
  transport.rows = problem.geometry->rows();
  check_sums(transport);
  return transport;
}

void enter_epsilon(const PreparedTransport& transport, double epsilon, PairGeometry& geometry) {
  geometry.set_reference(transport.source.log_reference, transport.target.log_reference);
  geometry.set_epsilon(epsilon);
}

}  // namespace thalweg
