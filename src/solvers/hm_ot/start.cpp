#include "solvers/hm_ot/start.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "distributed/error.hpp"
#include "exact/assignment.hpp"
#include "exact/transport.hpp"
#include "solvers/hm_ot/clustering.hpp"
#include "solvers/hm_ot/edge_form.hpp"
#include "solvers/hm_ot/path_step.hpp"
#include "solvers/hm_ot/streams.hpp"
#include "solvers/hm_ot/sweep.hpp"
#include "solvers/squared_distances.hpp"

namespace thalweg {

namespace {

constexpr int kmeans_attempts = 10;
constexpr int trajectory_attempts = 4;

using Labels = std::vector<std::int32_t>;

/// Features so that squared distances are those of k-means.
Matrix cluster_rows_of(const Chain& chain, Matrix rows) {
  if (chain.cluster_scale.empty()) return rows;
  for (std::int64_t i = 0; i < rows.rows; ++i)
    for (std::int64_t j = 0; j < rows.columns; ++j) rows(i, j) *= std::sqrt(chain.cluster_scale[static_cast<std::size_t>(j)]);
  return rows;
}

/// Trajectories as rows: the features of all their cells, slice after slice.
Matrix stacked_rows(const Chain& chain, const std::vector<SampledSlice>& sample, const Trajectories& trajectories) {
  const std::int64_t p = chain.dimension;
  Matrix stacked(trajectories.count, p * static_cast<std::int64_t>(chain.num_slices()));
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const Matrix rows = feature_rows(chain, t, sample[t]);
    for (std::int64_t i = 0; i < trajectories.count; ++i) {
      const auto cell = rows.row(trajectories.cells[t][static_cast<std::size_t>(i)]);
      std::copy(cell.begin(), cell.end(), stacked.row(i).begin() + static_cast<std::int64_t>(t) * p);
    }
  }
  return stacked;
}

/// The part of slice t of stacked centroids, p x clusters.
Matrix part_of(const Matrix& centroids, std::int64_t dimension, std::size_t slice) {
  Matrix part(dimension, centroids.rows);
  for (std::int64_t c = 0; c < centroids.rows; ++c)
    for (std::int64_t j = 0; j < dimension; ++j) part(j, c) = centroids(c, static_cast<std::int64_t>(slice) * dimension + j);
  return part;
}

/// Adds -1/2 of `costs` to the slopes of slice t.
void add_slopes(const Matrix& costs, std::size_t slice, ClusterForm& form) {
  for (std::int64_t c = 0; c < costs.columns; ++c)
    for (std::int64_t j = 0; j < costs.rows; ++j)
      form.slopes(c, static_cast<std::int64_t>(slice) * costs.rows + j) -= 0.5 * costs(j, c);
}

/// slope of slice t: -1/2 [G_t m_{t+1} + G_{t-1}^T m_{t-1}]; offset: -1/2 sum_t m_t^T G_t m_{t+1}.
ClusterForm trajectory_form(const Chain& chain, const std::vector<EdgeForm>& forms, const Matrix& centroids) {
  ClusterForm form{Matrix(centroids.rows, centroids.columns), std::vector<double>(static_cast<std::size_t>(centroids.rows), 0.0)};
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    const Matrix here = part_of(centroids, chain.dimension, t), next = part_of(centroids, chain.dimension, t + 1);
    const Matrix costs = apply_form(chain, forms[t], next, /*is_transposed=*/false);
    add_slopes(costs, t, form);
    add_slopes(apply_form(chain, forms[t], here, /*is_transposed=*/true), t + 1, form);
    for (std::int64_t j = 0; j < chain.dimension; ++j)
      for (std::int64_t c = 0; c < centroids.rows; ++c) form.offsets[static_cast<std::size_t>(c)] -= 0.5 * here(j, c) * costs(j, c);
  }
  return form;
}

