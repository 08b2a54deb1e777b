// Cases of tests/golden/make_exact.py: named arrays on lines of their own.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/matrix.hpp"
#include "test_paths.hpp"

namespace thalweg::testing_support {

struct GoldenCase {
  std::string name;
  std::int64_t rows, columns;
  double value;
  std::vector<std::vector<double>> arrays;

  Matrix matrix(std::size_t index) const {
    Matrix result(rows, columns);
    result.values = arrays.at(index);
    return result;
  }
};

inline std::vector<GoldenCase> read_golden_cases(const std::string& file_name) {
  std::ifstream file(test_data() + "/exact/" + file_name);
  if (!file) throw std::runtime_error("no golden file " + file_name);
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (line.starts_with("case")) {
      std::string keyword;
      GoldenCase& added = cases.emplace_back();
      words >> keyword >> added.name >> added.rows >> added.columns >> added.value;
      continue;
    }
    std::vector<double>& array = cases.back().arrays.emplace_back();
    for (double value; words >> value;) array.push_back(value);
  }
  return cases;
}

}  // namespace thalweg::testing_support
