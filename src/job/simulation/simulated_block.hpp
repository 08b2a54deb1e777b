// A block of simulated cells of one time point.
#pragma once

#include <cstdint>
#include <vector>

namespace thalweg {

struct SimulatedBlock {
  std::int64_t rows = 0;
  std::int64_t dimensions = 0;
  std::vector<float> points;         ///< rows x dimensions, row-major
  std::vector<std::int32_t> labels;  ///< true type of each row; -1 for none
};

}  // namespace thalweg
