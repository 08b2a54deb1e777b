#include "job/lowrank_scores.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "analysis/clusterings.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "job/gromov_tables.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t blocks_per_tile = 64;
constexpr std::ptrdiff_t most_neighbours = 5;  // that score_table_of asks for a label

double neighbour_steps(const TimeSeries& series, std::int64_t num_features) {
  return static_cast<double>(series.slices[0].num_cells) * static_cast<double>(series.slices[1].num_cells) *
         static_cast<double>(num_features);
}

/// Both sides of one solution.
class TypedSides {
 public:
  TypedSides(const Communicator& comm, const HmOtJob& job, const HmOtSolution& solution, const TimeSeries& series)
      : comm_(comm), job_(job), solution_(solution), series_(series), laws_(type_laws(solution.state.couplings)) {}

  std::int64_t num_categories() const { return static_cast<std::int64_t>(series_.categories.size()); }
  bool has_labels() const { return num_categories() > 0; }

  /// Features of one side that the cost reads: shared ones, else its own.
  std::int64_t num_features(std::size_t side) const {
    const std::int64_t shared = solution_.chain.num_features();
    return shared > 0 ? shared : job_.problem.slices[side].rows.coordinates.count;
  }

  /// Mass of the labels in the types of one side, types x labels. Collective.
  Matrix label_masses(std::size_t side) const {
    Matrix masses(job_.problem.slices[side].num_types, num_categories());
    const SliceRows& slice = series_.slices[side];
    double total = 0.0;
    for_tiles(side, [&](std::size_t first, const Matrix& tile) {
      for (std::int64_t i = 0; i < tile.rows; ++i) {
        const std::size_t cell = first + static_cast<std::size_t>(i);
        const double weight = slice.weights.empty() ? 1.0 : slice.weights[cell];
        total += weight;
        if (slice.labels[cell] < 0) continue;
        for (std::int64_t k = 0; k < tile.columns; ++k) masses(k, slice.labels[cell]) += weight * tile(i, k);
      }
    });
    comm_.all_reduce(std::span<double>(masses.values), Reduction::sum);
    total = comm_.all_reduce(total, Reduction::sum);
    for (double& mass : masses.values) mass /= total;
    return masses;
  }

  /// A mean over the partners of each owned cell of one side, cells x columns. @param of_types   of the other side
  std::vector<double> carried(std::size_t side, const Matrix& of_types) const {
    const Matrix law = composed_law(laws_, static_cast<std::int64_t>(side), 1 - static_cast<std::int64_t>(side));
    const Matrix of_own_types = type_probabilities(law, of_types);
    std::vector<double> rows;
    for_tiles(side, [&](std::size_t, const Matrix& tile) {
      const Matrix means = type_probabilities(tile, of_own_types);
      rows.insert(rows.end(), means.values.begin(), means.values.end());
    });
    return rows;
  }

  /// Of the features of one side, types x features.
  Matrix type_means(std::size_t side) const {
    const FeatureFrame& frame = solution_.chain.slices[side].frame;
    const Matrix& means = solution_.state.slices[side].means;
    Matrix result(means.columns, num_features(side));
    for (std::int64_t k = 0; k < result.rows; ++k)
      for (std::int64_t j = 0; j < result.columns; ++j)
        result(k, j) = means(j, k) / frame.scale_of(j) + frame.center[static_cast<std::size_t>(j)];
    return result;
  }

  /// On every rank. Collective.
  std::vector<double> features(std::size_t side) const {
    const RowBlock& rows = job_.problem.slices[side].rows;
    const std::span<const float> own = solution_.chain.num_features() > 0 ? rows.features : rows.coordinates.values;
    const std::vector<float> all = comm_.all_gather(own);
    return {all.begin(), all.end()};
  }

  const Matrix& coupling() const { return solution_.state.couplings[0]; }

