// K of a coupling, from products formed in panels of columns.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/host_rows.hpp"
#include "kernels/pair_logs.hpp"
#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/dense_cost.hpp"
#include "solvers/gromov/device_panels.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

/// Some columns of some owned rows, counted from the first, row-major.
template <class Scalar>
void convert_rows(const StoredIntraCosts& costs, RowRange rows, RowRange columns, Scalar* to) {
  const double factor = 1.0 / costs.divisor;
  std::visit(
      [&](const auto& values) {
        for (std::int64_t i = rows.begin; i < rows.end; ++i)
          for (std::int64_t k = columns.begin; k < columns.end; ++k)
            *to++ = static_cast<Scalar>(static_cast<double>(values[static_cast<std::size_t>(i * costs.num_cells + k)]) *
                                        factor);
      },
      costs.values);
}

RowRange panel_of(const ColumnPanels& panels, std::int64_t panel) {
  return {panels.begin(panel), panels.begin(panel + 1)};
}

/// The part of some rows that lies in tile `tile`.
std::int64_t rows_in_tile(RowRange rows, std::int64_t tile) {
  return std::min<std::int64_t>(tile_rows, rows.end - tile * tile_rows);
}

}  // namespace

/// Sums over the columns of an owned row of K(P), K(P) - K, half the quadratic cost and M, each times P.
template <class Scalar>
struct DenseCost<Scalar>::PairSums {
  std::vector<double> value, difference, half, between;

  explicit PairSums(std::int64_t rows)
      : value(static_cast<std::size_t>(rows), 0.0), difference(value), half(value), between(value) {}
};

template <class Scalar>
typename DenseCost<Scalar>::Coupling DenseCost<Scalar>::coupling_of(const Tiles& linear,
                                                                    const SinkhornSolution& inner) const {
  const auto exponent = [&](double log_weight, double potential) {
    if (log_weight == -INFINITY) return no_bias;
    return bounded_bias<double>(std::numbers::log2e * (log_weight + potential / inner.epsilon));
  };
  Coupling coupling{linear, std::numbers::log2e / inner.epsilon, {}, {}};
  coupling.u.assign(static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(rows_.size()) * tile_rows), no_bias);
  for (std::size_t i = 0; i < inner.f.size(); ++i)
    coupling.u[i] = exponent(inner.log_alpha[static_cast<std::size_t>(rows_.begin) + i], inner.f[i]);
  for (std::size_t j = 0; j < inner.g.size(); ++j) coupling.v.push_back(exponent(inner.log_beta[j], inner.g[j]));
  return coupling;
}

template <class Scalar>
std::vector<Scalar> DenseCost<Scalar>::target_columns(RowRange columns) const {
  return std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return columns_from_owners<Scalar>(
            context_.comm, OwnedRows<Value>{num_columns_, num_columns_, values, target_.divisor}, columns);
      },
      target_.values);
}

template <class Scalar>
LeftRows<Scalar> DenseCost<Scalar>::source_rows() const {
  return {rows_.size(), source_.num_cells, false,
          [this](RowRange rows, RowRange columns, Scalar* to) { convert_rows(source_, rows, columns, to); }};
}

template <class Scalar>
LeftRows<Scalar> DenseCost<Scalar>::coupling_rows(const Coupling& coupling) const {
  return {rows_.size(), num_columns_, true, [&](RowRange rows, RowRange columns, Scalar* to) {
            for (std::int64_t at = rows.begin; at < rows.end; at += tile_rows)
              host::coupling_of_tile(coupling.tile(at / tile_rows), {columns.begin, columns.end}, block_rows,
                                     to + (at - rows.begin));
          }};
}

/// K from C_X P C_Y.
template <class Scalar>
void DenseCost<Scalar>::set_block(const Block& block, const Terms& terms, Tiles& next) const {
  const RowRange rows = block.rows, columns = block.columns;
  const double* product = block.product;
  for (std::int64_t j = columns.begin; j < columns.end; ++j, product += block_rows)
    for (std::int64_t at = rows.begin; at < rows.end; at += tile_rows) {
      Scalar* to = next.column(at / tile_rows, j);
      const Scalar* between = linear_ ? linear_->column(at / tile_rows, j) : nullptr;
      const double of_column = terms.columns[static_cast<std::size_t>(j)];
      for (std::int64_t r = 0; r < rows_in_tile(rows, at / tile_rows); ++r) {
        const double sum = terms.rows[static_cast<std::size_t>(at + r)] + of_column;
        const double quadratic = 2.0 * sum - 4.0 * product[at - rows.begin + r];
        to[r] = static_cast<Scalar>((between ? static_cast<double>(between[r]) : 0.0) - factors_.quadratic * quadratic);
      }
    }
}

