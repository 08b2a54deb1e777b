// Which points of one side a rank holds.
#pragma once

#include "distributed/partition.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

/// A rank owns whole blocks of rows. Replicated, it holds all points, which are the one block that passes go over.
/// Spread, every rank has a block for the others to go over, in parts that begin at multiples of `part_columns`: what
/// is summed within a part does not depend on the number of ranks. A rank holds its own points and those after them
/// that complete its block.
class PointLayout {
 public:
  PointLayout() = default;
  /// @param part_columns  a multiple of block_rows; 0: replicated
  PointLayout(std::int64_t num_points, int num_ranks, std::int64_t part_columns)
      : partition_(num_points, num_ranks, block_rows), part_columns_(part_columns) {}

  bool is_spread() const { return part_columns_ > 0; }
  std::int64_t part_columns() const { return part_columns_; }
  RowRange own(int rank) const { return partition_.rows_of(rank); }
  RowRange block(int rank) const {
    if (!is_spread()) return {0, partition_.num_rows()};
    return {next_part(own(rank).begin), next_part(own(rank).end)};
  }
  RowRange held(int rank) const {
    if (!is_spread()) return {0, partition_.num_rows()};
    return {own(rank).begin, block(rank).size() > 0 ? block(rank).end : own(rank).end};
  }
  int num_ranks() const { return partition_.num_ranks(); }

 private:
  /// First point of the first part that does not begin before `point`.
  std::int64_t next_part(std::int64_t point) const {
    return std::min(partition_.num_rows(), (point + part_columns_ - 1) / part_columns_ * part_columns_);
  }

  Partition partition_;
  std::int64_t part_columns_ = 0;
};

}  // namespace thalweg
