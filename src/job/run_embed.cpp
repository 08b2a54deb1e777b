#include <numeric>

#include "core/build_info.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "job/commands_run.hpp"
#include "job/embedding_output.hpp"
#include "job/embedding_problem.hpp"
#include "job/embedding_state.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/transport_output.hpp"

namespace thalweg {

namespace {

void normalise_weights(CellSide& side) {
  const double sum = std::accumulate(side.weights.begin(), side.weights.end(), 0.0);
  for (double& weight : side.weights) weight /= sum;
}

/// The alignment that the encoders are fitted to, as [gromov] would say it.
Job alignment_job(const Job& job) {
  Job alignment = job;
  alignment.gromov.epsilon = job.embed.gw_epsilon;
  for (IntraCostOptions* side : {&alignment.source_costs, &alignment.target_costs})
    side->normalise_rows = side->normalise_rows.value_or(true);
  return alignment;
}

TransportSides read_sides(JobSession& session, const Job& job) {
  TransportSides sides = read_two_sides(session.comm(), job, "embed", job.embed.label_key, /*in_ring=*/false);
  for (const TimeSeries& file : sides.files) record_input(file, session.record());
  normalise_weights(sides.source);
  normalise_weights(sides.target);
  if (!job.embed.label_key.empty()) share_categories(sides.source, sides.target);
  return sides;
}

CellPairs read_pairs(const Communicator& comm, const Job& job) {
  if (job.embed.pair_key.empty()) return {};
  return read_cell_pairs(comm, job, job.embed.pair_key, "embed.pair_key");
}

EncoderModel encoder_model(const Communicator& comm, const TransportSides& sides, const CellSide& side,
                           const FeatureScaling& scaling) {
  EncoderModel model;
  model.key = sides.file_of(side).keys.back().key;
  model.feature_names = feature_names_of(comm, sides, side);
  model.scaling = scaling;
  model.path = sides.file_of(side).path;
  model.fingerprint = fingerprint_of_features(sides, side);
  model.num_cells = side.num_cells;
  return model;
}

EmbeddingModel model_of(const Communicator& comm, const Job& job, const TransportSides& sides,
                        const EmbeddingJob& training, const TrainedEncoders& trained) {
  const EncoderPair& encoders = training.problem().encoders;
  EmbeddingModel model;
  model.source = encoder_model(comm, sides, sides.source, training.source_scaling());
  model.target = encoder_model(comm, sides, sides.target, training.target_scaling());
  model.source.normalise_rows = job.source_costs.normalise_rows.value_or(true);
  model.target.normalise_rows = job.target_costs.normalise_rows.value_or(true);
  model.source.shape = encoders.source;
  model.target.shape = encoders.target;
  const auto of_source = encoders.of_source(trained.weights), of_target = encoders.of_target(trained.weights);
  model.source.weights.assign(of_source.begin(), of_source.end());
  model.target.weights.assign(of_target.begin(), of_target.end());
  model.cost = embedding_cost_of(job.embed);
  model.cost_scale = trained.cost_scale;
  model.epsilon = job.embed.epsilon_end;
  model.loss = job.embed.loss;
  model.start = trained.starts[trained.chosen].name;
  model.gw = trained.starts[trained.chosen].gw;
  model.seed = job.run.seed;
  model.version = build_info().version;
  return model;
}

/// Owned rows of the embedding of one side.
std::vector<double> embedded_rows(const Communicator& comm, const EncoderModel& model, const CellSide& side) {
  const RowRange rows = own_points(side.num_cells, comm);
  const std::int64_t p = side.num_features;
  const auto features = std::span(side.features)
                            .subspan(static_cast<std::size_t>(rows.begin * p), static_cast<std::size_t>(rows.size() * p));
  return encode(model.shape, model.weights, {model.scaling, features});
}

Embedded gathered(const Communicator& comm, const EmbeddingModel& model, const EmbeddedRows& rows) {
  return {model.source.shape.dim, comm.all_gather(std::span<const double>(rows.source)),
          comm.all_gather(std::span<const double>(rows.target))};
}

/// Potentials to begin from, and who may end the solve early.
struct EmbeddingStart {
  std::vector<double> g;
  StopCheck stop_check;
};

/// The coupling of the embeddings as descriptions of alignments read it.
GromovSolution coupled(JobSession& session, const EmbeddingModel& model, const TransportSides& sides,
                       const EmbeddedRows& rows, double epsilon, const EmbeddingStart& start) {
  EmbeddingCouplingProblem problem;
  problem.cost = model.cost;
  problem.cost_scale = model.cost_scale;
  problem.dim = model.source.shape.dim;
  problem.a = sides.source.weights;
  problem.b = sides.target.weights;
  problem.epsilon = epsilon;
  EmbeddingCoupling solved = couple_embeddings(session.solver_context(), problem, rows, start.g, start.stop_check);
  GromovSolution solution;
  solution.geometry = solved.geometry;
  solution.coupling = std::move(solved.solution);
  solution.epsilon = epsilon;
  solution.stop_reason = solution.coupling.stop_reason;
  if (solution.stop_reason != StopReason::converged)
    log_warning("not_converged", "the coupling of the embeddings stopped for the reason " +
                                     name_of(solution.stop_reason) + "; raise the regularisation");
  return solution;
}

ProgressState progress_of(const TrainingRecord& step) {
  ProgressState state;
  state.problem = (step.phase == TrainingPhase::pretrain ? "fit " : "train ") + step.start;
  state.iteration = step.step;
  state.objective = step.phase == TrainingPhase::pretrain ? step.total : step.gw;
  state.marginal_error = step.marginal_error;
  state.epsilon = step.epsilon;
  return state;
}

/// Trains and shows every phase of every start as a problem of its own.
TrainedEncoders train(JobSession& session, TrainingProblem& problem, const TrainingSettings& settings) {
  std::optional<ProgressState> last;
  const auto finish = [&](const std::string& next, StopReason reason = StopReason::max_iterations) {
    if (last && last->problem != next) session.progress().finish(*last, reason);
  };
  const auto show = [&](const TrainingRecord& step) {
    const ProgressState state = progress_of(step);
    finish(state.problem);
    session.progress().check(state);
    last = state;
  };
  TrainedEncoders trained =
      train_encoders(session.solver_context(), problem, settings, show, session.stop_check());
  finish("", is_stop_request(trained.stop_reason) ? trained.stop_reason : StopReason::max_iterations);
  return trained;
}

}  // namespace

int run_embed_train(const Communicator& comm, const JobContext& context) {
  const Job job = alignment_job(context.job);
  const PlanInput plan = read_plan_input(comm, context);
  check_memory(comm, plan, job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  TransportSides sides = read_sides(session, job);
  if (const auto code = session.finished_before()) return *code;
  check_sizes(sides);
  check_batch(job.embed, sides);
  const CellPairs pairs = read_pairs(comm, job);
  session.start_phase("costs");
  const AlignmentCosts costs = make_alignment_costs(session.solver_context(), job, sides, plan.low_rank);
  session.start_phase("couple");
  std::optional<EmbeddingStarts> starts;
  EmbeddingCheckpoint states(comm, *session.checkpoint(sides.pair, "embedding"), starts);
  TrainingSettings settings = training_settings_of(job.embed, has_anchors(job.embed));
  settings.begin_from = states.restore_training();
  if (!settings.begin_from && job.embed.init == "gw") starts = couple_for_encoders(session, job, sides, costs);
  // Alignments that were told to stop are not those that another run would find.
  if (!starts || !is_stop_request(starts->solution.best.stop_reason)) settings.checkpoint = &states;
  session.start_phase("train");
  EmbeddingJob training(session.solver_context(), job, sides, costs,
                        starts ? std::move(starts->couplings) : std::vector<NamedCoupling>{});
  TrainedEncoders trained = train(session, training.problem(), settings);
  if (starts) trained.is_ambiguous |= starts->solution.is_ambiguous;
  if (starts && is_stop_request(starts->solution.best.stop_reason)) trained.stop_reason = starts->solution.best.stop_reason;
  log_training(trained);
  session.start_phase("describe");
  const EmbeddingModel model = model_of(comm, job, sides, training, trained);
  const EmbeddedRows rows{embedded_rows(comm, model.source, sides.source),
                          embedded_rows(comm, model.target, sides.target)};
  const Embedded embedded = gathered(comm, model, rows);
  GromovSolution solution = coupled(session, model, sides, rows, model.epsilon, {trained.starts[trained.chosen].g, {}});
  if (trained.stop_reason != StopReason::converged) solution.stop_reason = trained.stop_reason;
  const EmbeddingResult result{sides, model, embedded, solution, 0.0, 0.0, trained.is_ambiguous};
  const Alignment alignment = describe_alignment(comm, sides, solution);
  session.start_phase("write");
  write_embedding_model(comm, session.results().file("model.h5"), model);
  session.record().add_file("model.h5");
  write_embedded_cells(session, job.output, result, alignment, pairs);
  write_training(session, result, trained, costs,
                 starts ? std::optional(std::move(starts->solution)) : std::nullopt);
  return session.finish(sides.pair, solution.stop_reason);
}

namespace {

/// One side alone, embedded.
int embed_one_side(JobSession& session, const Job& job, const EmbeddingModel& model, bool is_source) {
  const Communicator& comm = session.comm();
  TransportSides sides = read_one_side(comm, job, is_source, "");
  record_input(sides.files.front(), session.record());
  if (const auto code = session.finished_before()) return *code;
  CellSide& side = is_source ? sides.source : sides.target;
  const EncoderModel& encoder = is_source ? model.source : model.target;
  prepare_features(comm, encoder, sides, side);
  session.start_phase("embed");
  const std::vector<double> own = embedded_rows(comm, encoder, side);
  Embedded embedded{encoder.shape.dim, {}, {}};
  (is_source ? embedded.source : embedded.target) = comm.all_gather(std::span<const double>(own));
  const double outside = share_outside_training(encoder, side);
  const GromovSolution none;
  const EmbeddingResult result{sides, model, embedded, none, is_source ? outside : 0.0, is_source ? 0.0 : outside};
  log_outside(result);
  session.start_phase("write");
  write_one_side(session, job.output, result, is_source);
  session.write_table("apply", applied_table(result));
  return session.finish(sides.pair, StopReason::converged);
}

int embed_both_sides(JobSession& session, const Job& job, const EmbeddingModel& model) {
  const Communicator& comm = session.comm();
  TransportSides sides = read_sides(session, job);
  if (const auto code = session.finished_before()) return *code;
  const CellPairs pairs = read_pairs(comm, job);
  prepare_features(comm, model.source, sides, sides.source);
  prepare_features(comm, model.target, sides, sides.target);
  session.start_phase("embed");
  const EmbeddedRows rows{embedded_rows(comm, model.source, sides.source),
                          embedded_rows(comm, model.target, sides.target)};
  const Embedded embedded = gathered(comm, model, rows);
  const double epsilon = job.embed.epsilon.value_or(model.epsilon);
  const GromovSolution solution = coupled(session, model, sides, rows, epsilon, {{}, session.stop_check()});
  const EmbeddingResult result{sides,
                               model,
                               embedded,
                               solution,
                               share_outside_training(model.source, sides.source),
                               share_outside_training(model.target, sides.target)};
  log_outside(result);
  session.start_phase("describe");
  const Alignment alignment = describe_alignment(comm, sides, solution);
  session.start_phase("write");
  write_embedded_cells(session, job.output, result, alignment, pairs);
  session.write_table("apply", applied_table(result));
  const double absent = IndexRow::absent;
  session.write_text("index.tsv", index_tsv({embedding_index(result, absent, solution.coupling.evaluations,
                                                             solution.coupling.seconds)}));
  return session.finish(sides.pair, solution.stop_reason);
}

}  // namespace

int run_embed_apply(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  check_memory(comm, read_plan_input(comm, context), job.run);
  const EmbeddingModel model = read_embedding_model(comm, job.model.model);
  JobSession session(comm, context);
  session.start_phase("read");
  if (job.source.is_given() != job.target.is_given()) return embed_one_side(session, job, model, job.source.is_given());
  return embed_both_sides(session, job, model);
}

}  // namespace thalweg
