#include "solvers/hm_ot/hm_ot.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/worse_reason.hpp"
#include "solvers/hm_ot/anchor_moments.hpp"
#include "solvers/hm_ot/baseline.hpp"
#include "solvers/hm_ot/fixed_memberships.hpp"
#include "solvers/hm_ot/progress.hpp"
#include "solvers/hm_ot/prepare.hpp"
#include "solvers/hm_ot/restarts.hpp"
#include "solvers/hm_ot/streams.hpp"
#include "solvers/hm_ot/sweep.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t max_matched_cells = 1024;  // of an exact one-to-one map between two slices
constexpr std::int64_t matched_cells_per_type = 8;

// Mass steps end at a smaller gain in F_eps than this. On all cells they only make up for the error of the
// sample on which they have converged.
constexpr double mass_tolerance = 1e-6;
constexpr double mass_tolerance_on_sample = 5e-6;
constexpr double mass_tolerance_after_sample = 1e-5;

DescentOptions descent_options(const Context& context, const HmOtSettings& settings) {
  const bool is_double = context.precision == Precision::float64;
  DescentOptions options;
  options.tolerance = settings.tolerance;
  options.inner_tolerance = settings.inner_tolerance > 0.0 ? settings.inner_tolerance : is_double ? 1e-10 : 1e-6;
  options.value_rounding = is_double ? 1e-15 : 1e-7;
  options.monotone_rounding = is_double ? 1e-9 : 1e-6;
  options.gain_rounding = is_double ? 1e-10 : 1e-7;
  options.max_sweeps = settings.max_iterations;
  options.smooth_level = std::max(options.smooth_level, settings.epsilon_end);
  return options;
}

std::vector<SampledSlice> sample_slices(const Context& context, const HmOtProblem& problem, std::int64_t size, DrawUse use) {
  std::vector<SampledSlice> sample;
  for (std::size_t t = 0; t < problem.slices.size(); ++t) {
    const HmOtSlice& slice = problem.slices[t];
    const std::vector<std::int32_t> strongest = strongest_types(slice.memberships, slice.num_types);
    const auto labels = slice.memberships.empty() ? slice.labels : std::span<const std::int32_t>(strongest);
    sample.push_back(draw_sample(context.comm, slice.rows, labels, size, stream_of(context.seed, use, t)));
  }
  return sample;
}

/// Cells per slice of the one-to-one maps: those of the smallest slice, but enough for the types of all.
std::int64_t num_matched_cells(const HmOtProblem& problem) {
  std::int64_t fewest = max_matched_cells, most = 1, most_types = 1;
  for (const HmOtSlice& slice : problem.slices) {
    fewest = std::min(fewest, slice.rows.num_rows);
    most = std::max(most, slice.rows.num_rows);
    most_types = std::max(most_types, slice.num_types);
  }
  return std::max(fewest, std::min(most, matched_cells_per_type * most_types));
}

/// Repeats rows of `width` values evenly from `rows` to `count` of them.
template <class T>
void repeat_values(std::int64_t rows, std::int64_t count, std::vector<T>& values) {
  const auto width = static_cast<std::int64_t>(values.size()) / rows;
  std::vector<T> repeated;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto first = values.begin() + i * rows / count * width;
    repeated.insert(repeated.end(), first, first + width);
  }
  values = std::move(repeated);
}

/// Repeats the rows of a sample evenly up to `count`.
void repeat_rows(std::int64_t count, SampledSlice& sample) {
  if (sample.num_rows >= count) return;
  repeat_values(sample.num_rows, count, sample.features);
  repeat_values(sample.num_rows, count, sample.coordinates);
  repeat_values(sample.num_rows, count, sample.labels);
  sample.num_rows = count;
}

std::vector<SampledSlice> matched_cells(const Context& context, const HmOtProblem& problem) {
  const std::int64_t count = num_matched_cells(problem);
  std::vector<SampledSlice> sample = sample_slices(context, problem, count, DrawUse::matched_cells);
  for (SampledSlice& slice : sample) repeat_rows(count, slice);
  return sample;
}

/// Decided on all ranks: one without rows has no weights to look at.
bool is_whole(const Communicator& comm, const HmOtProblem& problem, const std::vector<SampledSlice>& sample) {
  bool is_part = false;
  for (std::size_t t = 0; t < sample.size(); ++t)
    is_part |= sample[t].num_rows != problem.slices[t].rows.num_rows || !problem.slices[t].rows.weights.empty();
  return !comm.any(is_part);
}

bool is_all_fixed(const Chain& chain) {
  return std::all_of(chain.slices.begin(), chain.slices.end(), [](const ChainSlice& slice) { return slice.has_fixed_membership(); });
}

