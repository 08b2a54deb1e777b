// Fixed-point sums over blocks of rows of the products of all pairs of columns: the GEMMs of the low-rank pass.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/block_rows.hpp"
#include "kernels/panels.hpp"
#include "kernels/simd.hpp"

namespace thalweg {

/// out[j, k] = sum_i left[j][i] right[k][i] over a block of rows, for one panel of columns on either side, in the
/// order of simd::lane_sums. Column j of tile t starts at left + t left_stride + j tile_rows, likewise on the right.
template <class Scalar, int left_width, int right_width>
void product_tile(const Scalar* left, std::int64_t left_stride, const Scalar* right, std::int64_t right_stride,
                  Scalar* out) {
  using Vector = simd::Vector<Scalar>;
  Vector sum[left_width * right_width] = {};
  for (int tile = 0; tile < tiles_per_block; ++tile) {
    for (int i = 0; i < tile_rows; i += simd::lanes<Scalar>) {
      Vector row[left_width];
      for (int j = 0; j < left_width; ++j) row[j] = simd::in_register(simd::load(left + j * tile_rows + i));
      for (int k = 0; k < right_width; ++k) {
        const Vector column = simd::in_register(simd::load(right + k * tile_rows + i));
        for (int j = 0; j < left_width; ++j) sum[j * right_width + k] += row[j] * column;
      }
    }
    left += left_stride;
    right += right_stride;
  }
  simd::lane_sums<Scalar>(sum, out);
}

/// The sums of left^T right, one block added at a time; sums are kept per pair of panels in lane order.
template <class Scalar>
class RowProducts {
 public:
  /// @param symmetric   the product is known to be so: the upper triangle is summed and mirrored
  RowProducts(std::int64_t left_size, std::int64_t right_size, bool symmetric)
      : left_{left_size}, right_{right_size}, symmetric_(symmetric), sums_(left_.count() * right_.count() * slots) {
    std::fill_n(sums_.data(), left_.count() * right_.count() * slots, std::int64_t{0});
  }

  /// Adds to_fixed times the sums of one block; both sides are stored tile by tile, column by column.
  void add(const Scalar* left, const Scalar* right, double to_fixed) {
    for (std::int64_t a = 0; a < left_.count(); ++a)
      left_.with_width(a, [&](auto left_width) {
        for (std::int64_t b = symmetric_ ? a : 0; b < right_.count(); ++b)
          right_.with_width(b, [&](auto right_width) {
            constexpr int count = padded(left_width * right_width);
            alignas(64) Scalar tile[count];
            product_tile<Scalar, left_width, right_width>(left + left_.begin(a) * tile_rows, left_.size * tile_rows,
                                                          right + right_.begin(b) * tile_rows, right_.size * tile_rows,
                                                          tile);
            simd::add_fixed(tile, count, to_fixed, sums_.data() + (a * right_.count() + b) * slots);
          });
      });
  }

  /// Adds the sums to a row-major matrix.
  void add_to(std::int64_t* product) const {
    for (std::int64_t a = 0; a < left_.count(); ++a)
      for (std::int64_t b = symmetric_ ? a : 0; b < right_.count(); ++b)
        for (int j = 0; j < left_.width(a); ++j)
          for (int k = 0; k < right_.width(b); ++k) {
            const std::int64_t row = left_.begin(a) + j, column = right_.begin(b) + k;
            const std::int64_t slot =
                (a * right_.count() + b) * slots + simd::lane_of_sum<Scalar>(j * right_.width(b) + k);
            if (symmetric_ && column < row) continue;
            product[row * right_.size + column] += sums_.data()[slot];
            if (symmetric_ && column > row) product[column * right_.size + row] += sums_.data()[slot];
          }
  }

 private:
  static constexpr int padded(int count) {
    return (count + simd::lanes<Scalar> - 1) / simd::lanes<Scalar> * simd::lanes<Scalar>;
  }
  static constexpr int slots = padded(widest_panel * widest_panel);

  Panels<> left_, right_;
  bool symmetric_;
  LineBuffer<std::int64_t> sums_;
};

}  // namespace thalweg
