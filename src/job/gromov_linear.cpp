#include "job/gromov_linear.hpp"

#include "distributed/error.hpp"

namespace thalweg {

namespace {

PointSet points_of(const std::vector<float>& values, std::int64_t width) {
  return {static_cast<std::int64_t>(values.size()) / width, width, std::span<const float>(values)};
}

}  // namespace

LinearPart::LinearPart(const Communicator& comm, const Job& job, const TransportSides& sides)
    : normalise_(job.gromov.normalise == "product" ? Normalise::product : Normalise::none) {
  const std::string& key = job.gromov.linear;
  if (key.empty()) return;
  alpha_ = job.problem.alpha.value_or(0.5);
  features_ = read_side_matrices(comm, job, sides, key);
  const std::int64_t x = features_->source_width, y = features_->target_width;
  if (x != y || x == 0)
    throw DataError("gromov.linear = \"" + key + "\" has " + std::to_string(x) + " columns on the source side and " +
                    std::to_string(y) + " on the target side; both sides need the same features");
}

void LinearPart::add_to(GromovProblem& problem) const {
  problem.alpha = alpha_;
  problem.normalise = normalise_;
  if (features_)
    problem.linear = SharedFeatures{points_of(features_->source, features_->source_width),
                                    points_of(features_->target, features_->target_width)};
}

}  // namespace thalweg
