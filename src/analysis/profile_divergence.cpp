#include "analysis/profile_divergence.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// Shares of the features of some rows.
std::vector<double> shares_of(const Profiles& profiles, RowRange rows, double pseudocount) {
  const auto width = static_cast<std::size_t>(profiles.num_features);
  std::vector<double> shares(static_cast<std::size_t>(rows.size()) * width);
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const float* from = profiles.values.data() + static_cast<std::size_t>(i) * width;
    double* to = shares.data() + static_cast<std::size_t>(i - rows.begin) * width;
    double sum = 0.0;
    for (std::size_t g = 0; g < width; ++g) {
      const auto value = static_cast<double>(from[g]);
      if (!(value >= 0.0))
        throw DataError("feature " + std::to_string(g) + " of row " + std::to_string(i) + " of slice " + profiles.name +
                        " is " + shortest_number(value) +
                        "; divergences need counts, not below 0; name them with input.joint, or set "
                        "align.dissimilarity = \"sq_euclidean\"");
      to[g] = value + pseudocount;
      sum += to[g];
    }
    for (std::size_t g = 0; g < width; ++g) to[g] /= sum;
  }
  return shares;
}

}  // namespace

std::vector<double> profile_divergences(const Profiles& x, const Profiles& y, RowRange rows, double pseudocount) {
  const auto width = static_cast<std::size_t>(x.num_features), m = y.values.size() / width;
  const std::vector<double> p = shares_of(x, rows, pseudocount);
  std::vector<double> logs = shares_of(y, {0, static_cast<std::int64_t>(m)}, pseudocount);
  for (double& share : logs) share = std::log(share);
  std::vector<double> divergences(static_cast<std::size_t>(rows.size()) * m);
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.size()); ++i) {
    const double* own = p.data() + i * width;
    double entropy = 0.0;
    for (std::size_t g = 0; g < width; ++g) entropy += own[g] * std::log(own[g]);
    for (std::size_t j = 0; j < m; ++j) {
      const double* other = logs.data() + j * width;
      double cross = 0.0;
      for (std::size_t g = 0; g < width; ++g) cross += own[g] * other[g];
      divergences[i * m + j] = std::max(0.0, entropy - cross);  // rounding
    }
  }
  return divergences;
}

}  // namespace thalweg
