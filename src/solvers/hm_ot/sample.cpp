#include "solvers/hm_ot/sample.hpp"

#include <algorithm>
#include <cmath>


namespace thalweg {

namespace {

// Shares of the total mass are whole numbers: fine enough to give every row its probability.
constexpr std::int64_t largest_mass = std::int64_t{1} << 20;

/// Integer masses of the owned rows; integers, so that cumulative sums are exact on any rank count.
std::vector<std::int64_t> integer_masses(const Communicator& comm, const RowBlock& block, bool is_weighted) {
  const auto rows = static_cast<std::size_t>(block.rows.size());
  if (!is_weighted) return std::vector<std::int64_t>(rows, largest_mass);
  double largest = 0.0;
  for (const double weight : block.weights) largest = std::max(largest, weight);
  largest = comm.all_reduce(largest, Reduction::max);
  const double unit = largest > 0.0 ? static_cast<double>(largest_mass) / largest : 0.0;
  std::vector<std::int64_t> masses(rows);
  for (std::size_t i = 0; i < rows; ++i) masses[i] = std::llrint(block.weights[i] * unit);
  return masses;
}

/// Place of draw `index` in the cumulative mass: a random point of its share of the total.
std::int64_t draw_place(std::int64_t index, std::int64_t size, std::int64_t total, const RandomStream& random) {
  __extension__ using Wide = __int128;
  const auto at = [&](std::int64_t k) { return static_cast<std::int64_t>(static_cast<Wide>(total) * k / size); };
  const std::int64_t first = at(index), length = std::max<std::int64_t>(1, at(index + 1) - first);
  return first + static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(index)) * static_cast<double>(length));
}

void append_row(std::span<const float> values, std::int64_t width, std::size_t row, std::vector<float>& rows) {
  const auto own = values.subspan(row * static_cast<std::size_t>(width), static_cast<std::size_t>(width));
  rows.insert(rows.end(), own.begin(), own.end());
}

}  // namespace

SampledSlice draw_sample(const Communicator& comm, const RowBlock& block, std::span<const std::int32_t> labels,
                         std::int64_t size, const RandomStream& random) {
  const bool is_weighted = comm.any(!block.weights.empty());  // a rank without rows has no weights either
  const std::vector<std::int64_t> masses = integer_masses(comm, block, is_weighted);
  std::int64_t local_total = 0;
  for (const std::int64_t mass : masses) local_total += mass;
  const std::int64_t before = comm.exclusive_sum(local_total);
  const std::int64_t total = comm.all_reduce(local_total, Reduction::sum);
  if (!is_weighted) size = std::min(size, block.num_rows);

  std::vector<float> features, coordinates;
  std::vector<std::int32_t> chosen_labels;
  std::int64_t draw = 0;
  while (draw < size && draw_place(draw, size, total, random) < before) ++draw;
  std::int64_t cumulative = before;
  for (std::size_t row = 0; row < masses.size(); ++row) {
    cumulative += masses[row];
    for (; draw < size && draw_place(draw, size, total, random) < cumulative; ++draw) {
      append_row(block.features, block.num_features(), row, features);
      append_row(block.coordinates.values, block.coordinates.count, row, coordinates);
      if (!labels.empty()) chosen_labels.push_back(labels[row]);
    }
  }
  SampledSlice sample;
  sample.features = comm.all_gather(std::span<const float>(features));
  sample.labels = comm.all_gather(std::span<const std::int32_t>(chosen_labels));
  sample.coordinates = comm.all_gather(std::span<const float>(coordinates));
  sample.coordinate_count = block.coordinates.count;
  sample.coordinate_width = block.coordinates.width;
  const std::int64_t width = block.num_features() + block.coordinates.count;
  sample.num_rows = static_cast<std::int64_t>(sample.features.size() + sample.coordinates.size()) / width;
  return sample;
}

}  // namespace thalweg
