#include "solvers/sinkhorn/anderson_steps.hpp"

#include <cmath>

namespace thalweg {

namespace {

constexpr double largest_move = 20.0;  // in units of epsilon
constexpr double largest_growth = 2.0;
constexpr std::int64_t near_restart = 10, patience = 60;
constexpr int plain_after_restarts = 5;
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
  note_residual(now.residual);
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
  return {last_image_, false, true};
}

void AndersonSteps::note_residual(double residual) {
  if (residual < smallest_residual_) {
    smallest_residual_ = residual;
    smallest_at_ = evaluation_;
  }
  if (evaluation_ - smallest_at_ < patience) return;
  is_plain_ = is_short_;
  is_short_ = true;
  smallest_at_ = evaluation_;
  history_.shorten(short_history);
}

NextPoint AndersonSteps::mixed_or_image(const Iterate& now) {
  is_mixed_ = false;
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

}  // namespace thalweg
