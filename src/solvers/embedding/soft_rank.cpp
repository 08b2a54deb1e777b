#include "solvers/embedding/soft_rank.hpp"

#include <algorithm>
#include <numeric>

namespace thalweg {

namespace {

/// Entries of a non-increasing regression that share their mean.
struct Block {
  double sum = 0.0;
  std::int32_t begin = 0, size = 0;

  double mean() const { return sum / static_cast<double>(size); }
};

/// Pool adjacent violators: blocks whose means fall.
std::vector<Block> pooled(const std::vector<double>& values) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Block block{values[i], static_cast<std::int32_t>(i), 1};
    while (!blocks.empty() && blocks.back().mean() <= block.mean()) {
      block = {blocks.back().sum + block.sum, blocks.back().begin, blocks.back().size + block.size};
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace

SoftRanks soft_ranks(std::span<const double> z, double delta) {
  const std::size_t c = z.size();
  SoftRanks ranks;
  ranks.order.resize(c);
  std::iota(ranks.order.begin(), ranks.order.end(), 0);
  std::sort(ranks.order.begin(), ranks.order.end(), [&](std::int32_t i, std::int32_t j) {
    const double x = z[static_cast<std::size_t>(i)], y = z[static_cast<std::size_t>(j)];
    return x > y || (x == y && i < j);
  });
  std::vector<double> excess(c);  // s - w
  for (std::size_t k = 0; k < c; ++k)
    excess[k] = z[static_cast<std::size_t>(ranks.order[k])] / delta - static_cast<double>(c - k) / static_cast<double>(c);
  ranks.values.resize(c);
  for (const Block& block : pooled(excess)) {
    ranks.block_begin.push_back(block.begin);
    for (std::int32_t k = block.begin; k < block.begin + block.size; ++k) {
      const auto entry = static_cast<std::size_t>(ranks.order[static_cast<std::size_t>(k)]);
      ranks.values[entry] = z[entry] / delta - block.mean();
    }
  }
  return ranks;
}

std::vector<double> soft_ranks_vjp(const SoftRanks& ranks, double delta, std::span<const double> cotangent) {
  std::vector<double> result(cotangent.size());
  for (std::size_t b = 0; b < ranks.block_begin.size(); ++b) {
    const auto begin = static_cast<std::size_t>(ranks.block_begin[b]);
    const std::size_t end =
        b + 1 < ranks.block_begin.size() ? static_cast<std::size_t>(ranks.block_begin[b + 1]) : cotangent.size();
    double sum = 0.0;
    for (std::size_t k = begin; k < end; ++k) sum += cotangent[static_cast<std::size_t>(ranks.order[k])];
    const double mean = sum / static_cast<double>(end - begin);
    for (std::size_t k = begin; k < end; ++k) {
      const auto entry = static_cast<std::size_t>(ranks.order[k]);
      result[entry] = (cotangent[entry] - mean) / delta;
    }
  }
  return result;
}

}  // namespace thalweg
