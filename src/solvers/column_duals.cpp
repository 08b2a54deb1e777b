#include "solvers/column_duals.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace thalweg {

namespace {

constexpr double largest_step = 20.0;   // in units of epsilon: without a limit the solve fails
constexpr int max_sinkhorn_steps = 5;
constexpr int max_halvings = 10;
constexpr int max_rejections = 3;
constexpr double smallest_mass = 1e-30;

/// D, |g - s|_1 and the sums at one v.
struct Evaluation {
  PassSums sums;
  double value = 0.0;
  double error = 0.0;
  bool is_finite() const { return std::isfinite(value) && std::isfinite(error); }
};

class NewtonSolve {
 public:
  NewtonSolve(const RowPass& rows, const Matrix& logits, std::span<const double> masses, const DualOptions& options)
      : rows_(rows), logits_(logits), masses_(masses), options_(options) {}

  int passes() const { return passes_; }

  /// Newton from `v`; nothing on a stall.
  std::optional<DualSolution> run(std::vector<double> v, bool is_cold) {
    Evaluation now = evaluate(v, false);
    sinkhorn_steps(v, now, is_cold);
    double shift = 1e-12 * max_of(now.sums.masses);
    int rejections = 0;
    while (now.is_finite() && now.error > options_.tolerance) {
      if (rejections == max_rejections || passes_ >= options_.max_passes) return std::nullopt;
      const bool is_in_tails = now.error < 1e-3;
      const std::vector<double> direction = is_in_tails ? limited_direction(now, shift) : newton_direction(now, shift);
      if (direction.empty() || !line_search(v, now, direction)) {
        ++rejections;
        shift *= 10.0;
        continue;
      }
      rejections = 0;
      shift /= 3.0;
    }
    if (!now.is_finite()) return std::nullopt;
    if (now.sums.features.values.empty()) now = evaluate(v, true);
    return DualSolution{std::move(v), std::move(now.sums), passes_, false};
  }

 private:
  Evaluation evaluate(std::span<const double> v, bool with_features) {
    Evaluation result;
    result.sums = rows_.sums(logits_, v, {with_features, true});
    result.value = -result.sums.normalizer;
    for (std::size_t k = 0; k < v.size(); ++k) {
      result.value += masses_[k] * v[k];
      result.error += std::abs(masses_[k] - result.sums.masses[k]);
    }
    ++passes_;
    return result;
  }

  // v += log g - log s raises D; needed only far from the solution.
  void sinkhorn_steps(std::vector<double>& v, Evaluation& now, bool is_cold) {
    for (int step = 0; step < max_sinkhorn_steps && now.is_finite() && now.error > options_.tolerance; ++step) {
      bool is_starved = is_cold;
      for (std::size_t k = 0; k < v.size(); ++k) is_starved |= now.sums.masses[k] < 0.1 * masses_[k];
      if (!is_starved) return;
      for (std::size_t k = 0; k < v.size(); ++k) v[k] += std::log(masses_[k]) - std::log(std::max(now.sums.masses[k], smallest_mass));
      now = evaluate(v, false);
    }
  }

  /// d with (diag(s) - H + shift I + 1 1^T / r) d = g - s; the last term removes the null space of
  /// constants. diag(s) - H is formed as the graph Laplacian of the off-diagonal H, which is exact where
  /// nearly all rows are hard and s_k - H_kk would cancel. Empty when the factorisation fails.
  std::vector<double> newton_direction(const Evaluation& now, double shift) const {
    const std::size_t r = masses_.size();
    std::vector<double> matrix(r * r), direction(r);
    for (std::size_t k = 0; k < r; ++k) {
      double degree = 0.0;
      for (std::size_t l = 0; l < r; ++l) {
        const double weight = l == k ? 0.0 : now.sums.hessian.values[k * r + l];
        matrix[k * r + l] = 1.0 / static_cast<double>(r) - weight;
        degree += weight;
      }
      matrix[k * r + k] += degree + shift;
      direction[k] = masses_[k] - now.sums.masses[k];
    }
    const auto n = static_cast<lapack_int>(r);
    if (LAPACKE_dposv_work(LAPACK_COL_MAJOR, 'L', n, 1, matrix.data(), n, direction.data(), n) != 0) return {};
    return direction;
  }

