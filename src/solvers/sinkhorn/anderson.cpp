#include "solvers/sinkhorn/anderson.hpp"

#include <lapacke.h>

#include <cmath>
#include <limits>

#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

constexpr double regularization = 1e-10;

std::vector<double> difference(std::span<const double> first, std::span<const double> second) {
  std::vector<double> result(first.size());
  for (std::size_t j = 0; j < first.size(); ++j) result[j] = first[j] - second[j];
  return result;
}

double weighted_product(std::span<const double> weights, std::span<const double> first, std::span<const double> second) {
  double sum = 0.0;
  for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * first[j] * second[j];
  return sum;
}

}  // namespace

AndersonHistory::AndersonHistory(std::span<const double> weights, std::size_t length)
    : weights_(weights.begin(), weights.end()), length_(length) {}

void AndersonHistory::add(std::vector<double> image, std::vector<double> residual) {
  points_.push_back({std::move(image), std::move(residual)});
  shorten(length_);
}

void AndersonHistory::shorten(std::size_t length) {
  length_ = length;
  while (points_.size() > length_ + 1) points_.pop_front();
}

/// Weighted; sums of pieces of the points, added in order.
AndersonHistory::Products AndersonHistory::products() const {
  const std::size_t k = num_differences(), size = k * k + k;
  const auto num_points = static_cast<std::int64_t>(weights_.size());
  std::vector<double> of_pieces(static_cast<std::size_t>((num_points + piece_rows - 1) / piece_rows) * size, 0.0);
  for_each_piece_on_host(num_points, [&](std::int64_t begin, std::int64_t end) {
    const auto piece = [&](std::span<const double> values) {
      return values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    };
    std::vector<std::vector<double>> steps;
    for (std::size_t s = 0; s < k; ++s)
      steps.push_back(difference(piece(points_[s + 1].residual), piece(points_[s].residual)));
    double* sums = of_pieces.data() + static_cast<std::size_t>(begin / piece_rows) * size;
    for (std::size_t s = 0; s < k; ++s) {
      for (std::size_t t = 0; t <= s; ++t) sums[s * k + t] = weighted_product(piece(weights_), steps[s], steps[t]);
      sums[k * k + s] = weighted_product(piece(weights_), steps[s], piece(points_.back().residual));
    }
  });
  Products total{std::vector<double>(k * k, 0.0), std::vector<double>(k, 0.0)};
  for (std::size_t first = 0; first < of_pieces.size(); first += size) {
    for (std::size_t i = 0; i < k * k; ++i) total.gram[i] += of_pieces[first + i];
    for (std::size_t s = 0; s < k; ++s) total.right_side[s] += of_pieces[first + k * k + s];
  }
  return total;
}

std::vector<double> AndersonHistory::least_squares() const {
  const std::size_t k = num_differences();
  auto [gram, theta] = products();
  double trace = 0.0;
  for (std::size_t s = 0; s < k; ++s) trace += gram[s * k + s];
  for (std::size_t s = 0; s < k; ++s) {
    gram[s * k + s] += regularization * trace;
    for (std::size_t t = 0; t < s; ++t) gram[t * k + s] = gram[s * k + t];
  }
  const auto size = static_cast<lapack_int>(k);
  const lapack_int failure = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', size, 1, gram.data(), size, theta.data(), 1);
  return failure == 0 ? theta : std::vector<double>(k, 0.0);
}

double AndersonHistory::relative_change() const {
  if (num_differences() == 0) return std::numeric_limits<double>::infinity();
  const std::vector<double>& last = points_.back().residual;
  const std::vector<double> change = difference(last, points_[points_.size() - 2].residual);
  return std::sqrt(weighted_product(weights_, change, change) / weighted_product(weights_, last, last));
}

std::vector<double> AndersonHistory::mixed() const {
  std::vector<double> g = points_.back().image;
  const std::vector<double> theta = least_squares();
  for_each_piece_on_host(static_cast<std::int64_t>(g.size()), [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t s = 0; s < theta.size(); ++s)
      for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j)
        g[j] -= theta[s] * (points_[s + 1].image[j] - points_[s].image[j]);
  });
  return g;
}

void AndersonHistory::visit_state(StateVisitor& v) {
  std::size_t num_points = points_.size();
  v.scalar("history_length", length_);
  v.scalar("num_points", num_points);
  points_.resize(num_points);
  for (std::size_t k = 0; k < num_points; ++k) {
    v.replicated("image_" + std::to_string(k), points_[k].image);
    v.replicated("residual_" + std::to_string(k), points_[k].residual);
  }
}

}  // namespace thalweg
