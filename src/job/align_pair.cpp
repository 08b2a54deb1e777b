#include "job/align_pair.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/profile_divergence.hpp"
#include "distributed/error.hpp"
#include "distributed/partition.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

RowRange owned_rows(const Communicator& comm, std::int64_t count) {
  return Partition(count, comm.size(), block_rows).rows_of(comm.rank());
}

/// Places about their weighted middle, over the radius.
Matrix centred(const AlignSlice& slice, double radius) {
  Matrix places = slice.places;
  std::vector<double> mean(static_cast<std::size_t>(places.columns), 0.0);
  for (std::int64_t i = 0; i < places.rows; ++i)
    for (std::size_t k = 0; k < mean.size(); ++k)
      mean[k] += slice.weights[static_cast<std::size_t>(i)] * places.row(i)[k];
  for (std::int64_t i = 0; i < places.rows; ++i)
    for (std::size_t k = 0; k < mean.size(); ++k) places.row(i)[k] = (places.row(i)[k] - mean[k]) / radius;
  return places;
}

template <class Value>
std::vector<Value> distances(const Matrix& places, RowRange rows) {
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(rows.size() * places.rows));
  for (std::int64_t i = rows.begin; i < rows.end; ++i)
    for (std::int64_t k = 0; k < places.rows; ++k) {
      double square = 0.0;
      for (std::int64_t axis = 0; axis < places.columns; ++axis)
        square += std::pow(places(i, axis) - places(k, axis), 2);
      values.push_back(static_cast<Value>(std::sqrt(square)));
    }
  return values;
}

/// Partners of the rows that this rank owns, row after row.
struct OwnPartners {
  std::vector<std::int64_t> match;
  std::vector<double> confidence, aligned, warped;

  void add(std::span<const double> row, double weight, const Matrix& to_aligned, const Matrix& to_warped) {
    const auto best = std::max_element(row.begin(), row.end());
    const double mass = std::accumulate(row.begin(), row.end(), 0.0);
    const bool has_partners = mass > 0.0 && mass >= least_share * weight;
    match.push_back(has_partners ? best - row.begin() : -1);
    confidence.push_back(has_partners ? *best / mass : NAN);
    add_mean(row, has_partners ? mass : NAN, to_aligned, aligned);
    add_mean(row, has_partners ? mass : NAN, to_warped, warped);
  }

 private:
  static constexpr double least_share = 1e-6;  // of its weight, for partners to mean anything

  static void add_mean(std::span<const double> row, double mass, const Matrix& places, std::vector<double>& means) {
    for (std::int64_t axis = 0; axis < places.columns; ++axis) {
      double sum = 0.0;
      for (std::size_t j = 0; j < row.size(); ++j) sum += row[j] * places(static_cast<std::int64_t>(j), axis);
      means.push_back(sum / mass);
    }
  }
};

template <class T>
std::vector<T> gathered(const Communicator& comm, const std::vector<T>& owned) {
  return comm.all_gather(std::span<const T>(owned));
}

}  // namespace

IntraCosts SlicePair::costs_within(const Context& context, const AlignSlice& slice, double radius, bool is_squared,
                                   Stored& values) {
  Matrix places = centred(slice, radius);
  const std::int64_t n = places.rows, d = places.columns;
  if (is_squared) {
    values = std::move(places.values);
    return SquaredDistances{{n, d, std::span<const double>(std::get<std::vector<double>>(values))}, 1.0};
  }
  const RowRange rows = owned_rows(context.comm, n);
  if (context.precision == Precision::float64) values = distances<double>(places, rows);
  else values = distances<float>(places, rows);
  StoredIntraCosts stored;
  stored.num_cells = n;
  std::visit([&]<class Value>(const std::vector<Value>& owned) { stored.values = std::span<const Value>(owned); },
             values);
  return stored;
}

SlicePair::SlicePair(const Context& context, const Job& job, const AlignSlices& slices, std::size_t source,
                     std::size_t target) {
  const AlignSlice &x = slices.slices[source], &y = slices.slices[target];
  const bool is_squared = job.align.cost == "sq_euclidean";
  problem_.source = costs_within(context, x, slices.radius, is_squared, source_costs_);
  problem_.target = costs_within(context, y, slices.radius, is_squared, target_costs_);
  problem_.a = x.weights;
  problem_.b = y.weights;
  problem_.epsilon = job.gromov.epsilon;
  problem_.alpha = job.problem.alpha.value_or(0.5);
  problem_.normalise = job.gromov.normalise == "product" ? Normalise::product : Normalise::none;
  const PointSet features[2] = {{x.num_places(), x.num_features, std::span<const float>(x.features)},
                                {y.num_places(), y.num_features, std::span<const float>(y.features)}};
  if (job.align.dissimilarity == "sq_euclidean") {
    problem_.linear = SharedFeatures{features[0], features[1]};
    return;
  }
  context.comm.on_all([&] {
    linear_costs_ = profile_divergences({x.features, x.num_features, x.name}, {y.features, y.num_features, y.name},
                                        owned_rows(context.comm, x.num_places()), job.align.pseudocount);
  });
  problem_.linear = StoredLinearCosts{std::span<const double>(linear_costs_)};
}

SlicePartners partners_of_slice(const Communicator& comm, const GromovSolution& solution,
                                const std::vector<double>& weights, const Matrix& aligned, const Matrix& warped) {
  const PairGeometry& geometry = *solution.geometry;
  const auto m = static_cast<std::size_t>(geometry.num_columns());
  OwnPartners own;
  for (const RowRange& rows : row_pieces(comm, geometry, block_rows)) {
    const auto first = static_cast<std::size_t>(rows.begin - geometry.rows().begin);
    const auto f = std::span(solution.coupling.f).subspan(first, static_cast<std::size_t>(rows.size()));
    const std::vector<double> coupling = geometry.coupling_rows(rows, f, solution.coupling.g);
    for (std::size_t i = 0; i < f.size(); ++i)
      own.add(std::span(coupling).subspan(i * m, m), weights[static_cast<std::size_t>(rows.begin) + i], aligned,
              warped);
  }
  SlicePartners partners{gathered(comm, own.match), gathered(comm, own.confidence),
                         Matrix(geometry.num_rows(), aligned.columns), Matrix(geometry.num_rows(), warped.columns)};
  partners.aligned.values = gathered(comm, own.aligned);
  partners.warped.values = gathered(comm, own.warped);
  return partners;
}

}  // namespace thalweg
