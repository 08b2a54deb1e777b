#include "geometry/given_points.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace thalweg {

GivenPoints::GivenPoints(const Communicator& comm, const PointSet& points, const PointLayout& layout)
    : points_(&points), given_(points.rows.value_or(RowRange{0, points.num_points})), held_(layout.held(comm.rank())) {
  assert(!points.rows || (layout.is_spread() && *points.rows == layout.own(comm.rank())));
  if (points.rows && points.dimension > 0) fetch_completion(comm, layout);
}

double GivenPoints::given(std::int64_t i, std::int64_t k) const {
  const auto at = static_cast<std::size_t>((i - given_.begin) * points_->dimension + k);
  return std::visit([&](auto values) { return static_cast<double>(values[at]); }, points_->values);
}

double GivenPoints::at(std::int64_t i, std::int64_t k) const {
  if (i < given_.end) return given(i, k);
  return completion_[static_cast<std::size_t>((i - given_.end) * points_->dimension + k)];
}

void GivenPoints::fetch_completion(const Communicator& comm, const PointLayout& layout) {
  std::vector<double> send;
  std::vector<std::int64_t> counts, received_counts;
  for (int rank = 0; rank < comm.size(); ++rank) {
    const RowRange wanted = intersection(given_, {layout.own(rank).end, layout.held(rank).end});
    for (std::int64_t i = wanted.begin; i < wanted.end; ++i)
      for (std::int64_t k = 0; k < points_->dimension; ++k) send.push_back(given(i, k));
    counts.push_back(wanted.size() * points_->dimension);
  }
  completion_ = comm.all_to_all<double>(send, counts, received_counts);
}

std::vector<double> middle_of(const Communicator& comm, const PointLayout& layout, const GivenPoints& points,
                              std::span<const double> weights) {
  const std::int64_t dimension = points.points().dimension;
  const auto weight_of = [&](std::int64_t i) { return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(i)]; };
  const double total = weights.empty() ? static_cast<double>(points.points().num_points)
                                       : std::accumulate(weights.begin(), weights.end(), 0.0);
  const RowRange held = points.held();
  std::vector<double> of_pieces(static_cast<std::size_t>((held.size() + piece_rows - 1) / piece_rows) + 1, 0.0);
  for_each_piece_on_host(held.size(), [&](std::int64_t begin, std::int64_t end) {
    double largest_of_piece = 0.0;
    for (std::int64_t i = held.begin + begin; i < held.begin + end; ++i)
      for (std::int64_t k = 0; k < dimension; ++k)
        if (std::isfinite(points.at(i, k))) largest_of_piece = std::max(largest_of_piece, std::abs(points.at(i, k)));
    of_pieces[static_cast<std::size_t>(begin / piece_rows)] = largest_of_piece;
  });
  double largest = *std::max_element(of_pieces.begin(), of_pieces.end());
  if (layout.is_spread()) largest = comm.all_reduce(largest, Reduction::max);
  std::vector<double> middle =
      sums_over_points(comm, layout, dimension, total * largest,
                       [&](std::int64_t i, std::int64_t k) { return weight_of(i) * points.at(i, k); });
  for (double& value : middle) value = total > 0.0 && std::isfinite(total) ? value / total : 0.0;
  return middle;
}

}  // namespace thalweg
