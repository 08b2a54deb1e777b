// What is read off the coupling and the costs.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "geometry/given_points.hpp"
#include "geometry/tiled_geometry.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/ordered_bits.hpp"
#include "kernels/pair_logs.hpp"

namespace thalweg {

namespace {

std::int64_t count_of(const std::vector<char>& present) { return std::count(present.begin(), present.end(), 1); }

/// Weighted mean of the points, and after it their mean squared norm. @param weights  of all points
template <class Scalar, class Weight>
std::vector<double> means_of(const Communicator& comm, const PackedPoints<Scalar>& points,
                             std::span<const Weight> weights) {
  const auto weight_of = [&](std::int64_t i) { return static_cast<double>(weights[static_cast<std::size_t>(i)]); };
  double largest = 0.0;  // squared norm
  for (std::int64_t i = points.held.begin; i < points.held.end; ++i)
    if (weight_of(i) > 0.0) largest = std::max(largest, points.norm(i));
  if (points.layout.is_spread()) largest = comm.all_reduce(largest, Reduction::max);
  double total = 0.0;
  for (const Weight weight : weights) total += static_cast<double>(weight);
  std::vector<double> means = sums_over_points(
      comm, points.layout, points.dimension, total * std::sqrt(largest),
      [&](std::int64_t i, std::int64_t k) { return weight_of(i) * static_cast<double>(points.at(i)[k * tile_rows]); });
  means.push_back(sums_over_points(comm, points.layout, 1, total * largest,
                                   [&](std::int64_t i, std::int64_t) { return weight_of(i) * points.norm(i); })[0]);
  for (double& value : means) value /= total;
  return means;
}

std::vector<double> base_2_logs(std::span<const double> values) {
  std::vector<double> result;
  for (const double value : values) result.push_back(std::log2(value));
  return result;
}

/// One order statistic while its bits are found from the highest down.
struct Selection {
  std::int64_t rank = 0;  // among the values with the prefix
  std::uint64_t prefix = 0;

