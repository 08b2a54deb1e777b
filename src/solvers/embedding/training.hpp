// Encoders trained from several starts, the best chosen by the Gromov-Wasserstein loss alone. No Kokkos.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "distributed/checkpoint.hpp"
#include "solvers/embedding/adam.hpp"
#include "solvers/embedding/cross_entropy.hpp"
#include "solvers/embedding/embedding_coupling.hpp"
#include "solvers/embedding/embedding_loss.hpp"
#include "solvers/embedding/encoder_pair.hpp"
#include "solvers/stop_check.hpp"

namespace thalweg {

/// A coupling that encoders are fitted to before they are trained.
struct NamedCoupling {
  std::string name;
  TargetCoupling coupling;
};

/// Views the features, all cells of both sides on every rank.
struct TrainingProblem {
  EncoderPair encoders;
  EncoderInputs cells;  // all
  EmbeddingProblem loss;
  std::vector<NamedCoupling> couplings;
};

enum class TrainingPhase : std::int64_t { pretrain, train };

/// One step of a start; NaN where a phase has no such number.
struct TrainingRecord {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();

  std::string start;
  TrainingPhase phase = TrainingPhase::train;
  std::int64_t step = 0;  // of the phase, from 0: the weights before it
  double epsilon = absent;
  double total = 0.0;  // what is minimised
  double gw = absent, loss = absent, entropy = absent, spectral = absent, fused = absent, anchor = absent;
  double gradient_norm = absent;  // before clipping
  double learning_rate = 0.0;
  bool is_batch = false;  // numbers are those of a batch of cells
  double gradient_error = absent;  // where it was compared with differences
  std::int64_t sinkhorn_iterations = 0, cg_iterations = 0;
  double marginal_error = absent, cg_residual = absent;
  double median_blocks = absent, single_block_share = absent;
  bool is_discarded = false;  // not finite
  double seconds = 0.0;       // since the start of the training

  void set(const EmbeddingEvaluation& value);
};

/// A start at epsilon_end, its coupling solved to convergence.
struct StartOutcome {
  std::string name;
  double fitted_gw = TrainingRecord::absent, fitted_loss = TrainingRecord::absent;  // before training; of couplings
  double gw = TrainingRecord::absent, loss = TrainingRecord::absent, total = TrainingRecord::absent;
  double fitted_total = TrainingRecord::absent;
  double primal = TrainingRecord::absent;  // gw + lambda_entropy KL(P | a b^T), by which the start is chosen
  double overlap = TrainingRecord::absent;  // with the coupling of the chosen start
  std::int64_t steps = 0;                   // of training
  std::string ended_by;                     // "steps", "no_progress", "nonfinite"
  bool keeps_fitted = false;                // training did not lower the loss
  bool is_collapsed = false, is_chosen = false;
  double seconds = 0.0;
  double cost_scale = 1.0;         // divisor of squared distances
  std::vector<double> weights, g;  // the best of the start
};

/// All that the next step depends on, and what is told of those before it.
struct TrainingState {
  std::vector<std::string> names;  // of all starts: couplings first, then random ones
  std::int64_t start = 0;
  TrainingPhase phase = TrainingPhase::pretrain;
  std::int64_t step = 0;  // done in this phase
  std::vector<double> weights;
  AdamState adam;
  double learning_rate = 0.0;
  std::vector<double> weights_before;  // the last step
  AdamState adam_before;
  std::int64_t discarded = 0;  // steps in a row
  bool is_taken_back = false;  // the weights are those before a step that was discarded
  EmbeddingWarmStart warm;
  std::vector<double> losses;        // totals at epsilon_end
  std::vector<double> best_weights;  // of the least of them
  double best_total = std::numeric_limits<double>::infinity();
  StartOutcome outcome;                // of this start so far
  std::vector<StartOutcome> outcomes;  // of those before
  std::vector<TrainingRecord> history;
  double seconds = 0.0;
  std::optional<StopReason> stop;  // told to, or nothing finite; not kept

  void visit_state(StateVisitor& v);
};

/// Lists a state, and of the couplings what is still to be fitted: of the others the names alone.
void visit_training(StateVisitor& v, const Communicator& comm, TrainingState& state, std::vector<NamedCoupling>& couplings);

struct TrainingSettings {
  EmbeddingLossSettings loss = {};  // its lambda_spectral is that of starts from couplings
  double random_lambda_spectral = 1e-3;
  std::int64_t pretrain_steps = 200;
  double pretrain_learning_rate = 3e-3, pretrain_tau = 0.1;
  std::int64_t steps = 100;
  double learning_rate = 1e-3;
  std::int64_t random_starts = 2, random_steps = 200;
  double random_learning_rate = 4e-3;
  double epsilon_start = 1.0, epsilon_end = 0.02;  // random starts anneal, others keep epsilon_end
  double anneal_fraction = 0.7;
  double clip = 1.0, weight_decay = 0.0;
  std::int64_t batch = 0;                   // cells of a side in a step: CellBatch; 0: all
  std::int64_t full_every = 50;             // batches: steps between evaluations of all cells, of which the best counts
  std::int64_t closing_steps = 20;          // of all cells, after those of batches
  std::int64_t verify_every = 0;            // steps between comparisons of gradients with differences; 0: none
  Checkpoint* checkpoint = nullptr;         // keeps the state between runs: visit_training; null: nothing does
  std::optional<TrainingState> begin_from;  // that was kept
};

/// Most bytes of a state, couplings and history apart. @param num_weights  of both encoders
std::int64_t training_state_bytes(std::int64_t num_starts, std::int64_t num_weights, std::int64_t num_targets);

struct TrainedEncoders {
  std::vector<double> weights;
  double cost_scale = 1.0;
  std::vector<StartOutcome> starts;
  std::size_t chosen = 0;
  bool is_ambiguous = false;  // another start's coupling shares less than 0.8 and its F is within 2 %
  std::vector<TrainingRecord> history;
  StopReason stop_reason = StopReason::converged;  // of the training: converged where all starts ran to their end
  double seconds = 0.0;
};

using TrainingObserver = std::function<void(const TrainingRecord&)>;

/// From each coupling: encoders fitted to it by cross-entropy, then trained by the loss; then from random weights, with
/// epsilon annealed. Each start keeps the weights of least loss at epsilon_end, those before training among them; the
/// start of least E_gw + lambda_entropy KL(P | a b^T) is returned whatever the loss that was trained. The same on any
/// number of ranks up to rounding. With settings.checkpoint the state is kept after steps, and a training that begins
/// from it ends with the bits of one without interruption. Collective.
/// @throws NumericalError where no start has a finite loss, and what EmbeddingLoss does
TrainedEncoders train_encoders(const Context& context, TrainingProblem& problem, const TrainingSettings& settings,
                               const TrainingObserver& observer = {}, const StopCheck& stop_check = {});

/// Embeddings of the owned cells. Local.
EmbeddedRows embed_owned(const Communicator& comm, const EncoderPair& encoders, std::span<const double> weights,
                         const EncoderInputs& cells);

}  // namespace thalweg
