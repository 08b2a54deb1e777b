#include "kernels/neighbour_rows_host.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/block_rows.hpp"
#include "kernels/neighbour_list.hpp"
#include "kernels/panels.hpp"
#include "kernels/simd.hpp"
#include "kernels/simd_mask.hpp"

namespace thalweg {

namespace {

// Scores are formed for a strip of queries and a few vectors of columns at once: 6 x 4 accumulators and 5 operands in
// 32 vector registers, 6 x 2 and 3 in 16.
constexpr int strip_queries = 6;
constexpr int strip_vectors = simd::vector_bytes == 64 ? 4 : 2;
template <class Scalar>
constexpr int strip_columns = strip_vectors* simd::lanes<Scalar>;
static_assert(tile_rows % strip_columns<float> == 0 && tile_rows % strip_columns<double> == 0);
static_assert(queries_together % strip_queries == 0);

/// Columns of a block stay in the second cache while all queries pass them.
constexpr std::int64_t block_bytes = 256 * 1024;

/// A strip of queries and what is known of their neighbours so far.
template <class Scalar>
struct Strip {
  int num_queries = 0;
  const std::int32_t* queries = nullptr;
  const Scalar* negated = nullptr;           // d x strip_queries
  Scalar largest_score[strip_queries] = {};  // scores above belong to nobody near enough
  double squared_norm[strip_queries] = {};
  double* squared_distances = nullptr;
  std::int32_t* indices = nullptr;
};

template <class Scalar>
class QuerySearch {
 public:
  QuerySearch(const HostSearch<Scalar>& search, std::span<const std::int32_t> queries, std::int64_t count,
              double* squared_distances, std::int32_t* indices)
      : search_(search), count_(count), packed_(queries_together * search.dimension) {
    const auto total = static_cast<std::int64_t>(queries.size());
    std::fill_n(squared_distances, total * count, std::numeric_limits<double>::infinity());
    std::fill_n(indices, total * count, no_neighbour);
    for (std::int64_t first = 0; first < total; first += strip_queries) {
      Strip<Scalar>& strip = strips_.emplace_back();
      strip.num_queries = static_cast<int>(std::min<std::int64_t>(strip_queries, total - first));
      strip.queries = queries.data() + first;
      strip.squared_distances = squared_distances + first * count;
      strip.indices = indices + first * count;
      pack(strip, packed_.data() + first * search.dimension);
    }
  }

  void run() {
    const std::int64_t tiles = (search_.num_points + tile_rows - 1) / tile_rows;
    const std::int64_t tile_bytes = search_.dimension * tile_rows * static_cast<std::int64_t>(sizeof(Scalar));
    const std::int64_t block = std::max<std::int64_t>(1, block_bytes / std::max<std::int64_t>(1, tile_bytes));
    for (std::int64_t first = 0; first < tiles; first += block)
      for (Strip<Scalar>& strip : strips_)
        for (std::int64_t tile = first; tile < std::min(tiles, first + block); ++tile)
          for (int at = 0; at < tile_rows; at += strip_columns<Scalar>) search_columns(strip, tile, at);
  }

 private:
  void pack(Strip<Scalar>& strip, Scalar* negated) {
    std::fill_n(negated, strip_queries * search_.dimension, Scalar(0));
    strip.negated = negated;
    for (int q = 0; q < strip.num_queries; ++q) {
      const std::int64_t tile = strip.queries[q] / tile_rows, lane = strip.queries[q] % tile_rows;
      for (std::int64_t j = 0; j < search_.dimension; ++j) {
        const Scalar value = search_.screened[(tile * search_.dimension + j) * tile_rows + lane];
        negated[j * strip_queries + q] = -value;
        strip.squared_norm[q] += static_cast<double>(value) * static_cast<double>(value);
      }
      strip.largest_score[q] = std::numeric_limits<Scalar>::infinity();
    }
    for (int q = strip.num_queries; q < strip_queries; ++q)
      strip.largest_score[q] = std::numeric_limits<Scalar>::lowest();
  }

