#include "solvers/sinkhorn/anderson_steps.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr double largest_move = 20.0;  // in units of epsilon
constexpr double largest_growth = 2.0;
constexpr std::int64_t near_restart = 10, patience = 60;
constexpr int plain_after_restarts = 5;
constexpr double no_response = 0.01;  // relative change of the residual
constexpr std::size_t least_differences = 2, short_history = 4;

bool is_near(std::span<const double> g, std::span<const double> image, double distance) {
  for (std::size_t j = 0; j < g.size(); ++j)
    if (!(std::abs(g[j] - image[j]) <= distance)) return false;
  return true;
}

}  // namespace

AndersonSteps::AndersonSteps(std::span<const double> weights, double epsilon, std::size_t history)
    : history_(weights, history), epsilon_(epsilon) {}

NextPoint AndersonSteps::next(const Iterate& now) {
  ++evaluation_;
  if (is_rejected(now.residual)) return take_back();
  note_progress(now);
  last_image_ = now.image;
  std::vector<double> residual(now.g.size());
  for (std::size_t j = 0; j < residual.size(); ++j) residual[j] = (now.image[j] - now.g[j]) / epsilon_;
  history_.add(now.image, std::move(residual));
  return mixed_or_image(now);
}

bool AndersonSteps::is_rejected(double residual) const {
  return is_mixed_ && !(residual <= largest_growth * smallest_residual_);
}

NextPoint AndersonSteps::take_back() {
  if (last_restart_ > 0 && evaluation_ - last_restart_ <= near_restart) plain_left_ = plain_after_restarts;
  last_restart_ = evaluation_;
  history_.clear();
  is_mixed_ = false;
  stretch_ = 1.0;
  return {last_image_, false, true};
}

/// A plain update raises D by about epsilon rho^2 / 2: half of that is progress too.
void AndersonSteps::note_progress(const Iterate& now) {
  const bool has_risen = now.dual > largest_dual_ + 0.25 * epsilon_ * now.residual * now.residual;
  if (now.residual < smallest_residual_ || has_risen) progress_at_ = evaluation_;
  smallest_residual_ = std::min(smallest_residual_, now.residual);
  largest_dual_ = std::max(largest_dual_, now.dual);
  if (evaluation_ - progress_at_ < patience) return;
  is_plain_ = is_short_;
  is_short_ = true;
  progress_at_ = evaluation_;
  history_.shorten(short_history);
}

/// g+ + s (g+ - g), s doubling from use to use, at most 20 epsilon from g+.
NextPoint AndersonSteps::stretched(const Iterate& now) {
  stretch_ *= 2.0;
  double largest = 0.0;
  for (std::size_t j = 0; j < now.g.size(); ++j) largest = std::max(largest, std::abs(now.image[j] - now.g[j]));
  stretch_ = std::min(stretch_, std::max(1.0, largest_move * epsilon_ / largest));
  NextPoint point{now.image, true};
  for (std::size_t j = 0; j < now.g.size(); ++j) point.g[j] += stretch_ * (now.image[j] - now.g[j]);
  is_mixed_ = true;
  return point;
}

NextPoint AndersonSteps::mixed_or_image(const Iterate& now) {
  is_mixed_ = false;
  if (history_.relative_change() < no_response) return stretched(now);
  if (is_plain_) return {now.image};
  if (plain_left_ > 0) {
    --plain_left_;
    return {now.image};
  }
  if (history_.num_differences() < least_differences) return {now.image};
  std::vector<double> g = history_.mixed();
  if (!is_near(g, now.image, largest_move * epsilon_)) return {now.image};
  is_mixed_ = true;
  return {std::move(g), true};
}

void AndersonSteps::visit_state(StateVisitor& v) {
  history_.visit_state(v);
  v.replicated("last_image", last_image_);
  v.scalar("smallest_residual", smallest_residual_);
  v.scalar("largest_dual", largest_dual_);
  v.scalar("evaluation", evaluation_);
  v.scalar("last_restart", last_restart_);
  v.scalar("progress_at", progress_at_);
  v.scalar("stretch", stretch_);
  v.scalar("plain_left", plain_left_);
  v.scalar("is_mixed", is_mixed_);
  v.scalar("is_short", is_short_);
  v.scalar("is_plain", is_plain_);
}

}  // namespace thalweg