std::vector<EdgeForm> forms_at(const Chain& chain, const std::vector<Matrix>& moments) {
  std::vector<EdgeForm> forms;
  for (std::size_t t = 0; t < chain.edges.size(); ++t) forms.push_back(edge_form(chain, t, chain.has_coordinates() ? moments[t] : Matrix()));
  return forms;
}

/// Labels of slice t with r_t < R types: the centroids of the R clusters are merged by weighted k-means.
Labels merged_labels(const Chain& chain, std::size_t slice, const Clustering& clusters, std::uint64_t seed, std::uint32_t restart) {
  const std::int64_t p = chain.dimension, r = chain.slices[slice].num_types;
  if (r == clusters.centroids.rows) return clusters.labels;
  Matrix points(clusters.centroids.rows, p);
  for (std::int64_t c = 0; c < points.rows; ++c)
    for (std::int64_t j = 0; j < p; ++j) points(c, j) = clusters.centroids(c, static_cast<std::int64_t>(slice) * p + j);
  std::vector<double> masses(static_cast<std::size_t>(points.rows), 0.0);
  for (const std::int32_t label : clusters.labels) masses[static_cast<std::size_t>(label)] += 1.0;
  const RandomStream random = stream_of(seed, DrawUse::merge_seeds, slice, restart);
  const Labels groups = cluster_rows(cluster_rows_of(chain, std::move(points)), masses, r, squared_distance_form, random, kmeans_attempts).labels;
  Labels labels;
  for (const std::int32_t label : clusters.labels) labels.push_back(groups[static_cast<std::size_t>(label)]);
  return labels;
}

std::optional<std::size_t> nearest_fixed_slice(const Chain& chain, std::size_t slice) {
  std::optional<std::size_t> nearest;
  const auto distance = [&](std::size_t t) { return t > slice ? t - slice : slice - t; };
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const bool fits = chain.slices[t].has_fixed_membership() && (t == slice || chain.slices[t].num_types == chain.slices[slice].num_types);
    if (fits && (!nearest || distance(t) < distance(*nearest))) nearest = t;
  }
  return nearest;
}

Labels labels_of_trajectories(const SampledSlice& slice, const std::vector<std::int32_t>& cells) {
  Labels labels;
  for (const std::int32_t cell : cells) labels.push_back(std::max(0, slice.labels[static_cast<std::size_t>(cell)]));
  return labels;
}

/// Mass and mean of every type of one slice from labelled rows.
void set_types(const Matrix& rows, const Labels& labels, std::int64_t num_types, SliceState& state) {
  state.masses.assign(static_cast<std::size_t>(num_types), 0.0);
  state.means = Matrix(rows.columns, num_types);
  const double share = 1.0 / static_cast<double>(rows.rows);
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int32_t k = labels[static_cast<std::size_t>(i)];
    state.masses[static_cast<std::size_t>(k)] += share;
    for (std::int64_t j = 0; j < rows.columns; ++j) state.means(j, k) += share * rows(i, j);
  }
  for (std::int64_t j = 0; j < rows.columns; ++j)
    for (std::int64_t k = 0; k < num_types; ++k) {
      const double mass = state.masses[static_cast<std::size_t>(k)];
      state.means(j, k) = mass > 0.0 ? state.means(j, k) / mass : 0.0;
    }
}

Matrix transposed(const Matrix& matrix) {
  Matrix result(matrix.columns, matrix.rows);
  for (std::int64_t i = 0; i < matrix.rows; ++i)
    for (std::int64_t j = 0; j < matrix.columns; ++j) result(j, i) = matrix(i, j);
  return result;
}

/// m_k^T G m_l of the types of both ends of a transition.
Matrix type_costs(const Chain& chain, const EdgeForm& form, const Matrix& source, const Matrix& target) {
  const Matrix priced = apply_form(chain, form, target, /*is_transposed=*/false);
  Matrix costs(source.columns, target.columns);
  for (std::int64_t j = 0; j < source.rows; ++j)
    for (std::int64_t k = 0; k < costs.rows; ++k)
      for (std::int64_t l = 0; l < costs.columns; ++l) costs(k, l) += source(j, k) * priced(j, l);
  return costs;
}

