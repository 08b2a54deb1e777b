// Losses of the entropic coupling between two embeddings, and their gradients. No Kokkos.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/context.hpp"
#include "geometry/knn_graph.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// With Q = diag(1 / p) P, p = P 1, and R the soft ranks of each row over c columns:
///   gw    sum (D_X,ii' - D_Y,jj')^2 P_ij P_i'j'
///   frob  |D_X - Q D_Y Q^T|_F^2 / n^2
///   rank  |R(D_X) - R(Q D_Y Q^T)|_F^2 / (n c)
enum class EmbeddingLossKind { gw, frob, rank };

/// Between z_x and z_y: 1 - z_x . z_y of z / (|z|^2 + 1e-12)^(1/2); or |z_x - z_y|^2 over its mean at the first
/// evaluation.
enum class EmbeddingCost { cosine, sq_euclidean };

struct EmbeddingLossSettings {
  EmbeddingLossKind loss = EmbeddingLossKind::gw;
  bool symmetrise = false;               // frob, rank: adds the loss of P^T between D_Y and D_X
  double delta = 0.3;                    // rank: softness, in units of the scaled cost, against ranks over c
  std::int64_t rank_all_columns = 4096;  // rank: up to so many cells rows are ranked over all of them, above
  std::int64_t rank_columns = 256;       // over so many, drawn once by context.seed
  EmbeddingCost cost = EmbeddingCost::cosine;
  double lambda_entropy = 0.0, lambda_spectral = 0.0, lambda_fused = 0.0, lambda_anchor = 0.0;
  std::int64_t sinkhorn_iterations = 30;  // evaluations of one step from a warm start
  double sinkhorn_tolerance = 1e-3;       // relative L1 error of the column sums
  double converged_tolerance = 1e-6;      // of `converged` evaluations, with at most
  std::int64_t converged_iterations = 5000;
  double cg_tolerance = 1e-4;  // relative residual
  std::int64_t cg_iterations = 200;
};

/// What is known about cells that belong together.
struct EmbeddingAnchors {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;  // global rows of source and target
  std::vector<std::int32_t> source_classes, target_classes;  // of all cells, 0, 1, ..; -1: unknown. Both or none
};

/// Rows of either side lie on ranks as in own_points.
struct EmbeddingProblem {
  std::int64_t dimension = 0;          // h
  std::vector<double> a, b;            // all n, all m, of sum 1 each
  IntraCosts source, target;           // D_X and D_Y: both stored, or neither
  std::optional<LinearCosts> between;  // M of lambda_fused; stored ones go with stored costs within the sides
  Graph source_graph, target_graph;    // of lambda_spectral: symmetric, weights 1
  EmbeddingAnchors anchors;            // of lambda_anchor
};

enum class EvaluationMode {
  value,      // at the training tolerance
  gradient,   // the same with gradients
  converged,  // without gradients at `converged_tolerance`
};

struct EmbeddingEvaluation {
  double total = 0.0;     // loss + lambda_e entropy + lambda_s spectral + lambda_f fused + lambda_a anchor
  double gw = 0.0;        // of the coupling, whatever the loss
  double loss = 0.0;      // the one chosen
  double entropy = 0.0;   // KL(P | a b^T); 0 where its factor is 0, as all below
  double spectral = 0.0;  // E_s = (tr(C^T L_X C) + tr(C L_Y C^T)) / (n m)
  double fused = 0.0;     // <M, P> / s_M, s_M the mean of M
  double anchor = 0.0;    // -mean of (log(P_ij / p_i) + log(P_ij / q_j)) / 2
  std::vector<double> source_gradient, target_gradient;  // of the total: owned rows x h; empty if not asked for
  std::int64_t sinkhorn_iterations = 0, cg_iterations = 0;
  double marginal_error = 0.0;      // relative L1 of the column sums
  double cg_residual = 0.0;         // relative; above 1e-2 the gradient is not to be used
  double median_blocks = 0.0;       // rank: pooled blocks of a row of ranks
  double single_block_share = 0.0;  // rank: rows that are one block, no ranks at all
  double coupling_entropy = 0.0;    // -sum P log P; NaN unless converged
};

/// What an evaluation takes from those before: for checkpoints.
struct EmbeddingWarmStart {
  std::vector<double> g, beta;  // all m, or empty
  double cost_scale = 0.0;      // of sq_euclidean; 0: not yet known
};

/// P = argmin <C, P> + epsilon KL(P | a b^T) over couplings of a and b, C the cost between both embeddings, and a loss
/// of P.
///
/// Gradients by the implicit function theorem: with G = dL/dP, H = P o G, p = P 1, q = P^T 1,
///
///   [diag(p) P; P^T diag(q)] (alpha, beta) = (H 1, H^T 1),   dL/dC = -(H - P o (alpha 1^T + 1 beta^T)) / epsilon.
///
/// Stored costs within the sides: P and G are stored, owned rows x m, as the costs are. Otherwise G is a product of
/// narrow matrices and nothing n x m is ever stored. The same numbers on any number of ranks up to rounding.
/// Source: Eisenberger et al. (2022), A unified framework for implicit Sinkhorn differentiation; docs/math.md.
class EmbeddingLoss {
 public:
  /// Collective. Values that the problem points at must outlive this.
  /// @throws DataError for sides of different forms or shapes, weights no marginals have, anchors out of range or
  /// repeated, costs within a side that are all equal, M that is not finite or negative
  EmbeddingLoss(const Context& context, const EmbeddingProblem& problem, const EmbeddingLossSettings& settings);
  ~EmbeddingLoss();

  /// Starts from the potentials and the adjoint of the last call. Collective.
  /// @param source, target  embeddings, owned rows x h
  EmbeddingEvaluation evaluate(std::span<const double> source, std::span<const double> target, double epsilon,
                               EvaluationMode mode);

  const EmbeddingWarmStart& warm_start() const;
  void set_warm_start(EmbeddingWarmStart start);
  void reset_warm_start() { set_warm_start({}); }
  void set_lambda_spectral(double factor);

  /// The coupling of the last evaluation and the geometry that generates it, with its reference and epsilon.
  const SinkhornSolution& coupling() const;
  PairGeometry& geometry() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace thalweg
