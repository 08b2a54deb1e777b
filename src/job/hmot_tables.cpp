#include "job/hmot_tables.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/metrics.hpp"

namespace thalweg {

namespace {

/// sum_i a_i |x_i - m(i)|^2 of soft types: the second moment less that of the means.
double inertia(const HmOtSolution& solution, std::size_t slice) {
  double within = solution.chain.slices[slice].second_moment;
  const SliceState& state = solution.state.slices[slice];
  const double unit = solution.chain.feature_unit;
  for (std::size_t k = 0; k < state.actual.size(); ++k)
    for (std::int64_t j = 0; j < solution.chain.num_features(); ++j) {
      const double mean = unit * state.means(j, static_cast<std::int64_t>(k));
      within -= state.actual[k] * mean * mean;
    }
  return within;
}

/// Features of a type in the coordinates of the input, then the coordinates that its slice has.
std::vector<TableCell> centroid_of(const HmOtSolution& solution, std::int64_t own_coordinates, std::size_t slice, std::int64_t type) {
  const Chain& chain = solution.chain;
  const FeatureFrame& frame = chain.slices[slice].frame;
  std::vector<TableCell> cells(static_cast<std::size_t>(chain.num_features() + chain.num_coordinates));
  for (std::int64_t j = 0; j < chain.num_features() + own_coordinates; ++j)
    cells[static_cast<std::size_t>(j)] = solution.state.slices[slice].means(j, type) / frame.scale_of(j) + frame.center[static_cast<std::size_t>(j)];
  return cells;
}

std::int64_t num_categories(const TimeSeries& series) { return static_cast<std::int64_t>(series.categories.size()); }

Matrix all_reduced(const Communicator& comm, Matrix counts) {
  comm.all_reduce(std::span<double>(counts.values), Reduction::sum);
  return counts;
}

MapNode make_node(const HmOtJob& job, const HmOtSolution& solution, const TimeSeries& series, const TypeSummary& summary,
                  std::size_t slice, std::size_t type) {
  MapNode node;
  node.slice = static_cast<int>(slice);
  node.name = job.type_names[slice][type];
  node.mass = solution.state.slices[slice].actual[type];
  node.cells = summary.cells[slice][type];
  node.confidence = summary.confidence[slice][type];
  if (summary.annotation.empty()) return node;
  const auto counts = summary.annotation[slice].row(static_cast<std::int64_t>(type));
  const auto commonest = std::max_element(counts.begin(), counts.end());
  if (commonest == counts.end() || *commonest == 0.0) return node;
  const auto category = static_cast<std::size_t>(commonest - counts.begin());
  node.annotation = series.categories[category];
  if (!series.category_colors.empty()) node.color = series.category_colors[category];
  return node;
}

}  // namespace

TypeSummary summarise_types(const Communicator& comm, const HmOtJob& job, const TimeSeries& series, const CellClustering& ml) {
  TypeSummary summary;
  for (std::size_t t = 0; t < job.problem.slices.size(); ++t) {
    const auto labels = of_slice(ml.labels, series, t);
    const auto confidence = of_slice(ml.confidence, series, t);
    const std::int64_t r = job.problem.slices[t].num_types;
    std::vector<std::int64_t> cells(static_cast<std::size_t>(r), 0), total(cells);  // confidence in units of 2^-32
    for (std::size_t i = 0; i < labels.size(); ++i) {
      ++cells[static_cast<std::size_t>(labels[i])];
      total[static_cast<std::size_t>(labels[i])] += std::llrint(confidence[i] * 0x1p32);
    }
    comm.all_reduce(std::span<std::int64_t>(cells), Reduction::sum);
    comm.all_reduce(std::span<std::int64_t>(total), Reduction::sum);
    std::vector<double> mean;
    for (std::size_t k = 0; k < cells.size(); ++k)
      mean.push_back(cells[k] > 0 ? static_cast<double>(total[k]) * 0x1p-32 / static_cast<double>(cells[k]) : 0.0);
    summary.cells.push_back(std::move(cells));
    summary.confidence.push_back(std::move(mean));
    if (!series.categories.empty())
      summary.annotation.push_back(all_reduced(comm, contingency_table(labels, series.slices[t].labels, r, num_categories(series))));
  }
  return summary;
}

DifferentiationMap make_map(const HmOtJob& job, const HmOtSolution& solution, const TimeSeries& series,
                            const TypeSummary& summary, const std::string& title) {
  DifferentiationMap map;
  map.title = title;
  map.times = job.slice_names;
  for (std::size_t t = 0; t < job.slice_names.size(); ++t)
    for (std::size_t k = 0; k < job.type_names[t].size(); ++k) map.nodes.push_back(make_node(job, solution, series, summary, t, k));
  for (std::size_t t = 0; t < solution.state.couplings.size(); ++t) {
    const Matrix& coupling = solution.state.couplings[t];
    const TypeLaws laws = type_laws({&coupling, 1});
    const Matrix npmi = normalised_pointwise_information(coupling);
    for (std::int64_t k = 0; k < coupling.rows; ++k)
      for (std::int64_t l = 0; l < coupling.columns; ++l)
        map.edges.push_back({static_cast<int>(t), static_cast<int>(k), static_cast<int>(l), coupling(k, l), laws.forward[0](k, l),
                             laws.ancestor[0](k, l), npmi(k, l), 1.0});
  }
  return map;
}

Table nodes_table(const DifferentiationMap& map) {
  Table table({"time", "type", "mass", "cells", "confidence", "annotation"});
  for (const MapNode& node : map.nodes) {
    std::vector<TableCell> row(6);
    row[0] = map.times[static_cast<std::size_t>(node.slice)];
    row[1] = node.name;
    row[2] = node.mass;
    row[3] = node.cells;
    row[4] = node.confidence;
    if (!node.annotation.empty()) row[5] = node.annotation;
    table.add_row(std::move(row));
  }
  return table;
}

Table edges_table(const DifferentiationMap& map) {
  Table table({"t0", "t1", "source", "target", "mass", "forward", "ancestor", "npmi"});
  const auto positions = nodes_by_slice(map);
  for (const MapEdge& edge : map.edges) {
    const auto t = static_cast<std::size_t>(edge.slice);
    table.add_row({map.times[t], map.times[t + 1], map.nodes[positions[t][static_cast<std::size_t>(edge.source)]].name,
                   map.nodes[positions[t + 1][static_cast<std::size_t>(edge.target)]].name, edge.mass, edge.forward, edge.ancestor, edge.npmi});
  }
  return table;
}

Table centroids_table(const HmOtJob& job, const HmOtSolution& solution) {
  std::vector<std::string> columns{"time", "type"};
  for (std::int64_t j = 0; j < solution.chain.num_features(); ++j) columns.push_back("feature_" + std::to_string(j));
  for (std::int64_t j = 0; j < solution.chain.num_coordinates; ++j) columns.push_back("coordinate_" + std::to_string(j));
  Table table(columns);
  for (std::size_t t = 0; t < job.slice_names.size(); ++t)
    for (std::size_t k = 0; k < job.type_names[t].size(); ++k) {
      std::vector<TableCell> row{job.slice_names[t], job.type_names[t][k]};
      const std::vector<TableCell> centroid = centroid_of(solution, job.problem.slices[t].rows.coordinates.count, t, static_cast<std::int64_t>(k));
      row.insert(row.end(), centroid.begin(), centroid.end());
      table.add_row(std::move(row));
    }
  return table;
}

Table objective_table(const HmOtJob& job, const HmOtSolution& solution) {
  std::vector<std::string> columns{"t0", "t1", "weight", "cost", "inertia_source", "inertia_target", "between_types"};
  const bool has_gromov = solution.chain.has_coordinates();
  if (has_gromov) columns.insert(columns.end(), {"weight_gromov", "gromov"});
  Table table(columns);
  for (std::size_t t = 0; t < solution.chain.edges.size(); ++t) {
    const ChainEdge& edge = solution.chain.edges[t];
    const TransitionParts parts = transition_parts(solution.chain, solution.state, t);
    const double weight = edge.weight, cost = weight * parts.transport;
    const double source = weight * inertia(solution, t), target = weight * inertia(solution, t + 1);
    std::vector<TableCell> row{job.slice_names[t], job.slice_names[t + 1], weight, cost, source, target, cost - source - target};
    if (has_gromov) row.insert(row.end(), {edge.gromov, parts.gromov});
    table.add_row(std::move(row));
  }
  return table;
}

Table restarts_table(const HmOtSolution& solution) {
  Table table({"restart", "start", "objective", "regularized", "chosen"});
  for (std::size_t k = 0; k < solution.restarts.size(); ++k) {
    const RestartRecord& record = solution.restarts[k];
    table.add_row({static_cast<std::int64_t>(k), record.start, record.objective, record.regularized, record.is_chosen});
  }
  return table;
}

Table paths_table(const HmOtJob& job, const HmOtSolution& solution) {
  std::vector<std::string> columns(job.slice_names);
  columns.push_back("mass");
  Table table(columns);
  for (const TypePath& path : heaviest_paths(type_laws(solution.state.couplings), solution.state.slices[0].actual, 50)) {
    std::vector<TableCell> row;
    for (std::size_t t = 0; t < path.types.size(); ++t) row.push_back(job.type_names[t][static_cast<std::size_t>(path.types[t])]);
    row.push_back(path.mass);
    table.add_row(std::move(row));
  }
  return table;
}

}  // namespace thalweg