/// Renames the clusters of a slice so that cluster k is the partner of the previous slice's cluster k.
void rename_to_partners(const Chain& chain, const EdgeForm& form, const Matrix& previous_means, const Matrix& means, Labels& labels) {
  const std::vector<double> cost = chain.has_coordinates() ? transposed(type_costs(chain, form, previous_means, means)).values
                                                           : squared_distances(transposed(means), transposed(previous_means)).values;
  const std::vector<std::int32_t> partner = solve_assignment(means.columns, std::span<const double>(cost));
  for (std::int32_t& label : labels) label = partner[static_cast<std::size_t>(label)];
}

bool is_constrained(const Chain& chain) {
  return std::any_of(chain.edges.begin(), chain.edges.end(), [](const ChainEdge& e) { return e.allowed || e.coupling; }) ||
         std::any_of(chain.slices.begin(), chain.slices.end(), [](const ChainSlice& s) { return s.fixed_mass.has_value(); });
}

/// Only the diagonal, with some mass for types that no trajectory of the sample has.
void keep_diagonal(Matrix& coupling) {
  const double least = 1e-3 / static_cast<double>(coupling.values.size());
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    for (std::int64_t l = 0; l < coupling.columns; ++l) coupling(k, l) = k == l ? std::max(coupling(k, l), least) : 0.0;
}

/// Makes the couplings obey masks and given masses, and the masses of all slices consistent with them.
void make_consistent(const Chain& chain, ChainState& state) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    Matrix& coupling = state.couplings[t];
    if (chain.edges[t].coupling) coupling = *chain.edges[t].coupling;
    else if (is_constrained(chain) && !chain.edges[t].is_diagonal)
      for (double& value : coupling.values) value += 1e-3 / static_cast<double>(coupling.values.size());
    if (chain.edges[t].is_diagonal && !chain.edges[t].coupling) keep_diagonal(coupling);
    if (chain.edges[t].allowed)
      for (std::size_t i = 0; i < coupling.values.size(); ++i)
        if (chain.edges[t].allowed->values[i] == 0.0) coupling.values[i] = 0.0;
  }
  PathScores none;
  for (const SliceState& slice : state.slices) none.nodes.emplace_back(slice.masses.size(), 0.0);
  for (const Matrix& coupling : state.couplings) none.edges.emplace_back(coupling.rows, coupling.columns);
  const PathLaw law = tilted_law(chain, state.couplings, none, 0.0);
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    state.slices[t].masses = chain.slices[t].fixed_mass ? *chain.slices[t].fixed_mass : law.masses[t];
    for (const double mass : state.slices[t].masses)
      if (!(mass > 0.0)) throw DataError("a type of slice " + std::to_string(t) + " is cut off from every path by the mask; allow an edge into and out of each type");
  }
  state.couplings = law.couplings;
}

void finish_start(const Chain& chain, ChainState& state) {
  for (std::size_t t = 0; t < chain.num_slices(); ++t)
    if (chain.slices[t].has_fixed_membership()) {
      set_sums(chain.slices[t].fixed_sums, state.slices[t]);
      state.slices[t].masses = state.slices[t].actual;
    }
  make_consistent(chain, state);
  for (SliceState& slice : state.slices) slice.actual = slice.masses;
  state.coupling_gap.assign(chain.edges.size(), 0.0);
}

/// a b^T, its diagonal, or where the gradient of E depends on the coupling the exact one for its value at G.
Matrix coupling_of_means(const Chain& chain, const EdgeForm& form, const ChainState& state, std::size_t edge) {
  const std::vector<double>&a = state.slices[edge].masses, &b = state.slices[edge + 1].masses;
  const bool is_diagonal = chain.edges[edge].is_diagonal;
  if (chain.has_coordinates() && !is_diagonal && !chain.edges[edge].allowed)
    return solve_transport(a, b, type_costs(chain, form, state.slices[edge].means, state.slices[edge + 1].means)).coupling;
  Matrix coupling(chain.slices[edge].num_types, chain.slices[edge + 1].num_types);
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    for (std::int64_t l = 0; l < coupling.columns; ++l) {
      const double product = a[static_cast<std::size_t>(k)] * b[static_cast<std::size_t>(l)];
      if (!is_diagonal) coupling(k, l) = product;
      else if (k == l) coupling(k, l) = std::sqrt(product);
    }
  return coupling;
}

