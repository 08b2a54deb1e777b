#include "analysis/clusterings.hpp"

#include <algorithm>
#include <cassert>

namespace thalweg {
namespace {

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

Matrix product(const Matrix& left, const Matrix& right) {
  assert(left.columns == right.rows);
  Matrix result(left.rows, right.columns);
  for (std::int64_t i = 0; i < left.rows; ++i) {
    const auto row = result.row(i);
    for (std::int64_t k = 0; k < left.columns; ++k) {
      const double factor = left(i, k);
      const auto other = right.row(k);
      for (std::size_t j = 0; j < row.size(); ++j) row[j] += factor * other[j];
    }
  }
  return result;
}

Matrix transposed(const Matrix& matrix) {
  Matrix result(matrix.columns, matrix.rows);
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    for (std::int64_t j = 0; j < matrix.columns; ++j) result(j, i) = matrix(i, j);
  }
  return result;
}

Matrix with_unit_rows(Matrix matrix) {
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    double sum = 0.0;
    for (const double value : matrix.row(i)) sum += value;
    if (sum > 0.0) {
      for (double& value : matrix.row(i)) value /= sum;
    }
  }
  return matrix;
}

Matrix identity(std::int64_t size) {
  Matrix matrix(size, size);
  for (std::int64_t k = 0; k < size; ++k) matrix(k, k) = 1.0;
  return matrix;
}

std::int64_t num_types(const TypeLaws& laws, std::int64_t slice) {
  return slice + 1 < laws.num_slices() ? laws.forward[index(slice)].rows : laws.forward.back().columns;
}

}  // namespace

TypeLaws type_laws(std::span<const Matrix> couplings) {
  TypeLaws laws;
  for (const Matrix& coupling : couplings) {
    laws.forward.push_back(with_unit_rows(coupling));
    laws.ancestor.push_back(transposed(with_unit_rows(transposed(coupling))));
  }
  return laws;
}

Matrix composed_law(const TypeLaws& laws, std::int64_t from, std::int64_t to) {
  Matrix law = identity(num_types(laws, from));
  for (std::int64_t t = from; t < to; ++t) law = product(law, laws.forward[index(t)]);
  for (std::int64_t t = from; t > to; --t) law = product(law, transposed(laws.ancestor[index(t - 1)]));
  return law;
}

Matrix composed_coupling(const TypeLaws& laws, std::int64_t from, std::int64_t to, std::span<const double> masses) {
  Matrix coupling = composed_law(laws, from, to);
  for (std::int64_t k = 0; k < coupling.rows; ++k) {
    for (double& value : coupling.row(k)) value *= masses[index(k)];
  }
  return coupling;
}

Matrix type_probabilities(const Matrix& memberships, const Matrix& law) { return product(memberships, law); }

CellLabels most_probable_types(const Matrix& probabilities) {
  CellLabels labels{std::vector<std::int32_t>(index(probabilities.rows)),
                    std::vector<double>(index(probabilities.rows))};
  for (std::int64_t i = 0; i < probabilities.rows; ++i) {
    const auto row = probabilities.row(i);
    const auto best = std::max_element(row.begin(), row.end());
    labels.label[index(i)] = static_cast<std::int32_t>(best - row.begin());
    labels.confidence[index(i)] = *best;
  }
  return labels;
}

CellLabels most_specific_types(const Matrix& memberships, std::span<const double> masses) {
  Matrix specificity = memberships;
  for (std::int64_t i = 0; i < specificity.rows; ++i) {
    for (std::int64_t k = 0; k < specificity.columns; ++k) {
      specificity(i, k) = masses[index(k)] > 0.0 ? memberships(i, k) / masses[index(k)] : 0.0;
    }
  }
  return most_probable_types(with_unit_rows(std::move(specificity)));
}

std::vector<TypePath> heaviest_paths(const TypeLaws& laws, std::span<const double> masses, std::int64_t count) {
  const auto heavier = [](const TypePath& left, const TypePath& right) {
    return left.mass != right.mass ? left.mass > right.mass : left.types < right.types;
  };
  // Only the `count` heaviest ways to reach a type can be the start of a heaviest path.
  const auto keep_heaviest = [&](std::vector<TypePath>& paths) {
    std::sort(paths.begin(), paths.end(), heavier);
    paths.resize(std::min(paths.size(), index(count)));
  };
  std::vector<TypePath> paths;
  for (std::size_t k = 0; k < masses.size(); ++k) {
    if (masses[k] > 0.0) paths.push_back({{static_cast<std::int64_t>(k)}, masses[k]});
  }
  for (const Matrix& law : laws.forward) {
    std::vector<std::vector<TypePath>> reaching(index(law.columns));
    for (const TypePath& path : paths) {
      for (std::int64_t l = 0; l < law.columns; ++l) {
        const double mass = path.mass * law(path.types.back(), l);
        if (mass <= 0.0) continue;
        reaching[index(l)].push_back({path.types, mass});
        reaching[index(l)].back().types.push_back(l);
      }
    }
    paths.clear();
    for (auto& ways : reaching) {
      keep_heaviest(ways);
      paths.insert(paths.end(), ways.begin(), ways.end());
    }
  }
  keep_heaviest(paths);
  return paths;
}

}  // namespace thalweg
