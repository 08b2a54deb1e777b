// Alignment from several starts, the best chosen by F alone.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "solvers/gromov/gromov.hpp"
#include "solvers/gromov/lower_bounds.hpp"

namespace thalweg {

/// Cells that stand for all: drawn one by one (anchors.hpp), or the first ones, of points in an order in which each is
/// far from those before.
enum class AnchorChoice { drawn, leading };

struct MultiStartSettings {
  GromovSettings solve = {};   // of every start, whose start and annealing are its own
  std::int64_t starts = 8;     // as in start_couplings.hpp; 1: solve.start alone, on all cells at once
  std::int64_t anchors = 512;  // of a side; sides of no more cells are solved whole from every start
  AnchorChoice choice = AnchorChoice::drawn;
  std::int64_t carried = 3;  // from the anchors to all cells
  std::int64_t exchange_groups = 0;  // of the sources: after the other starts, with two of them exchanged; 0: none
  SharedEntries given = {};  // the first start, on all cells and not annealed; null: none
  bool wants_bounds = true;
  bool keeps_others = false;  // all solutions on all cells, not just the best and one that makes it doubtful
  Checkpoint* checkpoint = nullptr;  // keeps the state of all between runs, settings.solve's own is not read; null: none
  bool keeps_end = false;            // and the end, where this is one of several problems of a run
};

/// The name of the start from settings.given.
inline constexpr const char* given_start = "given";

/// What became of one start. NaN and empty where it was not solved on anchors, or not on all cells.
struct StartReport {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();

  std::string name;
  double anchor_primal = absent;   // F on the anchors
  double anchor_overlap = absent;  // with the start of the chosen coupling, on the anchors
  std::string merged_into;         // start of less F with nearly the same coupling on the anchors
  bool is_carried = false;         // solved on all cells
  double primal = absent, energy_gw = absent, gap = absent;
  double overlap = absent;                  // with the chosen coupling: CouplingSample
  std::int64_t outer = 0, evaluations = 0;  // on anchors and all cells
  double seconds = 0.0;
  StopReason stop_reason = StopReason::converged;  // on all cells where solved there
  bool is_chosen = false;
  std::vector<GromovRecord> history;  // on all cells
};

struct MultiStartSolution {
  GromovSolution best;
  std::string best_start;
  std::vector<StartReport> starts;
  std::optional<LowerBounds> bounds;
  bool is_ambiguous = false;  // a coupling that shares less than 0.8 with the best has F within 2 % of its F
  std::string other_start;    // of such couplings that of least F
  std::optional<GromovSolution> other;  // that coupling, where it was solved on all cells and is still held
  std::vector<std::pair<std::string, GromovSolution>> others;  // by F, with their starts, where the settings ask for them
};

/// Solutions on all cells that there are at once. @param most_cells   of the larger side
std::int64_t most_kept(const MultiStartSettings& settings, std::int64_t most_cells);

/// Starts that exchange groups, at most.
std::int64_t num_exchanges(const MultiStartSettings& settings);

/// Told the name of the start with each step on all cells, and the last one again with the reason of its end.
using StartObserver = std::function<void(const std::string& start, const GromovRecord&)>;

/// Solves from every start and returns the solution of least F at the problem's epsilon: a converged one before others
/// of an F that is less by a thousandth at most.
///
/// A `given` coupling is one of the starts. Sides of at most `anchors` cells are solved whole from every start. Else all
/// starts are solved on anchors, dealt to the ranks, to a tolerance of 1e-4; couplings that share more than 0.9 with one
/// of less F are merged into it; the `carried` ones of least F, none more than 10 % above the least, are taken to all
/// cells as K of the coupling of the anchors and finished there at the final epsilon. A solve that was told to stop ends
/// with the best coupling so far and that reason. With `exchange_groups` = g, g (g - 1) / 2 further starts are the
/// coupling of least F so far with the partners of two groups of sources exchanged (start_couplings.hpp), solved like the
/// others but annealed from a fifth of epsilon_start: where distances hardly tell groups apart, annealing leads all starts to the
/// same of two solutions. From the anchors such a start is carried where its F is within 2 % of the least. They belong to balanced problems without linear costs and more than two starts. Relaxed marginals have the first two starts alone, proximal steps the
/// first; bounds are those of E_gw in balanced problems. The same on any number of ranks. With settings.checkpoint it
/// goes on from the state that is there: starts that are done are not solved again, those under way go on at their
/// evaluation. Collective.
/// @throws what solve_gromov does, NumericalError where no start ends in numbers
MultiStartSolution solve_gromov_from_starts(const Context& context, const GromovProblem& problem,
                                            const MultiStartSettings& settings, const StartObserver& observer = {},
                                            const StopCheck& stop_check = {});

}  // namespace thalweg
