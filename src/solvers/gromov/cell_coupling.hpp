// Couplings between some cells: their products with stored costs of all cells, and what two couplings share.
#pragma once

#include <vector>

#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// C_X(:, I) P C_Y(J, :) for a coupling P between the cells I and J: owned rows x m. The rows J of C_Y go to all ranks,
/// one at a time. The same bits on any number of ranks. Collective.
template <class Scalar>
std::vector<double> product_through_cells(const Communicator& comm, const StoredIntraCosts& source,
                                          const StoredIntraCosts& target, const CellCoupling& coupling);

/// The coupling of a solution, owned rows x m. Local.
std::vector<double> coupling_of(const GromovSolution& solution);

/// sum_ij min(P_ij, Q_ij) of couplings of the same cells, rows on the same ranks: 1 where they are equal. Rows are
/// formed 256 at a time. Collective.
double overlap_of(const Communicator& comm, const GromovSolution& p, const GromovSolution& q);

}  // namespace thalweg
