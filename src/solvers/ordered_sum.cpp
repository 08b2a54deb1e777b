#include "solvers/ordered_sum.hpp"

#include "kernels/block_rows.hpp"

namespace thalweg {

std::vector<double> ordered_sums(const Communicator& comm, std::span<const double> values, std::size_t width) {
  constexpr std::size_t rows_of_block = block_rows;
  const std::size_t rows = values.size() / width;
  const std::size_t num_blocks = (rows + rows_of_block - 1) / rows_of_block;
  std::vector<double> own(num_blocks * width, 0.0);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < width; ++k) own[i / rows_of_block * width + k] += values[i * width + k];
  const std::vector<double> blocks = comm.all_gather(std::span<const double>(own));
  std::vector<double> sums(width, 0.0);
  for (std::size_t block = 0; block < blocks.size(); block += width)
    for (std::size_t k = 0; k < width; ++k) sums[k] += blocks[block + k];
  return sums;
}

double ordered_sum(const Communicator& comm, std::span<const double> values) { return ordered_sums(comm, values, 1)[0]; }

}  // namespace thalweg
