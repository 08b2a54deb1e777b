// All starts on a few cells of both sides.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "solvers/gromov/anchors.hpp"
#include "solvers/gromov/multi_start.hpp"
#include "solvers/gromov/start_couplings.hpp"

namespace thalweg {

/// Starts solved on the anchors; the same on all ranks.
struct AnchorResults {
  struct Start {
    bool is_done = false;
    double primal = StartReport::absent;
    std::int64_t outer = 0, evaluations = 0;
    double seconds = 0.0;
    StopReason stop_reason = StopReason::converged;
  };
  std::vector<Start> starts;
  std::vector<std::vector<float>> couplings;   // of those that are done, anchors x anchors
  std::vector<std::vector<double>> under_way;  // states of those that were stopped

  void visit_state(StateVisitor& v);
};

class AnchorRound {
 public:
  /// @param results   those of an earlier run, or none; written to. Collective.
  AnchorRound(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings,
              AnchorResults& results);

  /// Starts that are not done: start s by rank s mod ranks. A rank that is told to stop leaves its own under way.
  /// Collective.
  std::optional<StopReason> solve(const StopCheck& stop_check);

  /// Mass that the couplings of two starts share; NaN where one is not done.
  double overlap(std::size_t s, std::size_t t) const;

  /// Starts that are done by F, each with the start of less F that it repeats, or itself.
  std::vector<std::pair<std::size_t, std::size_t>> merged() const;

  CellCoupling coupling(std::size_t s) const;

 private:
  static AnchorSide side_of(const Context& context, const IntraCosts& costs, const std::vector<double>& weights,
                            const MultiStartSettings& settings, std::uint32_t stream);
  int owner_of(std::size_t s) const { return static_cast<int>(s) % comm_.size(); }
  std::optional<StopReason> solve_one(std::size_t s, const StartCouplings& couplings, const StopCheck& stop_check);
  void share(std::size_t s);

  const Communicator& comm_;
  std::unique_ptr<Communicator> own_comm_;
  Context own_;
  GromovSettings settings_;
  AnchorSide source_, target_;
  AnchorLinear linear_;
  GromovProblem problem_;
  AnchorResults& results_;
};

/// How a start is solved: from its coupling, annealed or not.
GromovSettings settings_from(const GromovSettings& settings, const StartCoupling& start, const GromovProblem& problem);

}  // namespace thalweg
