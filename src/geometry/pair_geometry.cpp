#include "geometry/pair_geometry.hpp"

#include <new>

#include "geometry/tiled_geometry.hpp"

namespace thalweg {

namespace {

bool is_spread(const PairSides& sides) { return sides.source.rows || sides.target.rows; }

/// `automatic` where either form over whole sides can be taken.
EvaluationForm resolved(const PairSides& sides, EvaluationForm form) {
  if (sides.cost == Cost::dense) return form == EvaluationForm::ring ? EvaluationForm::two_pass : form;
  if (!is_spread(sides) || form == EvaluationForm::ring) return form;
  if (form == EvaluationForm::automatic) return EvaluationForm::ring;
  throw ConfigError(
      "points that are spread over ranks for the form 'strip' or 'two_pass' of the pair geometry; both need all "
      "points on every rank; use the form 'ring'");
}

template <class Scalar, class ExecutionSpace>
std::unique_ptr<PairGeometry> make_on(const Context& context, const PairSides& sides, EvaluationForm given) {
  using Geometry = TiledGeometry<Scalar, ExecutionSpace>;
  const EvaluationForm form = resolved(sides, given);
  const std::int64_t part_columns = form == EvaluationForm::ring ? Geometry::part_columns : 0;
  auto points = std::make_shared<const PairPoints<Scalar>>(
      make_pair_points<Scalar>(context.comm, sides, part_columns, !is_host<ExecutionSpace> && context.comm.size() > 1));
  return std::make_unique<Geometry>(context, std::move(points), form, sizeof(Scalar) == sizeof(float));
}

template <class ExecutionSpace>
std::unique_ptr<PairGeometry> make_with(const Context& context, const PairSides& sides, EvaluationForm form) {
  if (context.precision == Precision::float64) return make_on<double, ExecutionSpace>(context, sides, form);
  return make_on<float, ExecutionSpace>(context, sides, form);
}

}  // namespace

RowRange own_points(std::int64_t num_points, const Communicator& comm) {
  return Partition(num_points, comm.size(), block_rows).rows_of(comm.rank());
}

std::vector<RowRange> row_pieces(const Communicator& comm, const PairGeometry& geometry, std::int64_t most) {
  const RowRange rows = geometry.rows();
  const std::int64_t count = comm.all_reduce((rows.size() + most - 1) / most, Reduction::max);
  std::vector<RowRange> pieces;
  for (std::int64_t piece = 0; piece < count; ++piece) {
    const std::int64_t begin = std::min(rows.end, rows.begin + piece * most);
    pieces.push_back({begin, std::min(rows.end, begin + most)});
  }
  return pieces;
}

std::unique_ptr<PairGeometry> make_pair_geometry(const Context& context, const PairSides& sides, EvaluationForm form) {
  try {
    if (context.device == Device::cuda) return make_with<Kokkos::DefaultExecutionSpace>(context, sides, form);
    return make_with<Kokkos::DefaultHostExecutionSpace>(context, sides, form);
  } catch (const std::bad_alloc&) {
    throw MemoryError(
        "out of memory for " + std::to_string(sides.source.num_points) + " x " +
        std::to_string(sides.target.num_points) +
        " points of the pair geometry; in the forms 'strip' and 'two_pass' every rank holds both clouds; use the form "
        "'ring', fewer ranks on a node or float32");
  }
}

}  // namespace thalweg
