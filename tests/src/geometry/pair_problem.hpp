// Random pair problems with their dense reference.
#pragma once

#include <cmath>
#include <vector>

#include "geometry/pair_geometry.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/random.hpp"
#include "tests/reference/pair_reference.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg::testing_support {

struct PairProblem {
  Cost cost;
  std::int64_t n, m, d;
  double epsilon = 0.3, scale = 1.7;
  std::vector<float> x, y, dense;
  std::vector<double> a, b;
  reference::Pairs pairs;

  PairProblem(Cost cost_, std::int64_t n_, std::int64_t m_, std::int64_t d_, double zero_share = 0.0,
              bool has_reference = true)
      : cost(cost_), n(n_), m(m_), d(d_) {
    const RandomStream random{5, static_cast<std::uint32_t>(n_ * 1000 + m_)};
    for (std::int64_t i = 0; i < n * d; ++i)
      x.push_back(static_cast<float>(0.4 * random.normal(static_cast<std::uint64_t>(i), 1) + 1.0));
    for (std::int64_t j = 0; j < m * d; ++j)
      y.push_back(static_cast<float>(0.4 * random.normal(static_cast<std::uint64_t>(j), 2) + 1.2));
    const auto weights = [&](std::int64_t count, std::uint32_t stream) {
      std::vector<double> result;
      double sum = 0.0;
      for (std::int64_t i = 0; i < count; ++i) {
        const bool is_zero = i > 0 && random.uniform(static_cast<std::uint64_t>(i), stream + 7) < zero_share;
        result.push_back(is_zero ? 0.0 : 0.5 + random.uniform(static_cast<std::uint64_t>(i), stream));
        sum += result.back();
      }
      for (double& weight : result) weight /= sum;
      return result;
    };
    a = weights(n, 3);
    b = weights(m, 4);
    pairs.alpha = a;
    pairs.beta = b;
    pairs.epsilon = epsilon;
    for (std::int64_t i = 0; has_reference && i < n; ++i) {
      pairs.costs.emplace_back();
      for (std::int64_t j = 0; j < m; ++j) pairs.costs.back().push_back(raw_cost(i, j) / scale);
    }
  }

  std::vector<double> point(const std::vector<float>& points, std::int64_t i) const {
    return {points.begin() + i * d, points.begin() + (i + 1) * d};
  }
  double raw_cost(std::int64_t i, std::int64_t j) const {
    return reference::cost_between(point(x, i), point(y, j), cost == Cost::dense ? Cost::sq_euclidean : cost);
  }

  /// The points of one side; `all` or those the rank owns.
  PointSet points(const Communicator& comm, const std::vector<float>& values, std::int64_t count, bool all) const {
    if (all) return {count, d, std::span<const float>(values)};
    const RowRange own = own_points(count, comm);
    const auto of_own = std::span<const float>(values).subspan(static_cast<std::size_t>(own.begin * d),
                                                               static_cast<std::size_t>(own.size() * d));
    return {count, d, of_own, own};
  }
  PairSides sides(const Communicator& comm, bool holds_all) const {
    return {cost, points(comm, x, n, holds_all), points(comm, y, m, holds_all), a, b, dense};
  }

  std::unique_ptr<PairGeometry> geometry(const Communicator& comm, Precision precision, EvaluationForm form,
                                         bool holds_all = true) {
    const RowRange rows = Partition(n, comm.size(), block_rows).rows_of(comm.rank());
    dense.clear();
    if (cost == Cost::dense)
      for (std::int64_t i = rows.begin; i < rows.end; ++i)
        for (std::int64_t j = 0; j < m; ++j) dense.push_back(static_cast<float>(raw_cost(i, j)));
    auto result = make_pair_geometry({comm, precision, test_device(), 0}, sides(comm, holds_all), form);
    result->set_scale(scale);
    result->set_epsilon(epsilon);
    result->set_reference(logs(a), logs(b));
    return result;
  }

  static std::vector<double> logs(const std::vector<double>& values) {
    std::vector<double> result;
    for (const double value : values) result.push_back(std::log(value));
    return result;
  }
  /// Potentials of the size of the costs.
  std::vector<double> potentials(std::int64_t count, std::uint32_t stream) const {
    const RandomStream random{9, stream};
    std::vector<double> result;
    for (std::int64_t i = 0; i < count; ++i) result.push_back(0.2 * random.normal(static_cast<std::uint64_t>(i)));
    return result;
  }
  std::vector<double> owned(const PairGeometry& geometry, const std::vector<double>& values,
                            std::int64_t width = 1) const {
    return {values.begin() + geometry.rows().begin * width, values.begin() + geometry.rows().end * width};
  }
};

}  // namespace thalweg::testing_support
