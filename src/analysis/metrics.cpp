#include "analysis/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

constexpr double negligible_edge = 1e-12;

struct Margins {
  std::vector<double> row, column;
  double total = 0.0;
};

Margins margins_of(const Matrix& table) {
  Margins margins{std::vector<double>(static_cast<std::size_t>(table.rows)),
                  std::vector<double>(static_cast<std::size_t>(table.columns))};
  for (std::int64_t k = 0; k < table.rows; ++k) {
    for (std::int64_t l = 0; l < table.columns; ++l) {
      margins.row[static_cast<std::size_t>(k)] += table(k, l);
      margins.column[static_cast<std::size_t>(l)] += table(k, l);
    }
  }
  margins.total = std::accumulate(margins.row.begin(), margins.row.end(), 0.0);
  return margins;
}

Margins checked_margins(const Matrix& contingency, const char* where) {
  for (const double count : contingency.values) {
    if (count >= 0.0 && count == std::floor(count) && std::isfinite(count)) continue;
    throw DataError("contingency entry " + std::to_string(count) + " in " + where +
                    "; entries are whole counts of cells; count cells, not weights");
  }
  return margins_of(contingency);
}

std::int64_t num_clusters(const std::vector<double>& counts) {
  return std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0.0; });
}

double entropy(const std::vector<double>& counts, double total) {
  double sum = 0.0;
  for (const double count : counts) {
    if (count > 0.0) sum -= count / total * std::log(count / total);
  }
  return sum;
}

double mutual_information(const Matrix& table, const Margins& margins) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < table.rows; ++k) {
    for (std::int64_t l = 0; l < table.columns; ++l) {
      const double count = table(k, l);
      if (count <= 0.0) continue;
      const double independent = margins.row[static_cast<std::size_t>(k)] * margins.column[static_cast<std::size_t>(l)];
      sum += count / margins.total * std::log(count * margins.total / independent);
    }
  }
  return sum;
}

/// Expectation of (n / N) log(N n / (a b)) for hypergeometric n with margins a, b and total N.
///
/// Weights start at 1 at the mode and follow the ratio of neighbours; dividing by their sum makes them probabilities
/// without any log-gamma, whose rounding grows with N. Weights below 1e-25 add less than rounding.
double expected_entry_information(double a, double b, double total) {
  const double lowest = std::max(0.0, a + b - total), highest = std::min(a, b);
  const double mode = std::clamp(std::floor((a + 1.0) * (b + 1.0) / (total + 2.0)), lowest, highest);
  double weights = 0.0, sum = 0.0;
  const auto add = [&](double n, double weight) {
    weights += weight;
    if (n > 0.0) sum += weight * n / total * std::log(total * n / (a * b));
  };
  const auto step = [&](double n) { return (a - n) * (b - n) / ((n + 1.0) * (total - a - b + n + 1.0)); };
  add(mode, 1.0);
  double weight = 1.0;
  for (double n = mode; n < highest && weight > 1e-25; ++n) {
    weight *= step(n);
    add(n + 1.0, weight);
  }
  weight = 1.0;
  for (double n = mode; n > lowest && weight > 1e-25; --n) {
    weight /= step(n - 1.0);
    add(n - 1.0, weight);
  }
  return sum / weights;
}

/// Equal singletons leave 0 / 0, a perfect match: both parts are kept away from 0 with their sign.
double beyond_rounding(double value) {
  const double smallest = std::numeric_limits<double>::epsilon();
  return value < 0.0 ? std::min(value, -smallest) : std::max(value, smallest);
}

double expected_mutual_information(const Margins& margins) {
  double sum = 0.0;
  for (const double a : margins.row) {
    for (const double b : margins.column) {
      if (a > 0.0 && b > 0.0) sum += expected_entry_information(a, b, margins.total);
    }
  }
  return sum;
}

}  // namespace

Matrix contingency_table(std::span<const std::int32_t> first, std::span<const std::int32_t> second,
                         std::int64_t num_first, std::int64_t num_second) {
  Matrix table(num_first, num_second);
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] >= 0 && second[i] >= 0) table(first[i], second[i]) += 1.0;
  }
  return table;
}

double adjusted_mutual_information(const Matrix& contingency) {
  const Margins margins = checked_margins(contingency, "adjusted_mutual_information");
  if (num_clusters(margins.row) <= 1 && num_clusters(margins.column) <= 1) return 1.0;
  const double expected = expected_mutual_information(margins);
  const double mean_entropy = 0.5 * (entropy(margins.row, margins.total) + entropy(margins.column, margins.total));
  return beyond_rounding(mutual_information(contingency, margins) - expected) /
         beyond_rounding(mean_entropy - expected);
}

double adjusted_rand_index(const Matrix& contingency) {
  const Margins margins = checked_margins(contingency, "adjusted_rand_index");
  // Long double: products of pair counts pass 2^53 from about 1e4 cells on.
  const auto pairs = [](const std::vector<double>& counts) {
    long double sum = 0.0L;
    for (const long double count : counts) sum += count * (count - 1.0L) / 2.0L;
    return sum;
  };
  const long double both = pairs(contingency.values), first = pairs(margins.row), second = pairs(margins.column);
  const long double all = pairs({margins.total});
  if (first == both && second == both) return 1.0;
  const long double expected = first * second / all;
  return static_cast<double>((both - expected) / (0.5L * (first + second) - expected));
}

Matrix normalised_pointwise_information(const Matrix& coupling) {
  const Margins margins = margins_of(coupling);
  Matrix information(coupling.rows, coupling.columns, -1.0);
  for (std::int64_t k = 0; k < coupling.rows; ++k) {
    for (std::int64_t l = 0; l < coupling.columns; ++l) {
      const double mass = coupling(k, l) / margins.total;
      if (!(mass >= negligible_edge)) continue;
      const double g_k = margins.row[static_cast<std::size_t>(k)] / margins.total;
      const double g_l = margins.column[static_cast<std::size_t>(l)] / margins.total;
      information(k, l) = mass >= 1.0 ? 1.0 : std::log(mass / (g_k * g_l)) / -std::log(mass);
    }
  }
  return information;
}

}  // namespace thalweg
