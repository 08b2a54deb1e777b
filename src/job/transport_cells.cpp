#include "job/transport_cells.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "io/row_exchange.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

std::span<const double> owned(const std::vector<double>& values, RowRange rows) {
  return std::span<const double>(values).subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size()));
}

/// C^T of the rows that this rank owns.
std::vector<float> transposed_rows(const std::vector<float>& costs, std::int64_t num_columns, RowRange columns) {
  const std::int64_t n = static_cast<std::int64_t>(costs.size()) / num_columns;
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(columns.size() * n));
  for (std::int64_t j = columns.begin; j < columns.end; ++j)
    for (std::int64_t i = 0; i < n; ++i) result.push_back(costs[static_cast<std::size_t>(i * num_columns + j)]);
  return result;
}

/// The same coupling seen from the other side: its rows are the targets.
std::unique_ptr<PairGeometry> make_swapped_geometry(const Context& context, const SinkhornOptions& options, const TransportSides& sides,
                                                    const SinkhornSolution& solution, double scale) {
  const Communicator& comm = context.comm;
  std::vector<float> transposed;
  PairSides pair = pair_sides(comm, options, sides, /*swapped=*/true);
  if (pair.cost == Cost::dense) {
    const std::int64_t m = sides.target.num_cells;
    transposed = transposed_rows(sides.source.features, m, Partition(m, comm.size(), block_rows).rows_of(comm.rank()));
    pair.dense = transposed;
  }
  auto geometry = make_pair_geometry(context, pair);
  geometry->set_scale(scale);
  geometry->set_epsilon(solution.epsilon);
  geometry->set_reference(solution.log_beta, solution.log_alpha);
  return geometry;
}

/// Potentials of points that take no part may be infinite; they are multiplied by zeros.
std::vector<double> finite_or_zero(std::vector<double> values) {
  for (double& value : values)
    if (!std::isfinite(value)) value = 0.0;
  return values;
}

/// Entropy and mean cost of the rows of P(f, g), from their sums alone:
///   sum_j P_ij C_ij = r_i f_i + (P g)_i - epsilon sum_j P_ij log(P_ij / (alpha_i beta_j))
void add_statistics(const PairGeometry& geometry, std::span<const double> f, const std::vector<double>& g,
                    std::span<const std::uint8_t> is_unmatched, SideCells& cells) {
  const RowStatistics statistics = geometry.row_statistics(f, g);
  const std::vector<double> opposite = geometry.apply(f, g, finite_or_zero(g), 1);
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double r = statistics.sum[i];
    cells.entropy.push_back(is_unmatched[i] ? no_value : statistics.entropy[i]);
    const double total = r * f[i] + opposite[i] - geometry.epsilon() * statistics.relative_entropy[i];
    cells.cost.push_back(is_unmatched[i] ? no_value : std::max(0.0, total / r));
  }
}

std::vector<float> as_float(const std::vector<double>& values) { return {values.begin(), values.end()}; }

/// Fills the cells of both sides; rows of the source are those the geometry owns until the end.
class CellDescription {
 public:
  CellDescription(const Context& context, const Job& job, const TransportSides& sides, const TransportProblem& problem,
                  const SinkhornSolution& solution)
      : context_(context), comm_(context.comm), job_(job), sides_(sides), problem_(problem), solution_(solution),
        coupling_{problem.geometry.get(), solution.f, solution.g, solution.row_sums, solution.column_sums, problem.problem.a, problem.problem.b},
        rows_(problem.geometry->rows()), columns_(sides.slice_of(sides.target).rows),
        unmatched_rows_(thalweg::unmatched_rows(coupling_)), unmatched_columns_(thalweg::unmatched_columns(coupling_)) {}

  TransportCells run() {
    add_potentials();
    add_rows();
    add_columns();
    if (!sides_.source.labels.empty() || !sides_.target.labels.empty()) add_labels();
    for (const std::string& key : job_.transport.project) add_projection(key);
    return std::move(cells_);
  }

 private:
  template <class T>
  std::vector<T> of_source(const std::vector<T>& values, std::int64_t width = 1) const {
    return rows_of_slice<T>(comm_, rows_, sides_.slice_of(sides_.source), values, width);
  }
  template <class T>
  std::vector<T> of_target(const std::vector<T>& values, std::int64_t width = 1) const {
    const auto begin = values.begin() + columns_.begin * width;
    return {begin, begin + columns_.size() * width};
  }

  void add_potentials() {
    cells_.source.potential = of_source(solution_.f);
    cells_.target.potential = of_target(solution_.g);
    cells_.source.unmatched = of_source(std::vector<std::int32_t>(unmatched_rows_.begin(), unmatched_rows_.end()));
    cells_.target.unmatched = of_target(std::vector<std::int32_t>(unmatched_columns_.begin(), unmatched_columns_.end()));
    const auto zeros = [](std::span<const double> weights) {
      std::vector<std::int32_t> flags;
      for (const double weight : weights) flags.push_back(weight == 0.0 ? 1 : 0);
      return flags;
    };
    cells_.source.zero_weight = of_source(zeros(owned(problem_.problem.a, rows_)));
    cells_.target.zero_weight = of_target(zeros(problem_.problem.b));
  }

