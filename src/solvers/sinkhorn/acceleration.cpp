#include "solvers/sinkhorn/acceleration.hpp"

#include "solvers/sinkhorn/anderson_steps.hpp"
#include "solvers/sinkhorn/overrelaxed_steps.hpp"

namespace thalweg {

namespace {

class PlainSteps : public Accelerator {
 public:
  NextPoint next(const Iterate& now) override { return {now.image}; }
  void visit_state(StateVisitor&) override {}
};

}  // namespace

void NextPoint::visit_state(StateVisitor& v) {
  v.replicated("g", g);
  v.scalar("is_accelerated", is_accelerated);
  v.scalar("is_restart", is_restart);
}

std::unique_ptr<Accelerator> make_accelerator(const SinkhornSettings& settings, std::span<const double> weights, double epsilon) {
  switch (settings.acceleration) {
    case Acceleration::anderson:
      return std::make_unique<AndersonSteps>(weights, epsilon, static_cast<std::size_t>(settings.anderson_history));
    case Acceleration::overrelax: return std::make_unique<OverrelaxedSteps>();
    case Acceleration::none: break;
  }
  return std::make_unique<PlainSteps>();
}

}  // namespace thalweg
