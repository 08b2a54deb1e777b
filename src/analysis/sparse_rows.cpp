#include "analysis/sparse_rows.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace thalweg {

namespace {

/// Columns of one row, chosen by value.
class RowChoice {
 public:
  explicit RowChoice(std::span<const double> row) : row_(row) {
    for (std::size_t j = 0; j < row.size(); ++j)
      if (row[j] > 0.0) columns_.push_back(static_cast<std::int64_t>(j));
  }

  void keep_largest(std::int64_t count) {
    if (count >= size()) return;
    bring_forward(0, count);
    columns_.resize(static_cast<std::size_t>(count));
  }

  void keep_from(double least) {
    std::erase_if(columns_, [&](std::int64_t column) { return value(column) < least; });
  }

  /// Sorted in growing portions: a few entries often have nearly all of the mass.
  void keep_mass(double mass) {
    std::int64_t sorted = 0, count = 0;
    double kept = 0.0;
    while (count < size() && kept < mass) {
      if (count == sorted) {
        const std::int64_t next = std::min(size(), 4 * sorted + 64);
        bring_forward(sorted, next);
        sorted = next;
      }
      kept += value(columns_[static_cast<std::size_t>(count++)]);
    }
    columns_.resize(static_cast<std::size_t>(count));
  }

  std::vector<std::int64_t> ascending() && {
    std::sort(columns_.begin(), columns_.end());
    return std::move(columns_);
  }

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(columns_.size()); }
  double value(std::int64_t column) const { return row_[static_cast<std::size_t>(column)]; }

  /// Sorts positions [begin, end) by descending value, taking them from all at or behind `begin`.
  void bring_forward(std::int64_t begin, std::int64_t end) {
    const auto first = columns_.begin();
    std::partial_sort(first + begin, first + end, columns_.end(), [this](std::int64_t left, std::int64_t right) {
      return value(left) > value(right) || (value(left) == value(right) && left < right);
    });
  }

  std::span<const double> row_;
  std::vector<std::int64_t> columns_;
};

std::vector<std::int64_t> kept_columns(std::span<const double> row, double mass, const Sparsification& rule) {
  RowChoice choice(row);
  const double largest = *std::max_element(row.begin(), row.end());
  switch (rule.kept) {
    case KeptEntries::top_k:
      choice.keep_largest(std::max<std::int64_t>(1, rule.top_k));
      break;
    case KeptEntries::threshold:
      choice.keep_from(std::min(largest, rule.share * mass));
      break;
    case KeptEntries::row_mass:
      choice.keep_mass(std::max(rule.share * mass, std::numeric_limits<double>::min()));
      break;
    case KeptEntries::least:
      choice.keep_from(std::min(largest, rule.least));
      break;
  }
  return std::move(choice).ascending();
}

void append_row(std::span<const double> row, const Sparsification& rule, SparsifiedRows& sparse) {
  const double mass = std::accumulate(row.begin(), row.end(), 0.0);
  double kept = 0.0;
  if (mass > 0.0) {
    const std::vector<std::int64_t> columns = kept_columns(row, mass, rule);
    for (const std::int64_t column : columns) kept += row[static_cast<std::size_t>(column)];
    const double scale = rule.keep_row_sums ? mass / kept : 1.0;
    for (const std::int64_t column : columns) {
      sparse.columns.push_back(column);
      sparse.values.push_back(scale * row[static_cast<std::size_t>(column)]);
    }
  }
  sparse.row_begin.push_back(static_cast<std::int64_t>(sparse.columns.size()));
  sparse.dropped.push_back(mass > 0.0 ? std::max(0.0, 1.0 - kept / mass) : 0.0);
}

}  // namespace

void append_sparsified(std::span<const double> rows, std::int64_t num_columns, const Sparsification& rule, SparsifiedRows& sparse) {
  const auto width = static_cast<std::size_t>(num_columns);
  for (std::size_t begin = 0; begin < rows.size(); begin += width) append_row(rows.subspan(begin, width), rule, sparse);
}

double smallest_row_maximum(std::span<const double> rows, std::int64_t num_columns) {
  const auto width = static_cast<std::size_t>(num_columns);
  double smallest = std::numeric_limits<double>::infinity();
  for (std::size_t begin = 0; begin < rows.size(); begin += width) {
    const std::span<const double> row = rows.subspan(begin, width);
    const double largest = *std::max_element(row.begin(), row.end());
    if (largest > 0.0) smallest = std::min(smallest, largest);
  }
  return smallest;
}

}  // namespace thalweg
