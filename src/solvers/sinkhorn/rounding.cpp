#include "solvers/sinkhorn/rounding.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr std::int64_t num_groups = 8, group_rows = 8;

/// Groups of neighbouring rows, each from a row of positive weight on.
std::vector<RowRange> sampled_rows(std::span<const double> weights) {
  std::vector<std::int64_t> present;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0.0) present.push_back(static_cast<std::int64_t>(i));
  std::vector<RowRange> groups;
  const auto count = static_cast<std::int64_t>(present.size()), num_rows = static_cast<std::int64_t>(weights.size());
  for (std::int64_t group = 0; group < std::min(num_groups, count); ++group) {
    const std::int64_t first = present[static_cast<std::size_t>(count * group / num_groups)];
    groups.push_back({first, std::min(first + group_rows, num_rows)});
  }
  return groups;
}

}  // namespace

double rounding_of_sums(const Communicator& comm, const PreparedTransport& transport, const PairGeometry& geometry,
                        const PairGeometry& exact, const Iterate& now) {
  std::vector<double> terms;  // of the owned rows: difference, sum
  for (const RowRange group : sampled_rows(transport.source.weights)) {
    const RowRange rows = intersection(transport.rows, group);
    const auto f = std::span<const double>(now.f).subspan(static_cast<std::size_t>(rows.begin - transport.rows.begin), static_cast<std::size_t>(rows.size()));
    const std::vector<double> sums = geometry.row_sums(rows, f, now.g), exact_sums = exact.row_sums(rows, f, now.g);
    for (std::size_t i = 0; i < sums.size(); ++i) terms.insert(terms.end(), {std::abs(sums[i] - exact_sums[i]), exact_sums[i]});
  }
  double difference = 0.0, total = 0.0;
  const std::vector<double> of_all = comm.all_gather(std::span<const double>(terms));
  for (std::size_t k = 0; k < of_all.size(); k += 2) {
    difference += of_all[k];
    total += of_all[k + 1];
  }
  return difference / total;
}

}  // namespace thalweg
