#include "job/job.hpp"

#include <algorithm>
#include <set>

#include "config/read_settings.hpp"
#include "io/anndata_reader.hpp"
#include "job/shape_side.hpp"
#include "job/slurm/limits.hpp"
#include "job/unread_keys.hpp"

namespace thalweg {

namespace {

bool uses(const std::vector<std::string>& used, const char* section) {
  return std::find(used.begin(), used.end(), section) != used.end();
}

/// Where a key was written, or the name of the job when it was not.
config::Location place_of(const config::Value& root, const std::string& key) {
  const config::Value* value = config::find_value(root, config::split_key(key));
  if (value != nullptr) return value->where;
  return {.file = root.where.file, .folder = root.where.folder};
}

void check_hm_ot(const Job& job, const config::Value& root, config::Problems& problems) {
  const HmOtOptions& hmot = job.hmot;
  if (job.input.time_key.empty())
    problems.add(place_of(root, "input.time_key"), "hmot needs input.time_key; set it to the obs column of the time");
  if (hmot.mode == "transfer" && hmot.reference.empty())
    problems.add(place_of(root, "hmot.mode"), "hmot.mode = \"transfer\" needs hmot.reference; set it to a time");
  if (hmot.mode == "supervised" && job.input.annotation.empty() && hmot.fix_labels.empty() && hmot.fix_q.empty())
    problems.add(place_of(root, "hmot.mode"),
                 "hmot.mode = \"supervised\" needs labels; set input.annotation, [hmot.fix.labels] or [hmot.fix.q]");
  for (const auto& [time, word] : hmot.fix_g)
    if (word == "labels" && job.input.annotation.empty() && hmot.score_annotation.empty())
      problems.add(place_of(root, "hmot.fix.g"), "hmot.fix.g = \"labels\" at time " + time + " needs labels; set input.annotation");
  if (hmot.identity && hmot.mode != "transfer")
    problems.add(place_of(root, "hmot.identity"), "hmot.identity belongs to hmot.mode = \"transfer\"; remove it");
  const bool has_reference = std::count(hmot.clusterings.begin(), hmot.clusterings.end(), "reference") != 0;
  if (has_reference && hmot.reference.empty())
    problems.add(place_of(root, "hmot.clusterings"), "clustering \"reference\" needs hmot.reference; set it to a time");
}

void check_sides(const Job& job, const config::Value& root, config::Problems& problems) {
  if ((job.source.is_given() || job.target.is_given()) && !job.input.days.empty())
    problems.add(place_of(root, "input.days"),
                 "input.days does not choose the cells of [source] and [target]; use source.filter and target.filter, or "
                 "leave [source] and [target] out");
}

void check_low_rank(const Job& job, const config::Value& root, config::Problems& problems) {
  const std::vector<std::int64_t>& rank = job.lowrank.rank;
  if (rank.size() > 2)
    problems.add(place_of(root, "lowrank.rank"),
                 "lowrank.rank has " + std::to_string(rank.size()) + " entries; give one number or [source, target]");
  if (job.lowrank.form == "lot" && rank.size() == 2 && rank[0] != rank[1])
    problems.add(place_of(root, "lowrank.rank"),
                 "lowrank.form = \"lot\" needs one rank for both sides; give one number");
  if (job.lowrank.objective != "fgw" && job.lowrank.alpha != LowRankOptions{}.alpha)
    problems.add(place_of(root, "lowrank.alpha"), "lowrank.alpha weighs the parts of lowrank.objective = \"fgw\"; remove it, or set that objective");
  const std::vector<std::string>& names = job.lowrank.names;
  if (!names.empty() && (names.size() != 2 || names[0] == names[1] || names[0].empty() || names[1].empty()))
    problems.add(place_of(root, "lowrank.names"), "lowrank.names must be two different names, [source, target]");
  check_sides(job, root, problems);
  for (const auto& [side, file] : job.lowrank.g.files)
    if (side != "source" && side != "target")
      problems.add(place_of(root, "lowrank.g." + side), "unknown key 'lowrank.g." + side + "'; known: source, target");
}

/// One side's penalty is given as lambda or as tau.
void check_penalty(const WordOrNumber& lambda, const WordOrNumber& tau, const std::string& lambda_key, const std::string& tau_key,
                   const config::Value& root, config::Problems& problems) {
  if (lambda.is_number() && tau.is_number())
    problems.add(place_of(root, tau_key), tau_key + " and " + lambda_key + " say the same thing in two ways; remove one of them");
}

/// obsm/projected_NAME holds one matrix.
void check_projections(const std::vector<std::string>& keys, const config::Value& root, config::Problems& problems) {
  std::set<std::string> names;
  for (const std::string& key : keys)
    if (!names.insert(name_of_projection(key)).second)
      problems.add(place_of(root, "transport.project"), "transport.project names two matrices that would both be written as obsm/" +
                                                            name_of_projection(key) + "; leave one of them out");
}

void check_transport(const Job& job, const config::Value& root, config::Problems& problems) {
  const SinkhornOptions& options = job.sinkhorn;
  check_sides(job, root, problems);
  if (!job.source.is_given() && !job.target.is_given() && job.input.time_key.empty())
    problems.add(place_of(root, "input.time_key"),
                 "transport needs two sides; set input.time_key to the obs column of the time, or give [source] and [target]");
  check_projections(job.transport.project, root, problems);
  check_penalty(options.lambda1, options.tau_a, "solver.lambda1", "solver.tau_a", root, problems);
  check_penalty(options.lambda2, options.tau_b, "solver.lambda2", "solver.tau_b", root, problems);
  if (!job.transport.divergence) return;
  if (options.cost == "dense" || options.cost == "factored")
    problems.add(place_of(root, "transport.divergence"), "transport.divergence needs the costs of each side with itself, which solver.cost = \"" +
                                                             options.cost + "\" does not tell; use a cost between features");
  if (options.entropy_reference != "product")
    problems.add(place_of(root, "transport.divergence"), "transport.divergence is defined for solver.entropy_reference = \"product\"");
  if (penalty_of(options.lambda1, options.tau_a, options.epsilon) != penalty_of(options.lambda2, options.tau_b, options.epsilon))
    problems.add(place_of(root, "transport.divergence"), "transport.divergence needs the same penalty on both sides; set solver.lambda1 and solver.lambda2 to one value");
}

/// Whether the costs of a side can be a factor.
bool has_factor(const IntraCostOptions& side) {
  return side.cost == "geodesic" || side.cost == "factored" || side.cost == "sq_euclidean";
}

void check_intra_costs(const Job& job, const IntraCostOptions& side, const std::string& name,
                       const config::Value& root, config::Problems& problems) {
  if (side.cost == "factored" && (side.factors.empty() || side.factors.size() > 2))
    problems.add(place_of(root, name + ".cost"), name + ".cost = \"factored\" needs the matrices U and V of U V^T; set " +
                                                     name + ".factors to two obsm keys, or one that is both");
  if (side.cost != "factored" && !side.factors.empty())
    problems.add(place_of(root, name + ".factors"),
                 name + ".factors belongs to " + name + ".cost = \"factored\"; remove it");
  if (job.gromov.storage == "low_rank" && !has_factor(side))
    problems.add(place_of(root, "gromov.storage"), "gromov.storage = \"low_rank\" is for the costs geodesic, factored and sq_euclidean, not for " +
                                                       name + ".cost = \"" + side.cost + "\"; use \"dense\"");
}

/// What surfaces and slices of tissue do without.
void check_plain_alignment(const Job& job, const std::string& of, const config::Value& root, config::Problems& problems) {
  const GromovOptions given, &options = job.gromov;
  const auto refuse = [&](const char* key, const std::string& value, const std::string& only) {
    if (value == only) return;
    problems.add(place_of(root, std::string("gromov.") + key),
                 std::string("gromov.") + key + " = \"" + value + "\" is not for " + of + "; " +
                     (only.empty() ? "leave it out" : "only \"" + only + "\" is"));
  };
  refuse("mode", options.mode, given.mode);
  refuse("regularisation", options.regularisation, given.regularisation);
  refuse("linear", options.linear, given.linear);
  refuse("storage", options.storage, given.storage);
  refuse("coupling", options.coupling, given.coupling);
  refuse("pair_key", options.pair_key, given.pair_key);
  refuse("label_key", options.label_key, given.label_key);
}

/// Modes, regularisations, algorithms and precisions of alignments that do not go together.
void check_gromov_solver(const Job& job, const config::Value& root, config::Problems& problems) {
  const GromovOptions& gromov = job.gromov;
  const bool is_proximal = gromov.regularisation == "proximal", is_sharp = gromov.algorithm == "frank_wolfe";
  if (is_proximal && gromov.mode == "unbalanced")
    problems.add(place_of(root, "gromov.regularisation"),
                 "gromov.regularisation = \"proximal\" goes with mode balanced or semi_relaxed; use \"entropy\"");
  else if (is_sharp && (gromov.mode != "balanced" || is_proximal))
    problems.add(place_of(root, "gromov.algorithm"),
                 "gromov.algorithm = \"frank_wolfe\" goes with mode balanced and regularisation entropy; use \"mirror\"");
  else if ((is_sharp || is_proximal) && job.solver.precision != "float64")
    problems.add(place_of(root, is_sharp ? "gromov.algorithm" : "gromov.regularisation"),
                 is_sharp ? "gromov.algorithm = \"frank_wolfe\" needs solver.precision = \"float64\"; set it"
                          : "gromov.regularisation = \"proximal\" needs solver.precision = \"float64\"; set it");
}

/// A start that is given has both marginals.
void check_init(const Job& job, const config::Value& root, config::Problems& problems) {
  const GromovOptions& gromov = job.gromov;
  if (!gromov.init.empty() && (gromov.mode != "balanced" || gromov.regularisation != "entropy"))
    problems.add(place_of(root, "gromov.init"),
                 "gromov.init goes with mode balanced and regularisation entropy; leave it out");
}

/// Factors serve mirror descent to balanced couplings.
void check_storage(const Job& job, const config::Value& root, config::Problems& problems) {
  const GromovOptions& gromov = job.gromov;
  const bool is_plain = gromov.mode == "balanced" && gromov.regularisation == "entropy" && gromov.algorithm == "mirror";
  if (gromov.storage == "low_rank" && !is_plain)
    problems.add(place_of(root, "gromov.storage"),
                 "gromov.storage = \"low_rank\" goes with mode balanced, regularisation entropy and algorithm mirror; use \"dense\"");
}

void check_gromov(const Job& job, const config::Value& root, config::Problems& problems) {
  check_sides(job, root, problems);
  check_gromov_solver(job, root, problems);
  if (are_shapes(job)) check_plain_alignment(job, "surfaces", root, problems);
  if (are_shapes(job) && job.sweep.is_given())
    problems.add(place_of(root, "sweep"), "[sweep] is not for surfaces; remove it");
  if (are_shapes(job) && job.gromov.algorithm != "mirror")
    problems.add(place_of(root, "gromov.algorithm"),
                 "gromov.algorithm = \"" + job.gromov.algorithm + "\" is not for surfaces, whose other vertices follow from an entropic coupling; use \"mirror\"");
  const bool has_anchors = !job.shapes.anchors.empty() && !are_shapes(job);
  if (job.gromov.linear.empty() && !has_anchors && job.problem.alpha.value_or(1.0) < 1.0)
    problems.add(place_of(root, "problem.alpha"),
                 "problem.alpha below 1 weighs a linear cost, and there is none; give gromov.linear, or leave it out");
  if (has_anchors && !job.gromov.linear.empty())
    problems.add(place_of(root, "gromov.anchors"),
                 "gromov.anchors and gromov.linear are both the linear cost; remove one of them");
  if (!job.source.is_given() && !job.target.is_given() && job.input.time_key.empty())
    problems.add(place_of(root, "input.time_key"),
                 "gromov needs two sides; give [source] and [target], or set input.time_key to the obs column of the time");
  const GromovOptions& gromov = job.gromov;
  if (job.sweep.is_given() &&
      (gromov.mode != "balanced" || gromov.regularisation != "entropy" || gromov.algorithm != "mirror"))
    problems.add(place_of(root, "sweep"),
                 "[sweep] goes with gromov.mode balanced, regularisation entropy and algorithm mirror; remove it");
  if (!job.sweep.geodesic_k.empty() && job.source_costs.cost != "geodesic" && job.target_costs.cost != "geodesic")
    problems.add(place_of(root, "sweep.geodesic_k"),
                 "sweep.geodesic_k is of graphs, and neither side has cost = \"geodesic\"; remove it");
  check_storage(job, root, problems);
  check_init(job, root, problems);
  check_intra_costs(job, job.source_costs, "source", root, problems);
  check_intra_costs(job, job.target_costs, "target", root, problems);
}

void check_align(const Job& job, const config::Value& root, config::Problems& problems) {
  check_sides(job, root, problems);
  check_gromov_solver(job, root, problems);
  check_plain_alignment(job, "align, whose features are input.joint", root, problems);
  if (!job.source.is_given() && !job.target.is_given() && job.input.time_key.empty())
    problems.add(place_of(root, "input.time_key"),
                 "align needs several slices; set input.time_key to the obs column of the slice, or give [source] and [target]");
  if (job.gromov.algorithm == "frank_wolfe" && job.align.cost == "sq_euclidean")
    problems.add(place_of(root, "gromov.algorithm"),
                 "gromov.algorithm = \"frank_wolfe\" needs stored distances; set align.cost = \"euclidean\"");
  if (job.align.dissimilarity == "kl" && job.align.cost == "sq_euclidean")
    problems.add(place_of(root, "align.dissimilarity"),
                 "align.dissimilarity = \"kl\" is stored, distances with align.cost = \"sq_euclidean\" are not; set align.cost = \"euclidean\"");
}

/// Scores read columns that the training does not.
void check_score_keys(const Job& job, const config::Value& root, config::Problems& problems) {
  const std::pair<const char*, const std::string&> scores[] = {{"embed.pair_key", job.embed.pair_key},
                                                               {"embed.label_key", job.embed.label_key}};
  const std::pair<const char*, const std::string&> read[] = {{"embed.anchor_labels", job.embed.anchor_labels},
                                                             {"input.weights", job.input.weights},
                                                             {"source.weights", job.source.weights},
                                                             {"target.weights", job.target.weights}};
  for (const auto& [score_key, score] : scores)
    for (const auto& [key, column] : read)
      if (!score.empty() && column_name(score) == column_name(column))
        problems.add(place_of(root, score_key), std::string(score_key) + " = \"" + score + "\" is for scores alone, and " + key +
                                                    " reads the same column; give another one");
}

void check_sides_of_embed(const Job& job, const config::Value& root, config::Problems& problems) {
  check_sides(job, root, problems);
  check_score_keys(job, root, problems);
  if (!job.source.is_given() && !job.target.is_given() && job.input.time_key.empty())
    problems.add(place_of(root, "input.time_key"),
                 "embed needs two sides; give [source] and [target], or set input.time_key to the obs column of the time");
}

void check_embed_train(const Job& job, const config::Value& root, config::Problems& problems) {
  check_sides_of_embed(job, root, problems);
  check_storage(job, root, problems);
  check_intra_costs(job, job.source_costs, "source", root, problems);
  check_intra_costs(job, job.target_costs, "target", root, problems);
  const GromovOptions given, &gromov = job.gromov;
  const auto refuse = [&](const char* key, const std::string& value, const std::string& only) {
    if (value != only)
      problems.add(place_of(root, std::string("gromov.") + key),
                   std::string("gromov.") + key + " = \"" + value + "\" is not for embed train; leave it out");
  };
  refuse("mode", gromov.mode, given.mode);
  refuse("regularisation", gromov.regularisation, given.regularisation);
  refuse("algorithm", gromov.algorithm, given.algorithm);
  refuse("linear", gromov.linear, given.linear);
  refuse("pair_key", gromov.pair_key, given.pair_key);
  refuse("label_key", gromov.label_key, given.label_key);
  const EmbedOptions& embed = job.embed;
  if (embed.epsilon_end > embed.epsilon_start)
    problems.add(place_of(root, "embed.epsilon_end"), "embed.epsilon_end is above embed.epsilon_start, from which the regularisation falls; lower it");
  if ((embed.lambda_fused > 0.0) != !embed.fused_key.empty())
    problems.add(place_of(root, embed.fused_key.empty() ? "embed.lambda_fused" : "embed.fused_key"),
                 "embed.fused_key and embed.lambda_fused go together; set both, or none");
  if (embed.init == "random" && embed.random_starts.value_or(1) == 0)
    problems.add(place_of(root, "embed.random_starts"), "embed.random_starts = 0 leaves embed.init = \"random\" without a start; set it to at least 1");
}

void check_embed_apply(const Job& job, const config::Value& root, config::Problems& problems) {
  if (job.source.is_given() == job.target.is_given()) check_sides_of_embed(job, root, problems);
}

void check_export(const Job& job, const config::Value& root, config::Problems& problems) {
  const std::string& prefix = job.exports.prefix;
  if (prefix.empty() || prefix.find('/') != std::string::npos)
    problems.add(place_of(root, "export.prefix"), "export.prefix = \"" + prefix + "\" is empty or holds a slash; it is the beginning of file names");
}

}  // namespace

std::vector<config::Section> sections_of(Job& job) {
  std::vector<config::Section> sections = {config::describe(job.top),
                                           config::describe(job.input),
                                           config::describe(job.analysed, ResultOptions::section, ResultOptions::part),
                                           config::describe(job.model, ModelOptions::section, ModelOptions::part),
                                           config::describe(job.source, "source"),
                                           config::describe(job.target, "target"),
                                           config::describe(job.solver),
                                           config::describe(job.sinkhorn, SinkhornOptions::section, SinkhornOptions::part),
                                           config::describe(job.run),
                                           config::describe(job.output),
                                           config::describe(job.hmot),
                                           config::describe(job.lowrank),
                                           config::describe(job.transport),
                                           config::describe(job.exports),
                                           config::describe(job.gromov),
                                           config::describe(job.shapes, ShapeOptions::section, ShapeOptions::part),
                                           config::describe(job.align),
                                           config::describe(job.problem),
                                           config::describe(job.sweep),
                                           config::describe(job.source_costs, "source", IntraCostOptions::source_part),
                                           config::describe(job.target_costs, "target", IntraCostOptions::target_part),
                                           config::describe(job.embed),
                                           config::describe(job.simulate),
                                           config::describe(job.submit)};
  return sections;
}

std::vector<std::string> transport_tables() {
  return {"input", "source", "target", "transport", "solver", SinkhornOptions::part, "export", "run", "output"};
}

std::vector<std::string> gromov_tables() {
  return {"input", "source", IntraCostOptions::source_part, "target", IntraCostOptions::target_part,
          "gromov", ShapeOptions::part, ProblemOptions::section, GromovSweepOptions::section, "solver", "run", "output"};
}

std::vector<std::string> embed_train_tables() {
  return {"input",   "source", IntraCostOptions::source_part, "target", IntraCostOptions::target_part, EmbedOptions::section,
          "gromov", "solver", "run", "output"};
}

std::vector<std::string> embed_apply_tables() {
  return {"input", ModelOptions::part, "source", "target", EmbedOptions::section, "run", "solver", "output"};
}

std::vector<std::string> align_tables() {
  return {"input", "source", "target", AlignOptions::section, ProblemOptions::section, "gromov", "solver", "run", "output"};
}

void check_job(const Job& job, const config::Value& root, const std::vector<std::string>& used,
               config::Problems& problems) {
  if (job.output.key_prefix.find('/') != std::string::npos)
    problems.add(place_of(root, "output.key_prefix"), "output.key_prefix = \"" + job.output.key_prefix + "\" holds a slash, which separates groups; leave it out");
  check_submit(job.submit, root, problems);
  if (uses(used, "transport")) check_transport(job, root, problems);
  if (uses(used, ModelOptions::part)) check_embed_apply(job, root, problems);
  else if (uses(used, EmbedOptions::section)) check_embed_train(job, root, problems);
  else if (uses(used, "align")) check_align(job, root, problems);
  else if (uses(used, "gromov")) check_gromov(job, root, problems);
  if (uses(used, "gromov")) refuse_unread_keys(job, root, used, problems);
  if (uses(used, "export")) check_export(job, root, problems);
  if (uses(used, "hmot")) check_hm_ot(job, root, problems);
  if (uses(used, "lowrank")) check_low_rank(job, root, problems);
}

}  // namespace thalweg