  /// Newton's direction damped until no dual moves by more than the limit: where nearly all rows are hard the
  /// curvature nearly vanishes along some types, which must not shorten the step along the others.
  std::vector<double> limited_direction(const Evaluation& now, double shift) const {
    constexpr int max_dampings = 20;
    std::vector<double> direction;
    for (int damping = 0; damping < max_dampings; ++damping, shift *= 10.0) {
      direction = newton_direction(now, shift);
      if (direction.empty()) continue;
      double longest = 0.0;
      for (const double value : direction) longest = std::max(longest, std::abs(value));
      if (longest <= largest_step) break;
    }
    return direction;
  }

  bool line_search(std::vector<double>& v, Evaluation& now, const std::vector<double>& direction) {
    double slope = 0.0, longest = 0.0;
    for (std::size_t k = 0; k < v.size(); ++k) {
      slope += direction[k] * (masses_[k] - now.sums.masses[k]);
      longest = std::max(longest, std::abs(direction[k]));
    }
    if (!std::isfinite(slope) || !(slope > 0.0)) return false;
    double step = longest > largest_step ? largest_step / longest : 1.0;
    const bool is_near = now.error < 1e-2;  // the trial is probably the last: form its features too
    for (int halving = 0; halving <= max_halvings; ++halving, step /= 2.0) {
      std::vector<double> trial_v(v);
      for (std::size_t k = 0; k < v.size(); ++k) trial_v[k] += step * direction[k];
      Evaluation trial = evaluate(trial_v, is_near);
      if (!trial.is_finite()) continue;
      const bool has_risen = trial.value - now.value >= 1e-4 * step * slope;
      const bool is_rounding = step * slope <= options_.value_rounding * std::max(1.0, std::abs(now.value));
      if (has_risen || (is_rounding && trial.error < now.error)) {
        v = std::move(trial_v);
        now = std::move(trial);
        return true;
      }
      if (passes_ >= options_.max_passes) return false;
    }
    return false;
  }

  static double max_of(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

  const RowPass& rows_;
  const Matrix& logits_;
  std::span<const double> masses_;
  const DualOptions& options_;
  int passes_ = 0;
};

/// v_k = log g_k - A_k . m_k / 2: the duals of well separated types with means m.
std::vector<double> cold_start(const Matrix& logits, std::span<const double> masses, const Matrix& centroids) {
  std::vector<double> v(masses.size());
  for (std::int64_t k = 0; k < logits.columns; ++k) {
    double product = 0.0;
    for (std::int64_t j = 0; j < logits.rows; ++j) product += logits(j, k) * centroids(j, k);
    v[static_cast<std::size_t>(k)] = std::log(masses[static_cast<std::size_t>(k)]) - 0.5 * product;
  }
  return v;
}

Matrix scaled(const Matrix& matrix, double factor) {
  Matrix result = matrix;
  for (double& value : result.values) value *= factor;
  return result;
}

/// Solves at 100, 30, 10, 3, 1 epsilon with v kept in units of the cost.
std::optional<DualSolution> solve_by_continuation(const RowPass& rows, const Matrix& logits,
                                                  std::span<const double> masses, std::vector<double> v,
                                                  const DualOptions& options) {
  int passes = 0;
  double previous = 1.0;
  for (const double factor : {100.0, 30.0, 10.0, 3.0, 1.0}) {
    for (double& value : v) value *= previous / factor;
    const Matrix smooth = scaled(logits, 1.0 / factor);
    NewtonSolve newton(rows, smooth, masses, options);
    auto solution = newton.run(v, previous == 1.0);
    passes += newton.passes();
    if (!solution) return std::nullopt;
    if (factor == 1.0) {
      solution->passes = passes;
      solution->used_continuation = true;
      return solution;
    }
    v = std::move(solution->duals);
    previous = factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<DualSolution> solve_column_duals(const RowPass& rows, const Matrix& logits, std::span<const double> masses,
                                               std::span<const double> start, const Matrix& centroids,
                                               const DualOptions& options) {
  const bool is_cold = start.empty();
  std::vector<double> v = is_cold ? cold_start(logits, masses, centroids) : std::vector<double>(start.begin(), start.end());
  NewtonSolve newton(rows, logits, masses, options);
  if (auto solution = newton.run(v, is_cold)) return solution;
  auto solution = solve_by_continuation(rows, logits, masses, std::move(v), options);
  if (solution) solution->passes += newton.passes();
  return solution;
}

}  // namespace thalweg