/// E_gw = <row and column terms - 2 G, P> for the terms of P itself. With those of a and b, which are not P's until the
/// linear problem is solved, 2 <terms - G, P> - constant: linear in what is wrong with the marginals.
template <class Scalar>
void DenseCost<Scalar>::add_block(const Block& block, const Terms& terms, const Coupling& coupling, const Tiles& next,
                                  PairSums& sums) const {
  const RowRange rows = block.rows, columns = block.columns;
  const double factor = mode_ == GromovMode::balanced ? 2.0 : 1.0;
  std::vector<Scalar> masses(static_cast<std::size_t>(columns.size() * tile_rows));
  for (std::int64_t at = rows.begin; at < rows.end; at += tile_rows) {
    const std::int64_t tile = at / tile_rows, count = rows_in_tile(rows, tile);
    host::coupling_of_tile(coupling.tile(tile), {columns.begin, columns.end}, tile_rows, masses.data());
    for (std::int64_t j = columns.begin; j < columns.end; ++j) {
      const Scalar *p = masses.data() + (j - columns.begin) * tile_rows, *before = coupling.linear.column(tile, j),
                   *after = next.column(tile, j), *between = linear_ ? linear_->column(tile, j) : nullptr;
      const double* of_product = block.product + (j - columns.begin) * block_rows + (at - rows.begin);
      for (std::int64_t r = 0; r < count; ++r) {
        const auto i = static_cast<std::size_t>(at + r);
        const auto mass = static_cast<double>(p[r]), cost = -static_cast<double>(after[r]);
        sums.value[i] += cost * mass;
        sums.difference[i] += (cost + static_cast<double>(before[r])) * mass;
        sums.half[i] +=
            (factor * (terms.rows[i] + terms.columns[static_cast<std::size_t>(j)]) - 2.0 * of_product[r]) * mass;
        if (between) sums.between[i] -= static_cast<double>(between[r]) * mass;
      }
    }
  }
}

template <class Scalar>
void DenseCost<Scalar>::set_energies(double half, double between, const Terms& terms, Linearisation& at) const {
  at.energy_gw = half - terms.constant;
  at.energy = factors_.quadratic * at.energy_gw;
  if (factors_.linear == 0.0) return;
  at.energy_linear = between / factors_.linear;
  at.energy += between;
}

template <class Scalar>
LinearCost DenseCost<Scalar>::at_coupling(const CellCoupling& coupling) const {
  const auto cells = static_cast<std::int64_t>(coupling.rows.size());
  const std::vector<Scalar> right = costs_through_cells<Scalar>(context_.comm, target_, coupling);
  const LeftRows<Scalar> left{rows_.size(), cells, false, [&](RowRange rows, RowRange columns, Scalar* to) {
                                for (std::int64_t i = rows.begin; i < rows.end; ++i)
                                  for (std::int64_t k = columns.begin; k < columns.end; ++k, ++to) {
                                    const std::int64_t cell = coupling.rows[static_cast<std::size_t>(k)];
                                    convert_rows(source_, {i, i + 1}, {cell, cell + 1}, to);
                                  }
                              }};
  auto linear = std::make_shared<Tiles>(rows_.size(), num_columns_);
  const auto products = panel_products<Scalar>(context_.device, left);
  const ColumnPanels panels{num_columns_};
  for (std::int64_t panel = 0; panel < panels.count(); ++panel) {
    const RowRange columns = panel_of(panels, panel);
    std::vector<Scalar> part;
    for (std::int64_t k = 0; k < cells; ++k)
      part.insert(part.end(), right.begin() + k * num_columns_ + columns.begin,
                  right.begin() + k * num_columns_ + columns.end);
    products->with(part, columns.size(), [&](RowRange rows, const double* product) {
      set_block({rows, columns, product}, terms_, *linear);
    });
  }
  return SharedTiles<Scalar>(std::move(linear));
}

/// Calls use(block) for blocks of C_X P C_Y: B = P C_Y(:, J), then C_X B, for panels J of columns.
template <class Scalar>
template <class Use>
void DenseCost<Scalar>::for_each_block_of_product(const LeftRows<Scalar>& coupling, const Use& use) const {
  const auto by_coupling = panel_products<Scalar>(context_.device, coupling),
             by_source = panel_products<Scalar>(context_.device, source_rows());
  const ColumnPanels panels{num_columns_};
  for (std::int64_t panel = 0; panel < panels.count(); ++panel) {
    const RowRange columns = panel_of(panels, panel);
    const std::int64_t width = columns.size();
    const std::vector<Scalar> of_target = target_columns(columns);
    const auto use_product = [&](RowRange rows, const double* product) { use(Block{rows, columns, product}); };
    if (context_.comm.size() == 1) {
      by_source->with_product(*by_coupling, of_target, width, use_product);
    } else {
      const std::vector<Scalar> b = rounded_product(*by_coupling, std::span<const Scalar>(of_target), width);
      by_source->with(context_.comm.all_gather(std::span<const Scalar>(b)), width, use_product);
    }
  }
}

