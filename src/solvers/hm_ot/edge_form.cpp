#include "solvers/hm_ot/edge_form.hpp"

namespace thalweg {

EdgeForm edge_form(const Chain& chain, std::size_t edge, const Matrix& moment) {
  const ChainEdge& transition = chain.edges[edge];
  EdgeForm form;
  form.features = -2.0 * transition.weight * chain.feature_unit * chain.feature_unit;
  if (!chain.has_coordinates()) return form;
  const ChainSlice &source = chain.slices[edge], &target = chain.slices[edge + 1];
  const double units = source.coordinate_unit * target.coordinate_unit;
  form.coordinates = moment;
  for (double& value : form.coordinates.values) value *= -16.0 * transition.gromov * units * units;
  form.squares = -4.0 * transition.gromov * source.square_unit * target.square_unit;
  return form;
}

Matrix coordinate_moment(const Chain& chain, const ChainState& state, std::size_t edge) {
  if (!chain.has_coordinates()) return {};
  const Matrix &source = state.slices[edge].means, &target = state.slices[edge + 1].means, &coupling = state.couplings[edge];
  const std::int64_t c = chain.num_coordinates, first = chain.num_features();
  Matrix moment(c, c);
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    for (std::int64_t l = 0; l < coupling.columns; ++l) {
      const double mass = coupling(k, l);
      if (mass == 0.0) continue;
      for (std::int64_t i = 0; i < c; ++i)
        for (std::int64_t j = 0; j < c; ++j) moment(i, j) += mass * source(first + i, k) * target(first + j, l);
    }
  return moment;
}

Matrix apply_form(const Chain& chain, const EdgeForm& form, const Matrix& means, bool is_transposed) {
  Matrix result(means.rows, means.columns);
  const std::int64_t features = chain.num_features(), c = chain.num_coordinates;
  for (std::int64_t j = 0; j < features; ++j)
    for (std::int64_t k = 0; k < means.columns; ++k) result(j, k) = form.features * means(j, k);
  if (!chain.has_coordinates()) return result;
  for (std::int64_t i = 0; i < c; ++i)
    for (std::int64_t j = 0; j < c; ++j) {
      const double value = is_transposed ? form.coordinates(j, i) : form.coordinates(i, j);
      for (std::int64_t k = 0; k < means.columns; ++k) result(features + i, k) += value * means(features + j, k);
    }
  for (std::int64_t k = 0; k < means.columns; ++k) result(features + c, k) = form.squares * means(features + c, k);
  return result;
}

}  // namespace thalweg
