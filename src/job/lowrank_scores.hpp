// How a low-rank coupling agrees with what is known of its cells; never read by the solver.
#pragma once

#include <string>
#include <vector>

#include "io/table.hpp"
#include "job/gromov_scores.hpp"
#include "job/hmot_problem.hpp"

namespace thalweg {

/// Gives sides from files of their own the same categories, sorted; colours where every category has one. A category
/// that both files have takes its colour from the source.
void share_categories(TimeSeries& source, TimeSeries& target);

/// Reads the pairs of obs column `lowrank.pair_key`; none without that key. Collective.
/// @param series         both sides
/// @param num_features   of the side that has more
/// @throws DataError for names that pair no cells, or more steps than most_neighbour_steps
CellPairs read_lowrank_pairs(const Communicator& comm, const Job& job, const TimeSeries& series,
                             std::int64_t num_features);

/// Cells x cells x features that scores by nearest neighbours and FOSCTTM compare at most.
inline constexpr double most_neighbour_steps = 2e10;

struct LowRankScores {
  Table scores;                      // score, value, meaning
  std::vector<double> label_masses;  // between the labels of both sides, sources down; empty without labels
  std::vector<std::string> labels;   // their names
};

/// With Q, R the memberships, T the coupling of types and m_l the means of the types of the other side:
///
///   x_i is given  sum_kl q_ik (T_kl / g_k) m_l,   the labels  sum_kl q_ik (T_kl / g_k) p(c | l)
///
/// Labels of most mass are compared with the cells' own: one pass over the cells. FOSCTTM of the pairs, and transfer of
/// labels by nearest neighbours, are those of `thalweg gromov` (score_table_of), the latter where sides are small enough.
/// Collective.
/// @param series   both sides, without labels only where there are pairs
LowRankScores score_low_rank(const Communicator& comm, const HmOtJob& job, const HmOtSolution& solution,
                             const TimeSeries& series, const CellPairs& pairs);

/// tables/labels.tsv, columns as those of `thalweg gromov`.
Table label_table(const LowRankScores& scores);

}  // namespace thalweg
