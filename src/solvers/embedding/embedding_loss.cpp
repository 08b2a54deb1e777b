#include "solvers/embedding/embedding_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solvers/embedding/attribute_terms.hpp"
#include "solvers/embedding/entropy_term.hpp"
#include "solvers/embedding/spectral_term.hpp"
#include "solvers/embedding/training_coupling.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

std::span<const double> owned(const Vector& all, RowRange rows, std::int64_t width) {
  return std::span<const double>(all).subspan(static_cast<std::size_t>(rows.begin * width),
                                              static_cast<std::size_t>(rows.size() * width));
}

void add_to(std::span<const double> terms, double factor, Vector& sums) {
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += factor * terms[k];
}

std::int64_t cells_of(const IntraCosts& costs) {
  if (const auto* stored = std::get_if<StoredIntraCosts>(&costs)) return stored->num_cells;
  if (const auto* squared = std::get_if<SquaredDistances>(&costs)) return squared->points.num_points;
  return std::get<FactoredCosts>(costs).factor.num_points;
}

void check_side(const IntraCosts& costs, const Vector& weights, const char* side) {
  if (cells_of(costs) != static_cast<std::int64_t>(weights.size()))
    throw DataError("the costs within the " + std::string(side) + " side are of " + std::to_string(cells_of(costs)) +
                    " cells, its weights of " + std::to_string(weights.size()));
}

/// Least and largest cost of pairs of different owned cells.
std::pair<double, double> extremes(const StoredIntraCosts& costs, RowRange rows) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  std::visit(
      [&](const auto& values) {
        for (std::int64_t i = 0; i < rows.size(); ++i)
          for (std::int64_t k = 0; k < costs.num_cells; ++k) {
            if (k == rows.begin + i) continue;
            const auto cost = static_cast<double>(values[static_cast<std::size_t>(i * costs.num_cells + k)]);
            least = std::min(least, cost);
            largest = std::max(largest, cost);
          }
      },
      costs.values);
  return {least, largest};
}

void check_stored(const Communicator& comm, const StoredIntraCosts& costs, const char* side) {
  const RowRange rows = own_points(costs.num_cells, comm);
  const auto size = std::visit([](const auto& values) { return values.size(); }, costs.values);
  comm.on_all([&] {
    if (size != static_cast<std::size_t>(rows.size() * costs.num_cells))
      throw DataError("the costs within the " + std::string(side) + " side have " + std::to_string(size) +
                      " entries for " + std::to_string(rows.size()) + " owned rows of " +
                      std::to_string(costs.num_cells) + " cells");
  });
  const auto [least, largest] = extremes(costs, rows);
  if (!(comm.all_reduce(least, Reduction::min) < comm.all_reduce(largest, Reduction::max)))
    throw DataError("the costs within the " + std::string(side) +
                    " side are all equal; cells must differ to be aligned");
}

void check_problem(const Communicator& comm, const EmbeddingProblem& problem) {
  check_side(problem.source, problem.a, "source");
  check_side(problem.target, problem.b, "target");
  const auto *x = std::get_if<StoredIntraCosts>(&problem.source), *y = std::get_if<StoredIntraCosts>(&problem.target);
  if ((x == nullptr) != (y == nullptr))
    throw DataError("the costs within one side are stored and those within the other are not; both need one form");
  if (x == nullptr) return;
  check_stored(comm, *x, "source");
  check_stored(comm, *y, "target");
}

SinkhornSettings sinkhorn_settings(const EmbeddingLossSettings& settings, EvaluationMode mode) {
  SinkhornSettings result;
  const bool is_converged = mode == EvaluationMode::converged;
  result.tolerance = is_converged ? settings.converged_tolerance : settings.sinkhorn_tolerance;
  result.max_iterations = is_converged ? settings.converged_iterations : settings.sinkhorn_iterations;
  result.certify = false;
  return result;
}

