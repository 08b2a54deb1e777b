#include "solvers/sinkhorn/fixed_point.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/host_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

// Stands for column sums that underflow: the image then moves by hundreds of epsilon, and stays finite.
constexpr double smallest_sum = 1e-300;
constexpr double least_value = 1e-12;  // in units of epsilon: a size for gaps where the value is 0

/// Shift of (f + t, g - t) that maximises D, from the masses that f and g ask for.
double shift_for_masses(const TransportSide& source, const TransportSide& target, double source_wanted, double target_wanted) {
  const double log_ratio = std::log(source_wanted / target_wanted);
  if (source.is_exact()) return target.lambda * log_ratio;
  if (target.is_exact()) return source.lambda * log_ratio;
  return log_ratio / (1.0 / source.lambda + 1.0 / target.lambda);
}

}  // namespace

bool Iterate::is_finite() const { return std::isfinite(error) && std::isfinite(residual); }

double source_dual(const Communicator& comm, const PreparedTransport& transport, std::span<const double> f) {
  std::vector<double> terms(f.size());
  for (std::size_t i = 0; i < f.size(); ++i)
    terms[i] = transport.source.dual_term(static_cast<std::size_t>(transport.rows.begin) + i, f[i]);
  return ordered_sum(comm, terms);
}

double target_dual(const PreparedTransport& transport, std::span<const double> g) {
  double sum = 0.0;
  for (std::size_t j = 0; j < g.size(); ++j) sum += transport.target.dual_term(j, g[j]);
  return sum;
}

double target_gap(const TransportSide& target, std::span<const double> g, std::span<const double> column_sums) {
  double sum = 0.0;
  for (std::size_t j = 0; j < g.size(); ++j) {
    const double q = target.wanted(j, g[j]);
    if (q == 0.0) continue;
    const double x = (column_sums[j] - q) / q;  // c log(c / q) - c + q without cancellation
    sum += x <= -1.0 ? q : q * ((1.0 + x) * std::log1p(x) - x);
  }
  return target.lambda * sum;
}

SinkhornMap::SinkhornMap(const Communicator& comm, const PreparedTransport& transport, const PairGeometry& geometry)
    : comm_(comm), transport_(transport), geometry_(geometry) {}

RowUpdate SinkhornMap::row_update() const {
  return {transport_.source.tau(geometry_.epsilon()), transport_.owned(transport_.source.log_ratio)};
}

Iterate SinkhornMap::at(std::vector<double> g, std::span<const double> f_before) const {
  return transport_.is_symmetric ? at_self(std::move(g), f_before) : at_pair(std::move(g), f_before);
}

Iterate SinkhornMap::at_pair(std::vector<double> g, std::span<const double> f_before) const {
  const TransportSide& target = transport_.target;
  const double epsilon = geometry_.epsilon(), tau = target.tau(epsilon);
  Evaluation evaluation = geometry_.evaluate(row_update(), f_before, g);
  Iterate now;
  now.g = std::move(g);
  now.f = std::move(evaluation.f);
  now.column_sums = std::move(evaluation.column_sums);
  now.fallback_tiles = evaluation.fallback_tiles;
  now.image = now.g;
  for_each_point_on_host(now.g.size(), [&](std::size_t j) {
    if (target.weights[j] > 0.0)
      now.image[j] = tau * (now.g[j] + epsilon * std::log(target.weights[j] / std::max(now.column_sums[j], smallest_sum)));
  });
  const double dual = source_dual(comm_, transport_, now.f);
  const double shift = best_shift(dual, now.image);
  for (double& value : now.image) value -= shift;
  set_errors(now);
  set_values(dual, now);
  return now;
}

Iterate SinkhornMap::at_self(std::vector<double> g, std::span<const double> f_before) const {
  const TransportSide& target = transport_.target;
  const double epsilon = geometry_.epsilon(), tau = target.tau(epsilon);
  Iterate now;
  now.f = geometry_.update_rows(row_update(), f_before, g);
  now.g = std::move(g);
  now.image = comm_.all_gather(std::span<const double>(now.f));
  now.column_sums.assign(now.g.size(), 0.0);
  for (std::size_t j = 0; j < now.g.size(); ++j) {
    // Of P(g, g), whose sums F(g) knows; F(g) = tau (epsilon log(b / beta) - epsilon L).
    if (target.weights[j] > 0.0) now.column_sums[j] = target.weights[j] * std::exp((now.g[j] - now.image[j] / tau) / epsilon);
    now.image[j] = 0.5 * (now.g[j] + now.image[j]);
  }
  set_errors(now);
  set_values(source_dual(comm_, transport_, now.f), now);
  return now;
}

/// |P(F(g), g)|: what f asks of the rows, which they have.
double SinkhornMap::source_mass(double source_dual) const {
  const TransportSide& source = transport_.source;
  return source.is_exact() ? source.mass : source.mass - source_dual / source.lambda;
}

double SinkhornMap::best_shift(double source_dual, std::span<const double> g) const {
  if (transport_.is_balanced()) return 0.0;
  double target_wanted = 0.0;
  for (std::size_t j = 0; j < g.size(); ++j) target_wanted += transport_.target.wanted(j, g[j]);
  const double shift = shift_for_masses(transport_.source, transport_.target, source_mass(source_dual), target_wanted);
  return std::isfinite(shift) ? shift : 0.0;
}

void SinkhornMap::set_errors(Iterate& now) const {
  const TransportSide& target = transport_.target;
  double difference = 0.0, wanted = 0.0, square = 0.0;
  for (std::size_t j = 0; j < now.g.size(); ++j) {
    const double q = target.wanted(j, now.g[j]), step = now.image[j] - now.g[j];
    difference += std::abs(now.column_sums[j] - q);
    wanted += q;
    square += target.weights[j] * step * step;
  }
  now.error = difference / wanted;
  now.residual = std::sqrt(square) / geometry_.epsilon();
}

void SinkhornMap::set_values(double source_dual, Iterate& now) const {
  const double mass = source_mass(source_dual);
  now.dual = source_dual + target_dual(transport_, now.g) - geometry_.epsilon() * (mass - transport_.reference_mass());
  now.relative_gap = std::numeric_limits<double>::quiet_NaN();
  if (transport_.target.is_exact()) return;
  const double of_both = transport_.is_symmetric ? 2.0 : 1.0;  // P(g, g) misses both marginals alike
  const double gap = of_both * target_gap(transport_.target, now.g, now.column_sums);
  now.relative_gap = gap / std::max({std::abs(now.dual), std::abs(now.dual + gap), least_value * geometry_.epsilon()});
}

}  // namespace thalweg
