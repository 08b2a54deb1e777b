// Random operands of pair passes, with their exponents in double.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/pair_plain_passes.hpp"
#include "kernels/pair_rows.hpp"
#include "kernels/panels.hpp"
#include "kernels/random.hpp"

namespace thalweg {

/// Random operands of one kind of score, n rows and m columns.
template <class Scalar>
struct Operands {
  std::int64_t n, m, d;
  LineBuffer<Scalar> rows, columns, dense;
  std::vector<Scalar> row_norms, column_norms, bias, weights, shifts, logs;
  PairOperands<Scalar> operands;

  Operands(PairScore score, std::int64_t n_, std::int64_t m_, std::int64_t d_, bool is_weighted)
      : n(n_),
        m(m_),
        d(d_),
        rows(padded(n) * d),
        columns(padded(m) * d),
        dense(score == PairScore::dense ? padded(n) * padded(m) : 0) {
    const RandomStream random{3, static_cast<std::uint32_t>(n * 7 + m)};
    fill(rows, row_norms, n, random, 1);
    fill(columns, column_norms, m, random, 2);
    for (std::int64_t i = 0; i < padded(n) * padded(m) && score == PairScore::dense; ++i)
      dense.data()[i] = static_cast<Scalar>(-2.0 * random.uniform(static_cast<std::uint64_t>(i), 3));
    for (std::int64_t j = 0; j < padded(m); ++j) {
      const auto at = static_cast<std::uint64_t>(j);
      const bool is_absent = j >= m || (j > 0 && random.uniform(at, 4) < 0.1);
      bias.push_back(
          static_cast<Scalar>(is_absent ? no_bias : random.normal(at, 5) - std::log2(static_cast<double>(m))));
      weights.push_back(static_cast<Scalar>(j >= m ? 0.0 : 0.5 + random.uniform(at, 6)));
      logs.push_back(static_cast<Scalar>(random.normal(at, 8)));
    }
    for (std::int64_t i = 0; i < padded(n); ++i)
      shifts.push_back(static_cast<Scalar>(i >= n ? no_bias : random.normal(static_cast<std::uint64_t>(i), 7)));
    operands = {score,
                d,
                m,
                score == PairScore::dot ? Scalar(1) : Scalar(1.3),
                rows.data(),
                columns.data(),
                row_norms.data(),
                column_norms.data(),
                bias.data(),
                is_weighted ? weights.data() : nullptr,
                dense.data(),
                0};
  }

  static std::int64_t padded(std::int64_t points) { return PairOperands<Scalar>::tiles_of(points) * tile_rows; }
  void fill(LineBuffer<Scalar>& points, std::vector<Scalar>& norms, std::int64_t count, const RandomStream& random,
            std::uint32_t stream) const {
    norms.assign(static_cast<std::size_t>(padded(count)), Scalar(0));
    std::fill_n(points.data(), padded(count) * d, Scalar(0));
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t k = 0; k < d; ++k) {
        const auto value = static_cast<Scalar>(0.5 * random.normal(static_cast<std::uint64_t>(i * d + k), stream));
        points.data()[(i / tile_rows * d + k) * tile_rows + i % tile_rows] = value;
        norms[static_cast<std::size_t>(i)] += value * value;
      }
  }

  double feature(const LineBuffer<Scalar>& points, std::int64_t i, std::int64_t k) const {
    return static_cast<double>(points.data()[(i / tile_rows * d + k) * tile_rows + i % tile_rows]);
  }
  /// s_ij without u and v.
  double score(std::int64_t i, std::int64_t j) const {
    double product = 0.0, squares = 0.0, absolute = 0.0;
    for (std::int64_t k = 0; k < d; ++k) {
      const double x = feature(rows, i, k), y = feature(columns, j, k);
      product += x * y;
      squares += (x - y) * (x - y);
      absolute += std::abs(x - y);
    }
    switch (operands.score) {
      case PairScore::euclidean:
        return -static_cast<double>(operands.kappa) * std::sqrt(squares);
      case PairScore::manhattan:
        return -static_cast<double>(operands.kappa) * absolute;
      case PairScore::dense:
        return static_cast<double>(operands.kappa) *
               static_cast<double>(operands.dense_column(i / tile_rows, j)[i % tile_rows]);
      default:
        return product;
    }
  }
  double exponent(std::int64_t i, std::int64_t j) const {
    return score(i, j) + static_cast<double>(shifts[static_cast<std::size_t>(i)]) +
           static_cast<double>(bias[static_cast<std::size_t>(j)]);
  }
  std::vector<std::int64_t> tiles() const {
    std::vector<std::int64_t> list(static_cast<std::size_t>(padded(n) / tile_rows));
    std::iota(list.begin(), list.end(), std::int64_t{0});
    return list;
  }
  TileRange range() const { return {0, padded(n) / tile_rows}; }
  plain::Tiles plain_range() const { return plain::Tiles::of_range(0, padded(n) / tile_rows); }
  std::span<const Scalar> shift() const { return shifts; }
};

template <class Scalar, class Check>
void for_each_operands(Check check) {
  for (const PairScore score : {PairScore::dot, PairScore::euclidean, PairScore::manhattan, PairScore::dense})
    for (const auto& [n, m, d] :
         {std::array<std::int64_t, 3>{1, 1, 1}, {31, 257, 5}, {33, 63, 30}, {64, 64, 3}, {65, 1, 4}, {257, 32, 7}})
      for (const bool is_weighted : {false, true}) {
        SCOPED_TRACE(testing::Message() << "score " << static_cast<int>(score) << ' ' << n << " x " << m
                                        << (is_weighted ? " weighted" : ""));
        check(Operands<Scalar>(score, n, m, d, is_weighted));
        if (testing::Test::HasFatalFailure()) return;
      }
}

}  // namespace thalweg
