// The largest problem and the fewest ranks for which a plan fits.
#include <algorithm>
#include <functional>

#include "job/plan.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t most_ranks = std::int64_t{1} << 31;
constexpr std::int64_t largest_count = std::int64_t{1} << 60;

/// Largest k in [0, most] for which `holds`, which is true up to some k and false beyond; 0 when it never is.
std::int64_t largest_that(std::int64_t most, const std::function<bool(std::int64_t)>& holds) {
  std::int64_t low = 0, high = most + 1;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

PlanInput with_cells(const PlanInput& input, std::int64_t num_cells) {
  WideInt before = 0;
  for (const WideInt n : input.cells_per_slice) before += n;
  PlanInput scaled = input;
  const auto scale = [&](std::int64_t count) {
    return static_cast<std::int64_t>(std::min(WideInt{count} * num_cells / before, WideInt{largest_count}));
  };
  for (std::int64_t& n : scaled.cells_per_slice) n = std::max<std::int64_t>(1, scale(n));
  scaled.num_obs = scale(input.num_obs);
  scaled.stored_entries = scale(input.stored_entries);
  return scaled;
}

}  // namespace

bool fits(const PlanInput& input, std::int64_t num_ranks, const RankBudget& budget) {
  const PhaseBytes peak = plan_memory(input, num_ranks).peak();
  return peak.host <= budget.host && (!input.on_device || peak.device <= budget.device);
}

std::int64_t ranks_needed(const PlanInput& input, const RankBudget& budget) {
  if (!fits(input, most_ranks, budget)) return 0;
  return 1 + largest_that(most_ranks - 1, [&](std::int64_t ranks) { return !fits(input, ranks, budget); });
}

std::int64_t most_cells(const PlanInput& input, std::int64_t num_ranks, const RankBudget& budget) {
  return largest_that(largest_count,
                      [&](std::int64_t cells) { return fits(with_cells(input, cells), num_ranks, budget); });
}

std::int64_t most_features(const PlanInput& input, std::int64_t num_ranks, const RankBudget& budget) {
  return largest_that(largest_count, [&](std::int64_t features) {
    PlanInput changed = input;
    changed.num_features = features;
    return fits(changed, num_ranks, budget);
  });
}

}  // namespace thalweg
