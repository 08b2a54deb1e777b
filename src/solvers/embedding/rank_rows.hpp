// The rank loss row by row: soft ranks of given rows, and how those of others differ from them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// `count` of the columns, ascending, drawn by `seed`; all of them if there are no more.
std::vector<std::int64_t> ranked_columns(std::int64_t num_columns, std::int64_t count, std::uint64_t seed);

/// Of the rows of all ranks.
struct RankStatistics {
  double median_blocks = 0.0;
  double single_block_share = 0.0;
};

/// sum_i |R(d_i) - R(z_i)|^2 / (n c) of the owned rows d of D_X at the chosen columns.
class RankRows {
 public:
  RankRows() = default;
  /// @param num_rows  n, of all ranks  @param rows  owned rows x c
  RankRows(double delta, std::int64_t num_rows, std::int64_t num_columns, std::span<const double> rows);

  struct Row {
    double loss = 0.0;  // its part
    std::int32_t blocks = 0;
  };
  /// @param row        local
  /// @param z          c numbers
  /// @param cotangent  dL/dz, c numbers
  Row evaluate(std::int64_t row, std::span<const double> z, std::span<double> cotangent) const;

 private:
  double delta_ = 1.0, factor_ = 0.0;
  std::int64_t num_columns_ = 0;
  std::vector<double> ranks_;  // R(d), owned rows x c
};

/// Collective. @param blocks  of the owned rows
RankStatistics rank_statistics(const Communicator& comm, const std::vector<std::int32_t>& blocks);

}  // namespace thalweg
