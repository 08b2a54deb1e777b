#include "job/side_graph.hpp"

#include "core/log.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

Metric metric_of(const GromovOptions& options) {
  if (options.metric == "euclidean") return Metric::euclidean;
  return options.metric == "cosine" ? Metric::cosine : Metric::correlation;
}

Disconnected disconnected_of(const GromovOptions& options) {
  if (options.disconnected == "max") return Disconnected::max;
  return options.disconnected == "error" ? Disconnected::error : Disconnected::bridge;
}

RowRange owned_rows(const Communicator& comm, const CellSide& side) {
  return Partition(side.num_cells, comm.size(), block_rows).rows_of(comm.rank());
}

KnnGraph graph_of_side(const Context& context, const GromovOptions& options, const CellSide& side, std::int64_t k) {
  const RowRange rows = owned_rows(context.comm, side);
  const auto d = side.num_features;
  const std::span<const float> owned =
      std::span(side.features)
          .subspan(static_cast<std::size_t>(rows.begin * d), static_cast<std::size_t>(rows.size() * d));
  const auto search = make_neighbour_search(context, {side.num_cells, rows, d, owned, "the " + side.name + " features"},
                                            metric_of(options));
  KnnGraph graph =
      make_knn_graph(context.comm, *search, k, options.edge_weight == "hops" ? EdgeWeight::hops : EdgeWeight::distance,
                     disconnected_of(options));
  if (graph.components.sizes.size() > 1)
    log_warning("disconnected",
                "the graph of the " + side.name + " side with gromov.geodesic_k = " + std::to_string(k) + " is in " +
                    std::to_string(graph.components.sizes.size()) +
                    " parts; they were treated by gromov.disconnected = \"" + options.disconnected + "\"");
  return graph;
}

}  // namespace thalweg