/// With every membership given one exact coupling per transition is the solution, or where coordinates have a part in E
/// the last of those for its gradient.
void solve_supervised(const Context& context, const HmOtProblem& problem, HmOtSolution& solution) {
  solution.state.slices.resize(solution.chain.num_slices());
  for (std::size_t t = 0; t < solution.chain.num_slices(); ++t) {
    set_sums(solution.chain.slices[t].fixed_sums, solution.state.slices[t]);
    solution.state.slices[t].masses = solution.state.slices[t].actual;
  }
  solution.state.coupling_gap.resize(solution.chain.edges.size());
  std::vector<Matrix> moments;
  if (solution.chain.has_coordinates()) moments = anchor_moments(context, problem, solution.chain, matched_cells(context, problem));
  set_start_couplings(solution.chain, moments, solution.state);
  lower_by_couplings(solution.chain, /*keeps_diagonal=*/true, solution.state);
  solution.baseline = solution.full_rank_reference = std::numeric_limits<double>::quiet_NaN();
}

/// The last levels of the annealing, down to epsilon_end by factors of 0.3 beyond 1e-3.
std::vector<double> final_levels(const HmOtSettings& settings, double smooth_level) {
  std::vector<double> levels;
  for (double level = 1e-3; level > settings.epsilon_end * (1.0 + 1e-12); level *= 0.3) levels.push_back(level);
  if (settings.epsilon_end < smooth_level) levels.push_back(settings.epsilon_end);
  return levels;
}

/// A solve with something to find, stage by stage; it goes on where an earlier one was stopped.
class HmOtRun {
 public:
  HmOtRun(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings,
          const Descent::Observer& observer, const StopCheck& stop_check)
      : context_(context), problem_(problem), settings_(settings), options_(descent_options(context, settings)),
        observer_(observer), stop_(context.comm, stop_check) {}

  HmOtSolution solve(Chain chain) {
    solution_.chain = std::move(chain);
    const auto visit = [this](StateVisitor& v) { at_.visit_state(v, solution_.chain); };
    if (settings_.checkpoint != nullptr && settings_.checkpoint->restore(visit)) passes_before_ = at_.passes - num_passes(solution_.chain);
    sample_ = sample_slices(context_, problem_, settings_.subsample, DrawUse::sampled_cells);
    sample_is_whole_ = is_whole(context_.comm, problem_, sample_);
    if (at_.stage != HmOtProgress::Stage::all) solve_on_sample();
    solve_on_all();
    solution_.baseline = at_.baseline_state ? at_.baseline_state->objective : std::numeric_limits<double>::quiet_NaN();
    solution_.baseline_state = std::move(at_.baseline_state);
    solution_.full_rank_reference = at_.full_rank_reference;
    solution_.restarts = std::move(at_.restarts);
    solution_.history = std::move(at_.history);
    solution_.state = std::move(at_.state);
    solution_.stop_reason = at_.reason;
    solution_.passes = passes();
    return std::move(solution_);
  }

 private:
  using Stage = HmOtProgress::Stage;

  void solve_on_sample() {
    const auto self = make_self_communicator();
    const Context local{*self, context_.precision, context_.device, context_.seed};
    const Chain on_sample = sample_chain(local, problem_, settings_, solution_.chain, sample_);
    if (at_.stage == Stage::race) race(on_sample);
    at_.stage = Stage::sample;
    // A descent that was saved has passed the question before it.
    if (sample_is_whole_ || (!at_.position && ask(/*at_boundary=*/true))) return;
    Descent descent = begun(on_sample, "sample");
    descent_ = &descent;
    descent.descend(options_.smooth_level, options_.tolerance, options_.max_sweeps, mass_tolerance_on_sample, at_.state);
    descent_ = nullptr;
  }

  void race(const Chain& on_sample) {
    const auto matched = matched_cells(context_, problem_);
    if (at_.start_moments.empty()) at_.start_moments = anchor_moments(context_, problem_, solution_.chain, matched);
    const Trajectories trajectories = match_slices(solution_.chain, matched, at_.start_moments);
    at_.full_rank_reference = trajectories.cost;
    RaceKeeper keeper;
    keeper.state = std::move(at_.race);
    if (settings_.checkpoint != nullptr) {
      keeper.is_due = [&] { return !is_stopping_ && stop_.request(settings_.checkpoint, /*at_boundary=*/true).is_save_due; };
      keeper.save = [&](bool is_stopping) {
        at_.race = keeper.state;
        save(is_stopping);
      };
    }
    // Starts are shared out over ranks: their checks are shown, but the history is the same on all ranks.
    const RestartProblem restarts{settings_, options_, on_sample, matched, trajectories};
    RestartOutcome starts = run_restarts(context_, restarts, observer_, stop_, keeper);
    at_.restarts = std::move(starts.records);
    at_.state = std::move(starts.best);
    if (!stop_.reason()) at_.baseline_state = kmeans_baseline(solution_.chain, kmeans_start(solution_.chain, matched, context_.seed, trajectories.moments));
  }

