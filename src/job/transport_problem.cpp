#include "job/transport_problem.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/sinkhorn/annealing.hpp"

namespace thalweg {

namespace {

constexpr double equal_sums = 1e-6;        // relative difference that is rounding

double sum_of(const std::vector<double>& weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); }

void divide(std::vector<double>& weights, double divisor) {
  for (double& weight : weights) weight /= divisor;
}

/// Balanced problems are between masses of 1.
void balance_weights(const SinkhornOptions& options, TransportSides& sides) {
  const double source = sum_of(sides.source.weights), target = sum_of(sides.target.weights);
  if (std::abs(source - target) > equal_sums * std::max(source, target)) {
    const std::string sums = "the weights sum to " + shortest_number(source) + " and " + shortest_number(target);
    if (!options.normalise)
      throw DataError(sums + " but both marginals are exact; relax one with solver.lambda1 or solver.lambda2, or set solver.normalise = true");
    log_warning("unequal_sums", sums + "; both are scaled to 1, since both marginals are exact");
  } else if (std::abs(source - 1.0) > equal_sums) {
    log_info("weights of sum " + rounded_number(source, 6) + " are scaled to 1");
  }
  divide(sides.source.weights, source);
  divide(sides.target.weights, target);
}

double divisor_of(const SinkhornOptions& options, const PairGeometry& geometry, double mean) {
  if (options.scale_cost.is_number()) return *options.scale_cost.number;
  const std::string& word = options.scale_cost.word;
  if (word == "none") return 1.0;
  const double divisor = word == "mean"     ? mean
                         : word == "median" ? geometry.cost_statistic(CostStatistic::median)
                                            : geometry.cost_statistic(CostStatistic::max);
  if (divisor == 0.0) {
    log_warning("zero_costs", "the " + word + " of the costs is 0; they are not scaled");
    return 1.0;
  }
  if (!(divisor > 0.0))
    throw DataError("the " + word + " of the costs is " + shortest_number(divisor) +
                    "; only a positive number can scale them; set solver.scale_cost to a number or \"none\"");
  return divisor;
}

std::string penalty_text(const char* name, double lambda, const char* tau_name, double tau) {
  if (std::isinf(lambda)) return std::string(name) + " = inf (exact)";
  return std::string(name) + " = " + rounded_number(lambda, 6) + " (" + tau_name + " = " + rounded_number(tau, 6) + ")";
}

double tau_of(double lambda, double epsilon) { return std::isinf(lambda) ? 1.0 : lambda / (lambda + epsilon); }

void make_geometry(const Context& context, const SinkhornOptions& options, const TransportSides& sides, TransportProblem& problem) {
  problem.precision = context.precision;
  problem.geometry = make_pair_geometry(context, pair_sides(context.comm, options, sides), form_of(options));
  problem.mean_cost = problem.geometry->cost_statistic(CostStatistic::mean);
}

EntropyReference reference_of(const SinkhornOptions& options) {
  if (options.entropy_reference == "uniform") return EntropyReference::uniform;
  return options.entropy_reference == "counting" ? EntropyReference::counting : EntropyReference::product;
}

void log_problem(const SinkhornOptions& options, const TransportProblem& problem) {
  const std::string how = options.scale_cost.is_number() ? "given" : options.scale_cost.word;
  log_info("cost " + options.cost + ", divided by " + shortest_number(problem.geometry->scale()) + " (" + how + "), epsilon " +
           shortest_number(problem.problem.epsilon) + " of it, entropy relative to " + options.entropy_reference);
  log_info(penalty_text("lambda1", problem.problem.lambda1, "tau_a", problem.tau1) + ", " +
           penalty_text("lambda2", problem.problem.lambda2, "tau_b", problem.tau2));
}

}  // namespace

bool TransportProblem::is_balanced() const { return std::isinf(problem.lambda1) && std::isinf(problem.lambda2); }

PointSet points_of(const CellSide& side) {
  return {side.num_cells, side.num_features, std::span<const float>(side.features), side.rows};
}

