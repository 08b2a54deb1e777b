// How well the softmax of an embedding's costs follows a coupling that is given. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"
#include "solvers/embedding/embedding_loss.hpp"

namespace thalweg {

/// A coupling P* between some cells of both sides, in the form that encoders are fitted to.
struct TargetCoupling {
  std::vector<std::int64_t> sources, targets;  // cells, ascending
  std::vector<double> mass;                    // rows of own_points(sources, comm) x targets
};

struct CrossEntropy {
  double value = 0.0;
  std::vector<double> source_gradient, target_gradient;  // by z of the owned rows
};

/// With S = -C / tau, C the cost between the embeddings:
///
///   L = -sum_ij P*_ij (log softmax_j S_ij + log softmax_i S_ij)
///   dL/dS = p softmax_j S + softmax_i S q - 2 P*,   p = P* 1,  q = P*^T 1
///
/// Rows of C are formed 256 at a time and never kept. The same bits on any number of ranks. Collective.
class CrossEntropyFit {
 public:
  CrossEntropyFit(const Communicator& comm, const TargetCoupling& coupling, std::int64_t dim, double tau);

  /// @param source, target  embeddings of the owned rows of `sources` and of `targets`, rows x dim
  /// @param scale           divisor of squared distances
  CrossEntropy evaluate(std::span<const double> source, std::span<const double> target, EmbeddingCost cost,
                        double scale) const;

 private:
  const Communicator& comm_;
  const TargetCoupling& coupling_;
  std::int64_t dim_ = 0;
  double tau_ = 0.1;
  std::vector<double> p_, q_;  // of the owned rows, of all columns
};

}  // namespace thalweg
