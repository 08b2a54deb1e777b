// Small dense row-major matrices of doubles on the host: types x types, features x types.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> values;  // row-major

  Matrix() = default;
  Matrix(std::int64_t rows_, std::int64_t columns_, double value = 0.0)
      : rows(rows_), columns(columns_), values(static_cast<std::size_t>(rows_ * columns_), value) {}

  double& operator()(std::int64_t i, std::int64_t j) { return values[static_cast<std::size_t>(i * columns + j)]; }
  double operator()(std::int64_t i, std::int64_t j) const { return values[static_cast<std::size_t>(i * columns + j)]; }
  std::span<double> row(std::int64_t i) { return {values.data() + i * columns, static_cast<std::size_t>(columns)}; }
  std::span<const double> row(std::int64_t i) const { return {values.data() + i * columns, static_cast<std::size_t>(columns)}; }
  bool operator==(const Matrix&) const = default;
};

}  // namespace thalweg
