#include "job/gromov_costs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "geometry/geodesics.hpp"
#include "job/given_costs.hpp"
#include "job/intra_factors.hpp"
#include "job/side_graph.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

bool normalises(const IntraCostOptions& options) { return options.normalise_rows.value_or(options.cost == "geodesic"); }

Cost cost_of(const IntraCostOptions& options) {
  if (options.cost == "euclidean") return Cost::euclidean;
  if (options.cost == "cosine") return Cost::cosine;
  return options.cost == "correlation" ? Cost::correlation : Cost::sq_euclidean;
}

/// sum_ik a_i a_k C_ik and the largest C over owned rows, of all ranks.
template <class Value>
double divisor_of(const Communicator& comm, const std::string& scale, const CellSide& side, RowRange rows,
                  const std::vector<Value>& values) {
  if (scale == "none") return 1.0;
  double largest = 0.0;
  std::vector<double> means(static_cast<std::size_t>(rows.size()), 0.0);
  for (std::size_t i = 0; i < means.size(); ++i)
    for (std::size_t k = 0; k < static_cast<std::size_t>(side.num_cells); ++k) {
      const auto cost = static_cast<double>(values[i * static_cast<std::size_t>(side.num_cells) + k]);
      largest = std::max(largest, cost);
      means[i] += cost * side.weights[k] * side.weights[static_cast<std::size_t>(rows.begin) + i];
    }
  const double mass = std::accumulate(side.weights.begin(), side.weights.end(), 0.0);
  return scale == "mean" ? ordered_sum(comm, means) / (mass * mass) : comm.all_reduce(largest, Reduction::max);
}

SideCosts geodesic_costs(const Context& context, const GromovOptions& options, const CellSide& side, std::int64_t k) {
  const RowRange rows = owned_rows(context.comm, side);
  KnnGraph graph = graph_of_side(context, options, side, k);
  std::vector<std::int32_t> sources;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) sources.push_back(static_cast<std::int32_t>(i));
  GeodesicRows distances = geodesic_rows(context, graph.graph, sources, disconnected_of(options));
  const double divisor = std::visit(
      [&](const auto& values) {
        return divisor_of(context.comm, options.scale == "auto" ? "max" : options.scale, side, rows, values);
      },
      distances.values);
  check_divisor(side, "geodesic", divisor);
  SideCosts costs(side.num_cells, std::move(distances.values), divisor);
  costs.set_bridges(std::move(graph.bridges));
  return costs;
}

SideCosts costs_of_file(const Context& context, const Job& job, const IntraCostOptions& own,
                        const TransportSides& sides, const CellSide& side) {
  std::vector<float> values = read_given_costs(context.comm, job, sides, side, own.cost);
  const std::string& scale = job.gromov.scale;
  const double divisor =
      divisor_of(context.comm, scale == "auto" ? "max" : scale, side, owned_rows(context.comm, side), values);
  check_divisor(side, own.cost, divisor);
  return {side.num_cells, std::move(values), divisor};
}

/// The costs of the owned rows, formed 256 rows at a time.
template <class Value>
std::vector<Value> formed_rows(const Communicator& comm, const PairGeometry& geometry) {
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(geometry.rows().size() * geometry.num_columns()));
  for (const RowRange& piece : row_pieces(comm, geometry, block_rows)) {
    const std::vector<double> rows = geometry.cost_rows(piece);
    values.insert(values.end(), rows.begin(), rows.end());
  }
  return values;
}

/// Given factors, multiplied out.
SideCosts multiplied(const Context& context, const CellSide& side, const SideCosts& factored) {
  const FactoredCosts costs = std::get<FactoredCosts>(factored.costs());
  const auto v = std::get<std::span<const double>>(costs.factor.values);
  std::vector<double> u(v.begin(), v.end());
  for (std::size_t at = 0; at < u.size(); ++at) u[at] *= costs.diagonal[at % costs.diagonal.size()];
  PairSides pair;
  pair.cost = Cost::factored;
  pair.source = {side.num_cells, factored.rank(), std::span<const double>(u)};
  pair.target = costs.factor;
  pair.source_weights = pair.target_weights = side.weights;
  const auto geometry = make_pair_geometry(context, pair);
  if (context.precision == Precision::float64)
    return {side.num_cells, formed_rows<double>(context.comm, *geometry), costs.divisor};
  return {side.num_cells, formed_rows<float>(context.comm, *geometry), costs.divisor};
}

PairSides within(const CellSide& side, Cost cost) {
  const PointSet points{side.num_cells, side.num_features, std::span<const float>(side.features)};
  return {cost, points, points, side.weights, side.weights, {}};
}

template <class Value>
SideCosts stored_costs_as(const Context& context, const GromovOptions& options, const IntraCostOptions& own,
                          const CellSide& side) {
  const RowRange rows = owned_rows(context.comm, side);
  std::vector<Value> values =
      formed_rows<Value>(context.comm, *make_pair_geometry(context, within(side, cost_of(own))));
  for (std::int64_t i = 0; i < rows.size(); ++i)
    values[static_cast<std::size_t>(i * side.num_cells + rows.begin + i)] = Value(0);
  const double divisor = divisor_of(context.comm, options.scale == "auto" ? "max" : options.scale, side, rows, values);
  check_divisor(side, own.cost, divisor);
  return {side.num_cells, std::move(values), divisor};
}

SideCosts stored_costs(const Context& context, const GromovOptions& options, const IntraCostOptions& own,
                       const CellSide& side) {
  if (context.precision == Precision::float64) return stored_costs_as<double>(context, options, own, side);
  return stored_costs_as<float>(context, options, own, side);
}

