// A small alignment whose partners are known.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/block_rows.hpp"
#include "solvers/embedding/training.hpp"

namespace thalweg::testing_support {

/// A curve seen through two sets of features, and distances along it; cells of the second side in another order.
struct Curve {
  std::int64_t n = 0, stride = 1;
  std::vector<float> source, target;
  FeatureScaling source_scaling, target_scaling;
  std::vector<double> source_costs, target_costs;  // owned rows

  Curve(const Communicator& comm, std::int64_t count, std::int64_t step) : n(count), stride(step) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double s = place(i), t = place(partner(i));
      for (const double x : {std::cos(2 * s), std::sin(2 * s), s * s}) source.push_back(static_cast<float>(x));
      for (const double y : {t, std::sqrt(t), 1 - t * t * t, std::sin(3 * t)}) target.push_back(static_cast<float>(y));
    }
    source_scaling = scaling_of(source, 3);
    target_scaling = scaling_of(target, 4);
    const RowRange rows = own_points(n, comm);
    for (std::int64_t i = rows.begin; i < rows.end; ++i)
      for (std::int64_t k = 0; k < n; ++k) {
        source_costs.push_back(distance(i, k));
        target_costs.push_back(distance(partner(i), partner(k)));
      }
  }

  double place(std::int64_t i) const { return (static_cast<double>(i) + 0.5) / static_cast<double>(n); }
  /// The source that target i is.
  std::int64_t partner(std::int64_t i) const { return i * stride % n; }
  /// Bent, so that no mirror image has the same distances.
  double distance(std::int64_t i, std::int64_t k) const {
    const auto bent = [&](std::int64_t c) { return place(c) * place(c); };
    return std::abs(bent(i) - bent(k));
  }

  TrainingProblem problem(std::int64_t dim) const {
    const EncoderShape shape{3, 16, 2, dim, Activation::relu};
    EncoderShape other = shape;
    other.inputs = 4;
    TrainingProblem problem{{shape, other}, {{source_scaling, source}, {target_scaling, target}}, {}, {}};
    problem.loss.dimension = dim;
    problem.loss.a.assign(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
    problem.loss.b = problem.loss.a;
    problem.loss.source = StoredIntraCosts{n, std::span<const double>(source_costs), 1.0};
    problem.loss.target = StoredIntraCosts{n, std::span<const double>(target_costs), 1.0};
    return problem;
  }

  /// The true coupling.
  NamedCoupling truth(const Communicator& comm) const {
    NamedCoupling named{"truth", {}};
    for (std::int64_t i = 0; i < n; ++i) {
      named.coupling.sources.push_back(i);
      named.coupling.targets.push_back(i);
    }
    const RowRange rows = own_points(n, comm);
    named.coupling.mass.assign(static_cast<std::size_t>(rows.size() * n), 0.0);
    for (std::int64_t j = 0; j < n; ++j)
      if (partner(j) >= rows.begin && partner(j) < rows.end)
        named.coupling.mass[static_cast<std::size_t>((partner(j) - rows.begin) * n + j)] = 1.0 / static_cast<double>(n);
    return named;
  }
};

inline TrainingSettings settings_of(std::int64_t steps, std::int64_t random_starts) {
  TrainingSettings settings;
  settings.pretrain_steps = 60;
  settings.steps = steps;
  settings.random_starts = random_starts;
  settings.random_lambda_spectral = 0.0;
  return settings;
}

}  // namespace thalweg::testing_support