  void add_rows() {
    SideCells owned_cells;
    add_statistics(*problem_.geometry, solution_.f, solution_.g, unmatched_rows_, owned_cells);
    cells_.source.mass = of_source(solution_.row_sums);
    cells_.source.entropy = of_source(owned_cells.entropy);
    cells_.source.cost = of_source(owned_cells.cost);
  }

  void add_columns() {
    const auto swapped = make_swapped_geometry(context_, job_.sinkhorn, sides_, solution_, problem_.geometry->scale());
    const RowRange mine = swapped->rows();
    const std::vector<double> all_f = comm_.all_gather(std::span<const double>(solution_.f));
    const auto flags = std::span<const std::uint8_t>(unmatched_columns_).subspan(static_cast<std::size_t>(mine.begin), static_cast<std::size_t>(mine.size()));
    SideCells owned_cells;
    add_statistics(*swapped, owned(solution_.g, mine), all_f, flags, owned_cells);
    const SliceRows& slice = sides_.slice_of(sides_.target);
    cells_.target.mass = of_target(solution_.column_sums);
    cells_.target.entropy = rows_of_slice<double>(comm_, mine, slice, owned_cells.entropy);
    cells_.target.cost = rows_of_slice<double>(comm_, mine, slice, owned_cells.cost);
  }

  void add_labels() {
    const auto num_sources = static_cast<std::int64_t>(sides_.source.categories.size());
    const auto num_targets = static_cast<std::int64_t>(sides_.target.categories.size());
    std::vector<double> forward = sums_over_targets(coupling_, one_hot(sides_.target.labels, num_targets));
    std::vector<double> back = sums_over_sources(coupling_, one_hot(sides_.source.labels, num_sources));
    cells_.transitions = label_transitions(back, num_sources, sides_.target.labels, num_targets);
    divide_rows(solution_.row_sums, unmatched_rows_, forward);
    divide_rows(solution_.column_sums, unmatched_columns_, back);
    set_labels(of_source(forward, num_targets), num_targets, cells_.source);
    set_labels(of_target(back, num_sources), num_sources, cells_.target);
  }

  static void set_labels(const std::vector<double>& shares, std::int64_t num_categories, SideCells& cells) {
    CarriedLabels carried = most_probable_labels(shares, num_categories);
    cells.label = std::move(carried.labels);
    cells.confidence = std::move(carried.confidence);
    cells.label_shares = as_float(shares);
  }

  void add_projection(const std::string& key) {
    const SideMatrices matrices = read_side_matrices(comm_, job_, sides_, key);
    std::vector<double> forward = sums_over_targets(coupling_, values_of(matrices.target, matrices.target_width));
    divide_rows(solution_.row_sums, unmatched_rows_, forward);
    cells_.source.projections.push_back(of_source(as_float(forward), matrices.target_width));
    std::vector<double> back = sums_over_sources(coupling_, values_of(matrices.source, matrices.source_width));
    divide_rows(solution_.column_sums, unmatched_columns_, back);
    cells_.target.projections.push_back(of_target(as_float(back), matrices.source_width));
    cells_.projection_keys.push_back(key);
    cells_.source_widths.push_back(matrices.target_width);
    cells_.target_widths.push_back(matrices.source_width);
  }

  Context context_;
  const Communicator& comm_;
  const Job& job_;
  const TransportSides& sides_;
  const TransportProblem& problem_;
  const SinkhornSolution& solution_;
  Coupling coupling_;
  RowRange rows_, columns_;
  std::vector<std::uint8_t> unmatched_rows_, unmatched_columns_;
  TransportCells cells_;
};

}  // namespace

template <class T>
std::vector<T> rows_of_slice(const Communicator& comm, RowRange owned, const SliceRows& slice, std::span<const T> values, std::int64_t width) {
  if (!comm.any(!(owned == slice.rows))) return {values.begin(), values.end()};
  std::vector<std::int64_t> rows(static_cast<std::size_t>(owned.size()));
  std::iota(rows.begin(), rows.end(), owned.begin);
  std::vector<T> result(static_cast<std::size_t>(slice.rows.size() * width));
  send_rows(comm, destinations_of(rows, Partition(slice.num_cells, comm.size(), block_rows)), values, static_cast<std::size_t>(width), std::span<T>(result));
  return result;
}

template std::vector<float> rows_of_slice(const Communicator&, RowRange, const SliceRows&, std::span<const float>, std::int64_t);
template std::vector<double> rows_of_slice(const Communicator&, RowRange, const SliceRows&, std::span<const double>, std::int64_t);
template std::vector<std::int32_t> rows_of_slice(const Communicator&, RowRange, const SliceRows&, std::span<const std::int32_t>, std::int64_t);

TransportCells describe_cells(const Context& context, const Job& job, const TransportSides& sides, const TransportProblem& problem,
                              const SinkhornSolution& solution) {
  return CellDescription(context, job, sides, problem, solution).run();
}

}  // namespace thalweg
