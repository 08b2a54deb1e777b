#include "solvers/embedding/training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "solvers/embedding/gradient_check.hpp"
#include "solvers/embedding/start_choice.hpp"

namespace thalweg {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t patience = 20;  // steps
constexpr double least_progress = 1e-4;  // over so many steps, relative
constexpr double usable_residual = 1e-2, epsilon_rise = 1.5;
constexpr std::int64_t most_rises = 8;
constexpr std::int64_t most_discarded = 3;
constexpr double collapsed_cosine = 0.999, collapsed_entropy = 0.98;

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
  Training(const Context& context, TrainingProblem& problem, const TrainingSettings& settings,
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
    if (settings_.begin_from) go_on();
    else name_starts();
    const auto starts = static_cast<std::int64_t>(state_.names.size());
    for (; state_.start < starts && !state_.stop; ++state_.start) {
      if (!is_within_start_) begin_start();
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
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }

  void name_starts() {
    for (const NamedCoupling& coupling : problem_.couplings) state_.names.push_back(coupling.name);
    for (std::int64_t k = 1; k <= settings_.random_starts; ++k) state_.names.push_back("random " + std::to_string(k));
  }

  /// After the step that was saved.
  void go_on() {
    state_ = *settings_.begin_from;
    begin_ -= std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(state_.seconds));
    set_loss();
    is_within_start_ = is_within_phase_ = true;
  }

  void set_loss() {
    loss_.set_warm_start(state_.warm);
    loss_.set_lambda_spectral(is_fitted() ? settings_.loss.lambda_spectral : settings_.random_lambda_spectral);
  }

  /// Whether to stop; keeps the state where that is due.
  void ask_to_stop() {
    const StepRequest request = shared_request(comm_, stop_check_ ? stop_check_() : std::nullopt, settings_.checkpoint,
                                               /*at_boundary=*/state_.step == 1);
    if (settings_.checkpoint != nullptr && request.wants_state()) save(request.stop.has_value());
    state_.stop = request.stop;
  }

  void save(bool is_stopping) {
    state_.warm = loss_.warm_start();
    state_.seconds = seconds();
    const std::string stage = (state_.phase == TrainingPhase::pretrain ? "fit of " : "training of ") + state_.outcome.name;
    settings_.checkpoint->save(stage, is_stopping,
                               [this](StateVisitor& v) { visit_training(v, comm_, state_, problem_.couplings); });
  }

  void begin_start() {
    state_.weights = initial_weights(problem_.encoders, context_.seed, state_.start);
    state_.outcome = {};
    state_.outcome.name = state_.names[static_cast<std::size_t>(state_.start)];
    state_.outcome.ended_by = "steps";
    state_.outcome.seconds = seconds();
    state_.losses.clear();
    state_.best_weights.clear();
    state_.best_total = std::numeric_limits<double>::infinity();
    state_.warm = {};
    if (settings_.loss.cost == EmbeddingCost::sq_euclidean)
      state_.warm.cost_scale = mean_squared_distance(context_, problem_.loss, rows_at(state_.weights));
    set_loss();
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
    state_.history.push_back(std::move(record));
  }

  /// Encoders follow P* of this start.
  void fit() {
    if (is_within_phase_ && state_.phase == TrainingPhase::train) return;
    if (!is_within_phase_) begin_phase(TrainingPhase::pretrain, settings_.pretrain_learning_rate);
    is_within_phase_ = false;
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
    if (!is_within_phase_) begin_training();
    is_within_phase_ = is_within_start_ = false;
    while (state_.step < num_steps() && !state_.stop && has_finite_steps() && makes_progress()) {
      if (is_batch_step()) batch_step();
      else step();
      ask_to_stop();
    }
    if (!has_finite_steps()) state_.outcome.ended_by = "nonfinite";
    else if (!makes_progress()) state_.outcome.ended_by = "no_progress";
    state_.outcome.steps = state_.step;
  }

  void begin_training() {
    if (is_fitted()) enter(candidate(state_.weights), /*is_before_training=*/true);
    begin_phase(TrainingPhase::train, is_fitted() ? settings_.learning_rate : settings_.random_learning_rate);
  }

  bool makes_progress() const {
    const std::vector<double>& losses = state_.losses;
    if (static_cast<std::int64_t>(losses.size()) <= patience) return true;
    const double before = losses[losses.size() - 1 - static_cast<std::size_t>(patience)];
    return before - losses.back() >= least_progress * std::abs(before);
  }

  void verify(TrainingRecord& record) const {
    if (settings_.verify_every == 0 || state_.step % settings_.verify_every != 0) return;
    record.gradient_error = gradient_error(context_, problem_.loss, settings_.loss, problem_.encoders, state_.weights,
                                           problem_.cells, record.epsilon, state_.warm.cost_scale);
  }

