// Drifting Gaussian mixture: data of any size, drawn block by block.
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/partition.hpp"
#include "job/simulation/simulated_block.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

struct MixtureParameters {
  std::int64_t cells = 10000;  ///< a time
  std::int64_t times = 3;
  std::int64_t components = 10;
  std::int64_t dimensions = 32;
  double separation = 4.0;  ///< norm of the centres at time 0
  double drift = 1.5;       ///< norm of each component's step from one time to the next
  std::uint64_t seed = 0;
};

/// Component c at time t: N(centre_c + t drift_c, I) with weight w_tc, w_t ~ Dirichlet(5, .., 5).
class Mixture {
 public:
  /// Throws ConfigError on sizes below 1.
  explicit Mixture(const MixtureParameters& parameters);

  /// Rows [rows.begin, rows.end) of one time; a row is the same in every split. Labels are components.
  SimulatedBlock block(std::int64_t time, RowRange rows) const;

  const MixtureParameters& parameters() const { return parameters_; }
  /// Centre of each component at a time, components x dimensions.
  Matrix centres(std::int64_t time) const;
  /// Weights of the components, times x components; rows sum to 1.
  const Matrix& weights() const { return weights_; }

 private:
  MixtureParameters parameters_;
  Matrix start_, drift_, weights_;
};

}  // namespace thalweg
