// Entries of an alignment's coupling that are written.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "solvers/gromov/gromov.hpp"

namespace thalweg {

inline constexpr std::int64_t most_top_partners = 32;

/// The largest entries of the owned rows of P, falling; equal ones by ascending column. -1 and 0 behind the entries
/// that are positive.
struct TopPartners {
  std::int64_t width = 0;           // min(32, m), also on a rank without rows
  std::vector<std::int64_t> index;  // owned rows x width: positions on the target side
  std::vector<float> value;

  explicit TopPartners(std::int64_t num_columns = 0);
};

/// Appends the largest entries of rows of P, row-major, m wide.
void append_top_partners(std::span<const double> rows, std::int64_t num_columns, TopPartners& top);

/// P of the owned rows, rows x m. Forms 256 rows at a time.
std::vector<float> coupling_matrix(const GromovSolution& solution);

/// @throws DataError for a matrix of more than 4 GiB in single precision
void check_matrix_size(std::int64_t num_rows, std::int64_t num_columns);

}  // namespace thalweg
