#include "core/closest_name.hpp"

#include <algorithm>

#include "core/format_number.hpp"

namespace thalweg {

namespace {

/// Distances between prefixes; row i + 1 and column j + 1 belong to the first i and j characters.
class DistanceTable {
 public:
  DistanceTable(std::size_t rows, std::size_t columns) : columns_(columns), values_(rows * columns) {}
  std::int64_t& operator()(std::size_t i, std::size_t j) { return values_[i * columns_ + j]; }

 private:
  std::size_t columns_;
  std::vector<std::int64_t> values_;
};

}  // namespace

// Lowrance & Wagner (1975): the unrestricted distance, where swapped letters may be edited between.
std::int64_t edit_distance(std::string_view a, std::string_view b) {
  const auto beyond = static_cast<std::int64_t>(a.size() + b.size());
  DistanceTable distance(a.size() + 2, b.size() + 2);
  distance(0, 0) = beyond;
  for (std::size_t i = 0; i <= a.size(); ++i) {
    distance(i + 1, 0) = beyond;
    distance(i + 1, 1) = static_cast<std::int64_t>(i);
  }
  for (std::size_t j = 0; j <= b.size(); ++j) {
    distance(0, j + 1) = beyond;
    distance(1, j + 1) = static_cast<std::int64_t>(j);
  }
  std::vector<std::size_t> last_row_of(256, 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t last_match = 0;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t row = last_row_of[static_cast<unsigned char>(b[j - 1])], column = last_match;
      const bool is_equal = a[i - 1] == b[j - 1];
      if (is_equal) last_match = j;
      const auto swapped = distance(row, column) + static_cast<std::int64_t>((i - row - 1) + 1 + (j - column - 1));
      distance(i + 1, j + 1) =
          std::min({distance(i, j) + (is_equal ? 0 : 1), distance(i + 1, j) + 1, distance(i, j + 1) + 1, swapped});
    }
    last_row_of[static_cast<unsigned char>(a[i - 1])] = i;
  }
  return distance(a.size() + 1, b.size() + 1);
}

std::optional<std::string> closest_name(std::string_view name, const std::vector<std::string>& known) {
  std::int64_t best = std::max<std::int64_t>(2, static_cast<std::int64_t>(name.size()) / 3) + 1;
  std::optional<std::string> closest;
  for (const std::string& candidate : known) {
    const std::int64_t distance = edit_distance(name, candidate);
    if (distance >= best) continue;
    best = distance;
    closest = candidate;
  }
  return closest;
}

std::string available_names(std::string_view name, const std::vector<std::string>& names) {
  if (names.empty()) return "none available";
  constexpr std::size_t most = 20;
  std::string text = "available: " + join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(most, names.size()))}, ", ");
  if (names.size() > most) text += ", .. (" + std::to_string(names.size()) + " in all)";
  const auto closest = closest_name(name, names);
  return closest ? text + " (nearest: " + *closest + ")" : text;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  if (const auto closest = closest_name(name, known)) return "did you mean '" + *closest + "'?";
  return "known: " + join(known, ", ");
}

}  // namespace thalweg
