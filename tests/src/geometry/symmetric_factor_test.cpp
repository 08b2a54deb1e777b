#include "geometry/symmetric_factor.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "distributed/error.hpp"
#include "distributed/partition.hpp"
#include "geometry/row_gram.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {
namespace {

constexpr std::int64_t n = 700, r = 4;  // ragged blocks, a rank of four without rows

/// U and V with U V^T = B S B^T for a symmetric S: two ways to split one symmetric matrix.
struct Pair {
  Matrix u{n, r}, v{n, r};
};

Pair symmetric_pair() {
  Pair pair;
  Matrix s(r, r);
  for (std::int64_t k = 0; k < r; ++k)
    for (std::int64_t l = 0; l < r; ++l)
      s(k, l) = std::cos(static_cast<double>(1 + k + l)) + (k == l ? 2.0 * static_cast<double>(k) - 3.0 : 0.0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < r; ++k)
      pair.v(i, k) = std::sin(0.1 + 0.7 * static_cast<double>(i * (k + 1)) + 0.01 * static_cast<double>(i * i % 97));
  pair.u = product(pair.v, s);
  for (std::int64_t i = 0; i < n; ++i) {  // columns of very different lengths, the product unchanged
    pair.u(i, 2) *= 1e5;
    pair.v(i, 2) *= 1e-5;
  }
  return pair;
}

RowRange own_rows(const Communicator& comm) { return Partition(n, comm.size(), block_rows).rows_of(comm.rank()); }

Matrix part_of(const Communicator& comm, const Matrix& all) {
  const RowRange rows = own_rows(comm);
  Matrix part(rows.size(), all.columns);
  std::copy_n(all.values.begin() + rows.begin * all.columns, part.values.size(), part.values.begin());
  return part;
}

struct SymmetricFactors : testing::Test {
  std::unique_ptr<Communicator> world = make_world_communicator(), self = make_self_communicator();
};

TEST_F(SymmetricFactors, AreTheProductWithOrthonormalColumns) {
  const Pair pair = symmetric_pair();
  const SymmetricFactor factor = symmetric_factor(*self, pair.u, pair.v, n);
  ASSERT_EQ(factor.v.columns, r);
  const Matrix expected = product(pair.u, transpose(pair.v));
  Matrix scaled = factor.v;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < r; ++k) scaled(i, k) *= factor.diagonal[static_cast<std::size_t>(k)];
  const Matrix found = product(scaled, transpose(factor.v));
  double largest = 0.0;
  for (const double value : expected.values) largest = std::max(largest, std::abs(value));
  for (std::size_t at = 0; at < found.values.size(); at += 13)
    EXPECT_NEAR(found.values[at], expected.values[at], 1e-11 * largest);
  const Matrix gram = gram_of_rows(*self, factor.v, n);
  for (std::int64_t k = 0; k < r; ++k)
    for (std::int64_t l = 0; l < r; ++l) EXPECT_NEAR(gram(k, l), k == l ? 1.0 : 0.0, 1e-12);
}

TEST_F(SymmetricFactors, HaveTheBitsOfOneRank) {
  const Pair pair = symmetric_pair();
  const SymmetricFactor alone = symmetric_factor(*self, pair.u, pair.v, n);
  const SymmetricFactor part = symmetric_factor(*world, part_of(*world, pair.u), part_of(*world, pair.v), n);
  EXPECT_EQ(part.diagonal, alone.diagonal);
  EXPECT_EQ(part.v, part_of(*world, alone.v));
}

TEST_F(SymmetricFactors, OfAnAsymmetricProductNameItsFirstRow) {
  Pair pair = symmetric_pair();
  const auto first = [&] {
    return first_asymmetric_row(*world, part_of(*world, pair.u), part_of(*world, pair.v), own_rows(*world).begin, n,
                                1e-6);
  };
  EXPECT_EQ(first(), -1);

  pair.u(523, 1) += 3e-5;
  EXPECT_EQ(first(), 523);
  Pair skew;
  skew.u = Matrix(n, r);
  skew.v = Matrix(n, r);
  for (std::int64_t i = 0; i < n; ++i) skew.u(i, 0) = skew.v(i, 0) = 1.0;
  skew.u(300, 1) = skew.v(301, 1) = 0.5;
  EXPECT_EQ(
      first_asymmetric_row(*world, part_of(*world, skew.u), part_of(*world, skew.v), own_rows(*world).begin, n, 1e-6),
      300);
}

TEST_F(SymmetricFactors, OfNothingAreRefused) {
  const Matrix zero(own_rows(*world).size(), 2);
  EXPECT_THROW(symmetric_factor(*world, zero, zero, n), DataError);
}

}  // namespace
}  // namespace thalweg
