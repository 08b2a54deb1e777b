// Couplings between some cells: their products with stored costs of all cells, and what two couplings share.
#pragma once

#include <vector>

#include "distributed/state_visitor.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// P C_Y(J, :) for a coupling P between the cells I and J, I x m, on every rank: times C_X(:, I) it is C_X P C_Y. The
/// rows J of C_Y go to all ranks, one at a time. The same bits on any number of ranks. Collective.
template <class Scalar>
std::vector<Scalar> costs_through_cells(const Communicator& comm, const StoredIntraCosts& target,
                                        const CellCoupling& coupling);

/// The coupling of a solution, owned rows x m. Local.
std::vector<double> coupling_of(const GromovSolution& solution);

/// sum_ij min(P_ij, Q_ij) of couplings of the same cells, rows on the same ranks: 1 where they are equal. Rows are
/// formed 256 at a time. Collective.
double overlap_of(const Communicator& comm, const GromovSolution& p, const GromovSolution& q);

inline constexpr std::int64_t most_sampled_rows = 512;

/// What is kept of a coupling to tell others from it: its entries in the rows of at most 512 random cells, of which a
/// rank has those that it owns.
class CouplingSample {
 public:
  CouplingSample() = default;
  /// Local.
  CouplingSample(const Context& context, const GromovSolution& solution);

  /// Mass shared with another coupling of the same problem, of the larger mass, in those rows. Collective.
  double overlap(const Communicator& comm, const CouplingSample& other) const;

  void visit_state(StateVisitor& v, const Context& context, const GromovProblem& problem);

 private:
  std::int64_t num_columns_ = 0;
  std::vector<float> entries_;
};

}  // namespace thalweg
