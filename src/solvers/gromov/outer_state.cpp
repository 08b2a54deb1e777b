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

}  // namespace

void OuterPosition::visit_state(StateVisitor& v) {
  v.scalar("is_annealing", is_annealing);
  v.scalar("is_tightening", is_tightening);
  v.optional("ended", ended, [&](StopReason& reason) { v.scalar("reason", reason); });
  v.scalar("level", level);
  v.scalar("outer_at_end", outer_at_end);
  v.scalar("epsilon", epsilon);
  v.scalar("step", step);
  v.scalar("since_full", since_full);
  v.scalar("inner_tolerance", inner_tolerance);
  v.scalar("gap", gap);
  v.scalar("outer", outer);
  v.scalar("evaluations", evaluations);
  v.scalar("seconds", seconds);
  v.records("history", history, [](GromovRecord& record, auto& field) { visit_fields(record, field); });
}

void visit_linear(StateVisitor& v, RowRange rows, std::int64_t num_columns, LinearCost& linear) {
  bool is_float32 = std::holds_alternative<std::vector<float>>(linear);
  v.scalar("is_float32", is_float32);
  if (v.is_restoring() && is_float32) linear = std::vector<float>();
  if (v.is_restoring() && !is_float32) linear = std::vector<double>();
  std::visit(
      [&](auto& values) {
        if (num_columns > 0) v.rows("values", values, rows, num_columns);
        else v.replicated("values", values);
      },
      linear);
}

void visit_solution(StateVisitor& v, RowRange rows, SinkhornSolution& solution) {
  v.rows("f", solution.f, rows);
  v.replicated("g", solution.g);
  v.replicated("log_alpha", solution.log_alpha);
  v.replicated("log_beta", solution.log_beta);
  v.rows("row_sums", solution.row_sums, rows);
  v.replicated("column_sums", solution.column_sums);
  v.scalar("epsilon", solution.epsilon);
  v.scalar("stop_reason", solution.stop_reason);
  v.scalar("needs_float64", solution.needs_float64);
  v.scalar("is_collapsed", solution.is_collapsed);
  double* const values[] = {&solution.mass, &solution.cost, &solution.primal, &solution.dual, &solution.upper, &solution.gap,
                            &solution.marginal_penalty_source, &solution.marginal_penalty_target, &solution.relative_entropy, &solution.entropy,
                            &solution.error_source, &solution.error_target, &solution.max_marginal_error, &solution.smallest_row_ratio, &solution.seconds};
  std::vector<double> numbers;
  for (const double* value : values) numbers.push_back(*value);
  std::vector<double>* const vectors[] = {&numbers};
  v.ragged("numbers", vectors);
  if (numbers.size() != std::size(values)) throw DataError("the state of a linear problem does not have its values");
  for (std::size_t k = 0; k < numbers.size(); ++k) *values[k] = numbers[k];
  v.scalar("evaluations", solution.evaluations);
  v.scalar("evaluations_float64", solution.evaluations_float64);
  v.scalar("fallback_tiles", solution.fallback_tiles);
  v.scalar("restarts", solution.restarts);
}

}  // namespace thalweg
