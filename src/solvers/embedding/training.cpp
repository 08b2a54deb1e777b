#include "solvers/embedding/training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "distributed/error.hpp"
#include "solvers/gromov/cell_coupling.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t patience = 20;  // steps
constexpr double least_progress = 1e-4;  // over so many steps, relative
constexpr double usable_residual = 1e-2, epsilon_rise = 1.5;
constexpr std::int64_t most_rises = 8;
constexpr std::int64_t most_discarded = 3;
constexpr double collapsed_cosine = 0.999, collapsed_entropy = 0.98;
constexpr double distinct_overlap = 0.8, close_loss = 0.02;

EncoderInput rows_of(const EncoderInput& cells, RowRange rows) {
  const auto p = static_cast<std::size_t>(cells.scaling.num_features);
  return {cells.scaling, cells.features.subspan(static_cast<std::size_t>(rows.begin) * p,
                                                static_cast<std::size_t>(rows.size()) * p)};
}

/// Features of some cells, in memory of their own.
std::vector<float> features_of(const EncoderInput& cells, std::span<const std::int64_t> chosen) {
  const auto p = static_cast<std::size_t>(cells.scaling.num_features);
  std::vector<float> features;
  for (const std::int64_t cell : chosen) {
    const auto row = cells.features.subspan(static_cast<std::size_t>(cell) * p, p);
    features.insert(features.end(), row.begin(), row.end());
  }
  return features;
}

std::span<const std::int64_t> owned(const std::vector<std::int64_t>& cells, const Communicator& comm) {
  const RowRange rows = own_points(static_cast<std::int64_t>(cells.size()), comm);
  return std::span(cells).subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size()));
}

/// Weights with their loss at epsilon_end.
struct Candidate {
  std::vector<double> weights;
  EmbeddingEvaluation evaluation;
  std::vector<double> g;
};

class Training {
 public:
  Training(const Context& context, const TrainingProblem& problem, const TrainingSettings& settings,
           const TrainingObserver& observer, const StopCheck& stop_check)
      : context_(context),
        comm_(context.comm),
        problem_(problem),
        settings_(settings),
        observer_(observer),
        stop_check_(stop_check),
        own_{rows_of(problem.cells.source, own_points(problem.cells.source.rows(), comm_)),
             rows_of(problem.cells.target, own_points(problem.cells.target.rows(), comm_))},
        loss_(context, problem.loss, settings.loss) {}

  TrainedEncoders run() {
    const std::int64_t starts = num_fitted() + settings_.random_starts;
    for (state_.start = 0; state_.start < starts && !state_.stop; ++state_.start) {
      begin_start();
      if (is_fitted()) fit();
      train();
      finish_start();
    }
    return chosen();
  }

 private:
  std::int64_t num_fitted() const { return static_cast<std::int64_t>(problem_.couplings.size()); }
  bool is_fitted() const { return state_.start < num_fitted(); }
  std::int64_t num_steps() const { return is_fitted() ? settings_.steps : settings_.random_steps; }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  void ask_to_stop() {
    if (stop_check_) state_.stop = shared_stop(comm_, stop_check_());
  }

  void begin_start() {
    state_.weights = initial_weights(problem_.encoders, context_.seed, state_.start);
    state_.outcome = {};
    state_.outcome.name = is_fitted() ? problem_.couplings[static_cast<std::size_t>(state_.start)].name
                                      : "random " + std::to_string(state_.start - num_fitted() + 1);
    state_.outcome.ended_by = "steps";
    state_.outcome.seconds = seconds();
    state_.losses.clear();
    state_.best_weights.clear();
    state_.best_total = std::numeric_limits<double>::infinity();
    state_.warm = {};
    if (settings_.loss.cost == EmbeddingCost::sq_euclidean)
      state_.warm.cost_scale = mean_squared_distance(context_, problem_.loss, rows_at(state_.weights));
    loss_.set_warm_start(state_.warm);
    loss_.set_lambda_spectral(is_fitted() ? settings_.loss.lambda_spectral : settings_.random_lambda_spectral);
  }

