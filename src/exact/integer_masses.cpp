#include "exact/integer_masses.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

constexpr double num_units = 0x1.0p60;
constexpr double largest_imbalance = 1e-6;

double checked_total(std::span<const double> masses, const char* side, const char* where) {
  double total = 0.0;
  for (std::size_t k = 0; k < masses.size(); ++k) {
    if (!(masses[k] >= 0.0) || std::isinf(masses[k])) {
      throw DataError(std::string(side) + " mass " + std::to_string(k) + " is " + std::to_string(masses[k]) + " in " +
                      where + "; masses are finite and at least 0; correct the type masses");
    }
    total += masses[k];
  }
  return total;
}

std::vector<std::int64_t> scaled(std::span<const double> masses, double total) {
  std::vector<std::int64_t> units(masses.size());
  std::transform(masses.begin(), masses.end(), units.begin(),
                 [total](double mass) { return static_cast<std::int64_t>(std::llround(mass / total * num_units)); });
  return units;
}

std::int64_t sum(const std::vector<std::int64_t>& units) {
  return std::accumulate(units.begin(), units.end(), std::int64_t{0});
}

}  // namespace

IntegerMasses integer_masses(std::span<const double> a, std::span<const double> b, const char* where) {
  const double total_a = checked_total(a, "row", where);
  const double total_b = checked_total(b, "column", where);
  if (std::abs(total_a - total_b) > largest_imbalance * std::max(total_a, total_b)) {
    throw DataError("row masses sum to " + std::to_string(total_a) + ", column masses to " + std::to_string(total_b) +
                    " in " + where + "; the sums may differ by 1e-6 of the total; normalise both sides");
  }
  IntegerMasses masses;
  if (total_a <= 0.0) {
    masses.row.assign(a.size(), 0);
    masses.column.assign(b.size(), 0);
    return masses;
  }
  masses.row = scaled(a, total_a);
  masses.column = scaled(b, total_b);
  masses.unit = 0.5 * (total_a + total_b) / num_units;
  *std::max_element(masses.column.begin(), masses.column.end()) += sum(masses.row) - sum(masses.column);
  return masses;
}

}  // namespace thalweg
