// What the cells of one side are told by their partners on the other: means and labels.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "geometry/pair_geometry.hpp"

namespace thalweg {

/// A coupling P in the form that generates it, with its sums.
struct Coupling {
  const PairGeometry* geometry = nullptr;
  std::span<const double> f;            // owned rows
  std::span<const double> g;            // all columns
  std::span<const double> row_sums;     // r, owned rows
  std::span<const double> column_sums;  // c, all columns
  std::span<const double> a, b;         // demanded, all n and all m
};

/// True where a sum is too small a share of what was demanded (1e-6) for a mean to mean anything, or is zero.
std::vector<std::uint8_t> unmatched(std::span<const double> sums, std::span<const double> demanded);
std::vector<std::uint8_t> unmatched_rows(const Coupling& coupling);
std::vector<std::uint8_t> unmatched_columns(const Coupling& coupling);

/// Entry of a matrix with a row per point of one side. A function so that wide or one-hot matrices need never be formed.
struct PointValues {
  std::int64_t width = 0;
  std::function<double(std::int64_t point, std::int64_t column)> at;
};
/// The rows of a matrix, which must outlive the result.
PointValues values_of(std::span<const float> rows, std::int64_t width);
/// One column per category; missing labels (-1) are rows of zeros.
PointValues one_hot(std::span<const std::int32_t> labels, std::int64_t num_categories);

/// P V of the owned rows and P^T U of all columns. Columns of V are formed 64 at a time. Collective.
std::vector<double> sums_over_targets(const Coupling& coupling, const PointValues& of_targets);
std::vector<double> sums_over_sources(const Coupling& coupling, const PointValues& of_sources);

/// Divides the rows of `sums` by the mass of each; NaN where `is_unmatched`.
void divide_rows(std::span<const double> mass, std::span<const std::uint8_t> is_unmatched, std::vector<double>& sums);

/// The most probable label of each row and its probability; -1 and NaN for rows that are NaN or all zero.
/// Equal ones: the smaller category.
struct CarriedLabels {
  std::vector<std::int32_t> labels;
  std::vector<double> confidence;
};
CarriedLabels most_probable_labels(std::span<const double> probabilities, std::int64_t num_categories);

/// Mass between the labels of both sides, sources down: the same bits for any number of ranks.
/// @param sums  sums_over_sources of the one-hot source labels
std::vector<double> label_transitions(std::span<const double> sums, std::int64_t num_sources, std::span<const std::int32_t> target_labels,
                                      std::int64_t num_targets);

}  // namespace thalweg
