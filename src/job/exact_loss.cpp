#include "job/exact_loss.hpp"

#include <algorithm>
#include <limits>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "geometry/geodesics.hpp"
#include "geometry/row_gram.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/gromov/row_product.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Cells = std::vector<std::int32_t>;

/// Ascending.
Cells sampled(std::int64_t num_cells, std::int64_t most_cells, std::uint64_t seed) {
  Cells cells = random_cells(num_cells, std::min(num_cells, most_cells), seed, exact_stream);
  std::sort(cells.begin(), cells.end());
  return cells;
}

RowRange part_of(const Communicator& comm, std::int64_t rows) {
  return Partition(rows, comm.size(), block_rows).rows_of(comm.rank());
}

/// The rows of a matrix that this rank owns, in another type.
template <class Value>
std::vector<Value> owned_part(const Communicator& comm, const Matrix& matrix) {
  const RowRange rows = part_of(comm, matrix.rows);
  return {matrix.values.begin() + rows.begin * matrix.columns, matrix.values.begin() + rows.end * matrix.columns};
}

/// A factor multiplied out between some cells.
Matrix multiplied(const FactoredCosts& costs, const Cells& cells) {
  const auto v = std::get<std::span<const double>>(costs.factor.values);
  const std::int64_t rank = costs.factor.dimension;
  Matrix rows(static_cast<std::int64_t>(cells.size()), rank);
  for (std::int64_t i = 0; i < rows.rows; ++i)
    std::copy_n(v.begin() + cells[static_cast<std::size_t>(i)] * rank, rank, rows.row(i).begin());
  Matrix scaled = rows;
  for (std::size_t at = 0; at < scaled.values.size(); ++at)
    scaled.values[at] *= costs.diagonal[at % costs.diagonal.size()];
  return product(scaled, transpose(rows));
}

/// Costs between some cells, owned rows; floats hold hop counts exactly.
struct SampledCosts {
  std::int64_t num_cells = 0;
  std::vector<float> values;
  double divisor = 1.0;

  OwnedRows<float> rows() const { return {num_cells, num_cells, values, divisor}; }
};

SampledCosts costs_between(const Context& context, const SideCosts& side, const Cells& cells) {
  const auto& factor = side.geodesic_factor();
  const Matrix costs = factor ? distances_between(context, factor->graph, cells, factor->disconnected)
                              : multiplied(std::get<FactoredCosts>(side.costs()), cells);
  return {costs.rows, owned_part<float>(context.comm, costs), side.divisor()};
}

/// P between sampled cells, on every rank.
Matrix coupling_between(const Communicator& comm, const GromovSolution& solution, const Cells& sources,
                        const Cells& targets) {
  const PairGeometry& geometry = *solution.geometry;
  const RowRange rows = geometry.rows();
  const std::span<const double> f(solution.coupling.f);
  std::vector<double> own;
  for (auto first = std::lower_bound(sources.begin(), sources.end(), rows.begin);
       first != sources.end() && *first < rows.end;) {
    auto last = first + 1;  // cells in succession are formed together
    while (last != sources.end() && *last == *(last - 1) + 1 && *last < rows.end && last - first < block_rows) ++last;
    const RowRange range{*first, *(last - 1) + 1};
    const std::vector<double> coupling = geometry.coupling_rows(
        range, f.subspan(static_cast<std::size_t>(range.begin - rows.begin), static_cast<std::size_t>(range.size())),
        solution.coupling.g);
    for (std::int64_t i = 0; i < range.size(); ++i)
      for (const std::int32_t j : targets)
        own.push_back(coupling[static_cast<std::size_t>(i * geometry.num_columns() + j)]);
    first = last;
  }
  Matrix coupling(static_cast<std::int64_t>(sources.size()), static_cast<std::int64_t>(targets.size()));
  coupling.values = comm.all_gather(std::span<const double>(own));
  return coupling;
}

/// p^T C.^2 p
double own_energy(const Communicator& comm, const SampledCosts& costs, const std::vector<double>& p) {
  const auto first = static_cast<std::size_t>(part_of(comm, costs.num_cells).begin);
  std::vector<double> terms(costs.values.size() / p.size());
  for (std::size_t i = 0; i < terms.size(); ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < p.size(); ++k) {
      const double cost = static_cast<double>(costs.values[i * p.size() + k]) / costs.divisor;
      sum += cost * cost * p[k];
    }
    terms[i] = p[first + i] * sum;
  }
  return ordered_sum(comm, terms);
}

/// <C_X P C_Y, P>, P owned rows
double product_energy(const Communicator& comm, const SampledCosts& x, const SampledCosts& y,
                      const std::vector<double>& coupling) {
  const std::int64_t n = x.num_cells, m = y.num_cells;
  const std::vector<double> b = product_of_rows<double>(comm, OwnedRows<double>{n, m, coupling}, y.rows());
  const std::vector<double> g = product_of_rows<double>(comm, x.rows(), OwnedRows<double>{n, m, b});
  const auto width = static_cast<std::size_t>(m);
  std::vector<double> terms(g.size() / width, 0.0);
  for (std::size_t at = 0; at < g.size(); ++at) terms[at / width] += g[at] * coupling[at];
  return ordered_sum(comm, terms);
}

/// P between sampled cells, owned rows, scaled to mass 1, and its sums.
struct SampledCoupling {
  double mass = 0.0;  // before scaling
  std::vector<double> values, row_sums, column_sums;
};

SampledCoupling sampled_coupling(const Communicator& comm, Matrix all) {
  SampledCoupling result{0.0,
                         {},
                         std::vector<double>(static_cast<std::size_t>(all.rows), 0.0),
                         std::vector<double>(static_cast<std::size_t>(all.columns), 0.0)};
  for (const double value : all.values) result.mass += value;
  if (!(result.mass > 0.0)) return result;
  for (std::int64_t i = 0; i < all.rows; ++i)
    for (std::int64_t j = 0; j < all.columns; ++j) {
      all(i, j) /= result.mass;
      result.row_sums[static_cast<std::size_t>(i)] += all(i, j);
      result.column_sums[static_cast<std::size_t>(j)] += all(i, j);
    }
  result.values = owned_part<double>(comm, all);
  return result;
}

}  // namespace

std::optional<ExactLoss> exact_loss(const Context& context, const AlignmentCosts& costs, const GromovSolution& solution,
                                    std::int64_t most_cells) {
  if (!costs.source.geodesic_factor() && !costs.target.geodesic_factor()) return std::nullopt;
  const Communicator& comm = context.comm;
  const Cells sources = sampled(costs.source.num_cells(), most_cells, context.seed),
              targets = sampled(costs.target.num_cells(), most_cells, context.seed);
  const SampledCosts x = costs_between(context, costs.source, sources),
                     y = costs_between(context, costs.target, targets);
  const SampledCoupling coupling = sampled_coupling(comm, coupling_between(comm, solution, sources, targets));
  ExactLoss result{std::numeric_limits<double>::quiet_NaN(), x.num_cells, y.num_cells};
  if (coupling.mass > 0.0)
    result.loss = own_energy(comm, x, coupling.row_sums) + own_energy(comm, y, coupling.column_sums) -
                  2.0 * product_energy(comm, x, y, coupling.values);
  return result;
}

void log_exact_loss(const ExactLoss& exact) {
  log_info("E_gw with exact geodesics " + rounded_number(exact.loss, 6) + ", between " +
           std::to_string(exact.num_sources) + " source and " + std::to_string(exact.num_targets) + " target cells");
}

}  // namespace thalweg
