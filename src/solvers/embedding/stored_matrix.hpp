// Matrices whose rows are spread over ranks: products with narrow matrices, transposes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// Owned rows of an n x m matrix, row-major; rows and columns of either kind lie on ranks as in own_points.
template <class Scalar>
struct StoredMatrix {
  std::int64_t num_rows = 0, num_columns = 0;
  std::vector<Scalar> values;

  std::int64_t own_rows() const { return num_columns > 0 ? static_cast<std::int64_t>(values.size()) / num_columns : 0; }
  std::span<Scalar> row(std::int64_t i) {
    return {values.data() + i * num_columns, static_cast<std::size_t>(num_columns)};
  }
  std::span<const Scalar> row(std::int64_t i) const {
    return {values.data() + i * num_columns, static_cast<std::size_t>(num_columns)};
  }
};

/// A V: owned rows x width; local. Products are formed by BLAS in Scalar over 1024 columns, then added in float64.
/// @param values  V, all columns x width
template <class Scalar>
std::vector<double> times(const StoredMatrix<Scalar>& a, std::span<const double> values, std::int64_t width);

/// A^T W: all columns x width, on every rank. Collective. @param values  W, owned rows x width
template <class Scalar>
std::vector<double> transposed_times(const Communicator& comm, const StoredMatrix<Scalar>& a,
                                     std::span<const double> values, std::int64_t width);

/// A^T. Collective.
template <class Scalar>
StoredMatrix<Scalar> transposed(const Communicator& comm, const StoredMatrix<Scalar>& a);

}  // namespace thalweg