  void begin_phase(TrainingPhase phase, double learning_rate) {
    state_.phase = phase;
    state_.step = 0;
    state_.adam = {};
    state_.learning_rate = learning_rate;
    state_.discarded = 0;
    state_.is_taken_back = false;
    keep_before();
  }

  void keep_before() {
    state_.weights_before = state_.weights;
    state_.adam_before = state_.adam;
  }

  EmbeddedRows rows_at(std::span<const double> weights) const { return encode(problem_.encoders, weights, own_); }

  TrainingRecord record_of_step() const {
    TrainingRecord record;
    record.start = state_.outcome.name;
    record.phase = state_.phase;
    record.step = state_.step;
    record.learning_rate = state_.learning_rate;
    return record;
  }

  void note(TrainingRecord record) {
    record.seconds = seconds();
    if (observer_) observer_(record);
    history_.push_back(std::move(record));
  }

  /// Encoders follow P* of this start.
  void fit() {
    begin_phase(TrainingPhase::pretrain, settings_.pretrain_learning_rate);
    const TargetCoupling& coupling = problem_.couplings[static_cast<std::size_t>(state_.start)].coupling;
    const CrossEntropyFit cross_entropy(comm_, coupling, problem_.loss.dimension, settings_.pretrain_tau);
    const std::vector<float> x = features_of(problem_.cells.source, owned(coupling.sources, comm_)),
                             y = features_of(problem_.cells.target, owned(coupling.targets, comm_));
    const EncoderInputs inputs{{problem_.cells.source.scaling, x}, {problem_.cells.target.scaling, y}};
    while (state_.step < settings_.pretrain_steps && !state_.stop && has_finite_steps()) {
      const EmbeddedRows rows = encode(problem_.encoders, state_.weights, inputs);
      const CrossEntropy value = cross_entropy.evaluate(rows.source, rows.target, settings_.loss.cost, state_.warm.cost_scale);
      TrainingRecord record = record_of_step();
      record.total = value.value;
      move(weight_gradient(comm_, problem_.encoders, state_.weights, inputs,
                           {value.source_gradient, value.target_gradient}),
           std::move(record));
      ask_to_stop();
    }
  }

  bool has_finite_steps() const { return state_.discarded < most_discarded; }

  /// One step of the optimiser, or none where the loss or the gradient is not finite: then the last step is taken back.
  void move(const std::vector<double>& gradient, TrainingRecord record) {
    record.gradient_norm = norm_of(gradient);
    record.is_discarded = !std::isfinite(record.total) || !std::isfinite(record.gradient_norm);
    if (record.is_discarded) {
      ++state_.discarded;
      state_.learning_rate *= 0.5;
      state_.weights = state_.weights_before;
      state_.adam = state_.adam_before;
      state_.is_taken_back = true;
      loss_.set_warm_start({{}, {}, state_.warm.cost_scale});
    } else {
      if (!state_.is_taken_back) state_.discarded = 0;  // weights that a step led to
      state_.is_taken_back = false;
      keep_before();
      adam_step({state_.learning_rate, settings_.clip, settings_.weight_decay}, gradient, state_.adam, state_.weights);
    }
    ++state_.step;
    note(std::move(record));
  }

  double epsilon_of_step() const {
    if (is_fitted()) return settings_.epsilon_end;
    const double share = static_cast<double>(state_.step) /
                         std::max(1.0, settings_.anneal_fraction * static_cast<double>(settings_.random_steps));
    if (share >= 1.0) return settings_.epsilon_end;
    return settings_.epsilon_start * std::pow(settings_.epsilon_end / settings_.epsilon_start, share);
  }

