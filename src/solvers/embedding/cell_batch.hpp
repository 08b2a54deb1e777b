// Some cells of either side as a smaller training problem. No Kokkos.
#pragma once

#include <cstdint>
#include <vector>

#include "solvers/embedding/embedding_loss.hpp"
#include "solvers/embedding/encoder_pair.hpp"

namespace thalweg {

/// Which cells: pure functions of the seed, the start, the step and the cell.
struct BatchDraw {
  std::uint64_t seed = 0;
  std::int64_t start = 0, step = 0;
};

/// The problem of `count` cells drawn from each side without replacement: costs within them, their weights over the
/// sum, edges and anchors of which both ends were drawn.
///
/// The mean of its loss over draws is not the loss of all cells: the coupling is confined to what was drawn, so that
/// cells may lack the partners that they have among all, and P is blurred. Views the features of the problem; not to be
/// moved.
class CellBatch {
 public:
  /// Collective. @throws DataError where a side has fewer than `count` cells of weight, or costs between are stored
  CellBatch(const Communicator& comm, const EmbeddingProblem& problem, const EncoderInputs& cells, std::int64_t count,
            BatchDraw draw);
  CellBatch(const CellBatch&) = delete;
  CellBatch& operator=(const CellBatch&) = delete;

  const EmbeddingProblem& problem() const { return problem_; }
  /// Features of the owned cells, which lie on ranks as in own_points(count).
  EncoderInputs cells() const { return {{source_scaling_, source_features_}, {target_scaling_, target_features_}}; }

 private:
  struct Side {
    std::vector<std::int64_t> cells;  // ascending
    std::vector<double> costs;        // owned rows of stored ones, or points or a factor of all cells
    std::vector<double> shared;       // features that both sides have
  };

  static Side draw_side(const std::vector<double>& weights, std::int64_t count, BatchDraw draw, std::uint32_t stream);
  void restrict_anchors(const EmbeddingProblem& problem);

  const FeatureScaling &source_scaling_, &target_scaling_;
  Side source_, target_;
  std::vector<float> source_features_, target_features_;
  EmbeddingProblem problem_;
};

}  // namespace thalweg