  /// The smooth level with mass steps, then the remaining levels. Even a solve that was told to stop takes one sweep over
  /// all cells: it makes the state feasible.
  void solve_on_all() {
    at_.stage = Stage::all;
    const double closing_tolerance = sample_is_whole_ ? mass_tolerance : mass_tolerance_after_sample;
    Descent descent = begun(solution_.chain, "all");
    descent_ = &descent;
    std::vector<double> levels = final_levels(settings_, options_.smooth_level);
    levels.insert(levels.begin(), options_.smooth_level);
    for (; at_.level < static_cast<std::int64_t>(levels.size()) && !is_stop_request(at_.reason); ++at_.level) {
      const double level = levels[static_cast<std::size_t>(at_.level)];
      at_.reason = worse_of(at_.reason, descent.descend(level, options_.tolerance, options_.max_sweeps,
                                                        at_.level == 0 ? closing_tolerance : no_mass_steps, at_.state));
    }
    solution_.epsilon = descent.epsilon();
    descent_ = nullptr;
  }

  Descent begun(const Chain& chain, const std::string& stage) {
    Descent descent(
        chain, options_, stage,
        [this](const DescentRecord& check) {
          at_.history.push_back(check);
          if (observer_) observer_(check);
        },
        [this] { return ask(/*at_boundary=*/false); });
    if (at_.position) descent.resume(std::move(*at_.position));
    at_.position.reset();
    return descent;
  }

  /// Whether to stop; saves the state where that is due.
  std::optional<StopReason> ask(bool at_boundary) {
    const StepRequest request = stop_.request(settings_.checkpoint, at_boundary);
    if (request.wants_state() && settings_.checkpoint != nullptr) save(request.stop.has_value());
    return request.stop;
  }

  /// Once told to stop, what follows only makes the result presentable.
  void save(bool is_stopping) {
    if (is_stopping_) return;
    is_stopping_ = is_stopping;
    HmOtProgress kept = at_;
    if (descent_ != nullptr) kept.position = descent_->position();
    if (descent_ != nullptr && descent_->pending()) kept.history.push_back(*descent_->pending());
    kept.passes = passes();
    constexpr const char* names[] = {"starts", "sample", "all cells"};
    settings_.checkpoint->save(names[static_cast<std::size_t>(at_.stage)], is_stopping, [&](StateVisitor& v) { kept.visit_state(v, solution_.chain); });
  }

  std::int64_t passes() const { return passes_before_ + num_passes(solution_.chain); }

  const Context& context_;
  const HmOtProblem& problem_;
  const HmOtSettings& settings_;
  HmOtSolution solution_;
  DescentOptions options_;
  const Descent::Observer& observer_;
  StopPoll stop_;
  HmOtProgress at_;
  std::vector<SampledSlice> sample_;
  bool sample_is_whole_ = false;
  bool is_stopping_ = false;
  std::int64_t passes_before_ = 0;       // of earlier runs
  const Descent* descent_ = nullptr;     // under way
};

}  // namespace

HmOtSolution solve_hm_ot(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings,
                         const Descent::Observer& observer, const StopCheck& stop_check) {
  HmOtSolution solution;
  solution.chain = prepare_chain(context, problem, settings);
  if (is_all_fixed(solution.chain)) {
    solve_supervised(context, problem, solution);
    solution.passes = num_passes(solution.chain);
  } else {
    solution = HmOtRun(context, problem, settings, observer, stop_check).solve(std::move(solution.chain));
  }
  solution.column_error = column_error(solution.chain, solution.state);
  const auto& gaps = solution.state.coupling_gap;
  solution.coupling_gap = gaps.empty() ? 0.0 : *std::max_element(gaps.begin(), gaps.end());
  return solution;
}

std::vector<double> slice_memberships(const Chain& chain, const SliceState& state, std::size_t slice, std::int64_t first_block,
                                      std::int64_t num_blocks) {
  const ChainSlice& rows = chain.slices[slice];
  if (rows.rows) return rows.rows->memberships(state.logits, state.duals, first_block, num_blocks);
  return fixed_membership_rows(rows, first_block, num_blocks);
}

std::vector<double> slice_memberships(const HmOtSolution& solution, std::size_t slice, std::int64_t first_block,
                                      std::int64_t num_blocks) {
  return slice_memberships(solution.chain, solution.state.slices[slice], slice, first_block, num_blocks);
}

}  // namespace thalweg
