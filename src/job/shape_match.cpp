#include "job/shape_match.hpp"

#include <algorithm>
#include <limits>

#include "geometry/geodesics.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

/// Column of a solved vertex.
std::size_t column_of(const Shape& shape, std::int32_t vertex) {
  return static_cast<std::size_t>(std::find(shape.solved.begin(), shape.solved.end(), vertex) - shape.solved.begin());
}

Matrix positions_of(const TriangleMesh& mesh) {
  Matrix positions(mesh.num_vertices(), 3);
  for (std::int64_t i = 0; i < positions.rows; ++i)
    for (std::int64_t axis = 0; axis < 3; ++axis)
      positions(i, axis) = mesh.vertices[static_cast<std::size_t>(i)][static_cast<std::size_t>(axis)];
  return positions;
}

/// P of the solved vertices, on every rank.
Matrix whole_coupling(const Communicator& comm, const GromovSolution& solution) {
  const PairGeometry& geometry = *solution.geometry;
  std::vector<double> owned;
  for (const RowRange& rows : row_pieces(comm, geometry, block_rows)) {
    const auto first = static_cast<std::size_t>(rows.begin - geometry.rows().begin);
    const auto f = std::span(solution.coupling.f).subspan(first, static_cast<std::size_t>(rows.size()));
    const std::vector<double> piece = geometry.coupling_rows(rows, f, solution.coupling.g);
    owned.insert(owned.end(), piece.begin(), piece.end());
  }
  Matrix coupling(geometry.num_rows(), geometry.num_columns());
  coupling.values = comm.all_gather(std::span<const double>(owned));
  return coupling;
}

template <class T>
std::vector<T> gathered(const Communicator& comm, const std::vector<T>& owned) {
  return comm.all_gather(std::span<const T>(owned));
}

Partners gathered(const Communicator& comm, const Partners& own, std::int64_t num_points) {
  Partners all{gathered(comm, own.match),   gathered(comm, own.confidence),
               gathered(comm, own.entropy), Matrix(num_points, own.means.columns),
               gathered(comm, own.top),     gathered(comm, own.top_shares)};
  all.means.values = gathered(comm, own.means.values);
  return all;
}

RowRange share_of(const Communicator& comm, std::int64_t num_points) {
  return Partition(num_points, comm.size(), block_rows).rows_of(comm.rank());
}

/// Errors of one map: distances on `shape` between match[from] and to, of all pairs.
std::vector<double> errors_on(const Context& context, const Shape& shape, const std::vector<std::int64_t>& match,
                              const std::vector<std::int32_t>& from, const std::vector<std::int32_t>& to) {
  std::vector<double> errors(match.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<double> own;
  const RowRange share =
      Partition(static_cast<std::int64_t>(from.size()), context.comm.size()).rows_of(context.comm.rank());
  const std::int64_t most = context.comm.all_reduce(share.size(), Reduction::max);
  for (std::int64_t done = 0; done < most; done += block_rows) {
    const std::int64_t begin = std::min(share.end, share.begin + done), end = std::min(share.end, begin + block_rows);
    const auto sources = std::span(to).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const GeodesicRows rows = geodesic_rows(context, shape.graph, sources, Disconnected::error);
    for (std::int64_t k = 0; k < end - begin; ++k)
      own.push_back(rows(k, match[static_cast<std::size_t>(from[static_cast<std::size_t>(begin + k)])]) /
                    shape.diameter);
  }
  const std::vector<double> all = gathered(context.comm, own);
  for (std::size_t k = 0; k < from.size(); ++k) errors[static_cast<std::size_t>(from[k])] = all[k];
  return errors;
}

}  // namespace

ShapeProblem::ShapeProblem(const Communicator& comm, const Job& job, const Shape& source, const Shape& target,
                           VertexPairs anchors)
    : target_(target),
      anchors_(std::move(anchors)),
      source_costs_(solved_costs(comm, source)),
      target_costs_(solved_costs(comm, target)) {
  problem_.source = StoredIntraCosts{source.num_solved(), std::span<const double>(source_costs_), 1.0};
  problem_.target = StoredIntraCosts{target.num_solved(), std::span<const double>(target_costs_), 1.0};
  problem_.a = source.side.solved_weights;
  problem_.b = target.side.solved_weights;
  problem_.epsilon = job.gromov.epsilon;
  if (!has_anchors()) return;
  const RowRange rows = share_of(comm, source.num_solved());
  const auto m = static_cast<std::size_t>(target.num_solved());
  linear_costs_.assign(static_cast<std::size_t>(rows.size()) * m, 0.0);
  const std::vector<LinearRow> linear = linear_rows();
  for (std::size_t k = 0; k < linear.size(); ++k) {
    const auto row = static_cast<std::int64_t>(column_of(source, anchors_.source[k]));
    if (row < rows.begin || row >= rows.end) continue;
    for (std::size_t j = 0; j < m; ++j)
      linear_costs_[static_cast<std::size_t>(row - rows.begin) * m + j] =
          linear[k].costs[static_cast<std::size_t>(target.solved[j])];
  }
  problem_.linear = StoredLinearCosts{std::span<const double>(linear_costs_)};
  problem_.alpha = 0.5;
  problem_.normalise = Normalise::none;
  problem_.epsilon = 0.5 * job.gromov.epsilon;
}

std::vector<LinearRow> ShapeProblem::linear_rows() const {
  std::vector<LinearRow> rows;
  for (std::size_t k = 0; k < anchors_.source.size(); ++k) {
    const auto column = static_cast<std::int64_t>(column_of(target_, anchors_.target[k]));
    LinearRow row{anchors_.source[k], {}};
    for (std::int64_t y = 0; y < target_.num_vertices(); ++y)
      row.costs.push_back(target_.side.distances(y, column) * target_.divisor / target_.diameter);
    rows.push_back(std::move(row));
  }
  return rows;
}

ShapeMaps match_vertices(const Communicator& comm, const ShapeProblem& problem, const GromovSolution& solution,
                         Shape& source, Shape& target) {
  source.side.potential = gathered(comm, solution.coupling.f);
  target.side.potential = solution.coupling.g;
  CouplingExtension extension(source.side, target.side, whole_coupling(comm, solution),
                              fused_factors(problem.problem(), solution.units), solution.coupling.epsilon);
  extension.set_linear(problem.linear_rows());
  extension.extend(source.solved, target.solved);
  const RowRange rows = share_of(comm, source.num_vertices()), columns = share_of(comm, target.num_vertices());
  return {gathered(comm, extension.partners_of_sources(rows, positions_of(target.mesh), num_top_partners),
                   source.num_vertices()),
          gathered(comm, extension.partners_of_targets(columns, positions_of(source.mesh), num_top_partners),
                   target.num_vertices())};
}

MapErrors map_errors(const Context& context, const Shape& source, const Shape& target, const ShapeMaps& maps,
                     const VertexPairs& reference) {
  return {errors_on(context, target, maps.of_sources.match, reference.source, reference.target),
          errors_on(context, source, maps.of_targets.match, reference.target, reference.source)};
}

}  // namespace thalweg
