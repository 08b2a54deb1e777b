// Agreement of clusterings and strength of edges, from small tables only.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/matrix.hpp"

namespace thalweg {

/// Counts of cells by two labels: entry (k, l) is the number of cells with first = k and second = l. Cells with a
/// negative label on either side are left out. In a distributed run each rank counts its cells and the tables are
/// added.
Matrix contingency_table(std::span<const std::int32_t> first, std::span<const std::int32_t> second,
                         std::int64_t num_first, std::int64_t num_second);

/// Mutual information of two clusterings adjusted for chance, normalised by the mean of their entropies:
///   (MI - E MI) / ((H1 + H2) / 2 - E MI),  E MI exact over tables with these margins (hypergeometric entries).
/// 1 for equal clusterings, about 0 for independent ones; 1 where both have at most one cluster.
/// @param contingency  whole counts >= 0, else DataError
/// Source: Vinh, Epps & Bailey (2010), JMLR 11, 2837-2854.
double adjusted_mutual_information(const Matrix& contingency);

/// Rand index adjusted for chance, from pairs of cells; 1 for equal clusterings.
/// @param contingency  whole counts >= 0, else DataError
/// Source: Hubert & Arabie (1985), Journal of Classification 2, 193-218.
double adjusted_rand_index(const Matrix& contingency);

/// Normalised pointwise mutual information of the edges of a type coupling, r1 x r2:
///   log(T_kl / (g_k g_l)) / (-log T_kl)
/// with T scaled to mass 1 and g its marginals; -1 where T_kl < 1e-12, 1 where T_kl = 1, 0 under independence.
Matrix normalised_pointwise_information(const Matrix& coupling);

}  // namespace thalweg