template <class Scalar>
LinearCost DenseCost<Scalar>::at_entries(const CouplingEntries& coupling) const {
  const std::size_t n = static_cast<std::size_t>(rows_.size());
  std::vector<std::vector<std::pair<std::int64_t, double>>> entries(n);  // of the owned rows: column, mass
  for (std::size_t e = 0; e < coupling.mass.size(); ++e)
    if (coupling.rows[e] >= rows_.begin && coupling.rows[e] < rows_.end)
      entries[static_cast<std::size_t>(coupling.rows[e] - rows_.begin)].emplace_back(coupling.columns[e],
                                                                                     coupling.mass[e]);
  const LeftRows<Scalar> left{rows_.size(), num_columns_, false, [&](RowRange rows, RowRange columns, Scalar* to) {
                                std::fill_n(to, rows.size() * columns.size(), Scalar(0));
                                for (std::int64_t i = rows.begin; i < rows.end; ++i, to += columns.size())
                                  for (const auto& [column, mass] : entries[static_cast<std::size_t>(i)])
                                    if (column >= columns.begin && column < columns.end)
                                      to[column - columns.begin] += static_cast<Scalar>(mass);
                              }};
  auto linear = std::make_shared<Tiles>(rows_.size(), num_columns_);
  for_each_block_of_product(left, [&](const Block& block) { set_block(block, terms_, *linear); });
  return SharedTiles<Scalar>(std::move(linear));
}

template <class Scalar>
Linearisation DenseCost<Scalar>::at(const LinearCost& linear, const PairGeometry&,
                                    const SinkhornSolution& inner) const {
  const Coupling coupling = coupling_of(*std::get<SharedTiles<Scalar>>(linear), inner);
  Terms own;
  if (mode_ != GromovMode::balanced)
    own = terms_of(context_.comm.all_gather(std::span<const double>(inner.row_sums)), inner.column_sums);
  const Terms& terms = mode_ == GromovMode::balanced ? terms_ : own;
  auto next = std::make_shared<Tiles>(rows_.size(), num_columns_);
  PairSums sums(rows_.size());
  for_each_block_of_product(coupling_rows(coupling), [&](const Block& block) {
    set_block(block, terms, *next);
    add_block(block, terms, coupling, *next, sums);
  });
  const Communicator& comm = context_.comm;
  Linearisation result;
  result.value = ordered_sum(comm, sums.value);
  result.difference = ordered_sum(comm, sums.difference);
  set_energies(ordered_sum(comm, sums.half), ordered_sum(comm, sums.between), terms, result);
  result.linear = SharedTiles<Scalar>(std::move(next));
  return result;
}

template <class Scalar>
double DenseCost<Scalar>::relative_change(const LinearCost& k, const LinearCost& l) const {
  const Tiles &before = *std::get<SharedTiles<Scalar>>(k), &after = *std::get<SharedTiles<Scalar>>(l);
  std::vector<double> sizes(static_cast<std::size_t>(rows_.size()), 0.0), differences = sizes;
  for_each_row_on_host(before.num_tiles(), [&](std::int64_t tile) {
    for (std::int64_t j = 0; j < num_columns_; ++j)
      for (std::int64_t r = 0; r < rows_in_tile({0, rows_.size()}, tile); ++r) {
        const auto i = static_cast<std::size_t>(tile * tile_rows + r);
        const auto value = static_cast<double>(before.column(tile, j)[r]);
        const double difference = static_cast<double>(after.column(tile, j)[r]) - value;
        sizes[i] += value * value;
        differences[i] += difference * difference;
      }
  });
  const double size = ordered_sum(context_.comm, sizes), difference = ordered_sum(context_.comm, differences);
  return size > 0.0 ? std::sqrt(difference / size) : 0.0;
}

#define THALWEG_DENSE_PRODUCT(Scalar)                                                                                  \
  template LinearCost DenseCost<Scalar>::at_coupling(const CellCoupling&) const;                                       \
  template LinearCost DenseCost<Scalar>::at_entries(const CouplingEntries&) const;                                     \
  template Linearisation DenseCost<Scalar>::at(const LinearCost&, const PairGeometry&, const SinkhornSolution&) const; \
  template void DenseCost<Scalar>::set_block(const Block&, const Terms&, Tiles&) const;                                \
  template double DenseCost<Scalar>::relative_change(const LinearCost&, const LinearCost&) const;                      \
  template void DenseCost<Scalar>::set_energies(double, double, const Terms&, Linearisation&) const;
THALWEG_DENSE_PRODUCT(float)
THALWEG_DENSE_PRODUCT(double)

}  // namespace thalweg
