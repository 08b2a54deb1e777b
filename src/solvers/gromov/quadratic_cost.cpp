#include "solvers/gromov/quadratic_cost.hpp"

#include "solvers/gromov/dense_cost.hpp"
#include "solvers/gromov/factored_cost.hpp"
#include "solvers/gromov/squared_cost.hpp"

namespace thalweg {

LinearCost mixed(const LinearCost& k, const LinearCost& l, double t) {
  LinearCost result = k;
  std::visit(
      [&]<class Value>(std::vector<Value>& values) {
        const auto& others = std::get<std::vector<Value>>(l);
        for (std::size_t i = 0; i < values.size(); ++i)
          values[i] =
              static_cast<Value>((1.0 - t) * static_cast<double>(values[i]) + t * static_cast<double>(others[i]));
      },
      result);
  return result;
}

std::unique_ptr<QuadraticCost> make_quadratic_cost(const Context& context, const GromovProblem& problem) {
  if (problem.source.index() != problem.target.index())
    throw DataError(
        "the sides of the alignment hold costs of different forms (stored, points of squared Euclidean distances, "
        "factors); both need the same form; store the distances of both");
  if (std::holds_alternative<SquaredDistances>(problem.source)) return std::make_unique<SquaredCost>(context, problem);
  if (std::holds_alternative<FactoredCosts>(problem.source)) return std::make_unique<FactoredCost>(context, problem);
  if (context.precision == Precision::float64) return std::make_unique<DenseCost<double>>(context, problem);
  return std::make_unique<DenseCost<float>>(context, problem);
}

}  // namespace thalweg
