#include "job/gromov_cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/coupling_means.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

constexpr std::size_t columns_at_once = 512;  // of a block of rows, by one thread
constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// The largest entry, its place and sum P log P, of rows or columns as their entries are seen.
struct Extremes {
  std::vector<double> largest;
  std::vector<std::int64_t> place;
  std::vector<double> sum_log;

  explicit Extremes(std::size_t size) : largest(size, 0.0), place(size, -1), sum_log(size, 0.0) {}

  /// @param term  mass log mass
  void see(std::size_t cell, std::int64_t partner, double mass, double term) {
    if (mass <= 0.0) return;
    sum_log[cell] += term;
    if (mass <= largest[cell]) return;
    largest[cell] = mass;
    place[cell] = partner;
  }
};

/// Some rows of P: their own extremes by row, those of the columns by part of the columns.
/// @param begin, first   global and local index of the first of them
void see_rows(const std::vector<double>& coupling, std::int64_t begin, std::size_t first, Extremes& of_rows,
              Extremes& of_columns) {
  const std::size_t m = of_columns.largest.size(), rows = coupling.size() / m;
  std::vector<double> terms(coupling.size());
  for_each_row_on_host(static_cast<std::int64_t>(rows), [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    for (std::size_t j = 0; j < m; ++j) {
      const double mass = coupling[i * m + j];
      terms[i * m + j] = mass > 0.0 ? mass * std::log(mass) : 0.0;
      of_rows.see(first + i, static_cast<std::int64_t>(j), mass, terms[i * m + j]);
    }
  });
  const std::size_t parts = (m + columns_at_once - 1) / columns_at_once;
  for_each_row_on_host(static_cast<std::int64_t>(parts), [&](std::int64_t part) {
    const std::size_t from = static_cast<std::size_t>(part) * columns_at_once, to = std::min(m, from + columns_at_once);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = from; j < to; ++j)
        of_columns.see(j, begin + static_cast<std::int64_t>(i), coupling[i * m + j], terms[i * m + j]);
  });
}

/// Of the owned rows and, over these, of all columns; also the largest entries of the rows.
std::pair<Extremes, Extremes> extremes_of(const GromovSolution& solution, TopPartners& top) {
  const PairGeometry& geometry = *solution.geometry;
  const RowRange rows = geometry.rows();
  const auto m = static_cast<std::size_t>(geometry.num_columns());
  Extremes of_rows(static_cast<std::size_t>(rows.size())), of_columns(m);
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += block_rows) {
    const RowRange block{begin, std::min(rows.end, begin + block_rows)};
    const auto first = static_cast<std::size_t>(begin - rows.begin);
    const std::span<const double> f =
        std::span(solution.coupling.f).subspan(first, static_cast<std::size_t>(block.size()));
    const std::vector<double> coupling = geometry.coupling_rows(block, f, solution.coupling.g);
    append_top_partners(coupling, geometry.num_columns(), top);
    see_rows(coupling, begin, first, of_rows, of_columns);
  }
  return {std::move(of_rows), std::move(of_columns)};
}

/// Columns over the rows of all ranks.
void combine(const Communicator& comm, Extremes& columns) {
  std::vector<double> largest = columns.largest;
  comm.all_reduce(std::span<double>(largest), Reduction::max);
  for (std::size_t j = 0; j < largest.size(); ++j)
    if (columns.largest[j] < largest[j] || columns.place[j] < 0)
      columns.place[j] = std::numeric_limits<std::int64_t>::max();
  comm.all_reduce(std::span<std::int64_t>(columns.place), Reduction::min);
  comm.all_reduce(std::span<double>(columns.sum_log), Reduction::sum);
  for (std::int64_t& place : columns.place)
    if (place == std::numeric_limits<std::int64_t>::max()) place = -1;
  columns.largest = std::move(largest);
}

template <class T>
std::vector<T> gathered(const Communicator& comm, const std::vector<T>& owned) {
  return comm.all_gather(std::span<const T>(owned));
}

/// Mass between the labels of both sides.
std::vector<double> class_masses(const TransportSides& sides, const Coupling& coupling) {
  const CellSide &source = sides.source, &target = sides.target;
  if (source.categories.empty() || target.categories.empty()) return {};
  const auto classes = static_cast<std::int64_t>(source.categories.size());
  return label_transitions(sums_over_sources(coupling, one_hot(source.labels, classes)), classes, target.labels,
                           static_cast<std::int64_t>(target.categories.size()));
}

/// Divides by the masses: -sum (P / s) log (P / s) = log s - (1 / s) sum P log P.
void finish(AlignedCells& cells, const Extremes& extremes) {
  cells.match = extremes.place;
  for (std::size_t i = 0; i < cells.mass.size(); ++i) {
    const bool has_partner = cells.unmatched[i] == 0;
    if (!has_partner) cells.match[i] = -1;
    cells.confidence.push_back(has_partner ? extremes.largest[i] / cells.mass[i] : no_value);
    cells.entropy.push_back(has_partner ? std::max(0.0, std::log(cells.mass[i]) - extremes.sum_log[i] / cells.mass[i])
                                        : no_value);
  }
}

}  // namespace

Alignment describe_alignment(const Communicator& comm, const TransportSides& sides, const GromovSolution& solution) {
  const SinkhornSolution& inner = solution.coupling;
  const Coupling coupling{solution.geometry.get(), inner.f,           inner.g,
                          inner.row_sums,          inner.column_sums, sides.source.weights,
                          sides.target.weights};
  Alignment alignment;
  alignment.top = TopPartners(solution.geometry->num_columns());
  AlignedCells &source = alignment.source, &target = alignment.target;
  const std::vector<std::uint8_t> rows = unmatched_rows(coupling);
  source.unmatched = gathered(comm, rows);
  target.unmatched = unmatched_columns(coupling);
  source.potential = gathered(comm, inner.f);
  target.potential = inner.g;
  source.mass = gathered(comm, inner.row_sums);
  target.mass = inner.column_sums;

  std::vector<double> forward =
      sums_over_targets(coupling, values_of(sides.target.features, sides.target.num_features));
  divide_rows(inner.row_sums, rows, forward);
  source.projected = gathered(comm, forward);
  target.projected = sums_over_sources(coupling, values_of(sides.source.features, sides.source.num_features));
  divide_rows(inner.column_sums, target.unmatched, target.projected);

  alignment.class_masses = class_masses(sides, coupling);
  auto [of_rows, of_columns] = extremes_of(solution, alignment.top);
  combine(comm, of_columns);
  Extremes all_rows(0);
  all_rows.largest = gathered(comm, of_rows.largest);
  all_rows.place = gathered(comm, of_rows.place);
  all_rows.sum_log = gathered(comm, of_rows.sum_log);
  finish(source, all_rows);
  finish(target, of_columns);
  return alignment;
}

JointSpace joint_space(const CellSide& own, const AlignedCells& projected) {
  return {own.num_features, {own.features.begin(), own.features.end()}, projected.projected};
}

}  // namespace thalweg
