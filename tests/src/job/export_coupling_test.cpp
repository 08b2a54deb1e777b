#include "job/export_coupling.hpp"

#include <gtest/gtest.h>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

TEST(DenseSize, IsAtMostFourGibibytes) {
  EXPECT_NO_THROW(check_dense_size(std::int64_t{1} << 15, std::int64_t{1} << 14));
  EXPECT_THROW(check_dense_size(std::int64_t{1} << 15, (std::int64_t{1} << 14) + 1), DataError);
  EXPECT_THROW(check_dense_size(std::int64_t{1} << 40, std::int64_t{1} << 40), DataError);
  EXPECT_NO_THROW(check_dense_size(0, std::int64_t{1} << 40));
}

}  // namespace
}  // namespace thalweg
