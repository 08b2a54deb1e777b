// Anderson acceleration of Sinkhorn with the safeguards that make it no slower than plain updates.
#pragma once

#include <limits>

#include "solvers/sinkhorn/acceleration.hpp"
#include "solvers/sinkhorn/anderson.hpp"

namespace thalweg {

/// Mixed points, from three images on, unless
///   - a mixed point lies more than 20 epsilon from the image: the image is taken;
///   - a mixed point's residual is not finite or above twice the smallest: the image of the last accepted point is taken
///     and the history dropped; twice within 10 evaluations: then 5 plain points;
///   - for 60 evaluations neither the residual fell nor D rose to a new best: a history of 4; once more: plain points;
///   - the residual does not respond to steps, by less than 1 %: then least squares know nothing, and potentials have to
///     move by many epsilon until mass finds another way. The plain step is repeated 2, 4, 8, .. times at once.
class AndersonSteps : public Accelerator {
 public:
  AndersonSteps(std::span<const double> weights, double epsilon, std::size_t history);

  NextPoint next(const Iterate& now) override;
  void visit_state(StateVisitor& v) override;

 private:
  bool is_rejected(double residual) const;
  NextPoint take_back();
  void note_progress(const Iterate& now);
  NextPoint mixed_or_image(const Iterate& now);
  NextPoint stretched(const Iterate& now);

  AndersonHistory history_;
  double epsilon_;
  std::vector<double> last_image_;  // of the last accepted point
  double smallest_residual_ = std::numeric_limits<double>::infinity();
  double largest_dual_ = -std::numeric_limits<double>::infinity();
  std::int64_t evaluation_ = 0, last_restart_ = 0, progress_at_ = 0;
  double stretch_ = 1.0;
  int plain_left_ = 0;
  bool is_mixed_ = false;           // the point now seen
  bool is_short_ = false, is_plain_ = false;
};

}  // namespace thalweg