 private:
  /// Calls visit(first, memberships) for tiles of this rank's rows of one side.
  template <class Visit>
  void for_tiles(std::size_t side, const Visit& visit) const {
    const HmOtSlice& slice = job_.problem.slices[side];
    const std::int64_t blocks = (slice.rows.rows.size() + block_rows - 1) / block_rows;
    for (std::int64_t first = 0; first < blocks; first += blocks_per_tile) {
      Matrix tile;
      tile.values = slice_memberships(solution_, side, first, std::min(blocks_per_tile, blocks - first));
      tile.columns = slice.num_types;
      tile.rows = static_cast<std::int64_t>(tile.values.size()) / tile.columns;
      visit(static_cast<std::size_t>(first * block_rows), tile);
    }
  }

  const Communicator& comm_;
  const HmOtJob& job_;
  const HmOtSolution& solution_;
  const TimeSeries& series_;
  TypeLaws laws_;
};

/// p(c | l), types x labels; rows of zeros where a type has no labelled cell.
Matrix label_shares(Matrix masses) {
  for (std::int64_t k = 0; k < masses.rows; ++k) {
    const auto row = masses.row(k);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& share : row) share = sum > 0.0 ? share / sum : 0.0;
  }
  return masses;
}

/// Share of the labelled cells of one side whose label is the most probable one among their partners. Collective.
double transfer_by_coupling(const Communicator& comm, const TypedSides& sides, std::size_t side, const Matrix& shares,
                            const std::vector<std::int32_t>& labels) {
  Matrix carried;
  carried.values = sides.carried(side, shares);
  carried.rows = static_cast<std::int64_t>(labels.size());
  carried.columns = sides.num_categories();
  const CellLabels most = most_probable_types(carried);
  std::int64_t counts[2] = {0, 0};  // labelled cells, those that are right
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    ++counts[0];
    counts[1] += most.confidence[i] > 0.0 && most.label[i] == labels[i];
  }
  comm.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);
  return counts[0] > 0 ? static_cast<double>(counts[1]) / static_cast<double>(counts[0])
                       : std::numeric_limits<double>::quiet_NaN();
}

/// Mass between the labels of both sides: masses_x^T diag(1/g) T diag(1/h) masses_y.
std::vector<double> masses_between(const TypedSides& sides, const Matrix& x, const Matrix& y,
                                   const std::vector<double>& g, const std::vector<double>& h) {
  const Matrix& coupling = sides.coupling();
  Matrix between(x.columns, y.columns);
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    for (std::int64_t l = 0; l < coupling.columns; ++l) {
      const double types = g[static_cast<std::size_t>(k)] * h[static_cast<std::size_t>(l)];
      if (coupling(k, l) == 0.0 || types == 0.0) continue;
      for (std::int64_t c = 0; c < x.columns; ++c)
        for (std::int64_t d = 0; d < y.columns; ++d) between(c, d) += x(k, c) * coupling(k, l) * y(l, d) / types;
    }
  return between.values;
}

/// Without features, which scores take from joint spaces, and without labels where too few cells have one. Collective.
CellSide labelled_side(const Communicator& comm, const TimeSeries& series, std::size_t side) {
  const SliceRows& slice = series.slices[side];
  CellSide result;
  result.name = slice.name;
  result.num_cells = slice.num_cells;
  if (series.categories.empty()) return result;
  std::vector<std::int32_t> labels = comm.all_gather(std::span<const std::int32_t>(slice.labels));
  const auto labelled = std::count_if(labels.begin(), labels.end(), [](std::int32_t label) { return label >= 0; });
  if (labelled < most_neighbours) return result;
  result.labels = std::move(labels);
  result.categories = series.categories;
  return result;
}

/// Features of one side, and of the other's cells among them: in float32, so that cells of one type, whose projections
/// are the same but for rounding, are equally close. Collective.
JointSpace joint_space(const Communicator& comm, const TypedSides& sides, std::size_t own) {
  std::vector<double> projected = sides.carried(1 - own, sides.type_means(own));
  for (double& value : projected) value = static_cast<double>(static_cast<float>(value));
  return {sides.num_features(own), sides.features(own), comm.all_gather(std::span<const double>(projected))};
}

