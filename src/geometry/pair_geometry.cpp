#include "geometry/pair_geometry.hpp"

#include <new>

#include "geometry/tiled_geometry.hpp"

namespace thalweg {

namespace {

template <class Scalar, class ExecutionSpace>
std::unique_ptr<PairGeometry> make_on(const Context& context, const PairSides& sides, EvaluationForm form) {
  auto points = std::make_shared<const PairPoints<Scalar>>(make_pair_points<Scalar>(context.comm, sides));
  return std::make_unique<TiledGeometry<Scalar, ExecutionSpace>>(context, std::move(points), form,
                                                                 sizeof(Scalar) == sizeof(float));
}

template <class ExecutionSpace>
std::unique_ptr<PairGeometry> make_with(const Context& context, const PairSides& sides, EvaluationForm form) {
  if (context.precision == Precision::float64) return make_on<double, ExecutionSpace>(context, sides, form);
  return make_on<float, ExecutionSpace>(context, sides, form);
}

}  // namespace

std::unique_ptr<PairGeometry> make_pair_geometry(const Context& context, const PairSides& sides, EvaluationForm form) {
  try {
    if (context.device == Device::cuda) return make_with<Kokkos::DefaultExecutionSpace>(context, sides, form);
    return make_with<Kokkos::DefaultHostExecutionSpace>(context, sides, form);
  } catch (const std::bad_alloc&) {
    throw MemoryError(
        "out of memory for " + std::to_string(sides.source.num_points) + " x " +
        std::to_string(sides.target.num_points) +
        " points of the pair geometry; every rank holds both clouds; use fewer ranks on a node or float32");
  }
}

}  // namespace thalweg
