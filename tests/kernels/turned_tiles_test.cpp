// Tiles turned in memory of the default execution space, a device in a device build.
#include "kernels/turned_tiles.hpp"

#include <gtest/gtest.h>

#include "kernels/cost_tiles.hpp"
#include "kernels/device_pool.hpp"

namespace thalweg {
namespace {

using Space = Kokkos::DefaultExecutionSpace;

template <class Scalar>
struct TurnedTiles : testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(TurnedTiles, Scalars);

TYPED_TEST(TurnedTiles, AreThoseOfTheTransposedCosts) {
  const std::int64_t n = 130, m = 300;
  CostTiles<TypeParam> rows(n, m), columns(m, n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j) {
      rows.set_cost(i, j, static_cast<double>(1000 * i + j));
      columns.set_cost(j, i, static_cast<double>(1000 * i + j));
    }
  const Space exec;
  const DevicePool<Space> pool;
  const auto size = static_cast<std::size_t>(rows.size());
  ASSERT_EQ(rows.size(), columns.size());
  const auto given = pool.copy(exec, std::span<const TypeParam>(rows.data(), size));
  const auto turned = pool.template values<TypeParam>(exec, rows.size());
  turn_tiles(exec, static_cast<const TypeParam*>(given.data()), rows.num_tiles(), columns.num_tiles(), turned.data());
  const auto values = values_on_host(exec, static_cast<const TypeParam*>(turned.data()), rows.size());
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(values[i], columns.data()[i]) << i;
}

}  // namespace
}  // namespace thalweg
