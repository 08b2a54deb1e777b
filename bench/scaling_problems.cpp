#include "bench/scaling_problems.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>

#include "bench/record.hpp"
#include "distributed/collective_time.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/random.hpp"
#include "solvers/hm_ot/hm_ot.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg::bench {

namespace {

constexpr std::uint64_t num_components = 20, seed = 7;

/// Notes the end of each iteration, asks for a state at the last one, and then to stop.
class Watch : public Checkpoint {
 public:
  Watch(const Communicator& comm, const ScalingOptions& options, std::string folder)
      : comm_(comm), first_(options.warm_up), last_(options.warm_up + options.iterations), folder_(std::move(folder)) {}

  /// @param iterations  of the solve so far
  void note(double iterations) {
    if (++num_noted_ < first_ || num_noted_ > last_) return;
    watched_.moments.push_back({steady_seconds(), seconds_in_collectives(comm_), comm_.bytes_sent(), iterations});
  }
  std::optional<StopReason> stop() const { return is_over() ? std::optional(StopReason::interrupted) : std::nullopt; }
  Watched result() { return std::move(watched_); }

  bool restore(const VisitState&) override { return false; }
  void reread(const VisitState&) override {}
  bool is_due(bool) const override { return false; }
  void save(const std::string&, bool, const VisitState& visit) override {
    if (folder_.empty() || !is_over()) return;
    const StateFiles files(comm_, folder_ + "/scaling_state");  // a folder of its own, for all of it is removed
    StateHeader header;
    header.counter = 1;
    comm_.barrier();
    const double begin = steady_seconds();
    watched_.state_bytes = files.write(header, visit);
    comm_.barrier();
    watched_.state_s = steady_seconds() - begin;
    files.remove_all();
  }

 private:
  bool is_over() const { return num_noted_ >= last_; }

  const Communicator& comm_;
  std::int64_t first_, last_, num_noted_ = 0;
  std::string folder_;
  Watched watched_;
};

/// A side on every rank, or in a ring the owned rows.
struct Cloud {
  std::vector<float> values;
  PointSet points;

  Cloud(const Communicator& comm, const ScalingOptions& options, std::int64_t n, std::uint32_t number) {
    const RowRange own = options.form == "ring" ? own_points(n, comm) : RowRange{0, n};
    values = mixture_rows(own, options.features, number);
    points = {n, options.features, std::span<const float>(values)};
    if (options.form == "ring") points.rows = own;
  }
};

EvaluationForm form_of(const std::string& name) {
  return name == "strip" ? EvaluationForm::strip : name == "two_pass" ? EvaluationForm::two_pass : name == "ring" ? EvaluationForm::ring : EvaluationForm::automatic;
}

/// Plain evaluations at one epsilon.
SinkhornSettings plain_settings(const ScalingOptions& options, Watch& watch) {
  SinkhornSettings settings;
  settings.tolerance = 1e-300;
  settings.max_iterations = options.warm_up + options.iterations + 1;
  settings.acceleration = Acceleration::none;
  settings.epsilon_start = options.epsilon;
  settings.certify = false;
  settings.checkpoint = &watch;
  return settings;
}

void solve_clouds(const Context& context, const ScalingOptions& options, Watch& watch) {
  const std::int64_t n = num_cells(options, context.comm.size());
  const Cloud source(context.comm, options, n, 0), target(context.comm, options, n, 1);
  const std::vector<double> weights(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
  PairSides sides;
  sides.source = source.points;
  sides.target = target.points;
  sides.source_weights = sides.target_weights = weights;
  const auto geometry = make_pair_geometry(context, sides, form_of(options.form));
  geometry->set_scale(geometry->cost_statistic(CostStatistic::mean));
  SinkhornProblem problem;
  problem.geometry = geometry.get();
  problem.a = problem.b = weights;
  problem.epsilon = options.epsilon;
  // The question comes after an evaluation and before its record.
  const auto asked = [&watch, evaluations = 0.0]() mutable {
    watch.note(++evaluations);
    return watch.stop();
  };
  solve_sinkhorn(context, problem, plain_settings(options, watch), {}, asked);
}

/// Sweeps over all cells, from a start that costs little.
void solve_chain(const Context& context, const ScalingOptions& options, Watch& watch) {
  const std::int64_t n = num_cells(options, context.comm.size());
  const RowRange own = Partition(n, context.comm.size(), block_rows).rows_of(context.comm.rank());
  std::vector<std::vector<float>> rows;
  for (std::int64_t t = 0; t < options.slices; ++t) rows.push_back(mixture_rows(own, options.features, static_cast<std::uint32_t>(t)));
  HmOtProblem problem;
  for (std::int64_t t = 0; t < options.slices; ++t) {
    HmOtSlice slice;
    slice.name = std::to_string(t);
    slice.num_types = options.types;
    slice.rows = {n, own, options.features, std::span<const float>(rows[static_cast<std::size_t>(t)]), {}};
    problem.slices.push_back(slice);
    if (t > 0) problem.transitions.push_back({});
  }
  HmOtSettings settings;
  settings.restarts = 1;
  settings.subsample = 1024;
  settings.tolerance = 1e-300;
  settings.checkpoint = &watch;
  const auto observe = [&](const DescentRecord& record) {
    if (record.stage == "all") watch.note(static_cast<double>(record.passes) / static_cast<double>(options.slices));
  };
  solve_hm_ot(context, problem, settings, observe, [&watch] { return watch.stop(); });
}

}  // namespace

std::int64_t num_cells(const ScalingOptions& options, int num_ranks) {
  if (options.growth == "strong") return options.cells;
  const double ranks = num_ranks, factor = options.solver == "sinkhorn" ? std::sqrt(ranks) : ranks;
  return static_cast<std::int64_t>(std::llround(static_cast<double>(options.cells) * factor));
}

std::vector<float> mixture_rows(RowRange rows, std::int64_t features, std::uint32_t cloud) {
  const RandomStream centre{seed, 1}, drift{seed, 2}, noise{seed, 10 + cloud};
  const auto p = static_cast<std::uint64_t>(features);
  const double scale = 4.0 / std::sqrt(static_cast<double>(p)), shift = 1.5 / 4.0 * cloud;
  std::vector<double> means;
  for (std::uint64_t i = 0; i < num_components * p; ++i) means.push_back(scale * (centre.normal(i) + shift * drift.normal(i)));
  std::array<float, 4096> cycle{};  // of normal numbers: a draw for each coordinate takes longer than the solve
  for (std::size_t i = 0; i < cycle.size(); ++i) cycle[i] = static_cast<float>(noise.normal(i));
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(rows.size()) * p);
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const std::uint64_t bits = noise.bits(static_cast<std::uint64_t>(i), 1), component = bits % num_components;
    for (std::uint64_t k = 0; k < p; ++k)
      values.push_back(static_cast<float>(means[component * p + k]) + cycle[((bits >> 8) * (2 * k + 1) + k * k) % cycle.size()]);
  }
  return values;
}

Watched watch_solve(const Context& context, const ScalingOptions& options, const std::string& folder) {
  Watch watch(context.comm, options, folder);
  if (options.solver == "sinkhorn") solve_clouds(context, options, watch);
  else solve_chain(context, options, watch);
  return watch.result();
}

}  // namespace thalweg::bench
