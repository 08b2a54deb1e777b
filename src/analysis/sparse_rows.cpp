#include "analysis/sparse_rows.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

/// Columns of one row, chosen by value; among equal ones the smaller come first.
class RowChoice {
 public:
  explicit RowChoice(std::span<const double> row) : row_(row) {}

  void keep_largest(std::int64_t count) {
    const auto most = static_cast<std::size_t>(count), room = std::max<std::size_t>(4 * std::min(most, row_.size()), 256);
    double least = 0.0;  // what does not exceed it has `count` columns before it
    for (std::size_t j = 0; j < row_.size(); ++j) {
      if (!(row_[j] > least)) continue;
      columns_.push_back(static_cast<std::int64_t>(j));
      if (columns_.size() == room) least = keep_first(most);
    }
    if (columns_.size() > most) keep_first(most);
  }

  void keep_from(double least) {
    for (std::size_t j = 0; j < row_.size(); ++j)
      if (row_[j] > 0.0 && row_[j] >= least) columns_.push_back(static_cast<std::int64_t>(j));
  }

  /// Sorted in growing portions: a few entries often have nearly all of the mass.
  void keep_mass(double mass) {
    keep_from(0.0);
    std::int64_t sorted = 0, count = 0;
    double kept = 0.0;
    while (count < size() && kept < mass) {
      if (count == sorted) {
        const std::int64_t next = std::min(size(), 4 * sorted + 64);
        std::partial_sort(columns_.begin() + sorted, columns_.begin() + next, columns_.end(), ComesFirst{row_});
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

  struct ComesFirst {
    std::span<const double> row;
    bool operator()(std::int64_t left, std::int64_t right) const {
      const double first = row[static_cast<std::size_t>(left)], second = row[static_cast<std::size_t>(right)];
      return first > second || (first == second && left < right);
    }
  };

  /// Keeps the first `count` > 0 and returns the value of the last of them.
  double keep_first(std::size_t count) {
    const auto last = columns_.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::nth_element(columns_.begin(), last, columns_.end(), ComesFirst{row_});
    columns_.resize(count);
    return value(columns_.back());
  }

  std::span<const double> row_;
  std::vector<std::int64_t> columns_;
};

std::vector<std::int64_t> kept_columns(std::span<const double> row, double mass, const Sparsification& rule) {
  RowChoice choice(row);
  const auto least = [&](double value) { return std::min(value, *std::max_element(row.begin(), row.end())); };
  switch (rule.kept) {
    case KeptEntries::top_k:
      choice.keep_largest(std::max<std::int64_t>(1, rule.top_k));
      break;
    case KeptEntries::threshold:
      choice.keep_from(least(rule.share * mass));
      break;
    case KeptEntries::row_mass:
      choice.keep_mass(std::max(rule.share * mass, std::numeric_limits<double>::min()));
      break;
    case KeptEntries::least:
      choice.keep_from(least(rule.least));
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

/// Appends a row.
void append(const SparsifiedRows& row, SparsifiedRows& sparse) {
  sparse.columns.insert(sparse.columns.end(), row.columns.begin(), row.columns.end());
  sparse.values.insert(sparse.values.end(), row.values.begin(), row.values.end());
  sparse.row_begin.push_back(static_cast<std::int64_t>(sparse.columns.size()));
  sparse.dropped.push_back(row.dropped.front());
}

}  // namespace

void append_sparsified(std::span<const double> rows, std::int64_t num_columns, const Sparsification& rule, SparsifiedRows& sparse) {
  const auto width = static_cast<std::size_t>(num_columns);
  std::vector<SparsifiedRows> parts(rows.size() / width);
  for_each_row_on_host(static_cast<std::int64_t>(parts.size()), [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    append_row(rows.subspan(i * width, width), rule, parts[i]);
  });
  for (const SparsifiedRows& part : parts) append(part, sparse);
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