/// The nearest of `count` random rows, of different features where there are enough; each of those has its own label.
Labels labels_of_random_rows(const Matrix& rows, std::int64_t count, const RandomStream& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows.rows)), chosen;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
    return std::pair(random.bits(static_cast<std::uint64_t>(i)), i) < std::pair(random.bits(static_cast<std::uint64_t>(j)), j);
  });
  const auto is_new = [&](std::int64_t i) {
    return std::none_of(chosen.begin(), chosen.end(), [&](std::int64_t k) { return std::ranges::equal(rows.row(i), rows.row(k)); });
  };
  for (const bool takes_equal : {false, true})
    for (const std::int64_t i : order)
      if (static_cast<std::int64_t>(chosen.size()) < count && (is_new(i) || (takes_equal && std::ranges::count(chosen, i) == 0)))
        chosen.push_back(i);
  Matrix seeds(count, rows.columns);
  for (std::int64_t k = 0; k < count; ++k) std::ranges::copy(rows.row(chosen[static_cast<std::size_t>(k)]), seeds.row(k).begin());
  const Matrix distances = squared_distances(rows, seeds);
  Labels labels;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const auto row = distances.row(i);
    labels.push_back(static_cast<std::int32_t>(std::min_element(row.begin(), row.end()) - row.begin()));
  }
  for (std::int64_t k = 0; k < count; ++k) labels[static_cast<std::size_t>(chosen[static_cast<std::size_t>(k)])] = static_cast<std::int32_t>(k);
  return labels;
}

/// Exact for costs drawn at random.
Matrix random_coupling(const SliceState& source, const SliceState& target, const RandomStream& random) {
  Matrix costs(static_cast<std::int64_t>(source.masses.size()), static_cast<std::int64_t>(target.masses.size()));
  for (std::size_t e = 0; e < costs.values.size(); ++e) costs.values[e] = random.uniform(e);
  return solve_transport(source.masses, target.masses, costs).coupling;
}

}  // namespace

void set_start_couplings(const Chain& chain, const std::vector<Matrix>& moments, ChainState& state) {
  const std::vector<EdgeForm> forms = forms_at(chain, moments);
  state.couplings.clear();
  for (std::size_t t = 0; t < chain.edges.size(); ++t) state.couplings.push_back(coupling_of_means(chain, forms[t], state, t));
}

bool is_start_determined(const Chain& chain) {
  for (std::size_t t = 0; t < chain.num_slices(); ++t)
    if (!nearest_fixed_slice(chain, t)) return false;
  return true;
}

