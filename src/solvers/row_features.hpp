// The features phi of the rows of one slice, as a rank holds them.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Coordinates of rows within their own slice, between which a Gromov-Wasserstein cost is; absent: width 0.
struct IntraCoordinates {
  std::span<const float> values;  // owned rows x count, row-major
  std::int64_t count = 0;
  std::int64_t width = 0;  // columns of phi that they fill, at least `count`: slices may differ in theirs
};

/// This rank's rows of one slice. phi_i = [x_i], or with coordinates s_i and their weighted mean m
/// phi_i = [x_i, s_i - m, 0 up to `width`, |s_i - m|^2].
struct RowBlock {
  std::int64_t num_rows = 0;        // of all ranks
  RowRange rows;                    // owned here: whole blocks of block_rows global rows
  std::int64_t dimension = 0;       // p
  std::span<const float> features;  // x, owned rows x num_features(), row-major
  std::span<const double> weights;  // positive or zero, empty = equal; sum over all ranks is arbitrary
  IntraCoordinates coordinates = {};

  bool has_coordinates() const { return coordinates.width > 0; }
  std::int64_t num_features() const { return has_coordinates() ? dimension - coordinates.width - 1 : dimension; }
};

/// Origin and unit of every feature: phi_ij is read as (phi_ij - center_j) * scale_j. Of coordinates the center is m.
struct FeatureFrame {
  std::vector<double> center;  // p
  std::vector<double> scale;   // p, powers of two, or 0 for a feature that is left out; empty: 1

  FeatureFrame() = default;
  FeatureFrame(std::vector<double> center_, std::vector<double> scale_ = {})
      : center(std::move(center_)), scale(std::move(scale_)) {}

  double scale_of(std::int64_t feature) const { return scale.empty() ? 1.0 : scale[static_cast<std::size_t>(feature)]; }
};

/// The frame of a center that leaves out the squares of coordinates, whose unit is another.
FeatureFrame without_squares(const RowBlock& block, std::vector<double> center);

/// phi of the owned row `row` in a frame.
/// @param phi   length p
void features_of_row(const RowBlock& block, const FeatureFrame& frame, std::int64_t row, std::span<double> phi);

/// Moments of the coordinates of one slice about their mean m, weights of sum 1; equal bits for any number of ranks.
struct IntraMoments {
  double square = 0.0;          // E |s - m|^2
  double fourth = 0.0;          // E |s - m|^4
  double covariance_norm = 0.0; // |E (s - m)(s - m)^T|_F^2

  /// E |s - s'|^4 of two independent rows: sum_ii' a_i a_i' A_ii'^2 with A the squared distances.
  double squared_costs() const { return 2.0 * fourth + 2.0 * square * square + 4.0 * covariance_norm; }
};

/// Collective. @param center   of all features, m among them
IntraMoments intra_moments(const Communicator& comm, const RowBlock& block, std::vector<double> center);

}  // namespace thalweg
