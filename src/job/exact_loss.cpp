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

/// Scaled costs between some cells, on every rank.
Matrix costs_between(const Context& context, const SideCosts& side, const Cells& cells) {
  Matrix costs;
  if (side.geodesic_factor()) {
    costs = distances_between(context, side.geodesic_factor()->graph, cells, side.geodesic_factor()->disconnected);
  } else {
    const FactoredCosts factored = std::get<FactoredCosts>(side.costs());
    const auto v = std::get<std::span<const double>>(factored.factor.values);
    Matrix rows(static_cast<std::int64_t>(cells.size()), side.rank());
    for (std::int64_t i = 0; i < rows.rows; ++i)
      std::copy_n(v.begin() + cells[static_cast<std::size_t>(i)] * side.rank(), side.rank(), rows.row(i).begin());
    Matrix scaled = rows;
    for (std::size_t at = 0; at < scaled.values.size(); ++at)
      scaled.values[at] *= factored.diagonal[at % factored.diagonal.size()];
    costs = product(scaled, transpose(rows));
  }
  for (double& cost : costs.values) cost /= side.divisor();
  return costs;
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

RowRange part_of(const Communicator& comm, std::int64_t rows) {
  return Partition(rows, comm.size(), block_rows).rows_of(comm.rank());
}

OwnedRows<double> owned_rows_of(const Communicator& comm, const Matrix& matrix) {
  const RowRange rows = part_of(comm, matrix.rows);
  return {matrix.rows, matrix.columns,
          std::span(matrix.values)
              .subspan(static_cast<std::size_t>(rows.begin * matrix.columns),
                       static_cast<std::size_t>(rows.size() * matrix.columns))};
}

/// p^T C.^2 p
double own_energy(const Communicator& comm, const Matrix& costs, const std::vector<double>& p) {
  std::vector<double> terms;
  const RowRange rows = part_of(comm, costs.rows);
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < p.size(); ++k) sum += costs.row(i)[k] * costs.row(i)[k] * p[k];
    terms.push_back(p[static_cast<std::size_t>(i)] * sum);
  }
  return ordered_sum(comm, terms);
}

/// <C_X P C_Y, P>
double product_energy(const Communicator& comm, const Matrix& x, const Matrix& y, const Matrix& coupling) {
  const std::vector<double> b = product_of_rows<double>(comm, owned_rows_of(comm, coupling), owned_rows_of(comm, y));
  const std::vector<double> g =
      product_of_rows<double>(comm, owned_rows_of(comm, x), OwnedRows<double>{coupling.rows, coupling.columns, b});
  const auto own = owned_rows_of(comm, coupling).values;
  std::vector<double> terms(g.size() / static_cast<std::size_t>(coupling.columns), 0.0);
  for (std::size_t at = 0; at < g.size(); ++at)
    terms[at / static_cast<std::size_t>(coupling.columns)] += g[at] * own[at];
  return ordered_sum(comm, terms);
}

}  // namespace

std::optional<ExactLoss> exact_loss(const Context& context, const AlignmentCosts& costs, const GromovSolution& solution,
                                    std::int64_t most_cells) {
  if (!costs.source.geodesic_factor() && !costs.target.geodesic_factor()) return std::nullopt;
  const Communicator& comm = context.comm;
  const Cells sources = sampled(costs.source.num_cells(), most_cells, context.seed),
              targets = sampled(costs.target.num_cells(), most_cells, context.seed);
  Matrix coupling = coupling_between(comm, solution, sources, targets);
  std::vector<double> p(sources.size(), 0.0), q(targets.size(), 0.0);
  double mass = 0.0;
  for (const double value : coupling.values) mass += value;
  ExactLoss result{std::numeric_limits<double>::quiet_NaN(), coupling.rows, coupling.columns};
  if (!(mass > 0.0)) return result;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (std::size_t j = 0; j < q.size(); ++j) {
      double& value = coupling.values[i * q.size() + j];
      value /= mass;
      p[i] += value;
      q[j] += value;
    }
  const Matrix x = costs_between(context, costs.source, sources), y = costs_between(context, costs.target, targets);
  result.loss = own_energy(comm, x, p) + own_energy(comm, y, q) - 2.0 * product_energy(comm, x, y, coupling);
  return result;
}

void log_exact_loss(const ExactLoss& exact) {
  log_info("loss E with exact geodesics " + rounded_number(exact.loss, 6) + ", between " +
           std::to_string(exact.num_sources) + " source and " + std::to_string(exact.num_targets) + " target cells");
}

}  // namespace thalweg
