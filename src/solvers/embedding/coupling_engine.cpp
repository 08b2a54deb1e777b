#include "solvers/embedding/coupling_engine.hpp"

namespace thalweg {

std::unique_ptr<CouplingEngine> make_coupling_engine(const Context& context, const EmbeddingProblem& problem,
                                                     const EmbeddingLossSettings& settings) {
  if (std::holds_alternative<StoredIntraCosts>(problem.source)) return make_stored_engine(context, problem, settings);
  return make_streamed_engine(context, problem, settings);
}

}  // namespace thalweg
