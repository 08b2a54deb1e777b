// Kullback-Leibler divergences between the rows of two matrices of counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/partition.hpp"

namespace thalweg {

/// Rows of features that are no less than 0.
struct Profiles {
  std::span<const float> values;  // rows x num_features
  std::int64_t num_features = 0;
  std::string name;  // of the side, for messages
};

/// M_ij = sum_g p_ig log(p_ig / q_jg), p and q the rows plus the pseudocount over their sums: the cost of PASTE.
/// @param rows   those of x that are wanted
/// @return       rows x all y, row-major, not below 0
/// @throws DataError with the row for a feature below 0
/// Source: Zeira et al. (2022), Alignment and integration of spatial transcriptomics data.
std::vector<double> profile_divergences(const Profiles& x, const Profiles& y, RowRange rows, double pseudocount);

}  // namespace thalweg