EmbeddingEvaluation not_a_number() {
  EmbeddingEvaluation result;
  result.total = result.gw = result.loss = std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace

struct EmbeddingLoss::State {
  Context context;
  EmbeddingProblem problem;
  EmbeddingLossSettings settings;
  std::unique_ptr<CouplingEngine> engine;
  std::optional<SharedFeatureTerm> shared;
  std::optional<AnchorTerm> anchors;

  EmbeddingWarmStart warm;
  CostPoints points;
  std::unique_ptr<PairGeometry> geometry;
  SinkhornSolution coupling;
  AnchorValue of_anchors;

  State(const Context& given, const EmbeddingProblem& of, const EmbeddingLossSettings& with)
      : context(given), problem(of), settings(with) {
    check_problem(context.comm, problem);
    engine = make_coupling_engine(context, problem, settings);
    const bool is_stored = std::holds_alternative<StoredIntraCosts>(problem.source);
    if (settings.lambda_fused != 0.0 && problem.between && !is_stored) shared.emplace(context.comm, problem);
    if (settings.lambda_anchor != 0.0) anchors.emplace(context.comm, problem);
  }

  void solve_coupling(double epsilon, EvaluationMode mode);
  void add_attribute_terms(bool with_gradient, EmbeddingEvaluation& result);
  void add_spectral(bool with_gradient, EmbeddingEvaluation& result);
  void pull_back(EmbeddingEvaluation& result);
};

/// P = argmin <C, P> + epsilon KL(P | a b^T)
void EmbeddingLoss::State::solve_coupling(double epsilon, EvaluationMode mode) {
  SinkhornProblem linear;
  linear.geometry = geometry.get();
  linear.a = problem.a;
  linear.b = problem.b;
  linear.epsilon = epsilon;
  linear.initial_g = warm.g;
  const SinkhornSettings with = sinkhorn_settings(settings, mode);
  coupling = mode == EvaluationMode::converged ? solve_sinkhorn(context, linear, with)
                                               : training_coupling(context, linear, with);
}

void EmbeddingLoss::State::add_attribute_terms(bool with_gradient, EmbeddingEvaluation& result) {
  if (settings.lambda_entropy != 0.0)
    result.entropy = entropy_term(context.comm, points, coupling, settings.lambda_entropy, with_gradient, *engine);
  if (shared) result.fused = shared->evaluate(settings.lambda_fused, with_gradient, *engine);
  else if (settings.lambda_fused != 0.0 && problem.between)
    result.fused = engine->evaluate_stored_cost(settings.lambda_fused);
  if (!anchors) return;
  of_anchors = anchors->evaluate(points, coupling, *engine);
  result.anchor = of_anchors.value;
}

/// By the points: -(1 / epsilon) (H - P o (alpha 1^T + 1 beta^T)) against the points of the other side.
void EmbeddingLoss::State::pull_back(EmbeddingEvaluation& result) {
  auto [u, v] = engine->moments();
  if (anchors) add_to(of_anchors.u, settings.lambda_anchor, u);
  if (anchors) add_to(of_anchors.v, settings.lambda_anchor, v);
  const CouplingAdjoint adjoint =
      solve_coupling_adjoint(*engine, u, v, {settings.cg_tolerance, settings.cg_iterations, warm.beta});
  result.cg_iterations = adjoint.iterations;
  result.cg_residual = adjoint.relative_residual;
  if (all_finite(adjoint.beta)) warm.beta = adjoint.beta;
  PointSums sums = engine->cost_gradient_products(adjoint);
  if (anchors) add_to(of_anchors.sums.source, settings.lambda_anchor, sums.source);
  if (anchors) add_to(of_anchors.sums.target, settings.lambda_anchor, sums.target);
  const std::int64_t h = points.dimension;
  result.source_gradient = point_gradient(points, owned(points.source, points.rows, h), sums.source);
  result.target_gradient = point_gradient(points, owned(points.target, points.columns, h), sums.target);
}

void EmbeddingLoss::State::add_spectral(bool with_gradient, EmbeddingEvaluation& result) {
  if (settings.lambda_spectral == 0.0) return;
  const SpectralTerm term =
      spectral_term(context.comm, points, problem.source_graph, problem.target_graph, with_gradient);
  result.spectral = term.value;
  if (!with_gradient) return;
  add_to(term.source_gradient, settings.lambda_spectral, result.source_gradient);
  add_to(term.target_gradient, settings.lambda_spectral, result.target_gradient);
}

EmbeddingLoss::EmbeddingLoss(const Context& context, const EmbeddingProblem& problem,
                             const EmbeddingLossSettings& settings)
    : state_(std::make_unique<State>(context, problem, settings)) {}

EmbeddingLoss::~EmbeddingLoss() = default;

EmbeddingEvaluation EmbeddingLoss::evaluate(std::span<const double> source, std::span<const double> target,
                                            double epsilon, EvaluationMode mode) {
  State& state = *state_;
  const Context& context = state.context;
  const EmbeddingLossSettings& settings = state.settings;
  if (context.comm.any(!all_finite(source) || !all_finite(target))) return not_a_number();
  const bool with_gradient = mode == EvaluationMode::gradient;
  state.points = make_cost_points(context, state.problem, settings.cost, source, target);
  state.geometry = make_cost_geometry(context, state.problem, state.warm.cost_scale, state.points);
  state.warm.cost_scale = state.points.scale;
  state.solve_coupling(epsilon, mode);
  if (!all_finite(state.coupling.g)) return not_a_number();
  state.warm.g = state.coupling.g;

  EmbeddingEvaluation result;
  result.sinkhorn_iterations = state.coupling.evaluations;
  result.marginal_error = state.coupling.error_target;
  result.coupling_entropy =
      mode == EvaluationMode::converged ? state.coupling.entropy : std::numeric_limits<double>::quiet_NaN();
  state.engine->set_coupling(state.points, *state.geometry, state.coupling);
  const LossValue value = state.engine->evaluate_loss(with_gradient);
  result.gw = value.gw;
  result.loss = value.loss;
  result.median_blocks = value.ranks.median_blocks;
  result.single_block_share = value.ranks.single_block_share;
  state.add_attribute_terms(with_gradient, result);
  if (with_gradient) state.pull_back(result);
  state.add_spectral(with_gradient, result);
  result.total = result.loss + settings.lambda_entropy * result.entropy + settings.lambda_spectral * result.spectral +
                 settings.lambda_fused * result.fused + settings.lambda_anchor * result.anchor;
  if (!with_gradient) return result;
  const std::int64_t h = state.points.dimension;
  result.source_gradient = embedding_gradient(settings.cost, h, source, std::move(result.source_gradient));
  result.target_gradient = embedding_gradient(settings.cost, h, target, std::move(result.target_gradient));
  return result;
}

const EmbeddingWarmStart& EmbeddingLoss::warm_start() const { return state_->warm; }
void EmbeddingLoss::set_warm_start(EmbeddingWarmStart start) { state_->warm = std::move(start); }
void EmbeddingLoss::set_lambda_spectral(double factor) { state_->settings.lambda_spectral = factor; }
const SinkhornSolution& EmbeddingLoss::coupling() const { return state_->coupling; }
PairGeometry& EmbeddingLoss::geometry() const { return *state_->geometry; }

}  // namespace thalweg
