// A coupling between embeddings, its loss and G = dL/dP, held in full or never formed.
#pragma once

#include <algorithm>
#include <memory>

#include "solvers/embedding/adjoint.hpp"
#include "solvers/embedding/cost_points.hpp"
#include "solvers/embedding/rank_rows.hpp"

namespace thalweg {

/// c of the rank loss over n cells.
inline std::int64_t num_ranked_columns(const EmbeddingLossSettings& settings, std::int64_t n) {
  return n <= settings.rank_all_columns ? n : std::min(n, settings.rank_columns);
}

struct LossValue {
  double gw = 0.0, loss = 0.0;
  RankStatistics ranks;  // of the rank loss
};

/// A part U V^T of G.
struct LowRankTerm {
  std::int64_t rank = 0;
  std::vector<double> rows;                // U, owned rows x rank
  std::vector<double> columns;             // V, all m x rank
  std::vector<double> applied;             // P V, owned rows x rank; empty: not known
  std::vector<double> applied_transposed;  // P^T U, all m x rank; empty: not known
};

/// Products of dL/dC with the points of the other side: owned rows and owned columns x width.
struct PointSums {
  std::vector<double> source, target;
};

/// Takes one coupling after the other. All members but queries are collectives.
class CouplingEngine : public CouplingProducts {
 public:
  /// Points must live until the next call; G is 0.
  virtual void set_coupling(const CostPoints& points, const PairGeometry& geometry,
                            const SinkhornSolution& solution) = 0;

  /// P V, owned rows x width. @param values  V, all m x width
  virtual std::vector<double> apply_many(std::span<const double> values, std::int64_t width) const = 0;
  /// P^T W, all m x width. @param values  W, owned rows x width
  virtual std::vector<double> apply_transposed_many(std::span<const double> values, std::int64_t width) const = 0;

  /// The loss; adds its G if asked to.
  virtual LossValue evaluate_loss(bool with_gradient) = 0;
  /// <M, P> / s_M of stored costs between the sides; adds factor M / s_M to G.
  virtual double evaluate_stored_cost(double factor) = 0;
  virtual void add(LowRankTerm term) = 0;

  /// H 1 of the owned rows and H^T 1 of all columns.
  virtual std::pair<std::vector<double>, std::vector<double>> moments() const = 0;
  /// dL/dC = -(H - P o (alpha 1^T + 1 beta^T)) / epsilon times points; ends the use of G.
  virtual PointSums cost_gradient_products(const CouplingAdjoint& adjoint) = 0;
};

/// One for stored costs within the sides, in the precision of the context; one for factors.
std::unique_ptr<CouplingEngine> make_coupling_engine(const Context& context, const EmbeddingProblem& problem,
                                                     const EmbeddingLossSettings& settings);
std::unique_ptr<CouplingEngine> make_stored_engine(const Context& context, const EmbeddingProblem& problem,
                                                   const EmbeddingLossSettings& settings);
std::unique_ptr<CouplingEngine> make_streamed_engine(const Context& context, const EmbeddingProblem& problem,
                                                     const EmbeddingLossSettings& settings);

}  // namespace thalweg
