// A sample of every slice, the same on all ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/random.hpp"
#include "solvers/row_pass.hpp"

namespace thalweg {

/// Sampled rows of one slice, replicated.
struct SampledSlice {
  std::int64_t num_rows = 0;
  std::vector<float> features;         // num_rows x features
  std::vector<std::int32_t> labels;    // empty without labels
  std::vector<float> coordinates = {};  // num_rows x count
  std::int64_t coordinate_count = 0, coordinate_width = 0;

  /// The sample as the rows of one rank. @param dimension   p
  RowBlock block(std::int64_t dimension) const {
    return {num_rows, {0, num_rows}, dimension, features, {}, {coordinates, coordinate_count, coordinate_width}};
  }
};

/// Draws `size` rows by systematic sampling with probability proportional to weight, in global order: one
/// row from each of `size` equal shares of the mass, at a random place within it. All rows when
/// size >= num_rows and the weights are equal. Collective; a function of the stream and the rows alone.
/// @param labels   of the owned rows, or empty
SampledSlice draw_sample(const Communicator& comm, const RowBlock& block, std::span<const std::int32_t> labels,
                         std::int64_t size, const RandomStream& random);

}  // namespace thalweg
