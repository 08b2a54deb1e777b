#include "job/embedding_problem.hpp"

#include <algorithm>
#include <map>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "io/table.hpp"
#include "job/gromov_scores.hpp"
#include "job/side_graph.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t fewest_cells = 16;
constexpr std::int64_t verify_every = 100;  // steps

/// Of the features as encoders read them. Warns of columns that are constant.
FeatureScaling scaling_of_side(const CellSide& side) {
  FeatureScaling scaling = scaling_of(side.features, side.num_features);
  const std::int64_t dropped = side.num_features - scaling.num_inputs();
  if (scaling.kept.empty())
    throw DataError("all " + std::to_string(side.num_features) + " features of the " + side.name +
                    " side are constant; an encoder needs some that differ; check " + side.name + ".key");
  if (dropped > 0)
    log_warning("constant_features", std::to_string(dropped) + " of " + std::to_string(side.num_features) +
                                         " features of the " + side.name + " side are constant and not read by its encoder");
  return scaling;
}

EncoderShape shape_of(const EmbedOptions& options, std::int64_t inputs) {
  return {inputs, options.width, options.hidden_layers, options.dim,
          options.activation == "gelu" ? Activation::gelu : Activation::relu};
}

/// Cells are joined where either lists the other among its graph_k nearest.
Graph neighbour_graph(const Context& context, const Job& job, const CellSide& side) {
  const RowRange rows = owned_rows(context.comm, side);
  const std::int64_t d = side.num_features;
  const auto owned = std::span(side.features)
                         .subspan(static_cast<std::size_t>(rows.begin * d), static_cast<std::size_t>(rows.size() * d));
  const auto search = make_neighbour_search(context, {side.num_cells, rows, d, owned, "the " + side.name + " features"},
                                            metric_of(job.gromov));
  return make_knn_graph(context.comm, *search, job.embed.graph_k + 1, EdgeWeight::hops, Disconnected::infinite).graph;
}

PointSet points_of(const std::vector<float>& values, std::int64_t width) {
  return {static_cast<std::int64_t>(values.size()) / width, width, std::span<const float>(values)};
}

/// Positions of the cells of a side by their names.
std::map<std::string, std::int64_t> cells_by_name(const Communicator& comm, const TransportSides& sides,
                                                  const CellSide& side) {
  const std::vector<std::string> own =
      read_names_of_rows(comm, sides.file_of(side), sides.slice_of(side).source_rows);
  std::vector<char> text;
  for (const std::string& name : own) {
    text.insert(text.end(), name.begin(), name.end());
    text.push_back('\0');
  }
  const std::vector<char> all = comm.all_gather(std::span<const char>(text));
  std::map<std::string, std::int64_t> cells;
  std::int64_t cell = 0;
  for (auto begin = all.begin(); begin != all.end(); ++cell) {
    const auto end = std::find(begin, all.end(), '\0');
    cells.emplace(std::string(begin, end), cell);
    begin = end + 1;
  }
  return cells;
}

/// Reads the pairs of a table on rank 0; names that are no cells, or occur twice, are refused.
std::vector<std::pair<std::int64_t, std::int64_t>> read_pairs(const Communicator& comm, const std::string& path,
                                                              const std::map<std::string, std::int64_t>& sources,
                                                              const std::map<std::string, std::int64_t>& targets) {
  std::vector<std::int64_t> flat;
  comm.on_root([&] {
    const TextTable table = read_tsv(path);
    std::map<std::string, std::int64_t> seen[2];
    const std::size_t columns[] = {table.column("source"), table.column("target")};
    for (std::size_t row = 0; row < table.rows.size(); ++row)
      for (std::size_t side = 0; side < 2; ++side) {
        const std::string& name = table.rows[row][columns[side]];
        const std::string where = path + ":" + std::to_string(table.lines[row]) + ": ";
        const auto& cells = side == 0 ? sources : targets;
        const auto cell = cells.find(name);
        const char* of = side == 0 ? "source" : "target";
        if (cell == cells.end())
          throw DataError(where + "'" + name + "' is no cell of the " + of + " side; embed.anchors names cells by their index in obs");
        if (!seen[side].emplace(name, 0).second)
          throw DataError(where + "'" + name + "' of the " + of + " side occurs twice; a cell has one partner");
        flat.push_back(cell->second);
      }
    if (flat.empty()) throw DataError(path + " names no pair of cells; embed.anchors needs some");
  });
  comm.broadcast(flat);
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::size_t k = 0; k < flat.size(); k += 2) pairs.emplace_back(flat[k], flat[k + 1]);
  return pairs;
}

}  // namespace

bool has_anchors(const EmbedOptions& options) { return !options.anchors.empty() || !options.anchor_labels.empty(); }

EmbeddingCost embedding_cost_of(const EmbedOptions& options) {
  return options.embedding_cost == "cosine" ? EmbeddingCost::cosine : EmbeddingCost::sq_euclidean;
}

void check_sizes(const TransportSides& sides) {
  for (const CellSide* side : {&sides.source, &sides.target})
    if (side->num_cells < fewest_cells)
      throw DataError("the " + side->name + " side has " + std::to_string(side->num_cells) + " cells; training needs at least " +
                      std::to_string(fewest_cells) + "; check its file and filter");
}

