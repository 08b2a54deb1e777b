#include "solvers/embedding/cell_batch.hpp"

#include <algorithm>
#include <numeric>

#include "distributed/error.hpp"
#include "kernels/random.hpp"

namespace thalweg {

namespace {

using Cells = std::vector<std::int64_t>;

constexpr std::uint32_t source_stream = 94, target_stream = 95;
constexpr std::uint64_t start_stride = 0x9E3779B97F4A7C15ULL;  // from the seed of one start to the next

std::vector<double> normalised_weights(const std::vector<double>& weights, const Cells& cells) {
  std::vector<double> chosen;
  for (const std::int64_t cell : cells) chosen.push_back(weights[static_cast<std::size_t>(cell)]);
  const double sum = std::accumulate(chosen.begin(), chosen.end(), 0.0);
  for (double& weight : chosen) weight /= sum;
  return chosen;
}

/// Place of each chosen cell among them; -1 of others.
std::vector<std::int32_t> places_of(const Cells& cells, std::int64_t num_cells) {
  std::vector<std::int32_t> places(static_cast<std::size_t>(num_cells), -1);
  for (std::size_t k = 0; k < cells.size(); ++k)
    places[static_cast<std::size_t>(cells[k])] = static_cast<std::int32_t>(k);
  return places;
}

std::vector<double> rows_of(const PointSet& points, const Cells& cells) {
  std::vector<double> rows;
  std::visit(
      [&](const auto& values) {
        for (const std::int64_t cell : cells) {
          const auto row = values.begin() + cell * points.dimension;
          rows.insert(rows.end(), row, row + points.dimension);
        }
      },
      points.values);
  return rows;
}

PointSet as_points(const std::vector<double>& rows, std::int64_t dimension) {
  return {static_cast<std::int64_t>(rows.size()) / dimension, dimension, std::span<const double>(rows)};
}

std::span<const double> own_rows(const Communicator& comm, const std::vector<double>& rows, std::int64_t width) {
  const RowRange own = own_points(static_cast<std::int64_t>(rows.size()) / width, comm);
  return std::span(rows).subspan(static_cast<std::size_t>(own.begin * width),
                                 static_cast<std::size_t>(own.size() * width));
}

/// C of the chosen cells, of those rows that the rank owns of the smaller problem.
std::vector<double> stored_rows(const Communicator& comm, const StoredIntraCosts& costs, const Cells& cells) {
  const RowRange own = own_points(costs.num_cells, comm);
  std::vector<double> mine;
  std::visit(
      [&](const auto& values) {
        for (const std::int64_t row : cells) {
          if (row < own.begin || row >= own.end) continue;
          const auto from = values.begin() + (row - own.begin) * costs.num_cells;
          for (const std::int64_t column : cells) mine.push_back(static_cast<double>(from[column]) / costs.divisor);
        }
      },
      costs.values);
  const std::vector<double> all = comm.all_gather(std::span<const double>(mine));
  const auto part = own_rows(comm, all, static_cast<std::int64_t>(cells.size()));
  return {part.begin(), part.end()};
}

/// @param values   holds what the result views
IntraCosts costs_among(const Communicator& comm, const IntraCosts& costs, const Cells& cells,
                       std::vector<double>& values) {
  if (const auto* stored = std::get_if<StoredIntraCosts>(&costs)) {
    values = stored_rows(comm, *stored, cells);
    return StoredIntraCosts{static_cast<std::int64_t>(cells.size()), std::span<const double>(values), 1.0};
  }
  if (const auto* squared = std::get_if<SquaredDistances>(&costs)) {
    values = rows_of(squared->points, cells);
    return SquaredDistances{as_points(values, squared->points.dimension), squared->divisor};
  }
  const auto& factored = std::get<FactoredCosts>(costs);
  values = rows_of(factored.factor, cells);
  return FactoredCosts{as_points(values, factored.factor.dimension), factored.diagonal, factored.divisor};
}

/// Edges between chosen cells.
Graph graph_among(const Graph& graph, const Cells& cells) {
  if (graph.num_nodes == 0) return {};
  const std::vector<std::int32_t> places = places_of(cells, graph.num_nodes);
  std::vector<Edge> edges;
  for (std::size_t k = 0; k < cells.size(); ++k)
    for (const std::int32_t node : graph.neighbours_of(cells[k])) {
      const std::int32_t place = places[static_cast<std::size_t>(node)];
      if (place > static_cast<std::int32_t>(k)) edges.push_back({static_cast<std::int32_t>(k), place, 1.0});
    }
  return graph_of_edges(static_cast<std::int64_t>(cells.size()), std::move(edges), EdgeWeight::hops);
}

std::vector<float> own_features(const Communicator& comm, const EncoderInput& all, const Cells& cells) {
  const RowRange own = own_points(static_cast<std::int64_t>(cells.size()), comm);
  const std::int64_t p = all.scaling.num_features;
  std::vector<float> features;
  for (std::int64_t k = own.begin; k < own.end; ++k) {
    const auto row = all.features.begin() + cells[static_cast<std::size_t>(k)] * p;
    features.insert(features.end(), row, row + p);
  }
  return features;
}

std::vector<std::int32_t> classes_of(const std::vector<std::int32_t>& all, const Cells& cells) {
  std::vector<std::int32_t> classes;
  if (all.empty()) return classes;
  for (const std::int64_t cell : cells) classes.push_back(all[static_cast<std::size_t>(cell)]);
  return classes;
}

}  // namespace

CellBatch::Side CellBatch::draw_side(const std::vector<double>& weights, std::int64_t count, BatchDraw draw,
                                     std::uint32_t stream) {
  const RandomStream random{draw.seed + static_cast<std::uint64_t>(draw.start) * start_stride, stream};
  std::vector<std::pair<double, std::int64_t>> order;
  for (std::size_t cell = 0; cell < weights.size(); ++cell)
    if (weights[cell] > 0.0)
      order.emplace_back(random.uniform(cell, static_cast<std::uint32_t>(draw.step)), static_cast<std::int64_t>(cell));
  if (static_cast<std::int64_t>(order.size()) < count)
    throw DataError("a batch of " + std::to_string(count) + " cells is more than the " + std::to_string(order.size()) +
                    " cells of weight of a side");
  std::nth_element(order.begin(), order.begin() + (count - 1), order.end());
  Side side;
  for (std::int64_t k = 0; k < count; ++k) side.cells.push_back(order[static_cast<std::size_t>(k)].second);
  std::sort(side.cells.begin(), side.cells.end());
  return side;
}

CellBatch::CellBatch(const Communicator& comm, const EmbeddingProblem& problem, const EncoderInputs& cells,
                     std::int64_t count, BatchDraw draw)
    : source_scaling_(cells.source.scaling),
      target_scaling_(cells.target.scaling),
      source_(draw_side(problem.a, count, draw, source_stream)),
      target_(draw_side(problem.b, count, draw, target_stream)),
      source_features_(own_features(comm, cells.source, source_.cells)),
      target_features_(own_features(comm, cells.target, target_.cells)) {
  problem_.dimension = problem.dimension;
  problem_.a = normalised_weights(problem.a, source_.cells);
  problem_.b = normalised_weights(problem.b, target_.cells);
  problem_.source = costs_among(comm, problem.source, source_.cells, source_.costs);
  problem_.target = costs_among(comm, problem.target, target_.cells, target_.costs);
  problem_.source_graph = graph_among(problem.source_graph, source_.cells);
  problem_.target_graph = graph_among(problem.target_graph, target_.cells);
  restrict_anchors(problem);
  if (!problem.between) return;
  const auto* shared = std::get_if<SharedFeatures>(&*problem.between);
  if (shared == nullptr) throw DataError("a batch of cells takes shared features, no stored costs between the sides");
  source_.shared = rows_of(shared->source, source_.cells);
  target_.shared = rows_of(shared->target, target_.cells);
  problem_.between = SharedFeatures{as_points(source_.shared, shared->source.dimension),
                                    as_points(target_.shared, shared->target.dimension)};
}

void CellBatch::restrict_anchors(const EmbeddingProblem& problem) {
  const EmbeddingAnchors& anchors = problem.anchors;
  const std::vector<std::int32_t> rows = places_of(source_.cells, static_cast<std::int64_t>(problem.a.size())),
                                  columns = places_of(target_.cells, static_cast<std::int64_t>(problem.b.size()));
  for (const auto& [i, j] : anchors.pairs) {
    const std::int32_t row = rows[static_cast<std::size_t>(i)], column = columns[static_cast<std::size_t>(j)];
    if (row >= 0 && column >= 0) problem_.anchors.pairs.emplace_back(row, column);
  }
  problem_.anchors.source_classes = classes_of(anchors.source_classes, source_.cells);
  problem_.anchors.target_classes = classes_of(anchors.target_classes, target_.cells);
}

}  // namespace thalweg