ChainState transport_start(const Chain& chain, const std::vector<SampledSlice>& sample, const Trajectories& trajectories,
                           std::uint64_t seed, std::uint32_t restart) {
  std::int64_t most_types = 0;
  for (const ChainSlice& slice : chain.slices) most_types = std::max(most_types, slice.num_types);
  const Matrix stacked = stacked_rows(chain, sample, trajectories);
  const std::vector<EdgeForm> forms = forms_at(chain, trajectories.moments);
  const auto form = [&](const Matrix& centroids) { return trajectory_form(chain, forms, centroids); };
  const Clustering clusters = cluster_rows(stacked, {}, most_types, form, stream_of(seed, DrawUse::trajectory_seeds, 0, restart), trajectory_attempts);

  ChainState state;
  state.slices.resize(chain.num_slices());
  std::vector<Labels> labels(chain.num_slices());
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const auto fixed = nearest_fixed_slice(chain, t);
    labels[t] = fixed ? labels_of_trajectories(sample[*fixed], trajectories.cells[*fixed])
                      : merged_labels(chain, t, clusters, seed, restart);
    Matrix rows(trajectories.count, chain.dimension);
    for (std::int64_t i = 0; i < rows.rows; ++i)
      for (std::int64_t j = 0; j < rows.columns; ++j) rows(i, j) = stacked(i, static_cast<std::int64_t>(t) * rows.columns + j);
    set_types(rows, labels[t], chain.slices[t].num_types, state.slices[t]);
    if (t > 0 && chain.edges[t - 1].is_diagonal && !fixed && chain.slices[t].num_types < most_types) {  // merged apart
      rename_to_partners(chain, forms[t - 1], state.slices[t - 1].means, state.slices[t].means, labels[t]);
      set_types(rows, labels[t], chain.slices[t].num_types, state.slices[t]);
    }
  }
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    Matrix coupling(chain.slices[t].num_types, chain.slices[t + 1].num_types);
    for (std::size_t i = 0; i < labels[t].size(); ++i) coupling(labels[t][i], labels[t + 1][i]) += 1.0 / static_cast<double>(trajectories.count);
    state.couplings.push_back(std::move(coupling));
  }
  finish_start(chain, state);
  return state;
}

ChainState kmeans_start(const Chain& chain, const std::vector<SampledSlice>& sample, std::uint64_t seed,
                        const std::vector<Matrix>& moments) {
  const std::vector<EdgeForm> forms = forms_at(chain, moments);
  ChainState state;
  state.slices.resize(chain.num_slices());
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const Matrix rows = feature_rows(chain, t, sample[t]);
    const RandomStream random = stream_of(seed, DrawUse::kmeans_seeds, t);
    Labels labels = cluster_rows(cluster_rows_of(chain, rows), {}, chain.slices[t].num_types, squared_distance_form, random, kmeans_attempts).labels;
    set_types(rows, labels, chain.slices[t].num_types, state.slices[t]);
    if (t > 0 && chain.edges[t - 1].is_diagonal) {
      rename_to_partners(chain, forms[t - 1], state.slices[t - 1].means, state.slices[t].means, labels);
      set_types(rows, labels, chain.slices[t].num_types, state.slices[t]);
    }
    state.slices[t].actual = state.slices[t].masses;
  }
  set_start_couplings(chain, moments, state);
  finish_start(chain, state);
  solve_couplings(chain, state);
  return state;
}

ChainState random_start(const Chain& chain, const std::vector<SampledSlice>& sample, std::uint64_t seed, std::uint32_t restart) {
  const std::int64_t c = chain.num_coordinates;
  const std::vector<Matrix> no_moments(chain.edges.size(), Matrix(c, c));
  ChainState state;
  state.slices.resize(chain.num_slices());
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const Matrix rows = feature_rows(chain, t, sample[t]);
    Labels labels = labels_of_random_rows(cluster_rows_of(chain, rows), chain.slices[t].num_types, stream_of(seed, DrawUse::random_rows, t, restart));
    set_types(rows, labels, chain.slices[t].num_types, state.slices[t]);
    if (t > 0 && chain.edges[t - 1].is_diagonal && !chain.has_coordinates()) {
      rename_to_partners(chain, {}, state.slices[t - 1].means, state.slices[t].means, labels);
      set_types(rows, labels, chain.slices[t].num_types, state.slices[t]);
    }
    state.slices[t].actual = state.slices[t].masses;
  }
  set_start_couplings(chain, no_moments, state);
  for (std::size_t t = 0; t < chain.edges.size(); ++t)
    if (chain.has_coordinates() && !chain.edges[t].is_diagonal && !chain.edges[t].allowed)
      state.couplings[t] = random_coupling(state.slices[t], state.slices[t + 1], stream_of(seed, DrawUse::random_links, t, restart));
  finish_start(chain, state);
  solve_couplings(chain, state);
  return state;
}

}  // namespace thalweg
