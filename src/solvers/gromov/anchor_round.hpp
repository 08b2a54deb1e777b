// All starts on a few cells of both sides.
#pragma once

#include <functional>
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
  std::vector<Start> starts;  // then those that exchange groups
  std::size_t num_first = 0;  // starts before these
  std::vector<std::vector<float>> couplings;   // of those that are done, anchors x anchors
  std::vector<std::vector<double>> under_way;  // states of those that were stopped

  std::string name_of(std::size_t s) const;
  void visit_state(StateVisitor& v);
};

class AnchorRound {
 public:
  /// @param results   those of an earlier run, or none; written to. Collective.
  AnchorRound(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings,
              AnchorResults& results);

  /// Starts that are not done: start s by rank s mod ranks; those that exchange groups of the best coupling after the
  /// others. A rank that is told to stop leaves its own under way.
  /// Collective.
  std::optional<StopReason> solve(const StopCheck& stop_check);

  /// Mass that the couplings of two starts share; NaN where one is not done.
  double overlap(std::size_t s, std::size_t t) const;

  /// Starts that are done by F, each with the start of less F that it repeats, or itself.
  std::vector<std::pair<std::size_t, std::size_t>> merged() const;

  /// Whether a start stands for none of those before the exchanges. @param merged   merged()
  bool is_new(std::size_t s, const std::vector<std::pair<std::size_t, std::size_t>>& merged) const;

  CellCoupling coupling(std::size_t s) const;

 private:
  static AnchorSide side_of(const Context& context, const IntraCosts& costs, const std::vector<double>& weights,
                            const MultiStartSettings& settings, std::uint32_t stream);
  int owner_of(std::size_t s) const { return static_cast<int>(s) % comm_.size(); }
  using MakeStart = std::function<StartCoupling(std::size_t)>;
  std::optional<StopReason> solve_some(std::size_t begin, std::size_t end, const MakeStart& make,
                                       const StopCheck& stop_check);
  std::optional<StopReason> solve_one(std::size_t s, const StartCoupling& start, const StopCheck& stop_check);
  /// Of the starts before exchanges; absent where none ended in numbers.
  std::optional<std::size_t> best_first() const;
  void share(std::size_t s);

  const Communicator& comm_;
  std::unique_ptr<Communicator> own_comm_;
  Context own_;
  GromovSettings settings_;
  AnchorSide source_, target_;
  AnchorLinear linear_;
  GromovProblem problem_;
  std::int64_t groups_ = 0;
  AnchorResults& results_;
};

/// How a start is solved: from its coupling, annealed or not.
GromovSettings settings_from(const GromovSettings& settings, const StartCoupling& start, const GromovProblem& problem);

}  // namespace thalweg
