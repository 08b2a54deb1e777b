#include "analysis/pairing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "distributed/partition.hpp"

namespace thalweg {

namespace {

void check_sides(const CellPositions& u, const CellPositions& v, const char* where) {
  if (u.dimension != v.dimension)
    throw DataError(std::to_string(u.dimension) + " and " + std::to_string(v.dimension) + " coordinates in " + where +
                    "; both sides lie in one space; project one onto the other");
  for (const CellPositions* side : {&u, &v})
    for (std::size_t at = 0; at < side->values.size(); ++at)
      if (!std::isfinite(side->values[at]))
        throw DataError("a position that is not finite in row " +
                        std::to_string(at / static_cast<std::size_t>(side->dimension)) + " in " + where +
                        "; positions are finite numbers; leave unmatched cells out");
}

double squared_distance(const CellPositions& u, std::int64_t i, const CellPositions& v, std::int64_t j) {
  const double *x = u.values.data() + i * u.dimension, *y = v.values.data() + j * v.dimension;
  double sum = 0.0;
  for (std::int64_t k = 0; k < u.dimension; ++k) sum += (x[k] - y[k]) * (x[k] - y[k]);
  return sum;
}

RowRange share_of(const Communicator& comm, std::int64_t num_rows) {
  return Partition(num_rows, comm.size()).rows_of(comm.rank());
}

/// The most frequent label among the first k neighbours, the smallest of several.
std::int32_t vote(const std::vector<std::pair<double, std::int32_t>>& neighbours, std::int64_t k,
                  std::span<const std::int32_t> labels) {
  std::vector<std::int32_t> votes;
  for (std::int64_t i = 0; i < k; ++i)
    votes.push_back(labels[static_cast<std::size_t>(neighbours[static_cast<std::size_t>(i)].second)]);
  std::sort(votes.begin(), votes.end());
  std::int32_t winner = votes[0];
  std::ptrdiff_t most = 0;
  for (auto first = votes.begin(); first != votes.end();) {
    const auto last = std::upper_bound(first, votes.end(), *first);
    if (last - first > most) {
      most = last - first;
      winner = *first;
    }
    first = last;
  }
  return winner;
}

}  // namespace

double foscttm(const Communicator& comm, const CellPositions& u, const CellPositions& v) {
  check_sides(u, v, "FOSCTTM");
  if (u.num_cells != v.num_cells || u.num_cells == 0)
    throw DataError(std::to_string(u.num_cells) + " and " + std::to_string(v.num_cells) +
                    " cells in FOSCTTM; cells are given in pairs; leave out those without a partner");
  std::int64_t closer = 0;
  const RowRange rows = share_of(comm, u.num_cells);
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const double match = squared_distance(u, i, v, i);
    for (std::int64_t j = 0; j < u.num_cells; ++j) {
      closer += squared_distance(u, i, v, j) < match;
      closer += squared_distance(u, j, v, i) < match;
    }
  }
  const auto n = static_cast<double>(u.num_cells);
  return static_cast<double>(comm.all_reduce(closer, Reduction::sum)) / (2.0 * n * n);
}

double label_transfer_accuracy(const Communicator& comm, const CellPositions& cells,
                               std::span<const std::int32_t> cell_labels, const CellPositions& references,
                               std::span<const std::int32_t> reference_labels, std::int64_t k) {
  check_sides(cells, references, "label transfer");
  const std::int64_t labelled =
      std::count_if(reference_labels.begin(), reference_labels.end(), [](std::int32_t label) { return label >= 0; });
  if (k < 1 || labelled < k)
    throw DataError(std::to_string(k) + " neighbours in label transfer; 1 to " + std::to_string(labelled) +
                    ", the labelled reference cells, are possible; use fewer");
  std::int64_t counts[2] = {0, 0};  // labelled cells, those that are right
  std::vector<std::pair<double, std::int32_t>> neighbours;
  const RowRange rows = share_of(comm, cells.num_cells);
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const std::int32_t label = cell_labels[static_cast<std::size_t>(i)];
    if (label < 0) continue;
    neighbours.clear();
    for (std::int64_t j = 0; j < references.num_cells; ++j)
      if (reference_labels[static_cast<std::size_t>(j)] >= 0)
        neighbours.emplace_back(squared_distance(cells, i, references, j), static_cast<std::int32_t>(j));
    std::partial_sort(neighbours.begin(), neighbours.begin() + k, neighbours.end());
    ++counts[0];
    counts[1] += vote(neighbours, k, reference_labels) == label;
  }
  comm.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);
  if (counts[0] == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(counts[1]) / static_cast<double>(counts[0]);
}

}  // namespace thalweg
