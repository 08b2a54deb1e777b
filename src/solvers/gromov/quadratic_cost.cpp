#include "solvers/gromov/quadratic_cost.hpp"

#include "solvers/gromov/dense_cost.hpp"
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

namespace {

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

}  // namespace

LinearCost added(const LinearCost& k, const LinearCost& l, double t) {
  LinearCost result = k;
  std::visit(
      [&]<class Value>(std::vector<Value>& values) {
        const auto& others = std::get<std::vector<Value>>(l);
        for (std::size_t i = 0; i < values.size(); ++i)
          values[i] = static_cast<Value>(static_cast<double>(values[i]) + t * static_cast<double>(others[i]));
      },
      result);
  return result;
}

LinearCost scaled(LinearCost k, double factor) {
  std::visit(
      [&]<class Value>(std::vector<Value>& values) {
        for (Value& value : values) value = static_cast<Value>(factor * static_cast<double>(value));
      },
      k);
  return k;
}

std::unique_ptr<QuadraticCost> make_quadratic_cost(const Context& context, const GromovProblem& problem) {
  if (problem.source.index() != problem.target.index())
    throw DataError(
        "one side of the alignment has stored costs, the other points of squared Euclidean distances; both need the "
        "same form; store the distances of both");
  check_kind(context, problem);
  if (std::holds_alternative<SquaredDistances>(problem.source)) return std::make_unique<SquaredCost>(context, problem);
  if (context.precision == Precision::float64) return std::make_unique<DenseCost<double>>(context, problem);
  return std::make_unique<DenseCost<float>>(context, problem);
}

}  // namespace thalweg
