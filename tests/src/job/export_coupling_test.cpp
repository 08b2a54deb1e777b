#include "job/export_coupling.hpp"

#include <gtest/gtest.h>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

TEST(ExportTile, HasSixteenMebibytesOrARowAThread) {
  EXPECT_EQ(rows_of_export_tile(1, 2), 1 << 21);
  EXPECT_EQ(rows_of_export_tile(1 << 16, 2), 32);
  EXPECT_EQ(rows_of_export_tile(1 << 16, 64), 64);
  EXPECT_EQ(rows_of_export_tile(1 << 20, 64), 8);
  EXPECT_EQ(rows_of_export_tile(std::int64_t{1} << 40, 64), 1);
}

TEST(DenseSize, IsAtMostFourGibibytes) {
  EXPECT_NO_THROW(check_dense_size(std::int64_t{1} << 15, std::int64_t{1} << 14));
  EXPECT_THROW(check_dense_size(std::int64_t{1} << 15, (std::int64_t{1} << 14) + 1), DataError);
  EXPECT_THROW(check_dense_size(std::int64_t{1} << 40, std::int64_t{1} << 40), DataError);
  EXPECT_NO_THROW(check_dense_size(0, std::int64_t{1} << 40));
}

}  // namespace
}  // namespace thalweg