SideCosts squared_costs(const Context& context, const GromovOptions& options, const CellSide& side) {
  double divisor = 1.0;
  if (options.scale != "none") {
    const auto geometry = make_pair_geometry(context, within(side, Cost::sq_euclidean));
    divisor = geometry->cost_statistic(options.scale == "max" ? CostStatistic::max : CostStatistic::mean);
  }
  check_divisor(side, "sq_euclidean", divisor);
  return {side.num_cells, side.num_features, side.features, divisor};
}

bool have_squares(const Job& job) {
  return job.source_costs.cost == "sq_euclidean" && job.target_costs.cost == "sq_euclidean";
}

/// One problem between given pairs of marginals, its entropy relative to the product of the weights.
bool is_plain(const GromovOptions& options) {
  return options.mode == "balanced" && options.regularisation == "entropy" && options.algorithm == "mirror";
}

/// What the costs of both sides have in common.
struct Shared {
  const Job& job;
  const TransportSides& sides;
  std::int64_t k = 0;
  bool low_rank = false;
};

SideCosts side_costs(const Context& context, const Shared& shared, const IntraCostOptions& own, const CellSide& side) {
  const Job& job = shared.job;
  GromovOptions options = job.gromov;
  if (options.scale == "auto" && have_squares(job)) options.scale = "mean";
  if (are_squared(job)) return squared_costs(context, options, side);
  if (shared.low_rank) return factored_costs(context, job, own, shared.sides, side, shared.k);
  if (own.cost == "geodesic") return geodesic_costs(context, job.gromov, side, shared.k);
  if (own.cost.starts_with("obsp/")) return costs_of_file(context, job, own, shared.sides, side);
  if (own.cost == "factored")
    return multiplied(context, side, factored_costs(context, job, own, shared.sides, side, shared.k));
  return stored_costs(context, options, own, side);
}

}  // namespace

void normalise_rows(CellSide& side) {
  const auto d = static_cast<std::size_t>(side.num_features);
  for (std::size_t i = 0; i < static_cast<std::size_t>(side.num_cells); ++i) {
    double square = 0.0;
    for (std::size_t k = 0; k < d; ++k) square += std::pow(static_cast<double>(side.features[i * d + k]), 2);
    if (square == 0.0)
      throw DataError("row " + std::to_string(i) + " of the " + side.name +
                      " features is zero; rows are scaled to length 1; remove the cell, or set " + side.name +
                      ".normalise_rows = false");
    for (std::size_t k = 0; k < d; ++k)
      side.features[i * d + k] = static_cast<float>(static_cast<double>(side.features[i * d + k]) / std::sqrt(square));
  }
}

void check_divisor(const CellSide& side, const std::string& cost, double divisor) {
  if (!(divisor > 0.0))
    throw DataError("all " + cost + " costs of the " + side.name +
                    " side are 0; the cells of a side must differ; check its features");
  log_info(side.name + ": " + cost + " costs of " + std::to_string(side.num_cells) + " cells, divided by " +
           rounded_number(divisor, 6));
}

IntraCosts SideCosts::costs() const {
  if (!diagonal_.empty())
    return FactoredCosts{
        {num_cells_, rank(), std::span<const double>(std::get<std::vector<double>>(values_))}, diagonal_, divisor_};
  if (dimension_ > 0)
    return SquaredDistances{{num_cells_, dimension_, std::span<const float>(std::get<std::vector<float>>(values_))},
                            divisor_};
  StoredIntraCosts stored;
  stored.num_cells = num_cells_;
  stored.divisor = divisor_;
  std::visit([&]<class Value>(const std::vector<Value>& values) { stored.values = std::span<const Value>(values); },
             values_);
  return stored;
}

std::int64_t geodesic_k_of(const GromovOptions& options, std::int64_t n, std::int64_t m) {
  const double share = std::round(0.05 * static_cast<double>(std::min(n, m)));
  return options.geodesic_k.value_or(std::clamp<std::int64_t>(static_cast<std::int64_t>(share), 10, 100));
}

bool are_squared(const Job& job) { return is_plain(job.gromov) && have_squares(job); }

bool may_be_factors(const Job& job) {
  const auto may = [](const std::string& cost) {
    return cost == "geodesic" || cost == "factored" || cost == "sq_euclidean";
  };
  return is_plain(job.gromov) && !have_squares(job) && may(job.source_costs.cost) && may(job.target_costs.cost);
}

bool are_factors(const Job& job) {
  return may_be_factors(job) && job.source_costs.cost != "geodesic" && job.target_costs.cost != "geodesic";
}

AlignmentCosts make_alignment_costs(const Context& context, const Job& job, TransportSides& sides, bool low_rank) {
  const std::int64_t k = geodesic_k_of(job.gromov, sides.source.num_cells, sides.target.num_cells);
  if (normalises(job.source_costs)) normalise_rows(sides.source);
  if (normalises(job.target_costs)) normalise_rows(sides.target);
  return alignment_costs_with(context, job, sides, k, low_rank);
}

AlignmentCosts alignment_costs_with(const Context& context, const Job& job, const TransportSides& sides,
                                    std::int64_t k, bool low_rank) {
  const bool has_graph = job.source_costs.cost == "geodesic" || job.target_costs.cost == "geodesic";
  const Shared shared{job, sides, k, low_rank};
  return {side_costs(context, shared, job.source_costs, sides.source),
          side_costs(context, shared, job.target_costs, sides.target), has_graph ? k : 0};
}

}  // namespace thalweg