Cost cost_of(const SinkhornOptions& options) {
  if (options.cost == "euclidean") return Cost::euclidean;
  if (options.cost == "manhattan") return Cost::manhattan;
  if (options.cost == "cosine") return Cost::cosine;
  if (options.cost == "correlation") return Cost::correlation;
  if (options.cost == "factored") return Cost::factored;
  return options.cost == "dense" ? Cost::dense : Cost::sq_euclidean;
}

EvaluationForm form_of(const SinkhornOptions& options) {
  if (options.form == "ring") return EvaluationForm::ring;
  if (options.form == "strip") return EvaluationForm::strip;
  return options.form == "two_pass" ? EvaluationForm::two_pass : EvaluationForm::automatic;
}

PairSides pair_sides(const Communicator& comm, const SinkhornOptions& options, const TransportSides& sides, bool swapped) {
  const CellSide& source = swapped ? sides.target : sides.source;
  const CellSide& target = swapped ? sides.source : sides.target;
  PairSides pair;
  pair.cost = cost_of(options);
  pair.source = points_of(source);
  pair.target = points_of(target);
  pair.source_weights = source.weights;
  pair.target_weights = target.weights;
  if (pair.cost == Cost::dense) {
    const RowRange rows = Partition(source.num_cells, comm.size(), block_rows).rows_of(comm.rank());
    pair.dense = std::span<const float>(source.features).subspan(static_cast<std::size_t>(rows.begin * target.num_cells), static_cast<std::size_t>(rows.size() * target.num_cells));
    pair.source = {source.num_cells, 0, std::span<const float>()};
    pair.target = {target.num_cells, 0, std::span<const float>()};
  }
  return pair;
}

SinkhornSettings settings_of(const SinkhornOptions& options, Device device) {
  SinkhornSettings settings;
  settings.tolerance = options.tolerance;
  settings.gap_tolerance = options.gap_tolerance;
  settings.max_iterations = options.max_iterations;
  settings.check_every = options.check_every.value_or(device == Device::cuda ? 10 : 1);
  settings.acceleration = options.acceleration == "overrelax" ? Acceleration::overrelax
                          : options.acceleration == "none"    ? Acceleration::none
                                                              : Acceleration::anderson;
  settings.anderson_history = options.anderson_history;
  if (options.epsilon_start.is_number()) settings.epsilon_start = options.epsilon_start.number;
  else if (options.epsilon_start.word == "none") settings.epsilon_start = options.epsilon;
  settings.anneal_factor = options.anneal_factor;
  settings.anneal_steps = options.anneal_steps;
  settings.certify = options.certify;
  return settings;
}

TransportProblem make_transport_problem(const Context& context, const SinkhornOptions& options, TransportSides& sides) {
  TransportProblem result;
  SinkhornProblem& problem = result.problem;
  problem.epsilon = options.epsilon;
  problem.lambda1 = penalty_of(options.lambda1, options.tau_a, options.epsilon);
  problem.lambda2 = penalty_of(options.lambda2, options.tau_b, options.epsilon);
  result.tau1 = tau_of(problem.lambda1, options.epsilon);
  result.tau2 = tau_of(problem.lambda2, options.epsilon);
  if (result.is_balanced()) balance_weights(options, sides);
  problem.a = sides.source.weights;
  problem.b = sides.target.weights;
  problem.reference = reference_of(options);
  make_geometry(context, options, sides, result);
  result.geometry->set_scale(divisor_of(options, *result.geometry, result.mean_cost));
  if (context.precision == Precision::float32 && is_too_small_for_float32(problem.epsilon * result.geometry->scale(), result.mean_cost)) {
    const double scale = result.geometry->scale();
    make_geometry({context.comm, Precision::float64, context.device, context.seed}, options, sides, result);
    result.geometry->set_scale(scale);
  }
  problem.geometry = result.geometry.get();
  result.settings = settings_of(options, context.device);
  log_problem(options, result);
  return result;
}

void use_float64(TransportProblem& problem) {
  if (problem.precision == Precision::float64) return;
  problem.precision = Precision::float64;
  problem.geometry = problem.geometry->in_float64();
  problem.problem.geometry = problem.geometry.get();
}

}  // namespace thalweg
