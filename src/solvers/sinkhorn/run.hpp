// The iteration: annealing stages, accelerated steps at the final epsilon, stop tests.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "solvers/sinkhorn/acceleration.hpp"

namespace thalweg {

/// One solve in progress. Every decision rests on values that are the same on all ranks.
class SinkhornRun {
 public:
  SinkhornRun(const Context& context, const SinkhornProblem& problem, const PreparedTransport& transport,
              const SinkhornSettings& settings);
  SinkhornRun(const SinkhornRun&) = delete;

  void watch(const SinkhornObserver& observer, const StopCheck& stop_check);

  /// Iterates to a stop reason and writes counters and history. Collective.
  /// @return the best iterate, evaluated in float64; none of a solve that was told to stop and goes on from its state later
  std::optional<Iterate> solve(SinkhornSolution& solution);

  /// Arithmetic in float64 over the same packed numbers, at the final epsilon.
  PairGeometry& exact_geometry();

 private:
  using Stop = std::optional<StopReason>;

  void begin();
  void begin_annealing();
  Stop anneal();
  Stop iterate();
  bool is_check_due() const;
  bool anneals_again(const Iterate& now);
  bool advance(const Iterate& now);
  Stop end_of_solve(const Iterate& now);
  Stop limit(const Iterate& now) const;
  StepRequest request() const;
  /// Saves the state if that is asked for, and passes on the reason to stop.
  Stop keep(const StepRequest& request);
  void visit_state(StateVisitor& v);
  double seconds() const;

  void enter(double epsilon);
  Iterate evaluate();
  Iterate evaluate_exact(const std::vector<double>& g, std::span<const double> f_before);
  void record(const Iterate& now, Stop stop);
  void keep_best(const Iterate& now);
  bool is_stagnant() const;
  bool is_within_tolerance(const Iterate& now) const;
  bool is_gap_closed(const Iterate& exact);
  Stop confirm(const Iterate& now);
  void continue_in_float64();

  const Context& context_;
  const SinkhornProblem& problem_;
  const PreparedTransport& transport_;
  const SinkhornSettings& settings_;
  SinkhornObserver observer_;
  StopCheck stop_check_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();

  PairGeometry* geometry_;                       // that iterates
  std::unique_ptr<PairGeometry> exact_;          // made on first use when the problem's own is float32
  bool is_float64_;
  bool is_probed_ = false;                       // the rounding of float32 has been measured
  bool may_anneal_again_ = false;                // after a warm start
  double mean_cost_ = 0.0;
  bool is_annealing_ = false;
  std::int64_t level_ = 0, anneal_step_ = 0;
  std::unique_ptr<Accelerator> accelerator_;     // of the present `iterate`

  NextPoint point_;                              // to be evaluated next
  std::vector<double> f_;                        // of the last evaluation
  std::vector<double> best_g_;
  double best_error_ = 0.0, stagnation_error_ = 0.0, stagnation_dual_ = 0.0;
  std::int64_t stagnation_evaluation_ = 0, first_evaluation_ = 0;  // of the present `iterate`
  std::optional<Iterate> confirmed_;
  SinkhornSolution counters_;                    // counts and history only
};

}  // namespace thalweg
