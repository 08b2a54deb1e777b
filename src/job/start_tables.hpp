// What became of the starts of alignments, as tables.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/table.hpp"
#include "job/quantity_table.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// The chosen start, the one that makes it doubtful and the lower bounds.
/// @param unit   of E, F and epsilon in those of the solve
void add_starts(const MultiStartSolution& starts, double unit, QuantityTable& report);

/// tables/starts.tsv: one start a row.
Table starts_table(const MultiStartSolution& solution, double unit = 1.0);

/// The same of several pairs, whose names are the first column.
Table starts_table(const std::vector<std::pair<std::string, const MultiStartSolution*>>& pairs);

}  // namespace thalweg