void add_rows(const Table& rows, Table& table) {
  for (const auto& row : rows.rows()) table.add_row(row);
}

/// Colour of each category; empty where one has none.
std::vector<std::string> shared_colors(const TimeSeries& source, const TimeSeries& target,
                                       const std::vector<std::string>& categories) {
  std::vector<std::string> colors;
  for (const std::string& category : categories)
    for (const TimeSeries* side : {&source, &target}) {
      const auto place = static_cast<std::size_t>(
          std::find(side->categories.begin(), side->categories.end(), category) - side->categories.begin());
      if (place >= side->category_colors.size()) continue;
      colors.push_back(side->category_colors[place]);
      break;
    }
  return colors.size() == categories.size() ? colors : std::vector<std::string>();
}

}  // namespace

void share_categories(TimeSeries& source, TimeSeries& target) {
  const std::vector<std::string> all = united_categories(source.categories, target.categories);
  const std::vector<std::string> colors = shared_colors(source, target, all);
  for (TimeSeries* side : {&source, &target}) {
    for (SliceRows& slice : side->slices) count_labels_in(all, side->categories, slice.labels);
    side->categories = all;
    side->category_colors = colors;
  }
}

CellPairs read_lowrank_pairs(const Communicator& comm, const Job& job, const TimeSeries& series,
                             std::int64_t num_features) {
  if (job.lowrank.pair_key.empty()) return {};
  if (neighbour_steps(series, num_features) > most_neighbour_steps)
    throw DataError("lowrank.pair_key asks for a score that compares " + std::to_string(series.slices[0].num_cells) +
                    " x " + std::to_string(series.slices[1].num_cells) + " cells of " + std::to_string(num_features) +
                    " features; the product of these is at most " + shortest_number(most_neighbour_steps) +
                    "; leave lowrank.pair_key out");
  return read_cell_pairs(comm, job, job.lowrank.pair_key, "lowrank.pair_key");
}

LowRankScores score_low_rank(const Communicator& comm, const HmOtJob& job, const HmOtSolution& solution,
                             const TimeSeries& series, const CellPairs& pairs) {
  const TypedSides typed(comm, job, solution, series);
  LowRankScores result{Table({"score", "value", "meaning"}), {}, series.categories};
  if (typed.has_labels()) {
    const Matrix x = typed.label_masses(0), y = typed.label_masses(1);
    const auto add = [&](const char* name, std::size_t side, const Matrix& masses, const char* meaning) {
      const double value = transfer_by_coupling(comm, typed, side, label_shares(masses), series.slices[side].labels);
      result.scores.add_row({name, value, meaning});
      log_info(std::string(name) + " " + rounded_number(value, 4));
    };
    add("transfer_to_source", 0, y, "share of sources whose label is that of most mass among their partners");
    add("transfer_to_target", 1, x, "share of targets whose label is that of most mass among their partners");
    const auto& slices = solution.state.slices;
    result.label_masses = masses_between(typed, x, y, slices[0].actual, slices[1].actual);
  }
  if (neighbour_steps(series, std::max(typed.num_features(0), typed.num_features(1))) > most_neighbour_steps) {
    log_info("scores by nearest neighbours are left out: they would compare too many pairs of cells");
    return result;
  }
  TransportSides sides;
  sides.source = labelled_side(comm, series, 0);
  sides.target = labelled_side(comm, series, 1);
  add_rows(score_table_of(comm, sides, pairs, joint_space(comm, typed, 0), joint_space(comm, typed, 1)), result.scores);
  return result;
}

Table label_table(const LowRankScores& scores) {
  TransportSides sides;
  sides.source.categories = sides.target.categories = scores.labels;
  return label_table(sides, scores.label_masses);
}

}  // namespace thalweg