void check_batch(const EmbedOptions& options, const TransportSides& sides) {
  const auto batch = static_cast<std::int64_t>(options.batch.number.value_or(0.0));
  for (const CellSide* side : {&sides.source, &sides.target}) {
    const auto drawn = std::count_if(side->weights.begin(), side->weights.end(), [](double weight) { return weight > 0.0; });
    if (batch > drawn)
      throw DataError("embed.batch = " + std::to_string(batch) + " is more than the " + std::to_string(drawn) +
                      " cells of weight of the " + side->name + " side; allowed are 1024 to that many, or \"full\"");
  }
  if (batch > 0)
    log_warning("batch", "steps see " + std::to_string(batch) + " cells of a side: couplings within them are blurred and rare "
                         "cells may lack partners, so that their loss is not that of all cells in the mean; the loss of all "
                         "is taken every 50 steps, chooses the weights, and is what the last 20 steps lower");
}

EmbeddingJob::EmbeddingJob(const Context& context, const Job& job, const TransportSides& sides,
                           const AlignmentCosts& costs, std::vector<NamedCoupling> couplings)
    : source_scaling_(scaling_of_side(sides.source)),
      target_scaling_(scaling_of_side(sides.target)),
      problem_{{shape_of(job.embed, source_scaling_.num_inputs()), shape_of(job.embed, target_scaling_.num_inputs())},
               {{source_scaling_, sides.source.features}, {target_scaling_, sides.target.features}},
               {},
               std::move(couplings)} {
  EmbeddingProblem& loss = problem_.loss;
  loss.dimension = job.embed.dim;
  loss.a = sides.source.weights;
  loss.b = sides.target.weights;
  loss.source = costs.source.costs();
  loss.target = costs.target.costs();
  add_graphs(context, job, sides);
  add_fused(context.comm, job, sides);
  add_anchors(context.comm, job, sides);
}

void EmbeddingJob::add_graphs(const Context& context, const Job& job, const TransportSides& sides) {
  const TrainingSettings settings = training_settings_of(job.embed, false);
  if (settings.loss.lambda_spectral == 0.0 && (settings.random_starts == 0 || settings.random_lambda_spectral == 0.0))
    return;
  problem_.loss.source_graph = neighbour_graph(context, job, sides.source);
  problem_.loss.target_graph = neighbour_graph(context, job, sides.target);
}

void EmbeddingJob::add_fused(const Communicator& comm, const Job& job, const TransportSides& sides) {
  const std::string& key = job.embed.fused_key;
  if (key.empty()) return;
  fused_ = read_side_matrices(comm, job, sides, key);
  const std::int64_t x = fused_.source_width, y = fused_.target_width;
  if (x != y || x == 0)
    throw DataError("embed.fused_key = \"" + key + "\" has " + std::to_string(x) + " columns on the source side and " +
                    std::to_string(y) + " on the target side; both sides need the same features");
  problem_.loss.between = SharedFeatures{points_of(fused_.source, x), points_of(fused_.target, y)};
}

void EmbeddingJob::add_anchors(const Communicator& comm, const Job& job, const TransportSides& sides) {
  EmbeddingAnchors& anchors = problem_.loss.anchors;
  if (!job.embed.anchors.empty()) {
    anchors.pairs = read_pairs(comm, job.embed.anchors, cells_by_name(comm, sides, sides.source),
                               cells_by_name(comm, sides, sides.target));
    log_info(std::to_string(anchors.pairs.size()) + " pairs of cells by embed.anchors");
  }
  if (job.embed.anchor_labels.empty()) return;
  TransportSides labelled = read_two_sides(comm, job, "embed", job.embed.anchor_labels, /*in_ring=*/false);
  share_categories(labelled.source, labelled.target);
  anchors.source_classes = labelled.source.labels;
  anchors.target_classes = labelled.target.labels;
}

TrainingSettings training_settings_of(const EmbedOptions& options, bool with_anchors) {
  TrainingSettings settings;
  EmbeddingLossSettings& loss = settings.loss;
  loss.loss = options.loss == "gw"     ? EmbeddingLossKind::gw
              : options.loss == "frob" ? EmbeddingLossKind::frob
                                       : EmbeddingLossKind::rank;
  loss.symmetrise = options.symmetrise;
  loss.delta = options.delta;
  loss.rank_columns = options.rank_columns;
  loss.cost = embedding_cost_of(options);
  loss.lambda_entropy = options.lambda_entropy.value_or(options.loss == "gw" ? options.gw_epsilon : 0.0);
  loss.lambda_spectral = options.lambda_spectral.value_or(0.0);
  loss.lambda_fused = options.lambda_fused;
  loss.lambda_anchor = with_anchors ? options.lambda_anchor : 0.0;
  loss.sinkhorn_iterations = options.sinkhorn_iterations;
  loss.sinkhorn_tolerance = options.sinkhorn_tolerance;
  loss.cg_tolerance = options.cg_tolerance;
  settings.random_lambda_spectral = options.lambda_spectral.value_or(settings.random_lambda_spectral);
  settings.pretrain_steps = options.pretrain_steps;
  settings.pretrain_learning_rate = options.pretrain_learning_rate;
  settings.pretrain_tau = options.pretrain_tau;
  settings.steps = options.steps;
  settings.learning_rate = options.learning_rate;
  settings.random_starts = options.random_starts.value_or(options.init == "random" ? 8 : 2);
  settings.random_steps = options.random_steps;
  settings.random_learning_rate = options.random_learning_rate;
  settings.epsilon_start = options.epsilon_start;
  settings.epsilon_end = options.epsilon_end;
  settings.anneal_fraction = options.anneal_fraction;
  settings.clip = options.clip;
  settings.weight_decay = options.weight_decay;
  settings.verify_every = options.verify ? verify_every : 0;
  settings.batch = static_cast<std::int64_t>(options.batch.number.value_or(0.0));
  return settings;
}

}  // namespace thalweg
