// Time of a job on machines that are not at hand, from measured rates: arithmetic only.
#pragma once

#include <cstdint>

#include "job/machine_options.hpp"
#include "job/plan.hpp"

namespace thalweg {

/// How an evaluation of entropic transport is spread: `strip` and `two_pass` with both clouds on every rank, `ring` with
/// blocks of the clouds passed on.
enum class TransportForm { strip, two_pass, ring };

/// n, m and d of an evaluation, and the bytes in which potentials travel.
struct EvaluationShape {
  std::int64_t n = 0, m = 0, d = 0;
  TransportForm form = TransportForm::two_pass;
  std::int64_t row_bytes = 4, column_bytes = 8;  // of a row's bias and of a column's sum
  std::int64_t coordinate_bytes = 4;
  bool is_double = false;
};

/// What one iteration takes on a number of ranks: an evaluation of transport, or a low-rank pass over all slices.
struct IterationTime {
  double compute_s = 0.0;        // of the rank with most rows
  double communication_s = 0.0;  // not hidden behind computing
  double bytes = 0.0;            // received by a rank

  double total() const { return compute_s + communication_s; }
};

/// Both updates of the potentials:
///
///   strip       compute n m (s + d s_d) / G;      all-reduce of 8 m bytes
///   two_pass    compute 2 n m (t + d t_d) / G;    all-gather of w_x n + w_y m bytes
///   ring        the same, beside 2 passes of points, (n + m) d b (G - 1) / G bytes, hidden while they take no longer
///
/// An all-gather of S bytes takes S (G - 1) / G / beta + 2 alpha ceil(log2 G), an all-reduce moves twice that; beta is that
/// within a node where G ranks fit into one, else that between nodes. Rows a rank that do not fill waves of a device
/// count as if they did.
/// Source: docs/math.md 12.
IterationTime evaluation_time(const EvaluationShape& shape, const MachineOptions& machine, std::int64_t num_ranks);

/// A pass over all slices: 4 n r (p + 2) flops a slice, and an all-reduce of 8 ((p + 2) r + r^2) bytes each.
IterationTime pass_time(const PlanInput& input, const MachineOptions& machine, std::int64_t num_ranks);

/// One of the two for the command of a plan. Throws ConfigError for commands that have no model.
IterationTime iteration_time(const PlanInput& input, const MachineOptions& machine, std::int64_t num_ranks);

/// Whether there is a model for the command.
bool has_cost_model(const PlanInput& input);

/// t_1 / (G t_G).
double parallel_efficiency(const IterationTime& one, const IterationTime& many, std::int64_t num_ranks);

/// Efficiencies of ranks that do not all take the same time.
struct EfficiencyBand {
  double low = 1.0, median = 1.0, high = 1.0;  // 5 %, 50 %, 95 % over iterations
};

/// Every rank's compute time times exp(spread z), z normal; an iteration waits for the slowest. By drawing iterations:
/// the same numbers each time.
EfficiencyBand straggler_band(const IterationTime& one, const IterationTime& many, std::int64_t num_ranks, double spread);

/// Seconds to write a state of the solve.
double state_seconds(const PlanInput& input, const MachineOptions& machine);

/// Seconds to read the features.
double reading_seconds(const PlanInput& input, const MachineOptions& machine);

/// Seconds before the end at which a job is told to stop, so that an iteration and its state fit in between:
/// max(120, 2 x iteration + 3 x state + 30), rounded up to minutes.
std::int64_t lead_seconds(double iteration_s, double state_s);

}  // namespace thalweg