  void choose(const std::vector<std::int64_t>& counts, int width) {
    std::size_t digit = 0;
    while (digit + 1 < counts.size() && rank >= counts[digit]) rank -= counts[digit++];
    prefix = prefix << width | digit;
  }
};

}  // namespace

template <class Scalar, class ExecutionSpace>
template <class Weight>
double TiledGeometry<Scalar, ExecutionSpace>::mean_of_dot_costs(std::span<const Weight> of_source,
                                                                std::span<const Weight> of_target) const {
  const std::vector<double> x = means_of(context_.comm, points_->source, of_source),
                            y = means_of(context_.comm, points_->target, of_target);
  double product = 0.0;
  for (std::size_t k = 0; k + 1 < x.size(); ++k) product += x[k] * y[k];
  const bool has_norms = points_->cost == Cost::sq_euclidean;
  const double parts = has_norms ? x.back() + y.back() : points_->cost == Cost::factored ? 0.0 : 1.0;
  return parts - points_->factor * product;
}

/// Mean of the two middle values, each found digit by digit of its bits.
template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::median_cost(const Pass& pass, std::span<const Scalar> shifts,
                                                          std::int64_t count) const {
  constexpr int bits = 8 * static_cast<int>(sizeof(Scalar)), digit_width = 11;
  Selection low{(count - 1) / 2}, high{count / 2};
  for (int left = bits; left > 0;) {
    const int width = std::min(digit_width, left);
    left -= width;
    const auto counts_of = [&](std::uint64_t prefix) {
      auto counts = cost_counts(pass, shifts, {left, width, prefix});
      context_.comm.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);
      return counts;
    };
    const bool is_same = low.prefix == high.prefix;
    const std::vector<std::int64_t> counts = counts_of(low.prefix);
    const std::vector<std::int64_t> of_high = is_same ? counts : counts_of(high.prefix);
    low.choose(counts, width);
    high.choose(of_high, width);
  }
  const auto value = [](const Selection& selection) {
    return static_cast<double>(value_of_ordered_bits<Scalar>(static_cast<BitsOf<Scalar>>(selection.prefix)));
  };
  return 0.5 * (value(low) + value(high));
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::cost_statistic(CostStatistic which) const {
  const std::int64_t count = count_of(points_->source.present) * count_of(points_->target.present);
  if (count == 0) return 0.0;
  if (which == CostStatistic::mean && is_dot())
    return mean_of_dot_costs(std::span<const char>(points_->source.present),
                             std::span<const char>(points_->target.present));
  std::vector<Scalar> shifts(static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(rows().size()) * tile_rows),
                             Scalar(no_bias));
  for (std::int64_t i = 0; i < rows().size(); ++i)
    if (points_->source.present[static_cast<std::size_t>(rows().begin + i)])
      shifts[static_cast<std::size_t>(i)] = static_cast<Scalar>(-source_part(rows().begin + i));
  std::vector<Scalar> biases(static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(num_columns()) * tile_rows),
                             Scalar(no_bias));
  for (std::int64_t j = 0; j < num_columns(); ++j)
    if (points_->target.present[static_cast<std::size_t>(j)])
      biases[static_cast<std::size_t>(j)] = static_cast<Scalar>(-kappa_ * points_->target_part(j));
  const auto pass = row_pass(std::move(biases));
  const auto bounded = [&](double cost) { return points_->cost == Cost::factored ? cost : std::max(cost, 0.0); };
  if (which == CostStatistic::median) return bounded(median_cost(*pass, shifts, count) / kappa_);
  const std::vector<double> costs = row_costs(*pass, shifts);
  std::vector<double> sums;
  double largest = -INFINITY;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows().size()); ++i) {
    if (!takes_part(static_cast<double>(shifts[i]))) continue;
    sums.push_back(costs[2 * i]);
    largest = std::max(largest, costs[2 * i + 1]);
  }
  if (which == CostStatistic::max) return bounded(context_.comm.all_reduce(largest, Reduction::max) / kappa_);
  return ordered_sum(sums) / static_cast<double>(count) / kappa_;
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::product_cost(std::span<const double> u, std::span<const double> w) {
  const std::vector<double> of_rows = context_.comm.all_gather(u);
  const double masses = std::accumulate(of_rows.begin(), of_rows.end(), 0.0) * std::accumulate(w.begin(), w.end(), 0.0);
  if (!(masses > 0.0)) return 0.0;
  if (is_dot()) return masses * mean_of_dot_costs(std::span<const double>(of_rows), w) / scale_;
  const double mean = cost_statistic(CostStatistic::mean) / scale_;
  if (!(mean > 0.0)) return 0.0;
  // P = u_i w_j exp(-C_ij / E) with a large E: -E sum P log(P / R) = sum u w C (1 - O(C / E)).
  const double large = 1e7 * mean;
  struct Settings {
    TiledGeometry& geometry;
    double epsilon = geometry.epsilon_;
    std::vector<double> log2_alpha = geometry.log2_alpha_, log2_beta = geometry.log2_beta_;
    ~Settings() { geometry.restore(geometry.scale_, epsilon, std::move(log2_alpha), std::move(log2_beta)); }
  } before{*this};
  restore(scale_, large, base_2_logs(of_rows), base_2_logs(w));
  const std::vector<double> f(u.size(), 0.0), g(w.size(), 0.0);
  return -large * ordered_sum(row_statistics(f, g).relative_entropy);
}

template <class Scalar, class ExecutionSpace>
RowStatistics TiledGeometry<Scalar, ExecutionSpace>::row_statistics(std::span<const double> f,
                                                                    std::span<const double> g) const {
  const auto pass = row_pass(column_biases(g));
  const std::vector<Scalar> shifts = row_biases(f);
  std::vector<Scalar> logs(pass->bias.size(), Scalar(0));
  for (std::size_t j = 0; j < log2_beta_.size(); ++j)
    if (std::isfinite(log2_beta_[j])) logs[j] = static_cast<Scalar>(log2_beta_[j]);
  const auto moments = row_moments(*pass, shifts, logs);
  RowStatistics result;
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double alpha = std::exp2(log2_alpha_[static_cast<std::size_t>(rows().begin) + i]);
    const double sum = moments[3 * i], with_exponent = moments[3 * i + 1], with_log = moments[3 * i + 2];
    result.sum.push_back(alpha * sum);
    result.relative_entropy.push_back(alpha * std::numbers::ln2 * (with_exponent - with_log));
    result.entropy.push_back(alpha * sum > 0.0 ? std::numbers::ln2 * (std::log2(sum) - with_exponent / sum) : 0.0);
  }
  return result;
}

#define THALWEG_TILED_STATISTICS(Scalar, Space)                                                                 \
  template double TiledGeometry<Scalar, Space>::cost_statistic(CostStatistic) const;                            \
  template double TiledGeometry<Scalar, Space>::product_cost(std::span<const double>, std::span<const double>); \
  template RowStatistics TiledGeometry<Scalar, Space>::row_statistics(std::span<const double>,                  \
                                                                      std::span<const double>) const;
THALWEG_INSTANTIATE(THALWEG_TILED_STATISTICS)

}  // namespace thalweg
