#include "job/plan_embed.hpp"

#include <algorithm>

#include "distributed/device.hpp"
#include "job/coupling_top.hpp"
#include "job/embedding_model.hpp"
#include "job/embedding_problem.hpp"
#include "job/plan_gromov.hpp"
#include "job/read_cells.hpp"

namespace thalweg {

namespace {

constexpr WideInt couplings_kept = 3;       // that encoders are fitted to
constexpr WideInt embedding_copies = 10;    // as given, of unit length, gathered, packed, gradients
constexpr WideInt vectors_of_solver = 40;   // potentials, sums, weights and their copies

std::int64_t weights_of(const EmbedOptions& options, std::int64_t features) {
  return EncoderShape{features, options.width, options.hidden_layers, options.dim, Activation::relu}.num_weights();
}

/// Couplings of all cells that are held at once beside that of the solve: all are, until the distinct ones are known.
std::int64_t other_couplings(const Job& job, const PlanInput& input) {
  const std::int64_t most_cells = std::max(input.cells_per_slice[0], input.cells_per_slice[1]);
  if (job.embed.init != "gw" || are_landmarks_coupled(job.embed, most_cells)) return 0;
  MultiStartSettings settings;
  settings.starts = job.gromov.starts;
  settings.exchange_groups = job.gromov.exchange_groups;
  return most_kept(settings, most_cells) - 1;
}

/// Cells that are coupled before the training, all or landmarks.
void set_coupled(const EmbedOptions& options, PlanInput& input) {
  if (options.init != "gw") return;
  const std::int64_t n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  const bool are_landmarks = are_landmarks_coupled(options, std::max(n, m));
  input.coupled_sources = are_landmarks ? std::min(n, options.gw_landmarks) : n;
  input.coupled_targets = are_landmarks ? std::min(m, options.gw_landmarks) : m;
}

/// Sums of the derivatives by all weights, a block of 256 rows each.
void add_gradient_blocks(const PlanInput& input, Collector& items) {
  const WideInt weights = input.encoder_weights;
  items.add_rows("derivatives by the weights", Collector::solving, false,
                 [=](const Rows& rows) { return 8 * weights * ceil_divide(rows.all, granule_rows); });
}

void add_embeddings(const PlanInput& input, WideInt cells, Collector& items) {
  const WideInt dim = input.embedding_dim;
  items.add_fixed("embeddings", Collector::solving | Collector::writing, false, 8 * embedding_copies * (dim + 1) * cells);
  items.add_fixed("embeddings, packed", Collector::solving | Collector::writing, input.on_device,
                  3 * cells * (dim + 1) * (input.is_double ? 8 : 12));
}

}  // namespace

PlanInput embed_train_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input = gromov_input(comm, context);
  input.labelled = !job.embed.label_key.empty();
  input.kept_couplings = std::max(input.kept_couplings, other_couplings(job, input));
  set_coupled(job.embed, input);
  input.embedding_dim = job.embed.dim;
  input.fitted_starts = job.embed.init == "gw" ? static_cast<std::int64_t>(couplings_kept) : 0;
  input.random_starts = training_settings_of(job.embed, false).random_starts;
  input.encoder_weights =
      std::max(weights_of(job.embed, input.num_features), weights_of(job.embed, input.other_features));
  return input;
}

PlanInput embed_apply_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  const EmbeddingModel model = read_embedding_model(comm, job.model.model);
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.labelled = !job.embed.label_key.empty();
  input.threads = context.threads;
  input.embedding_dim = model.source.shape.dim;
  input.num_features = model.source.scaling.num_features;
  input.other_features = model.target.scaling.num_features;
  const bool has_one = job.source.is_given() != job.target.is_given();
  for (const SideOptions* side : {&job.source, &job.target}) {
    if (has_one && !side->is_given()) continue;
    const bool are_times = !has_one && !side->is_given();
    const TimeSeriesRequest request =
        request_of(are_times ? job.input : input_of_side(job.input, *side), job.output, "");
    const AnnDataReader reader(comm, request.path);
    add_sizes(reader, reader.matrix(request.features, "input.joint"), request, input);
    if (are_times) break;
  }
  if (!has_one) check_two_sides("embed apply", input.cells_per_slice.size(), job.input.file.front());
  return input;
}

void add_embed_train(const PlanInput& input, Collector& items) {
  const WideInt n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  const WideInt x = input.coupled_sources, y = input.coupled_targets;
  items.add_shares("couplings that encoders are fitted to", Collector::solving, 8 * couplings_kept * x * y);
  if (x > 0 && (x < n || y < m)) items.add_fixed("costs between landmarks", Collector::solving, false, 8 * (x * x + y * y));
  add_gradient_blocks(input, items);
  add_embeddings(input, n + m, items);
}

void add_embed_apply(const PlanInput& input, std::int64_t num_ranks, Collector& items) {
  const WideInt n = input.cells_per_slice.front(), m = input.cells_per_slice.size() > 1 ? input.cells_per_slice[1] : 0;
  const WideInt p = input.num_features, q = input.other_features, cells = n + m;
  add_reading(input, num_ranks, Collector::reading, items);
  items.add_fixed("features of both sides", Collector::always, false, 4 * (n * p + m * q));
  items.add_fixed("weights and labels", Collector::always, false, (3 * 8 + 4) * cells);
  add_embeddings(input, cells, items);
  items.add_fixed("potentials and sums", Collector::solving | Collector::writing, false, 8 * vectors_of_solver * cells);
  add_strips(input, m, items);
  items.add_fixed("projections", Collector::writing, false, 2 * 8 * (n * q + m * p) + 2 * 8 * (n * p + m * q));
  items.add_fixed("rows of the coupling", Collector::writing, false, 3 * 8 * granule_rows * m);
  items.add_rows("largest entries of rows", Collector::writing, false,
                 [=](const Rows& rows) { return 3 * (8 + 4) * std::min<WideInt>(most_top_partners, m) * rows.all; });
  items.add_fixed("cells on plots", Collector::writing, false, 64 * cells);
  items.add_rows("columns of the result", Collector::writing, false,
                 [=](const Rows& rows) { return (2 * (6 * 8 + 4) + 12 * std::max(p, q)) * rows.all; });
  add_result_buffers(items);
}

}  // namespace thalweg
