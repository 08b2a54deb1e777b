#include "job/gromov_linear.hpp"

#include <cmath>

#include "distributed/error.hpp"
#include "solvers/gromov/intra_rows.hpp"

namespace thalweg {

namespace {

PointSet points_of(const std::vector<float>& values, std::int64_t width) {
  return {static_cast<std::int64_t>(values.size()) / width, width, std::span<const float>(values)};
}

/// C to some cells over the root of their number, all cells x these. Collective.
Matrix costs_to(const Communicator& comm, const IntraCosts& costs, const std::vector<std::int64_t>& anchors) {
  const IntraRows rows(comm, costs);
  const double factor = 1.0 / std::sqrt(static_cast<double>(anchors.size()));
  Matrix result(rows.num_cells(), static_cast<std::int64_t>(anchors.size()));
  for (std::int64_t k = 0; k < result.columns; ++k) {
    const std::vector<double> owned = rows.column(anchors[static_cast<std::size_t>(k)]);
    const std::vector<double> column = comm.all_gather(std::span<const double>(owned));
    for (std::int64_t i = 0; i < result.rows; ++i) result(i, k) = factor * column[static_cast<std::size_t>(i)];
  }
  return result;
}

PointSet points_of(const Matrix& matrix) {
  return {matrix.rows, matrix.columns, std::span<const double>(matrix.values)};
}

}  // namespace

LinearPart::LinearPart(const Communicator& comm, const Job& job, const TransportSides& sides)
    : normalise_(job.gromov.normalise == "product" ? Normalise::product : Normalise::none) {
  const std::string& key = job.gromov.linear;
  if (key.empty() && job.shapes.anchors.empty()) return;
  alpha_ = job.problem.alpha.value_or(0.5);
  if (key.empty()) {
    normalise_ = Normalise::none;
    anchors_ = read_paired_cells(comm, job.shapes.anchors, sides.source.num_cells, sides.target.num_cells);
    return;
  }
  features_ = read_side_matrices(comm, job, sides, key);
  const std::int64_t x = features_->source_width, y = features_->target_width;
  if (x != y || x == 0)
    throw DataError("gromov.linear = \"" + key + "\" has " + std::to_string(x) + " columns on the source side and " +
                    std::to_string(y) + " on the target side; both sides need the same features");
}

void LinearPart::add_to(const Communicator& comm, GromovProblem& problem) {
  problem.alpha = alpha_;
  problem.normalise = normalise_;
  if (features_)
    problem.linear = SharedFeatures{points_of(features_->source, features_->source_width),
                                    points_of(features_->target, features_->target_width)};
  if (anchors_.source.empty()) return;
  to_source_anchors_ = costs_to(comm, problem.source, anchors_.source);
  to_target_anchors_ = costs_to(comm, problem.target, anchors_.target);
  problem.linear = SharedFeatures{points_of(to_source_anchors_), points_of(to_target_anchors_)};
}

}  // namespace thalweg
