// Points as the caller gave them, and sums over them that do not depend on who holds which. No Kokkos.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "geometry/pair_geometry.hpp"
#include "geometry/point_layout.hpp"
#include "kernels/fixed_point.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

/// The points that a rank holds of one side.
class GivenPoints {
 public:
  /// Fetches the points that complete the rank's block where only its own are given. Collective.
  GivenPoints(const Communicator& comm, const PointSet& points, const PointLayout& layout);

  const PointSet& points() const { return *points_; }
  RowRange held() const { return held_; }
  /// Coordinate k of point i, one of those held.
  double at(std::int64_t i, std::int64_t k) const;

 private:
  void fetch_completion(const Communicator& comm, const PointLayout& layout);
  double given(std::int64_t i, std::int64_t k) const;

  const PointSet* points_;
  RowRange given_, held_;
  std::vector<double> completion_;  // coordinates of the held points after those given
};

/// Mean of the weighted means of both sides. Collective where they are spread. @param weights  of all points; empty: 1
std::vector<double> middle_of(const Communicator& comm, const PointLayout& layout, const GivenPoints& points,
                              std::span<const double> weights);

/// sums_k = sum over the points of all ranks of term(i, k), in fixed point, hence the same bits however they are
/// spread. Terms that are not finite are left out. Collective where the points are spread. All threads call term.
/// @param bound  of the sums of |term|
template <class Term>
std::vector<double> sums_over_points(const Communicator& comm, const PointLayout& layout, std::int64_t width,
                                     double bound, const Term& term) {
  const FixedPoint form = FixedPoint::for_bound(bound);
  const RowRange rows = layout.is_spread() ? layout.own(comm.rank()) : layout.held(comm.rank());
  const auto size = static_cast<std::size_t>(width);
  std::vector<std::int64_t> of_pieces(static_cast<std::size_t>((rows.size() + piece_rows - 1) / piece_rows) * size, 0);
  for_each_piece_on_host(rows.size(), [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> sums(size, 0);
    for (std::int64_t i = rows.begin + begin; i < rows.begin + end; ++i)
      for (std::int64_t k = 0; k < width; ++k) {
        const double value = term(i, k) * form.to_fixed;
        if (std::isfinite(value)) sums[static_cast<std::size_t>(k)] += std::llrint(value);
      }
    std::copy(sums.begin(), sums.end(), of_pieces.begin() + begin / piece_rows * width);
  });
  std::vector<std::int64_t> fixed(size, 0);
  for (std::size_t at = 0; at < of_pieces.size(); ++at) fixed[at % size] += of_pieces[at];
  if (layout.is_spread()) comm.all_reduce(std::span<std::int64_t>(fixed), Reduction::sum);
  std::vector<double> sums;
  for (const std::int64_t sum : fixed) sums.push_back(static_cast<double>(sum) * form.to_value);
  return sums;
}

}  // namespace thalweg
