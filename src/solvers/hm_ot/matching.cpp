#include "solvers/hm_ot/matching.hpp"

#include <utility>

#include "exact/assignment.hpp"
#include "solvers/hm_ot/edge_form.hpp"
#include "solvers/squared_distances.hpp"

namespace thalweg {

namespace {

constexpr int max_rounds = 20;  // of exact maps for the gradient

using Map = std::vector<std::int32_t>;  // row of the target sample of every row of the source sample

/// x_i^T G y_j
std::vector<double> form_costs(const Chain& chain, const EdgeForm& form, const Matrix& x, const Matrix& y) {
  Matrix columns(y.columns, y.rows);
  for (std::int64_t j = 0; j < y.rows; ++j)
    for (std::int64_t f = 0; f < y.columns; ++f) columns(f, j) = y(j, f);
  const Matrix priced = apply_form(chain, form, columns, /*is_transposed=*/false);
  std::vector<double> cost(static_cast<std::size_t>(x.rows * y.rows), 0.0);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t f = 0; f < x.columns; ++f) {
      const double value = x(i, f);
      for (std::int64_t j = 0; j < y.rows; ++j) cost[static_cast<std::size_t>(i * y.rows + j)] += value * priced(f, j);
    }
  return cost;
}

/// A map as one type a link: means of types are the linked rows themselves.
ChainState linked_state(const Chain& chain, std::size_t edge, const Matrix& x, const Matrix& y, const Map& map) {
  ChainState state;
  state.slices.resize(chain.num_slices());
  state.couplings.resize(chain.edges.size());
  Matrix source(x.columns, x.rows), target(x.columns, x.rows), coupling(x.rows, x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t f = 0; f < x.columns; ++f) {
      source(f, i) = x(i, f);
      target(f, i) = y(map[static_cast<std::size_t>(i)], f);
    }
    coupling(i, i) = 1.0 / static_cast<double>(x.rows);
  }
  state.slices[edge].means = std::move(source);
  state.slices[edge + 1].means = std::move(target);
  state.couplings[edge] = std::move(coupling);
  return state;
}

struct Links {
  Map map;
  double cost = 0.0;
  Matrix moment;
};

/// The exact map of least squared distance.
Links link_by_distance(const Chain& chain, std::size_t edge, const Matrix& x, const Matrix& y) {
  const std::vector<double> cost = squared_distances(x, y).values;
  Links links{solve_assignment(x.rows, std::span<const double>(cost)), 0.0, {}};
  double total = 0.0;
  for (std::int64_t i = 0; i < x.rows; ++i) total += cost[static_cast<std::size_t>(i * x.rows + links.map[static_cast<std::size_t>(i)])];
  links.cost = chain.edges[edge].weight * total / static_cast<double>(x.rows);
  return links;
}

/// The cost is concave: each map is no dearer than the one before.
Links link_by_gradient(const Chain& chain, std::size_t edge, const Matrix& x, const Matrix& y, const Matrix& start) {
  Links best;
  Matrix moment = start;
  for (int round = 0; round < max_rounds; ++round) {
    const std::vector<double> cost = form_costs(chain, edge_form(chain, edge, moment), x, y);
    Links links{solve_assignment(x.rows, std::span<const double>(cost)), 0.0, {}};
    const ChainState state = linked_state(chain, edge, x, y, links.map);
    links.cost = transition_cost(chain, state, edge);
    links.moment = moment = coordinate_moment(chain, state, edge);
    if (round > 0 && !(links.cost < best.cost)) break;
    best = std::move(links);
  }
  return best;
}

}  // namespace

Matrix feature_rows(const Chain& chain, std::size_t slice, const SampledSlice& sample) {
  Matrix rows(sample.num_rows, chain.dimension);
  const RowBlock block = sample.block(chain.dimension);
  for (std::int64_t i = 0; i < rows.rows; ++i) features_of_row(block, chain.slices[slice].frame, i, rows.row(i));
  return rows;
}

Trajectories match_slices(const Chain& chain, const std::vector<SampledSlice>& sample, const std::vector<Matrix>& starts) {
  Trajectories trajectories;
  trajectories.count = sample.front().num_rows;
  Map identity(static_cast<std::size_t>(trajectories.count));
  for (std::size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<std::int32_t>(i);
  trajectories.cells.push_back(identity);
  for (std::size_t t = 0; t + 1 < chain.num_slices(); ++t) {
    const Matrix x = feature_rows(chain, t, sample[t]), y = feature_rows(chain, t + 1, sample[t + 1]);
    Links links = chain.has_coordinates() ? link_by_gradient(chain, t, x, y, starts[t]) : link_by_distance(chain, t, x, y);
    Map next;
    for (const std::int32_t cell : trajectories.cells[t]) next.push_back(links.map[static_cast<std::size_t>(cell)]);
    trajectories.cost += links.cost;
    trajectories.moments.push_back(std::move(links.moment));
    trajectories.cells.push_back(std::move(next));
  }
  return trajectories;
}

}  // namespace thalweg
