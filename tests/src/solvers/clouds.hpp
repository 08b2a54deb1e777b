// Point clouds for solver tests: golden files, seeded Gaussians, and what a rank owns of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/random.hpp"
#include "solvers/hm_ot/hm_ot.hpp"
#include "test_paths.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg::testing_support {

/// All rows of one slice, the same on every rank.
struct Cloud {
  std::int64_t num_rows = 0, dimension = 0;
  std::vector<float> features;       // num_rows x dimension
  std::vector<double> weights = {};  // empty: equal

  /// The rows of this rank, in blocks as solvers want them.
  RowBlock block(const Communicator& comm) const {
    const RowRange rows = range(comm);
    RowBlock result{num_rows, rows, dimension, {}, {}};
    result.features = std::span(features).subspan(static_cast<std::size_t>(rows.begin * dimension), static_cast<std::size_t>(rows.size() * dimension));
    if (!weights.empty()) result.weights = owned(comm, std::span(weights));
    return result;
  }
  template <class T>
  std::span<const T> owned(const Communicator& comm, std::span<const T> values) const {
    const RowRange rows = range(comm);
    return values.subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size()));
  }
  RowRange range(const Communicator& comm) const { return Partition(num_rows, comm.size(), block_rows).rows_of(comm.rank()); }

  double operator()(std::int64_t i, std::int64_t j) const { return static_cast<double>(features[static_cast<std::size_t>(i * dimension + j)]); }
  /// a_i, sum 1.
  std::vector<double> normalised_weights() const {
    std::vector<double> result = weights.empty() ? std::vector<double>(static_cast<std::size_t>(num_rows), 1.0) : weights;
    const double sum = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& weight : result) weight /= sum;
    return result;
  }
  std::vector<double> centred(std::span<const double> center) const {
    std::vector<double> result(features.begin(), features.end());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] -= center[i % static_cast<std::size_t>(dimension)];
    return result;
  }
};

/// `components` unit Gaussians with centres of norm about `separation`, moved by `shift` along the first axis.
inline Cloud gaussian_cloud(std::int64_t n, std::int64_t p, std::int64_t components, double separation, double shift,
                            std::uint32_t stream) {
  const RandomStream centres{77, 1}, noise{78, stream};
  Cloud cloud{n, p, {}};
  for (std::int64_t i = 0; i < n; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    const auto component = static_cast<std::uint64_t>(noise.uniform(row, 1000) * static_cast<double>(components));
    for (std::int64_t j = 0; j < p; ++j) {
      const auto axis = static_cast<std::uint32_t>(j);
      const double centre = separation / std::sqrt(static_cast<double>(p)) * centres.normal(component, axis);
      cloud.features.push_back(static_cast<float>(centre + noise.normal(row, axis) + (j == 0 ? shift : 0.0)));
    }
  }
  return cloud;
}

/// Weights between 0.2 and 1.2, every seventh 0.
inline std::vector<double> uneven_weights(std::int64_t n) {
  std::vector<double> weights;
  for (std::int64_t i = 0; i < n; ++i)
    weights.push_back(i % 7 == 3 ? 0.0 : 0.2 + RandomStream{79, 0}.uniform(static_cast<std::uint64_t>(i)));
  return weights;
}

template <class T>
std::vector<T> read_golden(const std::string& file_name) {
  std::ifstream file(test_data() + "/" + file_name, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("no golden file " + file_name);
  std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

inline std::vector<Cloud> golden_clouds(const std::string& file_name, std::int64_t slices, std::int64_t n, std::int64_t p) {
  const std::vector<double> values = read_golden<double>(file_name);
  if (static_cast<std::int64_t>(values.size()) != slices * n * p) throw std::runtime_error("wrong size of " + file_name);
  std::vector<Cloud> clouds;
  for (std::int64_t t = 0; t < slices; ++t) clouds.push_back({n, p, {values.begin() + t * n * p, values.begin() + (t + 1) * n * p}});
  return clouds;
}

/// A problem on these clouds, which must outlive it; free types, equal transitions.
inline HmOtProblem chain_problem(const Communicator& comm, const std::vector<Cloud>& clouds, std::vector<std::int64_t> num_types) {
  HmOtProblem problem;
  for (std::size_t t = 0; t < clouds.size(); ++t) {
    HmOtSlice& slice = problem.slices.emplace_back();
    slice.name = std::to_string(t);
    slice.rows = clouds[t].block(comm);
    slice.num_types = num_types.size() == 1 ? num_types[0] : num_types[t];
    if (t > 0) problem.transitions.emplace_back();
  }
  return problem;
}

/// This process alone, in double unless said otherwise.
struct Alone {
  std::unique_ptr<Communicator> comm = make_self_communicator();
  Context context(Precision precision = Precision::float64, std::uint64_t seed = 0) const {
    return {*comm, precision, test_device(), seed};
  }
};

inline double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

inline std::vector<double> row_sums(const Matrix& matrix) {
  std::vector<double> sums;
  for (std::int64_t k = 0; k < matrix.rows; ++k) sums.push_back(std::accumulate(matrix.row(k).begin(), matrix.row(k).end(), 0.0));
  return sums;
}

inline Matrix transposed(const Matrix& matrix) {
  Matrix result(matrix.columns, matrix.rows);
  for (std::int64_t i = 0; i < matrix.rows; ++i)
    for (std::int64_t j = 0; j < matrix.columns; ++j) result(j, i) = matrix(i, j);
  return result;
}

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) throw std::runtime_error("vectors of different length");
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace thalweg::testing_support
