#include "job/embedding_output.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "job/alignment_sidecar.hpp"
#include "job/gromov_tables.hpp"
#include "job/start_tables.hpp"

namespace thalweg {

namespace {

UnsDict constants_of(const EmbeddingResult& result) {
  UnsDict constants{{"epsilon", result.solution.coupling.epsilon},
                    {"embedding_cost", result.model.cost == EmbeddingCost::cosine ? "cosine" : "sq_euclidean"},
                    {"cost_scale", result.model.cost_scale},
                    {"loss", result.model.loss},
                    {"gw_loss", result.model.gw},
                    {"start", result.model.start},
                    {"stop_reason", name_of(result.solution.stop_reason)}};
  if (result.is_ambiguous) constants.emplace_back("ambiguous", *result.is_ambiguous);
  return constants;
}

/// Of the comparisons that embed.verify asks for.
void log_gradient_errors(const TrainedEncoders& trained) {
  constexpr double largest_sound = 1e-3;
  double largest = -1.0;
  for (const TrainingRecord& step : trained.history)
    if (!std::isnan(step.gradient_error)) largest = std::max(largest, step.gradient_error);
  if (largest < 0.0) return;
  log_info("gradients and differences of the loss are within " + rounded_number(largest, 2) + " of one another");
  if (largest > largest_sound)
    log_warning("gradient", "a gradient and the difference of the loss disagree by " + rounded_number(largest, 2) +
                                "; corners of soft ranks do that, with other losses it is a defect");
}

}  // namespace

void write_embedded_cells(JobSession& session, const OutputOptions& output, const EmbeddingResult& result,
                          const Alignment& alignment, const CellPairs& pairs) {
  const TransportSides& sides = result.sides;
  const Embedded& embedded = result.embedded;
  for_each_sidecar(session, output, sides, {alignment}, [&](AlignmentSidecar& sidecar) {
    sidecar.add_side("X_embed_source", true, embedded.source, embedded.dim);
    sidecar.add_side("X_embed_target", false, embedded.target, embedded.dim);
    sidecar.add_uns("thalweg/embed", constants_of(result));
  });
  if (!alignment.class_masses.empty()) session.write_table("labels", label_table(sides, alignment.class_masses));
  if (!pairs.source.empty() || !sides.source.categories.empty())
    session.write_table("scores", score_table_of(session.comm(), sides, pairs, joint_space(sides.source, alignment.target),
                                                 joint_space(sides.target, alignment.source)));
  if (session.makes_plots()) session.write_plot("embedding", embedding_plot(sides, result.model, embedded));
}

void write_one_side(JobSession& session, const OutputOptions& output, const EmbeddingResult& result, bool is_source) {
  const CellSide& side = is_source ? result.sides.source : result.sides.target;
  const std::vector<double>& all = is_source ? result.embedded.source : result.embedded.target;
  const TimeSeries& file = result.sides.file_of(side);
  const RowRange rows = result.sides.slice_of(side).rows;
  const std::int64_t dim = result.embedded.dim;
  const std::vector<float> own(all.begin() + rows.begin * dim, all.begin() + rows.end * dim);
  ResultSidecar sidecar(session, output, file);
  sidecar.writer().add_matrix(
      "obsm/" + sidecar.key(is_source ? "X_embed_source" : "X_embed_target"),
      NumericBlock::own(to_file_order(session.comm(), file, std::span<const float>(own), static_cast<std::size_t>(dim))),
      dim);
  sidecar.write("result.h5ad");
}

void write_training(JobSession& session, const EmbeddingResult& result, const TrainedEncoders& trained,
                    const AlignmentCosts& costs, const std::optional<MultiStartSolution>& starts) {
  session.write_table("training", training_table(result, trained, costs));
  session.write_table("starts", training_starts_table(trained));
  if (starts) session.write_table("gw_starts", starts_table(*starts));
  session.write_text("convergence.csv", training_convergence(result.sides.pair, trained, result.solution).csv());
  const StartOutcome& chosen = trained.starts[trained.chosen];
  session.write_text("index.tsv", index_tsv({embedding_index(result, chosen.gw, chosen.steps, trained.seconds)}));
  if (!session.makes_plots()) return;
  for (const auto& [name, phase] :
       {std::pair{"fit", TrainingPhase::pretrain}, std::pair{"convergence", TrainingPhase::train}}) {
    const ConvergenceHistory curves = training_curves(trained, phase);
    if (!curves.objectives.empty()) session.write_plot(name, plot_convergence(curves));
  }
}

void log_training(const TrainedEncoders& trained) {
  const StartOutcome& chosen = trained.starts[trained.chosen];
  const auto is_one_block = [](const TrainingRecord& step) { return step.single_block_share > 0.5; };
  if (std::any_of(trained.history.begin(), trained.history.end(), is_one_block))
    log_warning("soft_ranks", "in some steps the soft ranks of most rows were an affine map and no ranks; lower embed.delta");
  log_gradient_errors(trained);
  log_info("of " + std::to_string(trained.starts.size()) + " starts, '" + chosen.name + "' has the least F; its loss E is " +
           rounded_number(chosen.gw, 5) + " after " + std::to_string(chosen.steps) + " steps" +
           (chosen.keeps_fitted && chosen.steps > 0 ? ", which did not lower the loss: its weights are those before them"
                                                    : "") +
           "; " + rounded_number(trained.seconds) + " s");
  if (trained.is_ambiguous)
    log_warning("ambiguous",
                "a very different coupling has F within 2 % of the least, as mirror images and other near-symmetries do; "
                "compare the starts in tables/starts.tsv and tables/gw_starts.tsv; cells that are known to belong together "
                "decide (embed.anchors)");
  if (trained.stop_reason == StopReason::collapsed)
    log_warning("collapsed", "all cells have nearly the same embedding, or the same partners; lower embed.epsilon_end, or "
                             "use embed.init = \"gw\"");
  if (trained.stop_reason == StopReason::nonfinite)
    log_warning("nonfinite", "the training met numbers that are not finite three times in a row; lower embed.learning_rate");
}

void log_outside(const EmbeddingResult& result) {
  const double most = std::max(result.share_outside_source, result.share_outside_target);
  if (most > 0.0)
    log_warning("outside_training", "a share of up to " + rounded_number(most) +
                                        " of the cells of a side lies further than 10 standard deviations from the "
                                        "training cells; their embeddings mean little");
}

}  // namespace thalweg