  bool is_batch_step() const { return settings_.batch > 0 && state_.step < num_steps() - settings_.closing_steps; }

  /// One step by some cells of either side; now and then the loss of all, by which weights are kept.
  void batch_step() {
    TrainingRecord record = record_of_step();
    record.epsilon = epsilon_of_step();
    record.is_batch = true;
    if (record.epsilon == settings_.epsilon_end && state_.step % settings_.full_every == 0) keep_if_best();
    const CellBatch batch(comm_, problem_.loss, problem_.cells, settings_.batch,
                          {context_.seed, state_.start, state_.step});
    EmbeddingLossSettings loss_settings = settings_.loss;
    if (!is_fitted()) loss_settings.lambda_spectral = settings_.random_lambda_spectral;
    EmbeddingLoss loss(context_, batch.problem(), loss_settings);
    loss.set_warm_start({{}, {}, state_.warm.cost_scale});
    const EncoderInputs cells = batch.cells();
    const EmbeddingEvaluation value =
        evaluate_for_gradient(loss, encode(problem_.encoders, state_.weights, cells), record.epsilon);
    record.set(value);
    if (!std::isfinite(value.total)) return move({}, std::move(record));
    verify(record);
    move(weight_gradient(comm_, problem_.encoders, state_.weights, cells, {value.source_gradient, value.target_gradient}),
         std::move(record));
  }

  void keep_if_best() {
    const EmbeddedRows rows = rows_at(state_.weights);
    const double total = loss_.evaluate(rows.source, rows.target, settings_.epsilon_end, EvaluationMode::value).total;
    if (total < state_.best_total) keep_best(total);
  }

  void keep_best(double total) {
    state_.best_total = total;
    state_.best_weights = state_.weights;
  }

  void step() {
    TrainingRecord record = record_of_step();
    record.epsilon = epsilon_of_step();
    const EmbeddingEvaluation value = evaluate_for_gradient(loss_, rows_at(state_.weights), record.epsilon);
    record.set(value);
    if (!std::isfinite(value.total)) return move({}, std::move(record));
    verify(record);
    if (record.epsilon == settings_.epsilon_end) track(value.total);
    move(weight_gradient(comm_, problem_.encoders, state_.weights, own_, {value.source_gradient, value.target_gradient}),
         std::move(record));
    state_.warm = loss_.warm_start();
  }

  /// At a larger epsilon where the adjoint could not be solved; `epsilon` tells.
  static EmbeddingEvaluation evaluate_for_gradient(EmbeddingLoss& loss, const EmbeddedRows& rows, double& epsilon) {
    EmbeddingEvaluation value = loss.evaluate(rows.source, rows.target, epsilon, EvaluationMode::gradient);
    for (std::int64_t rise = 0; rise < most_rises && value.cg_residual > usable_residual; ++rise) {
      epsilon *= epsilon_rise;
      value = loss.evaluate(rows.source, rows.target, epsilon, EvaluationMode::gradient);
    }
    return value;
  }

  void track(double total) {
    state_.losses.push_back(total);
    if (total < state_.best_total) keep_best(total);
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
      outcome.fitted_total = value.total;
    } else if (value.total >= outcome.total) {
      return;
    }
    outcome.gw = value.gw;
    outcome.loss = value.loss;
    outcome.total = value.total;
    outcome.primal = value.gw + settings_.loss.lambda_entropy * value.entropy;
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

  TrainedEncoders chosen() {
    TrainedEncoders result = choose_start(context_, problem_.loss, problem_.encoders, own_, settings_, std::move(state_.outcomes));
    const StartOutcome& best = result.starts[result.chosen];
    if (state_.stop) result.stop_reason = *state_.stop;
    else if (best.ended_by == "nonfinite") result.stop_reason = StopReason::nonfinite;
    else if (best.is_collapsed) result.stop_reason = StopReason::collapsed;
    result.history = std::move(state_.history);
    result.seconds = seconds();
    return result;
  }

  const Context& context_;
  const Communicator& comm_;
  TrainingProblem& problem_;  // couplings are listed with the state
  const TrainingSettings& settings_;
  const TrainingObserver& observer_;
  const StopCheck& stop_check_;
  EncoderInputs own_;
  EmbeddingLoss loss_;
  TrainingState state_;
  bool is_within_start_ = false, is_within_phase_ = false;  // that a state was saved in
  Clock::time_point begin_ = Clock::now();
};

}  // namespace

TrainedEncoders train_encoders(const Context& context, TrainingProblem& problem, const TrainingSettings& settings,
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
