// Small chains in descent, for the tests of the parts of the HM-OT solver.
#pragma once

#include "clouds.hpp"
#include "solvers/hm_ot/prepare.hpp"
#include "solvers/hm_ot/start.hpp"
#include "solvers/hm_ot/sweep.hpp"

namespace thalweg::testing_support {

/// A problem on one process, its chain, and the k-means start on all rows.
struct SmallChain {
  Alone alone;
  std::vector<Cloud> clouds;
  HmOtProblem problem;
  Chain chain;

  /// @param change   sets constraints of the problem before the chain is made
  template <class Change>
  SmallChain(std::vector<Cloud> clouds_, std::vector<std::int64_t> num_types, Change&& change)
      : clouds(std::move(clouds_)), problem(chain_problem(*alone.comm, clouds, std::move(num_types))) {
    change(problem);
    chain = prepare_chain(alone.context(), problem, {});
  }
  SmallChain(std::vector<Cloud> clouds_, std::vector<std::int64_t> num_types) : SmallChain(std::move(clouds_), std::move(num_types), [](HmOtProblem&) {}) {}

  std::vector<SampledSlice> all_rows() const {
    std::vector<SampledSlice> sample;
    for (std::size_t t = 0; t < clouds.size(); ++t)
      sample.push_back({clouds[t].num_rows, clouds[t].features, {problem.slices[t].labels.begin(), problem.slices[t].labels.end()}});
    return sample;
  }
  ChainState start() const { return kmeans_start(chain, all_rows(), 0); }

  SweepOptions options(double level) const {
    SweepOptions result;
    result.epsilon = level * chain.variance;
    result.duals = {1e-12, 1e-15, 60};
    return result;
  }

  /// Sweeps until F_eps stands still.
  ChainState descended(double level, int sweeps = 300) const {
    ChainState state = start();
    for (int count = 0; count < sweeps; ++count)
      if (!sweep(chain, options(level), state)) throw std::runtime_error("a block could not be solved");
    return state;
  }

  /// q_ik of all rows of one slice, n x r.
  Matrix memberships(const ChainState& state, std::size_t slice) const {
    Matrix result(clouds[slice].num_rows, chain.slices[slice].num_types);
    const std::int64_t blocks = (clouds[slice].num_rows + block_rows - 1) / block_rows;
    result.values = chain.slices[slice].rows->memberships(state.slices[slice].logits, state.slices[slice].duals, 0, blocks);
    return result;
  }
};

}  // namespace thalweg::testing_support
