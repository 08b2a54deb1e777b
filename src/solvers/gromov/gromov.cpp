#include "solvers/gromov/gromov.hpp"

#include <memory>
#include <utility>

#include "distributed/part_checkpoint.hpp"
#include "solvers/gromov/frank_wolfe.hpp"
#include "solvers/gromov/outer_loop.hpp"
#include "solvers/gromov/unbalanced_loop.hpp"

namespace thalweg {

namespace {

/// Mirror descent, then Frank-Wolfe steps: the state of either is a part of that of both.
class SharpSolve {
 public:
  SharpSolve(const Context& context, const GromovProblem& problem, const GromovSettings& settings)
      : context_(context), problem_(problem), settings_(settings) {
    check_frank_wolfe(context, problem);
    is_there_ = settings.checkpoint != nullptr && settings.checkpoint->restore(around());
  }

  GromovSolution solve(const GromovObserver& observer, const StopCheck& stop_check) {
    GromovSolution start;
    if (!is_sharp_) {
      const Part mirror = part("mirror descent");
      OuterLoop loop(context_, problem_, mirror.settings);
      loop.watch(observer, stop_check);
      start = loop.solve();
      if (is_stop_request(start.stop_reason) || start.stop_reason == StopReason::nonfinite) return start;
    }
    is_sharp_ = true;
    const Part exact = part("exact steps");
    FrankWolfe sharp(context_, problem_, exact.settings);
    sharp.watch(observer, stop_check);
    if (!sharp.restore()) sharp.begin(std::move(start));
    return sharp.solve();
  }

 private:
  struct Part {
    std::unique_ptr<PartCheckpoint> checkpoint;
    GromovSettings settings;
  };

  Part part(const char* stage) {
    Part part{nullptr, settings_};
    if (settings_.checkpoint == nullptr) return part;
    part.checkpoint =
        std::make_unique<PartCheckpoint>(*settings_.checkpoint, stage, around(), std::exchange(is_there_, false));
    part.settings.checkpoint = part.checkpoint.get();
    return part;
  }
  VisitState around() {
    return [this](StateVisitor& v) { v.scalar("is_sharp", is_sharp_); };
  }

  const Context& context_;
  const GromovProblem& problem_;
  const GromovSettings& settings_;
  bool is_sharp_ = false;  // Frank-Wolfe steps are under way
  bool is_there_ = false;  // a state of the part under way, that was restored
};

}  // namespace

GromovSolution solve_gromov(const Context& context, const GromovProblem& problem, const GromovSettings& settings,
                            const GromovObserver& observer, const StopCheck& stop_check) {
  if (settings.algorithm == GromovAlgorithm::frank_wolfe)
    return SharpSolve(context, problem, settings).solve(observer, stop_check);
  if (problem.mode == GromovMode::unbalanced) {
    UnbalancedLoop loop(context, problem, settings);
    loop.watch(observer, stop_check);
    return loop.solve();
  }
  OuterLoop loop(context, problem, settings);
  loop.watch(observer, stop_check);
  return loop.solve();
}

}  // namespace thalweg
