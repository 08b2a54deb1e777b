// convergence.csv, its plot and index.tsv of a chain.
#pragma once

#include <string>

#include "io/plots/convergence.hpp"
#include "job/convergence_table.hpp"
#include "job/hmot_problem.hpp"

namespace thalweg {

/// A row a check; of a solve without descent one row, the returned state.
ConvergenceTable convergence_of(const std::string& problem, const HmOtSolution& solution);

/// Curves of the descent.
ConvergenceHistory history_of(const HmOtSolution& solution);

/// @param file  results of the cells
std::string index_of(const std::string& problem, const HmOtJob& job, const HmOtSolution& solution, double seconds, const std::string& file);

}  // namespace thalweg
