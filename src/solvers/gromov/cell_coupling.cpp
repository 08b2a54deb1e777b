#include "solvers/gromov/cell_coupling.hpp"

#include <algorithm>

#include "geometry/geodesics.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/gromov/row_product.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

constexpr std::uint32_t sample_stream = 76;

/// Some rows of a matrix as a matrix of its own: the rank's part of these.
template <class Value>
std::vector<Value> part_of_rows(const Communicator& comm, const OwnedRows<Value>& matrix,
                                const std::vector<std::int64_t>& chosen) {
  const Partition partition(matrix.num_rows, comm.size(), block_rows);
  const auto wanted = static_cast<std::int64_t>(chosen.size());
  const RowRange own = Partition(wanted, comm.size(), block_rows).rows_of(comm.rank());
  std::vector<Value> part, row(static_cast<std::size_t>(matrix.num_columns));
  for (std::int64_t k = 0; k < wanted; ++k) {
    const std::int64_t cell = chosen[static_cast<std::size_t>(k)];
    const int owner = partition.owner_of(cell);
    if (owner == comm.rank())
      std::copy_n(matrix.values.begin() + (cell - partition.rows_of(owner).begin) * matrix.num_columns, row.size(),
                  row.begin());
    comm.broadcast(std::span(row), owner);
    if (k >= own.begin && k < own.end) part.insert(part.end(), row.begin(), row.end());
  }
  return part;
}

std::vector<double> rows_of(const GromovSolution& solution, RowRange rows) {
  const std::span<const double> f = std::span(solution.coupling.f)
                                        .subspan(static_cast<std::size_t>(rows.begin - solution.geometry->rows().begin),
                                                 static_cast<std::size_t>(rows.size()));
  return solution.geometry->coupling_rows(rows, f, solution.coupling.g);
}

/// Ascending, the same on all ranks.
std::vector<std::int32_t> sampled_cells(const Context& context, std::int64_t n) {
  std::vector<std::int32_t> cells = random_cells(n, std::min(most_sampled_rows, n), context.seed, sample_stream);
  std::sort(cells.begin(), cells.end());
  return cells;
}

}  // namespace

template <class Scalar>
std::vector<Scalar> costs_through_cells(const Communicator& comm, const StoredIntraCosts& target,
                                        const CellCoupling& coupling) {
  const auto k = static_cast<std::int64_t>(coupling.rows.size()),
             l = static_cast<std::int64_t>(coupling.columns.size());
  const RowRange own = Partition(k, comm.size(), block_rows).rows_of(comm.rank());
  const auto first = coupling.mass.values.begin();
  const std::vector<Scalar> mass(first + own.begin * l, first + own.end * l);
  const std::vector<double> product = std::visit(
      [&]<class Value>(std::span<const Value> values) {
        const auto rows =
            part_of_rows<Value>(comm, {target.num_cells, target.num_cells, values, target.divisor}, coupling.columns);
        return product_of_rows<Scalar>(comm, OwnedRows<Scalar>{k, l, mass, 1.0},
                                       OwnedRows<Value>{l, target.num_cells, rows, target.divisor});
      },
      target.values);
  const std::vector<Scalar> owned(product.begin(), product.end());
  return comm.all_gather(std::span<const Scalar>(owned));
}

std::vector<double> coupling_of(const GromovSolution& solution) { return rows_of(solution, solution.geometry->rows()); }

double overlap_of(const Communicator& comm, const GromovSolution& p, const GromovSolution& q) {
  const RowRange rows = p.geometry->rows();
  const std::int64_t m = p.geometry->num_columns();
  std::vector<double> shared(static_cast<std::size_t>(rows.size()), 0.0);
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += block_rows) {
    const RowRange block{begin, std::min(rows.end, begin + block_rows)};
    const std::vector<double> of_p = rows_of(p, block), of_q = rows_of(q, block);
    for (std::size_t e = 0; e < of_p.size(); ++e)
      shared[static_cast<std::size_t>(begin - rows.begin) + e / static_cast<std::size_t>(m)] +=
          std::min(of_p[e], of_q[e]);
  }
  return ordered_sum(comm, shared);
}

CouplingSample::CouplingSample(const Context& context, const GromovSolution& solution)
    : num_columns_(solution.geometry->num_columns()) {
  const RowRange rows = solution.geometry->rows();
  for (const std::int32_t cell : sampled_cells(context, solution.geometry->num_rows())) {
    if (cell < rows.begin || cell >= rows.end) continue;
    const std::vector<double> row = rows_of(solution, {cell, cell + 1});
    entries_.insert(entries_.end(), row.begin(), row.end());
  }
}

double CouplingSample::overlap(const Communicator& comm, const CouplingSample& other) const {
  std::vector<double> terms;  // of every row: shared, of this coupling, of the other
  for (std::size_t e = 0; e < entries_.size(); ++e) {
    if (e % static_cast<std::size_t>(num_columns_) == 0) terms.resize(terms.size() + 3, 0.0);
    const auto p = static_cast<double>(entries_[e]), q = static_cast<double>(other.entries_[e]);
    double* of_row = terms.data() + terms.size() - 3;
    of_row[0] += std::min(p, q);
    of_row[1] += p;
    of_row[2] += q;
  }
  double sums[3] = {};
  const std::vector<double> all = comm.all_gather(std::span<const double>(terms));
  for (std::size_t k = 0; k < all.size(); ++k) sums[k % 3] += all[k];
  const double mass = std::max(sums[1], sums[2]);
  return mass > 0.0 ? sums[0] / mass : 1.0;
}

void CouplingSample::visit_state(StateVisitor& v, const Context& context, const GromovProblem& problem) {
  const auto n = static_cast<std::int64_t>(problem.a.size());
  const RowRange rows = own_points(n, context.comm);
  const std::vector<std::int32_t> cells = sampled_cells(context, n);
  const auto before = [&](std::int64_t row) {
    return std::lower_bound(cells.begin(), cells.end(), row) - cells.begin();
  };
  num_columns_ = static_cast<std::int64_t>(problem.b.size());
  v.rows("sample", entries_, {before(rows.begin), before(rows.end)}, num_columns_);
}

template std::vector<float> costs_through_cells<float>(const Communicator&, const StoredIntraCosts&,
                                                       const CellCoupling&);
template std::vector<double> costs_through_cells<double>(const Communicator&, const StoredIntraCosts&,
                                                         const CellCoupling&);

}  // namespace thalweg
