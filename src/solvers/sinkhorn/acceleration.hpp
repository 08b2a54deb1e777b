// What the next g is, given the points so far.
#pragma once

#include <memory>

#include "distributed/state_visitor.hpp"
#include "solvers/sinkhorn/fixed_point.hpp"

namespace thalweg {

struct NextPoint {
  std::vector<double> g;
  bool is_accelerated = false;
  bool is_restart = false;  // the last step is taken back

  void visit_state(StateVisitor& v);
};

/// Sees every iterate of one epsilon once, in order.
class Accelerator {
 public:
  virtual ~Accelerator() = default;
  virtual NextPoint next(const Iterate& now) = 0;
  /// Lists everything that the next points depend on.
  virtual void visit_state(StateVisitor& v) = 0;
};

/// @param weights  b
std::unique_ptr<Accelerator> make_accelerator(const SinkhornSettings& settings, std::span<const double> weights, double epsilon);

}  // namespace thalweg
