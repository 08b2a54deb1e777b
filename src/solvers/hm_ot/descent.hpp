// Annealed descent of a chain: sweeps per level, the path phase, the stop rule.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/stop_reason.hpp"
#include "distributed/state_visitor.hpp"
#include "solvers/hm_ot/path_step.hpp"
#include "solvers/stop_check.hpp"

namespace thalweg {

/// Passes over the rows of a slice so far, all slices added.
std::int64_t num_passes(const Chain& chain);

/// One check of convergence.csv.
struct DescentRecord {
  std::string stage;         // "start 3", "sample", "all"
  int level = 0;             // index of the epsilon level
  std::int64_t sweep = 0;    // within the level
  std::int64_t passes = 0;   // over the rows of a slice, within the stage
  double epsilon = 0.0;
  double objective = 0.0;    // E
  double regularized = 0.0;  // F_eps
  double gap = 0.0;          // of the couplings, relative
  double column_error = 0.0;
  double change = 0.0;       // relative decrease of F_eps
  double seconds = 0.0;
  std::optional<StopReason> stop_reason;  // of the last record of a level
};

struct DescentOptions {
  double tolerance = 1e-7;
  double inner_tolerance = 1e-6;
  double value_rounding = 1e-7;
  double monotone_rounding = 1e-6;  // relative increase of F_eps that rounding explains
  double gain_rounding = 1e-7;      // relative change of F_eps that rounding and inner tolerance make; finer tolerances may not be met
  int max_sweeps = 2000;
  double smooth_level = 3e-3;       // epsilon over sigma^2 of the path phase
};

/// A `mass_tolerance` under which type masses stay as they are.
inline constexpr double no_mass_steps = std::numeric_limits<double>::infinity();

/// Where a descent stands beside its state: what the next step depends on.
struct DescentPosition {
  int level_index = -1;
  double level = 0.0;           // epsilon over sigma^2
  std::int64_t sweep = 1;       // the next one at this level
  double change = 0.0;          // of the last step that was taken
  bool moves_masses = false;
  int momentum_steps = 0, rejections = 0;
  double mass_step = 0.0;       // eta
  std::vector<Matrix> previous; // means of the odd slices before the last step
  std::int64_t passes = 0;      // so far
  double seconds = 0.0;

  void visit_state(StateVisitor& v, const Chain& chain);
};

void visit_fields(DescentRecord& record, auto& field) {
  bool is_on_sample = record.stage == "sample";
  field(is_on_sample);
  record.stage = is_on_sample ? "sample" : "all";
  field(record.level);
  field(record.sweep);
  field(record.passes);
  field(record.epsilon);
  field(record.objective);
  field(record.regularized);
  field(record.gap);
  field(record.column_error);
  field(record.change);
  field(record.seconds);
  field(record.stop_reason);
}

/// Descends one state level by level and keeps the record of its checks.
///
/// One step is a sweep from a proposal: type masses moved along the path law (at the smooth level) and
/// means of the odd slices extrapolated by Nesterov's momentum. A step that does not lower F_eps is taken
/// back, the momentum dropped and, failing again, the mass step halved; so F_eps falls monotonically and
/// every state is feasible. With neither momentum nor mass step a sweep cannot raise F_eps.
class Descent {
 public:
  using Observer = std::function<void(const DescentRecord&)>;

  /// @param stop_check   asked after every step; a reason ends the descent in its present, feasible state. In a
  ///                     distributed descent all ranks must get the same answer
  Descent(const Chain& chain, const DescentOptions& options, std::string stage, Observer observer, StopCheck stop_check = {});

  /// Steps at `level` (epsilon over sigma^2) until a sweep without momentum and mass step lowers F_eps by
  /// at most `tolerance` relative, or until there is a reason to stop, of which every step asks. Mass steps go on until one gains at most `mass_tolerance` or twelve in a
  /// row are rejected.
  StopReason descend(double level, double tolerance, int max_sweeps, double mass_tolerance, ChainState& state);

  /// Of the present level, in units of the cost.
  double epsilon() const { return position_.level * chain_.variance; }

  /// While `stop_check` is asked: where the descent stands, and the record of the last step, which is yet to be shown.
  DescentPosition position() const;
  const std::optional<DescentRecord>& pending() const { return pending_; }

  /// The next call of `descend` goes on from here, with the state that belongs to it.
  void resume(DescentPosition position);

 private:
  SweepOptions sweep_options(double level) const;
  /// The first sweep at a level; when it fails the memberships of the level before remain, and with them its epsilon.
  std::optional<StopReason> enter_level(double level, const SweepOptions& options, ChainState& state);
  /// Whether F_eps of `next` lies above that of `state` by more than rounding and inner tolerance explain:
  /// a defect. `next` is only read where the gain is negative.
  bool has_risen(double epsilon, double scale, double gain, const ChainState& state, const ChainState& next) const;
  /// How a sweep without momentum and mass step ends the descent: solved, not to be solved further, or not yet.
  /// A loss above a tolerance that is finer than what F_eps resolves has not met it: `stagnated`.
  std::optional<StopReason> end_of(double epsilon, double tolerance, double scale, double gain, const ChainState& state,
                                   const std::optional<ChainState>& next) const;
  DescentRecord record_of(const ChainState& state, std::int64_t sweep, double change, std::optional<StopReason> reason) const;
  void record(const ChainState& state, std::int64_t sweep, double change, std::optional<StopReason> reason);
  double seconds() const;

  const Chain& chain_;
  DescentOptions options_;
  std::string stage_;
  Observer observer_;
  StopCheck stop_check_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::int64_t passes_before_ = num_passes(chain_);
  DescentPosition position_;
  std::optional<DescentRecord> pending_;
  bool is_resumed_ = false;
};

}  // namespace thalweg
