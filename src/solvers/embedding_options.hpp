// How encoders of two groups of cells are trained: the keys of `thalweg embed train` and `embed apply`.
#pragma once

#include <cstdint>
#include <string>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct EmbedOptions {
  std::string loss = "gw";
  bool symmetrise = false;
  double delta = 0.3;
  std::int64_t rank_columns = 256;
  std::string embedding_cost = "cosine";
  Auto<double> lambda_entropy = {};
  Auto<double> lambda_spectral = {};
  std::int64_t graph_k = 10;
  double lambda_fused = 0.0;
  std::string fused_key = {};
  std::string anchors = {};
  std::string anchor_labels = {};
  double lambda_anchor = 0.1;
  std::int64_t width = 64;
  std::int64_t hidden_layers = 2;
  std::int64_t dim = 16;
  std::string activation = "relu";
  std::string init = "gw";
  std::int64_t steps = 100;
  double learning_rate = 1e-3;
  Auto<std::int64_t> random_starts = {};
  std::int64_t random_steps = 200;
  double random_learning_rate = 4e-3;
  std::int64_t pretrain_steps = 200;
  double pretrain_learning_rate = 3e-3;
  double pretrain_tau = 0.1;
  std::int64_t gw_cells = 4096;
  std::int64_t gw_landmarks = 2048;
  double gw_epsilon = 0.01;
  double epsilon_start = 1.0;
  double epsilon_end = 0.02;
  double anneal_fraction = 0.7;
  std::int64_t sinkhorn_iterations = 30;
  double sinkhorn_tolerance = 1e-3;
  double cg_tolerance = 1e-4;
  double clip = 1.0;
  double weight_decay = 0.0;
  WordOrNumber batch = "full";
  bool verify = false;
  Auto<double> epsilon = {};
  std::string pair_key = {};
  std::string label_key = {};

  static constexpr const char* section = "embed";
  static constexpr const char* about = "encoders trained so that the coupling of their embeddings aligns two groups of cells";
  static void describe(auto& field) {
    using namespace rules;
    field("loss", &EmbedOptions::loss,
          "what is minimised. gw: Gromov-Wasserstein; frob: distances against their means over partners; rank: the same "
          "of soft ranks in each row",
          one_of({"gw", "frob", "rank"}));
    field("symmetrise", &EmbedOptions::symmetrise, "frob and rank: add the loss with the sides exchanged");
    field("delta", &EmbedOptions::delta, "rank: softness, in units of the scaled cost, against ranks over their number",
          positive);
    field("rank_columns", &EmbedOptions::rank_columns, "rank: columns that are ranked where there are more than 4096 cells",
          at_least(2));
    field("embedding_cost", &EmbedOptions::embedding_cost, "cost between embeddings, whose coupling is trained",
          one_of({"cosine", "sq_euclidean"}));
    field("lambda_entropy", &EmbedOptions::lambda_entropy,
          "weight of KL(P | a b^T), without which couplings get sharper than distances say; auto: gw_epsilon with loss gw, "
          "as thalweg gromov has it, else 0",
          non_negative);
    field("lambda_spectral", &EmbedOptions::lambda_spectral,
          "weight of the smoothness of costs along the graphs of neighbours; auto: 1e-3 from random weights, else 0",
          non_negative);
    field("graph_k", &EmbedOptions::graph_k, "neighbours in these graphs, the cell itself not counted", at_least(1));
    field("lambda_fused", &EmbedOptions::lambda_fused, "weight of the cost between features that both sides have",
          non_negative);
    field("fused_key", &EmbedOptions::fused_key, "those features (obsm key, X, layers/..)");
    field("anchors", &EmbedOptions::anchors,
          "table of cells that belong together: columns source and target with their names", file_path);
    field("anchor_labels", &EmbedOptions::anchor_labels,
          "obs column of classes of some cells that both sides share; read by the training");
    field("lambda_anchor", &EmbedOptions::lambda_anchor, "weight of anchors, where there are any", non_negative);
    field("width", &EmbedOptions::width, "of a hidden layer of the encoders", in_range(1, 1024));
    field("hidden_layers", &EmbedOptions::hidden_layers, "number of hidden layers", in_range(1, 8));
    field("dim", &EmbedOptions::dim, "of the embedding", in_range(1, 256));
    field("activation", &EmbedOptions::activation, "after each hidden layer", one_of({"relu", "gelu"}));
    field("init", &EmbedOptions::init,
          "gw: encoders are fitted to the Gromov-Wasserstein couplings of [gromov] first; random: random weights alone",
          one_of({"gw", "random"}));
    field("steps", &EmbedOptions::steps, "of the training after such a fit; 0: the fit alone", at_least(0));
    field("learning_rate", &EmbedOptions::learning_rate, "of that training", positive);
    field("random_starts", &EmbedOptions::random_starts, "trainings from random weights; auto: 2, or 8 with init random",
          in_range(0, 64));
    field("random_steps", &EmbedOptions::random_steps, "of a training from random weights", at_least(1));
    field("random_learning_rate", &EmbedOptions::random_learning_rate, "of these", positive);
    field("pretrain_steps", &EmbedOptions::pretrain_steps, "of the fit to a coupling", at_least(0));
    field("pretrain_learning_rate", &EmbedOptions::pretrain_learning_rate, "of the fit", positive);
    field("pretrain_tau", &EmbedOptions::pretrain_tau, "temperature of the softmax that follows the coupling", positive);
    field("gw_cells", &EmbedOptions::gw_cells,
          "most cells of a side that are coupled first as they are; of larger sides gw_landmarks stand for all", at_least(16));
    field("gw_landmarks", &EmbedOptions::gw_landmarks, "cells of a side that are coupled first where it has more than gw_cells",
          in_range(16, 4096));
    field("gw_epsilon", &EmbedOptions::gw_epsilon, "of these couplings, as gromov.epsilon", positive);
    field("epsilon_start", &EmbedOptions::epsilon_start, "regularisation at first, from random weights", positive);
    field("epsilon_end", &EmbedOptions::epsilon_end, "regularisation in the end, in units of the embedding cost", positive);
    field("anneal_fraction", &EmbedOptions::anneal_fraction, "share of the steps over which it falls, geometrically",
          in_range(0.0, 1.0));
    field("sinkhorn_iterations", &EmbedOptions::sinkhorn_iterations, "most evaluations of the coupling in a step",
          at_least(1));
    field("sinkhorn_tolerance", &EmbedOptions::sinkhorn_tolerance, "relative L1 error of its marginals in a step", positive);
    field("cg_tolerance", &EmbedOptions::cg_tolerance, "relative residual of the adjoint problem in a step", positive);
    field("clip", &EmbedOptions::clip, "largest norm of a gradient", positive);
    field("weight_decay", &EmbedOptions::weight_decay, "penalty on the squares of the weights", non_negative);
    field("batch", &EmbedOptions::batch,
          "cells of a side in a step: all, or so many drawn anew, whose loss is not that of all in the mean; then the best "
          "of all cells every 50 steps counts, and the last 20 steps are of all",
          {.low = 1024.0, .words = {"full"}});
    field("verify", &EmbedOptions::verify, "every 100 steps, compare the gradient by 256 cells of a side with differences");
    field("epsilon", &EmbedOptions::epsilon, "of embed apply: regularisation; auto: that of the training", positive);
    field("pair_key", &EmbedOptions::pair_key, "obs column of names that pair cells of both sides; for scores alone");
    field("label_key", &EmbedOptions::label_key, "obs column of labels; for scores and plots alone");
  }
};

}  // namespace thalweg
