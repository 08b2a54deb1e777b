// What the items of an array say together: which number of types, and how steady the result is over seeds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/plots/plot.hpp"
#include "io/table.hpp"
#include "job/slurm/item_report.hpp"

namespace thalweg {

enum class ArrayKind { pairs, ranks, seeds };

/// By the setting that its items change.
ArrayKind kind_of_array(const std::vector<ItemOutcome>& outcomes);

/// How one finished fit of hmot or lowrank describes its cells.
struct FittedTypes {
  double smallest_mass = 0.0;   // of a type
  double effective_rank = 0.0;  // mean over times of exp(-sum_k g_k log g_k)
};

/// From tables/nodes.tsv of an item; absent where there is none.
std::optional<FittedTypes> fitted_types(const std::string& folder);

/// tables/rank_selection.tsv: rank, state, cost, decrease (of the cost, relative to the next smaller rank that is done),
/// smallest_mass, effective_rank, seconds; in the order of ranks.
Table rank_table(const std::string& results, const std::vector<ItemOutcome>& outcomes);

/// Cost and smallest mass over the rank, of the items that are done.
Plot rank_plot(const std::string& results, const std::vector<ItemOutcome>& outcomes);

/// Mean over the times of the adjusted mutual information of two fits' most probable types, over all cells that both hold.
/// Absent where one of them has no types. For one rank.
std::optional<double> agreement_of_types(const std::string& folder, const std::string& other);

/// tables/seed_stability.tsv: seed, state, cost, excess (over the lowest cost, relative), agreement (mean of
/// `agreement_of_types` with the other seeds that are done), seconds.
Table seed_table(const std::string& results, const std::vector<ItemOutcome>& outcomes);

}  // namespace thalweg
