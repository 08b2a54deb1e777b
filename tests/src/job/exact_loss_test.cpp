#include "job/exact_loss.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "geometry/geodesics.hpp"
#include "geometry/landmark_factor.hpp"

namespace thalweg {
namespace {

/// Cells on a line, joined to those before them, with a few short cuts.
Graph line(std::int32_t size, std::int32_t reach) {
  std::vector<Edge> edges;
  for (std::int32_t i = 1; i < size; ++i)
    for (std::int32_t step = 1; step <= std::min(i, reach + i % 3); ++step) edges.push_back({i - step, i, 1.0});
  return graph_of_edges(size, edges, EdgeWeight::hops);
}

SideCosts side_of(const Context& context, const Graph& graph) {
  const LandmarkFactor factor = landmark_factor(context, graph, {30, 8, LandmarkChoice::uniform, Disconnected::error});
  SideCosts costs(graph.num_nodes, context.comm.all_gather(std::span<const double>(factor.v.values)),
                  factor.eigenvalues, factor.largest);
  costs.set_geodesic_factor({graph, Disconnected::error, factor.error, factor.error_deviation});
  return costs;
}

/// sum (C - D)^2 P P between some cells, P scaled to mass 1: by the four indices, two at a time.
double plain_loss(const Context& context, const AlignmentCosts& costs, const GromovSolution& solution,
                  const std::vector<std::int32_t>& sources, const std::vector<std::int32_t>& targets) {
  const Matrix c = distances_between(context, costs.source.geodesic_factor()->graph, sources, Disconnected::error),
               d = distances_between(context, costs.target.geodesic_factor()->graph, targets, Disconnected::error);
  const std::int64_t n = costs.source.num_cells(), m = costs.target.num_cells();
  const std::vector<double> all = solution.geometry->coupling_rows({0, n}, solution.coupling.f, solution.coupling.g);
  Matrix p(c.rows, d.rows);
  double mass = 0.0;
  for (std::int64_t i = 0; i < p.rows; ++i)
    for (std::int64_t j = 0; j < p.columns; ++j)
      mass += p(i, j) = all[static_cast<std::size_t>(sources[static_cast<std::size_t>(i)] * m +
                                                     targets[static_cast<std::size_t>(j)])];
  double loss = 0.0;
  for (std::int64_t i = 0; i < p.rows; ++i)
    for (std::int64_t k = 0; k < p.rows; ++k)
      for (std::int64_t j = 0; j < p.columns; ++j)
        for (std::int64_t l = 0; l < p.columns; ++l)
          loss += std::pow(c(i, k) / costs.source.divisor() - d(j, l) / costs.target.divisor(), 2) * p(i, j) * p(k, l);
  return loss / (mass * mass);
}

class ExactLosses : public testing::Test {
 protected:
  AlignmentCosts costs_on(const Communicator& comm) const {
    const Context context = on(comm);
    return {side_of(context, line(300, 3)), side_of(context, line(270, 2)), 0};
  }
  GromovSolution solved(const Communicator& comm, const AlignmentCosts& costs) const {
    const GromovProblem problem{costs.source.costs(), costs.target.costs(), std::vector<double>(300, 1.0 / 300),
                                std::vector<double>(270, 1.0 / 270), 0.02};
    return solve_gromov(on(comm), problem, {});
  }
  static Context on(const Communicator& comm) { return {comm, Precision::float64, Device::cpu, 5}; }

  std::unique_ptr<Communicator> world_ = make_world_communicator(), self_ = make_self_communicator();
};

TEST_F(ExactLosses, AreThePlainSumsOnAnyNumberOfRanks) {
  const AlignmentCosts here = costs_on(*self_), spread = costs_on(*world_);
  const GromovSolution alone = solved(*self_, here), many = solved(*world_, spread);
  for (const std::int64_t most : {40, 55}) {
    const auto loss = exact_loss(on(*world_), spread, many, most);
    ASSERT_TRUE(loss);
    EXPECT_EQ(loss->num_sources, most);
    EXPECT_EQ(loss->num_targets, most);
    std::vector<std::int32_t> sources = random_cells(300, most, 5, exact_stream),
                              targets = random_cells(270, most, 5, exact_stream);
    std::sort(sources.begin(), sources.end());
    std::sort(targets.begin(), targets.end());
    EXPECT_NEAR(loss->loss, plain_loss(on(*self_), here, alone, sources, targets), 1e-11);
  }
  const auto whole = exact_loss(on(*world_), spread, many), again = exact_loss(on(*self_), here, alone);
  EXPECT_EQ(whole->num_sources, 300);
  EXPECT_EQ(whole->num_targets, 270);
  EXPECT_EQ(whole->loss, again->loss);
}

TEST_F(ExactLosses, AreAbsentWhereNothingWasLeftOut) {
  AlignmentCosts costs = costs_on(*self_);
  const GromovSolution solution = solved(*self_, costs);
  const auto without_graph = [](const SideCosts& side) {
    const FactoredCosts factored = std::get<FactoredCosts>(side.costs());
    const auto v = std::get<std::span<const double>>(factored.factor.values);
    return SideCosts(side.num_cells(), {v.begin(), v.end()}, factored.diagonal, factored.divisor);
  };
  EXPECT_FALSE(exact_loss(on(*self_), {without_graph(costs.source), without_graph(costs.target), 0}, solution));
  EXPECT_TRUE(exact_loss(on(*self_), {without_graph(costs.source), costs.target, 0}, solution));
}

}  // namespace
}  // namespace thalweg
