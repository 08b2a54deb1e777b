// Starts solved on all cells, one after another, and the best of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// Before any number that is no value.
bool is_less_primal(double x, double y);
bool is_close_primal(double primal, double least, double share);

/// The coupling of least F among those that are within 2 % of the chosen one in F and share less than 0.8 with it: on
/// all cells, else on the anchors.
std::optional<std::size_t> closest_other(const std::vector<StartReport>& starts);

/// Holds the best solution and those that may make it doubtful, at most two between solves of more cells than there are
/// anchors; samples of all.
class Contest {
 public:
  Contest(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings);
  void watch(const StartObserver& observer, const StopCheck& stop_check);
  /// What is kept between runs beside the contest itself. @param around   lists both
  void keep_with(VisitState around) { around_ = std::move(around); }

  /// So far; null before the first start.
  const GromovSolution* best() const { return kept_.empty() ? nullptr : &kept_.front().solution; }
  bool is_stopped() const { return stopped_.has_value(); }
  /// From here on: nothing is saved, and one start is solved as far as it takes to have a coupling.
  void stop(StopReason reason) { stopped_ = reason; }
  bool has(const std::string& start) const;
  /// Whether this run has solved any of its starts.
  bool has_entered() const { return is_asked_; }

  /// Solves a start, unless the contest has it, or is stopped and has another. Collective.
  void enter(StartReport report, const GromovSettings& settings);

  /// Overlaps of all starts with the best one; of the others that is left which makes it most doubtful. Collective.
  /// @throws NumericalError where no start ended in numbers
  void finish();
  /// Where a state may be saved that no solve is part of.
  void save(const std::string& stage, bool is_stopping);
  MultiStartSolution result() &&;

  void visit_state(StateVisitor& v);
  /// After a state was restored: what it does not list. Collective.
  void rebuild();

 private:
  struct Kept {
    std::size_t start = 0;
    GromovSolution solution;
  };

  void ask();
  GromovSolution solve(const std::string& start, const GromovSettings& settings);
  void add(StartReport report, GromovSolution solution);
  double overlap(std::size_t s, std::size_t t) const;
  void sort_kept();
  void drop_others();

  const Context& context_;
  const GromovProblem& problem_;
  const MultiStartSettings& settings_;
  bool is_small_;
  StartObserver observer_;
  StopCheck stop_check_;
  VisitState around_;
  std::optional<StopReason> stopped_;
  bool is_asked_ = false;    // the first start of a run begins without a question
  bool is_solving_ = false;  // a start; of a state that was restored: it has that solve
  std::vector<StartReport> reports_;
  std::vector<CouplingSample> samples_;
  std::vector<Kept> kept_;  // the best first, then by F
};

}  // namespace thalweg