  /// Scores |y|^2 / 2 - x . y of a strip against some columns of a tile; those that may be near enough are judged.
  void search_columns(Strip<Scalar>& strip, std::int64_t tile, int at) {
    constexpr int lanes = simd::lanes<Scalar>;
    using Vector = simd::Vector<Scalar>;
    const std::int64_t dimension = search_.dimension;
    const Scalar* columns = search_.screened + tile * dimension * tile_rows + at;
    const Scalar* half_norms = search_.half_norms + tile * tile_rows + at;
    const Scalar* rows = strip.negated;
    Vector sum[strip_queries * strip_vectors];
#pragma GCC unroll 32
    for (int i = 0; i < strip_queries * strip_vectors; ++i) sum[i] = simd::load(half_norms + i % strip_vectors * lanes);
    for (std::int64_t j = 0; j < dimension; ++j) {
      Vector column[strip_vectors];
      for (int v = 0; v < strip_vectors; ++v)
        column[v] = simd::in_register(simd::load(columns + j * tile_rows + v * lanes));
      for (int q = 0; q < strip_queries; ++q) {
        const Vector row = simd::in_register(simd::broadcast(rows[j * strip_queries + q]));
        for (int v = 0; v < strip_vectors; ++v) sum[q * strip_vectors + v] += row * column[v];
      }
    }
    std::uint64_t near[strip_queries] = {}, any = 0;
    alignas(64) Scalar scores[strip_queries * strip_columns<Scalar>];
#pragma GCC unroll 8
    for (int q = 0; q < strip_queries; ++q) {
      const Vector largest = simd::broadcast(strip.largest_score[q]);
#pragma GCC unroll 8
      for (int v = 0; v < strip_vectors; ++v) {
        near[q] |= simd::lanes_at_most(sum[q * strip_vectors + v], largest) << (v * lanes);
        simd::store<Scalar>(sum[q * strip_vectors + v], scores + (q * strip_vectors + v) * lanes);
      }
      any |= near[q];
    }
    if (any == 0) return;
    for (int q = 0; q < strip.num_queries; ++q)
      for (std::uint64_t left = near[q]; left != 0; left &= left - 1) {
        const int lane = std::countr_zero(left);
        if (scores[q * strip_columns<Scalar> + lane] <= strip.largest_score[q])
          judge(strip, q, tile * tile_rows + at + lane);
      }
  }

  bool is_excluded(std::int32_t query, std::int64_t column) const {
    if (column >= search_.num_points || column == query) return true;
    return search_.groups != nullptr && search_.groups[query] == search_.groups[column];
  }

  void judge(Strip<Scalar>& strip, int q, std::int64_t column) {
    const std::int32_t query = strip.queries[q], index = static_cast<std::int32_t>(column);
    if (is_excluded(query, column)) return;
    const std::int64_t d = search_.dimension;
    double* distances = strip.squared_distances + q * count_;
    std::int32_t* indices = strip.indices + q * count_;
    const double distance = squared_distance(search_.exact + query * d, search_.exact + column * d, d);
    if (!comes_before(distance, index, distances[count_ - 1], indices[count_ - 1])) return;
    insert_neighbour(distance, index, count_, distances, indices);
    strip.largest_score[q] = largest_score<Scalar>(strip.squared_norm[q], distances[count_ - 1], d);
  }

  const HostSearch<Scalar>& search_;
  std::int64_t count_;
  LineBuffer<Scalar> packed_;
  std::vector<Strip<Scalar>> strips_;
};

}  // namespace

template <class Scalar>
void neighbours_of_queries(const HostSearch<Scalar>& search, std::span<const std::int32_t> queries, std::int64_t count,
                           double* squared_distances, std::int32_t* indices) {
  QuerySearch<Scalar>(search, queries, count, squared_distances, indices).run();
}

template void neighbours_of_queries<float>(const HostSearch<float>&, std::span<const std::int32_t>, std::int64_t,
                                           double*, std::int32_t*);
template void neighbours_of_queries<double>(const HostSearch<double>&, std::span<const std::int32_t>, std::int64_t,
                                            double*, std::int32_t*);

}  // namespace thalweg
