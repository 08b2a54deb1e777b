// Points of two sides as the pair kernels read them: prepared for their cost, rounded once, in tiles. No Kokkos.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/pair_geometry.hpp"
#include "geometry/point_layout.hpp"
#include "kernels/pair_operands.hpp"
#include "kernels/panels.hpp"

namespace thalweg {

/// What a rank holds of one side, in tiles: (tile, k, point); padding is 0.
template <class Scalar>
struct PackedPoints {
  std::int64_t num_points = 0;  // of all ranks
  std::int64_t dimension = 0;
  PointLayout layout;
  RowRange own, held;
  LineBuffer<Scalar> features{0};  // of the held points
  std::vector<double> norms;       // |x|^2 of the rounded points, of those held
  std::vector<char> present;       // of positive weight, of all points

  std::int64_t size() const { return PairOperands<Scalar>::tiles_of(held.size()) * tile_rows * dimension; }
  /// First tile of the owned points among those held.
  std::int64_t first_own_tile() const { return (own.begin - held.begin) / tile_rows; }
  /// Address of coordinate 0 of a held point; the next ones follow at distance tile_rows.
  Scalar* at(std::int64_t i) { return features.data() + offset(i); }
  const Scalar* at(std::int64_t i) const { return features.data() + offset(i); }
  double norm(std::int64_t i) const { return norms[static_cast<std::size_t>(i - held.begin)]; }

 private:
  std::int64_t offset(std::int64_t i) const {
    const std::int64_t local = i - held.begin;
    return local / tile_rows * dimension * tile_rows + local % tile_rows;
  }
};

/// C_ij = p_i + q_j - factor score(x_i, y_j) before scaling, with p and q the squared norms for `sq_euclidean`, p = 1
/// for `cosine` and `correlation`, else 0.
template <class Scalar>
struct PairPoints {
  Cost cost = Cost::sq_euclidean;
  PairScore score = PairScore::dot;
  double factor = 1.0;
  PackedPoints<Scalar> source, target;
  std::vector<double> source_norms, target_norms;  // of all points
  SharedTiles<Scalar> dense_rows;                  // `dense`: C of the owned rows; null where dense_floats holds them
  SharedTiles<float> dense_floats;                 // what was rounded to floats, for arithmetic in double
  SharedTiles<Scalar> dense_columns;               // of the owned columns, for devices: (tile of columns, row, column)

  double source_part(std::int64_t i) const {
    if (cost == Cost::sq_euclidean) return source_norms[static_cast<std::size_t>(i)];
    return cost == Cost::cosine || cost == Cost::correlation ? 1.0 : 0.0;
  }
  double target_part(std::int64_t j) const {
    return cost == Cost::sq_euclidean ? target_norms[static_cast<std::size_t>(j)] : 0.0;
  }
};

/// Centres (`sq_euclidean`, `euclidean`: by the mean of both weighted means), normalises (`cosine`, `correlation`),
/// packs.
/// @param part_columns  of the layout of both sides; 0: replicated
/// @param both_ways     stored costs by columns too, of rows that are spread over ranks
/// @throws DataError for values that are not finite, and rows that cannot be normalised
template <class Scalar>
PairPoints<Scalar> make_pair_points(const Communicator& comm, const PairSides& sides, std::int64_t part_columns = 0,
                                    bool both_ways = false);

/// The same numbers as doubles; stored costs remain floats but where a device reads them.
PairPoints<double> widened(const PairPoints<float>& points, bool for_device);

/// features times `scale`, rounded to float where `is_float`, else to Scalar; norms stay those of the products over
/// `scale`.
template <class Scalar>
PackedPoints<Scalar> scaled(const PackedPoints<Scalar>& points, double scale, bool is_float);

}  // namespace thalweg
