#include "solvers/sinkhorn/unweighted.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr std::int64_t rows_at_a_time = 256;

/// max and sum exp(. - max) of a set of exponents.
struct ExponentSum {
  double largest = -std::numeric_limits<double>::infinity();
  double sum = 0.0;

  void add(double exponent) { add({exponent, 1.0}); }
  void add(const ExponentSum& other) {
    if (other.largest == -std::numeric_limits<double>::infinity()) return;
    const double top = std::max(largest, other.largest);
    sum = sum * std::exp(largest - top) + other.sum * std::exp(other.largest - top);
    largest = top;
  }
  double log() const { return largest + std::log(sum); }
};

std::vector<std::size_t> unweighted_targets(const TransportSide& target) {
  std::vector<std::size_t> columns;
  for (std::size_t j = 0; j < target.weights.size(); ++j)
    if (target.weights[j] == 0.0) columns.push_back(j);
  return columns;
}

/// Of one block of rows, appended column after column as (largest, sum).
void append_block(const PreparedTransport& transport, const PairGeometry& geometry, RowRange rows, std::span<const double> f,
                  std::span<const std::size_t> columns, std::vector<double>& blocks) {
  const std::vector<double> costs = geometry.cost_rows(rows);
  const std::size_t num_columns = transport.target.weights.size();
  for (const std::size_t j : columns) {
    ExponentSum total;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const double cost = costs[static_cast<std::size_t>(row - rows.begin) * num_columns + j];
      const double log_alpha = transport.source.log_reference[static_cast<std::size_t>(row)];
      total.add(log_alpha + (f[static_cast<std::size_t>(row - transport.rows.begin)] - cost) / transport.epsilon);
    }
    blocks.push_back(total.largest);
    blocks.push_back(total.sum);
  }
}

}  // namespace

void set_unweighted_potentials(const Communicator& comm, const PreparedTransport& transport, const PairGeometry& geometry,
                               std::span<const double> f, std::vector<double>& g) {
  const std::vector<std::size_t> columns = unweighted_targets(transport.target);
  if (columns.empty()) return;
  std::vector<double> own;
  for (const RowRange rows : row_pieces(comm, geometry, rows_at_a_time))
    append_block(transport, geometry, rows, f, columns, own);
  const std::vector<double> blocks = comm.all_gather(std::span<const double>(own));
  std::vector<ExponentSum> totals(columns.size());
  for (std::size_t k = 0; 2 * k < blocks.size(); ++k) totals[k % columns.size()].add({blocks[2 * k], blocks[2 * k + 1]});
  for (std::size_t k = 0; k < columns.size(); ++k)
    g[columns[k]] = -transport.target.tau(transport.epsilon) * transport.epsilon * totals[k].log();
}

}  // namespace thalweg
