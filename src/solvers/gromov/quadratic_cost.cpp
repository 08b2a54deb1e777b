#include "solvers/gromov/quadratic_cost.hpp"

#include "kernels/host_rows.hpp"
#include "solvers/gromov/dense_cost.hpp"
#include "solvers/gromov/factored_cost.hpp"
#include "solvers/gromov/squared_cost.hpp"

namespace thalweg {

namespace {

/// combine(x, y) of the numbers of both.
template <class Value, class Combine>
void combine_values(const Value* x, const Value* y, std::int64_t count, const Combine& combine, Value* to) {
  for_each_piece_on_host(count, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      to[i] = static_cast<Value>(combine(static_cast<double>(x[i]), static_cast<double>(y[i])));
  });
}

template <class Combine>
LinearCost combined(const LinearCost& k, const LinearCost& l, const Combine& combine) {
  if (const auto* core = std::get_if<std::vector<double>>(&k)) {
    std::vector<double> result(core->size());
    combine_values(core->data(), std::get<std::vector<double>>(l).data(), static_cast<std::int64_t>(core->size()),
                   combine, result.data());
    return result;
  }
  const auto of_tiles = [&]<class Scalar>(const SharedTiles<Scalar>& tiles) -> LinearCost {
    auto result = std::make_shared<CostTiles<Scalar>>(tiles->num_rows(), tiles->num_columns());
    combine_values(tiles->data(), std::get<SharedTiles<Scalar>>(l)->data(), tiles->size(), combine, result->data());
    return SharedTiles<Scalar>(std::move(result));
  };
  if (const auto* tiles = std::get_if<SharedTiles<float>>(&k)) return of_tiles(*tiles);
  return of_tiles(std::get<SharedTiles<double>>(k));
}

void check_kind(const Context& context, const GromovProblem& problem) {
  const bool is_proximal = problem.regularisation == Regularisation::proximal;
  const bool is_plain = problem.mode == GromovMode::balanced && !is_proximal;
  if (!is_plain && !std::holds_alternative<StoredIntraCosts>(problem.source))
    throw DataError(
        "costs within the sides that are never stored go with balanced couplings and the entropy alone; store the "
        "distances of both sides");
  if (is_proximal && context.precision != Precision::float64)
    throw DataError("proximal steps add up the costs of all steps, which float32 cannot hold; use float64");
  if (is_proximal && problem.mode == GromovMode::unbalanced)
    throw DataError("unbalanced couplings have no proximal steps; use the entropy");
}

/// Where stored costs of a problem are worked on. An outer step with its evaluations takes a device 80 ms whatever
/// their size (H200), in which a host is through that of some 1000 x 1000 cells.
Context context_of_pairs(Context context, const GromovProblem& problem) {
  constexpr std::size_t worthwhile_pairs = 1000000;
  if (problem.a.size() * problem.b.size() < worthwhile_pairs) context.device = Device::cpu;
  return context;
}

}  // namespace

LinearCost mixed(const LinearCost& k, const LinearCost& l, double t) {
  return combined(k, l, [t](double x, double y) { return (1.0 - t) * x + t * y; });
}

LinearCost added(const LinearCost& k, const LinearCost& l, double t) {
  return combined(k, l, [t](double x, double y) { return x + t * y; });
}

LinearCost scaled(const LinearCost& k, double factor) {
  return combined(k, k, [factor](double x, double) { return factor * x; });
}

std::unique_ptr<QuadraticCost> make_quadratic_cost(const Context& context, const GromovProblem& problem) {
  if (problem.source.index() != problem.target.index())
    throw DataError(
        "the sides of the alignment hold costs of different forms (stored, points of squared Euclidean distances, "
        "factors); both need the same form; store the distances of both");
  check_kind(context, problem);
  if (std::holds_alternative<SquaredDistances>(problem.source)) return std::make_unique<SquaredCost>(context, problem);
  if (std::holds_alternative<FactoredCosts>(problem.source)) return std::make_unique<FactoredCost>(context, problem);
  const Context own = context_of_pairs(context, problem);
  if (own.precision == Precision::float64) return std::make_unique<DenseCost<double>>(own, problem);
  return std::make_unique<DenseCost<float>>(own, problem);
}

}  // namespace thalweg
