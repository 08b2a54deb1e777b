#include "job/gromov_sweep.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "job/gromov_cells.hpp"
#include "solvers/gromov/cell_coupling.hpp"

namespace thalweg {

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

/// One row of the table.
struct SweepRow {
  std::int64_t k = 0;
  double epsilon = 0.0, primal = 0.0, energy = 0.0, bound = 0.0, gap = 0.0;
  StopReason stop_reason = StopReason::converged;
  std::string start;
  std::optional<bool> is_ambiguous;  // absent: followed from a larger epsilon, other starts were not tried
  double overlap_next = absent;      // with the coupling of the next larger k at this epsilon
  std::vector<std::pair<std::string, double>> scores;
};

std::vector<std::int64_t> neighbours_of(const Job& job, const TransportSides& sides) {
  std::vector<std::int64_t> values = job.sweep.geodesic_k;
  if (values.empty()) values = {geodesic_k_of(job.gromov, sides.source.num_cells, sides.target.num_cells)};
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<double> epsilons_of(const Job& job) {
  std::vector<double> values = job.sweep.epsilon;
  if (values.empty()) values = {job.gromov.epsilon};
  std::sort(values.begin(), values.end(), std::greater<>());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

class Sweep {
 public:
  Sweep(JobSession& session, const Job& job, const TransportSides& sides, const CellPairs& pairs,
        bool low_rank, const SweepSolver& solve)
      : session_(session),
        job_(job),
        sides_(sides),
        pairs_(pairs),
        low_rank_(low_rank),
        solve_(solve),
        epsilons_(epsilons_of(job)) {}

  StopReason run() {
    const std::int64_t most = std::min(sides_.source.num_cells, sides_.target.num_cells);
    for (const std::int64_t k : neighbours_of(job_, sides_))
      if (k > most)
        throw DataError("sweep.geodesic_k = " + std::to_string(k) + " is more than the " + std::to_string(most) +
                        " cells of the smaller side; choose smaller values");
    for (const std::int64_t k : neighbours_of(job_, sides_)) {
      add_neighbours(k);
      if (is_stop_request(reason_)) break;
    }
    return reason_;
  }

  Table table() const {
    std::vector<std::string> columns = {"geodesic_k",  "epsilon", "F",         "E_gw",           "lower_bound", "gap",
                                        "stop_reason", "start",   "ambiguous", "overlap_next_k", "most_overlap"};
    if (!rows_.empty())
      for (const auto& [name, value] : rows_.front().scores) columns.push_back(name);
    Table table(columns);
    const auto [first, second] = steadiest();
    for (const SweepRow& row : rows_) {
      std::vector<TableCell> cells = {
          row.k, row.epsilon, row.primal, row.energy, row.bound, row.gap, name_of(row.stop_reason), row.start};
      cells.push_back(row.is_ambiguous ? TableCell(*row.is_ambiguous) : TableCell());
      cells.insert(cells.end(), {row.overlap_next, row.k == first || row.k == second});
      for (const auto& [name, value] : row.scores) cells.push_back(value);
      table.add_row(std::move(cells));
    }
    return table;
  }

  /// The two neighbouring k whose couplings share most, on average over epsilon; 0 where there is one k.
  std::pair<std::int64_t, std::int64_t> steadiest() const {
    double most = -1.0;
    std::pair<std::int64_t, std::int64_t> interval{0, 0};
    for (std::size_t begin = 0; begin + epsilons_.size() < rows_.size(); begin += epsilons_.size()) {
      double sum = 0.0;
      for (std::size_t e = 0; e < epsilons_.size(); ++e) sum += rows_[begin + e].overlap_next;
      if (!(sum > most)) continue;
      most = sum;
      interval = {rows_[begin].k, rows_[begin + epsilons_.size()].k};
    }
    return interval;
  }

 private:
  void add_neighbours(std::int64_t k) {
    const AlignmentCosts costs = alignment_costs_with(session_.solver_context(), job_, sides_, k, low_rank_);
    std::vector<GromovSolution> solutions;
    double bound = absent;
    for (const double epsilon : epsilons_) {
      SweepPoint point{sides_.pair + " k " + std::to_string(k) + " epsilon " + shortest_number(epsilon), costs, epsilon};
      point.keep_linear = epsilon != epsilons_.back();
      if (!solutions.empty()) point.before = &solutions.back();
      MultiStartSolution solution = solve_(point);
      if (solutions.empty()) bound = solution.bounds ? solution.bounds->best() : absent;
      else solutions.back().linear.reset();
      add_row(k, solution, bound, !solutions.empty());
      if (is_stop_request(solution.best.stop_reason)) {
        reason_ = solution.best.stop_reason;
        return;
      }
      solutions.push_back(std::move(solution.best));
    }
    compare(solutions);
    before_ = std::move(solutions);
  }

  void add_row(std::int64_t k, const MultiStartSolution& solution, double bound, bool is_followed) {
    const GromovSolution& best = solution.best;
    SweepRow row;
    row.k = k;
    row.epsilon = best.coupling.epsilon;
    row.primal = best.primal;
    row.energy = best.energy_gw;
    row.bound = bound;
    row.gap = best.gap;
    row.stop_reason = best.stop_reason;
    row.start = is_followed ? rows_.back().start : solution.best_start;
    if (!is_followed) row.is_ambiguous = solution.is_ambiguous;
    log_info("geodesic_k " + std::to_string(k) + ", epsilon " + rounded_number(row.epsilon) + ": E_gw " +
             rounded_number(row.energy, 6) + ", F " + rounded_number(row.primal, 6) + ", " + name_of(row.stop_reason));
    row.scores = scores_of(best);
    rows_.push_back(std::move(row));
  }

  std::vector<std::pair<std::string, double>> scores_of(const GromovSolution& solution) const {
    std::vector<std::pair<std::string, double>> scores;
    if (pairs_.source.empty() && sides_.source.categories.empty()) return scores;
    const Alignment alignment = describe_alignment(session_.comm(), sides_, solution);
    const Table table = score_table_of(session_.comm(), sides_, pairs_, joint_space(sides_.source, alignment.target),
                                       joint_space(sides_.target, alignment.source));
    for (const std::vector<TableCell>& row : table.rows())
      scores.emplace_back(std::get<std::string>(row[0]), std::get<double>(row[1]));
    return scores;
  }

  /// Overlaps of the couplings of the k before with those of this one.
  void compare(const std::vector<GromovSolution>& solutions) {
    if (before_.empty()) return;
    const std::size_t first = rows_.size() - 2 * epsilons_.size();
    for (std::size_t e = 0; e < epsilons_.size(); ++e)
      rows_[first + e].overlap_next = overlap_of(session_.comm(), before_[e], solutions[e]);
  }

  JobSession& session_;
  const Job& job_;
  const TransportSides& sides_;
  const CellPairs& pairs_;
  bool low_rank_;
  const SweepSolver& solve_;
  std::vector<double> epsilons_;
  std::vector<SweepRow> rows_;  // k after k, epsilons within
  std::vector<GromovSolution> before_;
  StopReason reason_ = StopReason::converged;
};

}  // namespace

StopReason run_sweep(JobSession& session, const Job& job, const TransportSides& sides, const CellPairs& pairs,
                     bool low_rank, const SweepSolver& solve) {
  Sweep sweep(session, job, sides, pairs, low_rank, solve);
  const StopReason reason = sweep.run();
  session.write_table("sweep", sweep.table());
  const auto [first, second] = sweep.steadiest();
  if (first == 0) return reason;
  log_warning(
      "not_comparable",
      "losses of different geodesic_k are of different costs: the least of them selects nothing; the couplings of "
      "geodesic_k = " +
          std::to_string(first) + " and " + std::to_string(second) +
          ", neighbours in the sweep, share most: column most_overlap of tables/sweep.tsv");
  return reason;
}

}  // namespace thalweg