  void train() {
    if (is_fitted()) enter(candidate(state_.weights), /*is_before_training=*/true);
    begin_phase(TrainingPhase::train, is_fitted() ? settings_.learning_rate : settings_.random_learning_rate);
    while (state_.step < num_steps() && !state_.stop && has_finite_steps() && makes_progress()) {
      step();
      ask_to_stop();
    }
    if (!has_finite_steps()) state_.outcome.ended_by = "nonfinite";
    else if (!makes_progress()) state_.outcome.ended_by = "no_progress";
    state_.outcome.steps = state_.step;
  }

  bool makes_progress() const {
    const std::vector<double>& losses = state_.losses;
    if (static_cast<std::int64_t>(losses.size()) <= patience) return true;
    const double before = losses[losses.size() - 1 - static_cast<std::size_t>(patience)];
    return before - losses.back() >= least_progress * std::abs(before);
  }

  void step() {
    TrainingRecord record = record_of_step();
    record.epsilon = epsilon_of_step();
    const EmbeddingEvaluation value = evaluate_for_gradient(rows_at(state_.weights), record.epsilon);
    fill(value, record);
    if (!std::isfinite(value.total)) return move({}, std::move(record));
    if (record.epsilon == settings_.epsilon_end) track(value.total);
    move(weight_gradient(comm_, problem_.encoders, state_.weights, own_, {value.source_gradient, value.target_gradient}),
         std::move(record));
    state_.warm = loss_.warm_start();
  }

  /// At a larger epsilon where the adjoint could not be solved; `epsilon` tells.
  EmbeddingEvaluation evaluate_for_gradient(const EmbeddedRows& rows, double& epsilon) {
    EmbeddingEvaluation value = loss_.evaluate(rows.source, rows.target, epsilon, EvaluationMode::gradient);
    for (std::int64_t rise = 0; rise < most_rises && value.cg_residual > usable_residual; ++rise) {
      epsilon *= epsilon_rise;
      value = loss_.evaluate(rows.source, rows.target, epsilon, EvaluationMode::gradient);
    }
    return value;
  }

  static void fill(const EmbeddingEvaluation& value, TrainingRecord& record) {
    record.total = value.total;
    record.gw = value.gw;
    record.loss = value.loss;
    record.spectral = value.spectral;
    record.fused = value.fused;
    record.anchor = value.anchor;
    record.sinkhorn_iterations = value.sinkhorn_iterations;
    record.cg_iterations = value.cg_iterations;
    record.marginal_error = value.marginal_error;
    record.cg_residual = value.cg_residual;
    record.median_blocks = value.median_blocks;
    record.single_block_share = value.single_block_share;
  }

  void track(double total) {
    state_.losses.push_back(total);
    if (total >= state_.best_total) return;
    state_.best_total = total;
    state_.best_weights = state_.weights;
  }

  Candidate candidate(const std::vector<double>& weights) {
    const EmbeddedRows rows = rows_at(weights);
    Candidate result{weights, loss_.evaluate(rows.source, rows.target, settings_.epsilon_end, EvaluationMode::converged),
                     {}};
    result.g = loss_.warm_start().g;
    return result;
  }

  /// Takes weights of less loss for those of this start.
  void enter(const Candidate& entered, bool is_before_training) {
    const EmbeddingEvaluation& value = entered.evaluation;
    if (!std::isfinite(value.total)) return;
    StartOutcome& outcome = state_.outcome;
    if (is_before_training) {
      outcome.fitted_gw = value.gw;
      outcome.fitted_loss = value.loss;
    } else if (value.total >= outcome.total) {
      return;
    }
    outcome.gw = value.gw;
    outcome.loss = value.loss;
    outcome.total = value.total;
    outcome.keeps_fitted = is_before_training;
    if (state_.warm.cost_scale > 0.0) outcome.cost_scale = state_.warm.cost_scale;
    outcome.weights = entered.weights;
    outcome.g = entered.g;
    const double cells = static_cast<double>(problem_.loss.a.size()) * static_cast<double>(problem_.loss.b.size());
    outcome.is_collapsed =
        mean_cosine(comm_, rows_at(entered.weights), problem_.loss.dimension) > collapsed_cosine ||
        value.coupling_entropy > collapsed_entropy * std::log(cells);
  }

