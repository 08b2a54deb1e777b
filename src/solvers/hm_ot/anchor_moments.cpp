#include "solvers/hm_ot/anchor_moments.hpp"

#include <algorithm>
#include <cmath>

#include "solvers/gromov/multi_start.hpp"
#include "solvers/hm_ot/matching.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t most_anchors = 512;  // of a side
constexpr double anchor_epsilon = 5e-3;     // in units of E at a b^T
constexpr double anchor_tolerance = 1e-4;

/// Rows of the sample at even distances, in the frame of their slice.
Matrix anchors_of(const Chain& chain, std::size_t slice, const SampledSlice& sample) {
  const Matrix rows = feature_rows(chain, slice, sample);
  Matrix anchors(std::min(most_anchors, rows.rows), rows.columns);
  for (std::int64_t i = 0; i < anchors.rows; ++i) {
    const auto row = rows.row(i * rows.rows / anchors.rows);
    std::copy(row.begin(), row.end(), anchors.row(i).begin());
  }
  return anchors;
}

/// Columns [first, first + count) times `unit`.
Matrix columns_of(const Matrix& rows, std::int64_t first, std::int64_t count, double unit) {
  Matrix result(rows.rows, count);
  for (std::int64_t i = 0; i < rows.rows; ++i)
    for (std::int64_t j = 0; j < count; ++j) result(i, j) = unit * rows(i, first + j);
  return result;
}

PointSet points_of(const Matrix& rows) { return {rows.rows, rows.columns, std::span<const double>(rows.values)}; }

/// sum_ij P_ij s_i t_j^T of all couplings between anchors.
Matrix moment_of(const GromovSolution& solution, const Matrix& source, const Matrix& target) {
  const std::vector<double> coupling = solution.geometry->coupling_rows({0, source.rows}, solution.coupling.f, solution.coupling.g);
  Matrix partners(source.rows, target.columns), moment(source.columns, target.columns);
  for (std::int64_t i = 0; i < source.rows; ++i)
    for (std::int64_t j = 0; j < target.rows; ++j)
      for (std::int64_t c = 0; c < target.columns; ++c)
        partners(i, c) += coupling[static_cast<std::size_t>(i * target.rows + j)] * target(j, c);
  for (std::int64_t i = 0; i < source.rows; ++i)
    for (std::int64_t c = 0; c < source.columns; ++c)
      for (std::int64_t e = 0; e < target.columns; ++e) moment(c, e) += source(i, c) * partners(i, e);
  return moment;
}

/// Of one transition, by this process alone.
Matrix anchor_moment(const Context& context, double alpha, const Chain& chain, std::size_t edge, const std::vector<SampledSlice>& sample) {
  const Matrix source = anchors_of(chain, edge, sample[edge]), target = anchors_of(chain, edge + 1, sample[edge + 1]);
  const std::int64_t features = chain.num_features(), c = chain.num_coordinates;
  const ChainSlice &of_source = chain.slices[edge], &of_target = chain.slices[edge + 1];
  const double product = product_parts(of_source, of_target, 0.0).gromov;
  if (!(product > 0.0)) return Matrix(c, c);
  const Matrix s = columns_of(source, features, c, of_source.coordinate_unit), t = columns_of(target, features, c, of_target.coordinate_unit);
  const Matrix x = columns_of(source, 0, features, 1.0), y = columns_of(target, 0, features, 1.0);
  const std::vector<double> a(static_cast<std::size_t>(s.rows), 1.0 / static_cast<double>(s.rows));
  const std::vector<double> b(static_cast<std::size_t>(t.rows), 1.0 / static_cast<double>(t.rows));
  const double divisor = std::sqrt(product);
  GromovProblem problem{SquaredDistances{points_of(s), divisor}, SquaredDistances{points_of(t), divisor}, a, b, anchor_epsilon};
  const bool is_fused = features > 0;
  if (is_fused) {
    problem.alpha = alpha;
    problem.linear = SharedFeatures{points_of(x), points_of(y)};
  }
  MultiStartSettings settings;
  settings.solve.tolerance = anchor_tolerance;
  settings.starts = is_fused ? 1 : settings.starts;
  settings.anchors = most_anchors;
  settings.wants_bounds = false;
  const MultiStartSolution solution = solve_gromov_from_starts(context, problem, settings);
  const double units = of_source.coordinate_unit * of_target.coordinate_unit;
  Matrix moment = moment_of(solution.best, s, t);
  for (double& value : moment.values) value /= units;
  return moment;
}

}  // namespace

std::vector<Matrix> anchor_moments(const Context& context, const HmOtProblem& problem, const Chain& chain,
                                   const std::vector<SampledSlice>& sample) {
  if (!chain.has_coordinates()) return {};
  const std::int64_t c = chain.num_coordinates;
  std::vector<Matrix> moments(chain.edges.size(), Matrix(c, c));
  // Other ranks would have to come to the same bits.
  context.comm.on_all([&] {
    if (context.comm.rank() != 0) return;
    const auto self = make_self_communicator();
    const Context alone{*self, Precision::float64, Device::cpu, context.seed};
    for (std::size_t t = 0; t < moments.size(); ++t) moments[t] = anchor_moment(alone, problem.alpha, chain, t, sample);
  });
  for (Matrix& moment : moments) context.comm.broadcast(moment.values, 0);
  return moments;
}

}  // namespace thalweg
