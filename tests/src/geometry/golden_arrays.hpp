// Arrays of tests/golden/make_geodesics.py by name.
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "geometry/neighbours.hpp"
#include "kernels/matrix.hpp"
#include "test_paths.hpp"

namespace thalweg::testing_support {

inline std::map<std::string, Matrix> read_golden_arrays(const std::string& file_name) {
  std::ifstream file(test_data() + "/" + file_name);
  if (!file) throw std::runtime_error("no golden file " + file_name);
  std::map<std::string, Matrix> arrays;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, number;
    std::int64_t rows = 0, columns = 0;
    words >> name >> rows >> columns;
    Matrix& array = arrays[name] = Matrix(rows, columns);
    std::getline(file, line);
    std::istringstream numbers(line);
    for (double& value : array.values) {
      numbers >> number;
      value = std::strtod(number.c_str(), nullptr);
    }
  }
  return arrays;
}

/// A cloud on every rank, of which each owns some rows; the first rank of several owns none.
struct SharedCloud {
  std::int64_t num_points = 0, dimension = 0;
  std::vector<float> values;

  static SharedCloud of(const Matrix& points) {
    SharedCloud cloud{points.rows, points.columns, {}};
    for (const double value : points.values) cloud.values.push_back(static_cast<float>(value));
    return cloud;
  }

  OwnedPoints owned(const Communicator& comm) const {
    OwnedPoints points{num_points, {0, num_points}, dimension, {}, "obsm/X_pca of cloud.h5ad"};
    if (comm.size() > 1)
      points.rows = comm.is_root() ? RowRange{0, 0} : Partition(num_points, comm.size() - 1).rows_of(comm.rank() - 1);
    points.values = std::span(values).subspan(static_cast<std::size_t>(points.rows.begin * dimension),
                                              static_cast<std::size_t>(points.rows.size() * dimension));
    return points;
  }
};

}  // namespace thalweg::testing_support
