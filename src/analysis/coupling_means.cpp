#include "analysis/coupling_means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace thalweg {

namespace {

constexpr double least_share = 1e-6;
constexpr std::int64_t columns_at_once = 64;
constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// Columns [begin, end) of some points, row-major.
std::vector<double> columns_of(const PointValues& values, RowRange points, std::int64_t begin, std::int64_t end) {
  std::vector<double> block;
  block.reserve(static_cast<std::size_t>(points.size() * (end - begin)));
  for (std::int64_t i = points.begin; i < points.end; ++i)
    for (std::int64_t k = begin; k < end; ++k) block.push_back(values.at(i, k));
  return block;
}

/// Fills a matrix of `width` columns from products that give some of them at a time.
template <class Product>
std::vector<double> by_columns(std::int64_t num_rows, std::int64_t width, const Product& product) {
  std::vector<double> result(static_cast<std::size_t>(num_rows * width));
  for (std::int64_t begin = 0; begin < width; begin += columns_at_once) {
    const std::int64_t count = std::min(columns_at_once, width - begin);
    const std::vector<double> part = product(begin, begin + count);
    for (std::int64_t i = 0; i < num_rows; ++i)
      std::copy_n(part.begin() + i * count, count, result.begin() + i * width + begin);
  }
  return result;
}

}  // namespace

std::vector<std::uint8_t> unmatched(std::span<const double> sums, std::span<const double> demanded) {
  std::vector<std::uint8_t> flags;
  for (std::size_t i = 0; i < sums.size(); ++i) flags.push_back(sums[i] > 0.0 && sums[i] >= least_share * demanded[i] ? 0 : 1);
  return flags;
}

std::vector<std::uint8_t> unmatched_rows(const Coupling& coupling) {
  const RowRange rows = coupling.geometry->rows();
  return unmatched(coupling.row_sums, coupling.a.subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size())));
}

std::vector<std::uint8_t> unmatched_columns(const Coupling& coupling) { return unmatched(coupling.column_sums, coupling.b); }

PointValues values_of(std::span<const float> rows, std::int64_t width) {
  return {width, [rows, width](std::int64_t point, std::int64_t column) {
            return static_cast<double>(rows[static_cast<std::size_t>(point * width + column)]);
          }};
}

PointValues one_hot(std::span<const std::int32_t> labels, std::int64_t num_categories) {
  return {num_categories,
          [labels](std::int64_t point, std::int64_t column) { return labels[static_cast<std::size_t>(point)] == column ? 1.0 : 0.0; }};
}

std::vector<double> sums_over_targets(const Coupling& coupling, const PointValues& of_targets) {
  const PairGeometry& geometry = *coupling.geometry;
  return by_columns(geometry.rows().size(), of_targets.width, [&](std::int64_t begin, std::int64_t end) {
    const std::vector<double> values = columns_of(of_targets, {0, geometry.num_columns()}, begin, end);
    return geometry.apply(coupling.f, coupling.g, values, end - begin);
  });
}

std::vector<double> sums_over_sources(const Coupling& coupling, const PointValues& of_sources) {
  const PairGeometry& geometry = *coupling.geometry;
  return by_columns(geometry.num_columns(), of_sources.width, [&](std::int64_t begin, std::int64_t end) {
    const std::vector<double> values = columns_of(of_sources, geometry.rows(), begin, end);
    return geometry.apply_transposed(coupling.f, coupling.g, values, end - begin);
  });
}

void divide_rows(std::span<const double> mass, std::span<const std::uint8_t> is_unmatched, std::vector<double>& sums) {
  if (mass.empty()) return;
  const std::size_t width = sums.size() / mass.size();
  for (std::size_t i = 0; i < mass.size(); ++i)
    for (std::size_t k = 0; k < width; ++k) {
      double& value = sums[i * width + k];
      value = is_unmatched[i] ? no_value : value / mass[i];
    }
}

CarriedLabels most_probable_labels(std::span<const double> probabilities, std::int64_t num_categories) {
  CarriedLabels result;
  const auto width = static_cast<std::size_t>(num_categories);
  for (std::size_t begin = 0; begin < probabilities.size(); begin += width) {
    const auto row = probabilities.subspan(begin, width);
    const auto largest = std::max_element(row.begin(), row.end());
    const bool is_known = *largest > 0.0;
    result.labels.push_back(is_known ? static_cast<std::int32_t>(largest - row.begin()) : -1);
    result.confidence.push_back(is_known ? *largest : no_value);
  }
  return result;
}

std::vector<double> label_transitions(std::span<const double> sums, std::int64_t num_sources, std::span<const std::int32_t> target_labels,
                                      std::int64_t num_targets) {
  std::vector<double> mass(static_cast<std::size_t>(num_sources * num_targets), 0.0);
  for (std::size_t j = 0; j < target_labels.size(); ++j) {
    if (target_labels[j] < 0) continue;
    for (std::int64_t k = 0; k < num_sources; ++k)
      mass[static_cast<std::size_t>(k * num_targets + target_labels[j])] += sums[j * static_cast<std::size_t>(num_sources) + static_cast<std::size_t>(k)];
  }
  return mass;
}

}  // namespace thalweg
