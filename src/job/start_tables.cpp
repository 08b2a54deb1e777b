#include "job/start_tables.hpp"

#include "job/run_record.hpp"

namespace thalweg {

namespace {

const std::vector<std::string> start_columns = {"start",     "name", "epsilon",     "F_anchors", "overlap_anchors",
                                                "merged_into", "F",  "E_gw",        "gap",       "outer",
                                                "evaluations", "seconds", "stop_reason", "overlap", "chosen"};

/// Of start s, from 0.
std::vector<TableCell> start_row(const MultiStartSolution& solution, std::size_t s, double unit) {
  const StartReport& start = solution.starts[s];
  return {static_cast<std::int64_t>(s + 1),
          start.name,
          unit * solution.best.epsilon,
          unit * start.anchor_primal,
          start.anchor_overlap,
          start.merged_into.empty() ? TableCell() : TableCell(start.merged_into),
          unit * start.primal,
          start.energy_gw,
          unit * start.gap,
          start.outer,
          start.evaluations,
          start.seconds,
          name_of(start.stop_reason),
          start.overlap,
          start.is_chosen};
}

void add_bounds(const LowerBounds& bounds, double energy, QuantityTable& report) {
  report.add("lower_bound", bounds.best(), "of E_gw over all couplings: the larger of the two below");
  report.add("lower_bound_flb", bounds.eccentricity, "transport of the eccentricities");
  if (bounds.distribution)
    report.add("lower_bound_tlb", *bounds.distribution, "transport of the distributions of distances, 64 bin means");
  report.add("gap_to_lower_bound", energy - bounds.best(), "E_gw less lower_bound");
}

}  // namespace

void add_starts(const MultiStartSolution& starts, double unit, QuantityTable& report) {
  report.add("start", starts.best_start, "that led to this coupling, of least F: tables/starts.tsv");
  report.add("ambiguous", starts.is_ambiguous,
             "a coupling of another start that shares less than 0.8 with this one has F within 2 % of its F");
  if (starts.is_ambiguous) report.add("other_start", starts.other_start, "of such couplings that of least F");
  if (starts.other) {
    report.add("other_E_gw", starts.other->energy_gw, "its quadratic loss");
    report.add("other_primal", unit * starts.other->primal, "its F");
  }
  if (starts.bounds) add_bounds(*starts.bounds, starts.best.energy_gw, report);
}

Table starts_table(const MultiStartSolution& solution, double unit) {
  Table table(start_columns);
  for (std::size_t s = 0; s < solution.starts.size(); ++s) table.add_row(start_row(solution, s, unit));
  return table;
}

Table starts_table(const std::vector<std::pair<std::string, const MultiStartSolution*>>& pairs) {
  std::vector<std::string> columns = start_columns;
  columns.insert(columns.begin(), "pair");
  Table table(columns);
  for (const auto& [pair, solution] : pairs)
    for (std::size_t s = 0; s < solution->starts.size(); ++s) {
      std::vector<TableCell> row = start_row(*solution, s, 1.0);
      row.insert(row.begin(), pair);
      table.add_row(std::move(row));
    }
  return table;
}

}  // namespace thalweg
