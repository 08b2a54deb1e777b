#include "solvers/gromov/outer_state.hpp"

namespace thalweg {

namespace {

void visit_fields(GromovRecord& record, auto& field) {
  field(record.level);
  field(record.outer);
  field(record.inner);
  field(record.epsilon);
  field(record.energy);
  field(record.energy_gw);
  field(record.energy_linear);
  field(record.primal);
  field(record.relative_entropy);
  field(record.gap);
  field(record.step);
  field(record.change);
  field(record.error_target);
  field(record.is_accepted);
  field(record.seconds);
  field(record.stop_reason);
}

/// A rank owns whole tiles: blocks of rows consist of some.
template <class Scalar>
void visit_tiles(StateVisitor& v, const CouplingShape& shape, LinearCost& linear) {
  std::shared_ptr<CostTiles<Scalar>> fresh;
  if (v.is_restoring()) fresh = std::make_shared<CostTiles<Scalar>>(shape.rows.size(), shape.num_columns);
  const CostTiles<Scalar>& tiles = fresh ? *fresh : *std::get<SharedTiles<Scalar>>(linear);
  const std::int64_t first = PairOperands<Scalar>::tiles_of(shape.rows.begin);
  const RowRange own{first, first + tiles.num_tiles()};
  const auto size = static_cast<std::size_t>(tiles.size());
  if (!fresh) return v.fixed_rows("tiles", std::span<const Scalar>(tiles.data(), size), own, tiles.tile_size());
  v.fixed_rows("tiles", std::span<Scalar>(fresh->data(), size), own, tiles.tile_size());
  linear = SharedTiles<Scalar>(std::move(fresh));
}

}  // namespace

void OuterPosition::visit_state(StateVisitor& v) {
  v.scalar("is_annealing", is_annealing);
  v.scalar("is_tightening", is_tightening);
  v.scalar("epsilon", epsilon);
  v.scalar("level", level);
  v.scalar("outer", outer);
  v.scalar("step", step);
  v.scalar("since_full", since_full);
  v.scalar("inner_tolerance", inner_tolerance);
  v.scalar("keeps_last", keeps_last);
}

CouplingShape coupling_shape(const Context& context, const GromovProblem& problem) {
  return {own_points(static_cast<std::int64_t>(problem.a.size()), context.comm),
          static_cast<std::int64_t>(problem.b.size())};
}

void visit_linear(StateVisitor& v, const CouplingShape& shape, LinearCost& linear) {
  std::size_t form = linear.index();
  v.scalar("form", form);
  if (form == 1) return visit_tiles<float>(v, shape, linear);
  if (form == 2) return visit_tiles<double>(v, shape, linear);
  if (v.is_restoring()) linear = std::vector<double>();
  v.replicated("core", std::get<std::vector<double>>(linear));
}

void visit_solution(StateVisitor& v, const CouplingShape& shape, SinkhornSolution& solution) {
  v.rows("f", solution.f, shape.rows);
  v.replicated("g", solution.g);
  v.replicated("log_alpha", solution.log_alpha);
  v.replicated("log_beta", solution.log_beta);
  v.rows("row_sums", solution.row_sums, shape.rows);
  v.replicated("column_sums", solution.column_sums);
  v.scalar("epsilon", solution.epsilon);
  v.scalar("stop_reason", solution.stop_reason);
  v.scalar("needs_float64", solution.needs_float64);
  v.scalar("is_collapsed", solution.is_collapsed);
  v.scalar("mass", solution.mass);
  v.scalar("cost", solution.cost);
  v.scalar("primal", solution.primal);
  v.scalar("dual", solution.dual);
  v.scalar("upper", solution.upper);
  v.scalar("gap", solution.gap);
  v.scalar("marginal_penalty_source", solution.marginal_penalty_source);
  v.scalar("marginal_penalty_target", solution.marginal_penalty_target);
  v.scalar("relative_entropy", solution.relative_entropy);
  v.scalar("entropy", solution.entropy);
  v.scalar("error_source", solution.error_source);
  v.scalar("error_target", solution.error_target);
  v.scalar("max_marginal_error", solution.max_marginal_error);
  v.scalar("smallest_row_ratio", solution.smallest_row_ratio);
  v.scalar("evaluations", solution.evaluations);
  v.scalar("evaluations_float64", solution.evaluations_float64);
  v.scalar("fallback_tiles", solution.fallback_tiles);
  v.scalar("restarts", solution.restarts);
  v.scalar("seconds", solution.seconds);
}

void visit_energies(StateVisitor& v, Linearisation& at) {
  v.scalar("difference", at.difference);
  v.scalar("value", at.value);
  v.scalar("energy", at.energy);
  v.scalar("energy_gw", at.energy_gw);
  v.scalar("energy_linear", at.energy_linear);
}

void visit_history(StateVisitor& v, std::vector<GromovRecord>& history) {
  v.records("history", history, [](GromovRecord& record, auto& field) { visit_fields(record, field); });
}

void visit_solution(StateVisitor& v, const CouplingShape& shape, GromovSolution& solution) {
  v.part("coupling", [&] { visit_solution(v, shape, solution.coupling); });
  v.part("generator", [&] { visit_linear(v, shape, solution.generator); });
  v.optional("linear", solution.linear, [&](LinearCost& linear) { visit_linear(v, shape, linear); });
  v.scalar("stop_reason", solution.stop_reason);
  v.scalar("energy", solution.energy);
  v.scalar("energy_gw", solution.energy_gw);
  v.scalar("energy_linear", solution.energy_linear);
  v.scalar("alpha", solution.alpha);
  v.scalar("epsilon", solution.epsilon);
  v.scalar("unit_quadratic", solution.units.quadratic);
  v.scalar("unit_linear", solution.units.linear);
  v.scalar("primal", solution.primal);
  v.scalar("gap", solution.gap);
  v.scalar("outer", solution.outer);
  v.scalar("evaluations", solution.evaluations);
  v.scalar("seconds", solution.seconds);
  visit_history(v, solution.history);
}

std::shared_ptr<PairGeometry> geometry_as_left(const QuadraticCost& cost, const LinearCost& linear,
                                               const SinkhornSolution& inner) {
  std::shared_ptr<PairGeometry> geometry = cost.geometry_of(linear);
  geometry->set_reference(inner.log_alpha, inner.log_beta);
  geometry->set_epsilon(inner.epsilon);
  return geometry;
}

}  // namespace thalweg