  void finish_start() {
    for (const std::vector<double>& weights : {state_.best_weights, state_.weights})
      if (!weights.empty() && weights != state_.outcome.weights) enter(candidate(weights), false);
    state_.outcome.seconds = seconds() - state_.outcome.seconds;
    state_.outcomes.push_back(state_.outcome);
  }

  /// The coupling of a start as overlaps read it.
  GromovSolution coupling_of_start(const StartOutcome& outcome) const {
    EmbeddingCouplingProblem problem;
    problem.cost = settings_.loss.cost;
    problem.cost_scale = outcome.cost_scale;
    problem.dim = problem_.loss.dimension;
    problem.a = problem_.loss.a;
    problem.b = problem_.loss.b;
    problem.epsilon = settings_.epsilon_end;
    EmbeddingCoupling coupled = couple_embeddings(context_, problem, rows_at(outcome.weights), outcome.g);
    GromovSolution solution;
    solution.geometry = coupled.geometry;
    solution.coupling = std::move(coupled.solution);
    return solution;
  }

  bool has_value(const StartOutcome& outcome) const { return std::isfinite(outcome.gw); }

  TrainedEncoders chosen() {
    TrainedEncoders result;
    std::vector<StartOutcome>& starts = state_.outcomes;
    for (std::size_t s = 1; s < starts.size(); ++s)
      if (has_value(starts[s]) && !(starts[s].gw >= starts[result.chosen].gw)) result.chosen = s;
    StartOutcome& best = starts[result.chosen];
    if (!has_value(best))
      throw NumericalError("no start of the training has a finite loss; lower embed.learning_rate, or raise embed.epsilon_end");
    best.is_chosen = true;
    compare(result);
    result.weights = best.weights;
    result.cost_scale = best.cost_scale;
    if (state_.stop) result.stop_reason = *state_.stop;
    else if (best.ended_by == "nonfinite") result.stop_reason = StopReason::nonfinite;
    else if (best.is_collapsed) result.stop_reason = StopReason::collapsed;
    result.history = std::move(history_);
    result.starts = std::move(starts);
    result.seconds = seconds();
    return result;
  }

  /// Overlaps with the chosen start, and whether they leave doubt.
  void compare(TrainedEncoders& result) {
    std::vector<StartOutcome>& starts = state_.outcomes;
    const GromovSolution best = coupling_of_start(starts[result.chosen]);
    const double least = starts[result.chosen].gw;
    for (std::size_t s = 0; s < starts.size(); ++s) {
      if (!has_value(starts[s])) continue;
      starts[s].overlap = s == result.chosen ? 1.0 : overlap_of(comm_, coupling_of_start(starts[s]), best);
      result.is_ambiguous |= starts[s].overlap < distinct_overlap && starts[s].gw <= least + close_loss * std::abs(least);
    }
  }

  const Context& context_;
  const Communicator& comm_;
  const TrainingProblem& problem_;
  const TrainingSettings& settings_;
  const TrainingObserver& observer_;
  const StopCheck& stop_check_;
  EncoderInputs own_;
  EmbeddingLoss loss_;
  TrainingState state_;
  std::vector<TrainingRecord> history_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

TrainedEncoders train_encoders(const Context& context, const TrainingProblem& problem, const TrainingSettings& settings,
                               const TrainingObserver& observer, const StopCheck& stop_check) {
  return Training(context, problem, settings, observer, stop_check).run();
}

EmbeddedRows embed_owned(const Communicator& comm, const EncoderPair& encoders, std::span<const double> weights,
                         const EncoderInputs& cells) {
  return encode(encoders, weights,
                {rows_of(cells.source, own_points(cells.source.rows(), comm)),
                 rows_of(cells.target, own_points(cells.target.rows(), comm))});
}

}  // namespace thalweg
