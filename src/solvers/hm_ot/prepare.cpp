#include "solvers/hm_ot/prepare.hpp"

#include <algorithm>
#include <cmath>

#include "distributed/error.hpp"
#include "solvers/hm_ot/constraints.hpp"
#include "solvers/hm_ot/streams.hpp"

namespace thalweg {

namespace {

/// Of the features that all slices share.
std::vector<double> pooled_mean(const std::vector<RowMoments>& moments, std::int64_t num_features) {
  std::vector<double> mean(static_cast<std::size_t>(num_features), 0.0);
  for (const RowMoments& slice : moments)
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += slice.mean[j] / static_cast<double>(moments.size());
  return mean;
}

double trace_of_covariance(const RowMoments& moments, const std::vector<double>& center) {
  double shift = 0.0;
  for (std::size_t j = 0; j < center.size(); ++j) shift += (moments.mean[j] - center[j]) * (moments.mean[j] - center[j]);
  return std::max(0.0, moments.second_moment - shift);
}

double min_type_mass(const HmOtSettings& settings, std::int64_t num_rows) {
  if (settings.min_type_mass > 0.0) return settings.min_type_mass;
  return std::max(5.0 / static_cast<double>(num_rows), 1e-4);
}

/// @param moments   in a frame without scale
ChainSlice make_slice(const HmOtSlice& slice, const HmOtSettings& settings, const RowMoments& moments, FeatureFrame frame) {
  ChainSlice result;
  result.num_rows = slice.rows.num_rows;
  result.num_types = slice.num_types;
  result.frame = std::move(frame);
  result.second_moment = moments.second_moment;
  result.min_mass = std::min(min_type_mass(settings, slice.rows.num_rows), 0.5 / static_cast<double>(slice.num_types));
  if (slice.masses) result.fixed_mass = normalised(*slice.masses);
  return result;
}

/// @param moments   in the frame of the slice
void pack_rows(const Context& context, const RowBlock& rows, const RowMoments& moments, ChainSlice& result) {
  context.comm.on_all([&] { result.rows = make_row_pass(context, rows, result.frame, moments); });  // memory may run out on one rank
}

/// Keeps the labels or shares of the slice and their sums; false when the membership is free. Collective.
bool fix_membership(const Communicator& comm, const HmOtSlice& slice, const RowMoments& moments, ChainSlice& result) {
  // A rank without rows has neither.
  if (comm.any(!slice.labels.empty())) {
    result.fixed_labels.assign(slice.labels.begin(), slice.labels.end());
    result.fixed_sums = label_sums(comm, slice.rows, result.frame, moments, slice.labels, slice.num_types);
  } else if (comm.any(!slice.memberships.empty())) {
    result.fixed_memberships = slice.memberships;
    result.fixed_sums = membership_sums(comm, slice.rows, result.frame, moments, slice.memberships, slice.num_types);
  } else {
    return false;
  }
  if (result.fixed_mass && mass_difference(*result.fixed_mass, result.fixed_sums.masses) > max_mass_difference)
    throw DataError("the given type masses of time " + slice.name + " are not those of its given memberships; let one of them free");
  result.fixed_mass = result.fixed_sums.masses;
  return true;
}

/// The sums of all rows of a fixed slice are known: no need to sample them.
ChainSlice without_rows(const ChainSlice& fixed) {
  ChainSlice result;
  result.num_rows = fixed.num_rows;
  result.num_types = fixed.num_types;
  result.frame = fixed.frame;
  result.second_moment = fixed.second_moment;
  result.intra = fixed.intra;
  result.coordinate_unit = fixed.coordinate_unit;
  result.square_unit = fixed.square_unit;
  result.min_mass = fixed.min_mass;
  result.fixed_sums = fixed.fixed_sums;
  result.fixed_mass = fixed.fixed_mass;
  return result;
}

std::vector<ChainEdge> make_edges(const HmOtProblem& problem) {
  std::vector<ChainEdge> edges;
  for (const HmOtTransition& transition : problem.transitions)
    edges.push_back({transition.weight, transition.allowed, transition.coupling, transition.is_diagonal, transition.gromov});
  return edges;
}

/// The power of two next to a positive number, else 1: as a unit it costs no digits.
double nearest_power(double value) { return value > 0.0 && std::isfinite(value) ? std::exp2(std::round(std::log2(value))) : 1.0; }

double mean_over_edges(const Chain& chain, double ChainEdge::* value) {
  double sum = 0.0;
  for (const ChainEdge& edge : chain.edges) sum += edge.*value;
  return sum / static_cast<double>(chain.edges.size());
}

/// s_W and s_GW. @param moments   about the centers
TransitionParts mean_product_parts(const std::vector<RowMoments>& moments, const Chain& chain) {
  TransitionParts mean;
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    double product = 0.0;
    for (std::size_t j = 0; j < chain.center.size(); ++j)
      product += (moments[t].mean[j] - chain.center[j]) * (moments[t + 1].mean[j] - chain.center[j]);
    const TransitionParts parts = product_parts(chain.slices[t], chain.slices[t + 1], product);
    mean.transport += chain.edges[t].weight * parts.transport / static_cast<double>(chain.edges.size());
    mean.gromov += parts.gromov / static_cast<double>(chain.edges.size());
  }
  return mean;
}

/// Weights of E: both parts in units of their values at a b^T, or one part alone in its own unit.
void weigh_parts(double alpha, const TransitionParts& product, Chain& chain) {
  const bool is_fused = chain.num_features() > 0;
  for (ChainEdge& edge : chain.edges) {
    if (is_fused) edge.gromov = alpha / (product.gromov > 0.0 ? product.gromov : 1.0);
    edge.weight = is_fused ? edge.weight * (1.0 - alpha) / (product.transport > 0.0 ? product.transport : 1.0) : 0.0;
  }
}

/// Features and coordinates count for k-means as they do for epsilon, squares of coordinates not at all.
void set_cluster_scale(double of_features, double of_coordinates, Chain& chain) {
  chain.cluster_scale.assign(static_cast<std::size_t>(chain.dimension), of_coordinates);
  const double share = chain.variance > 0.0 ? chain.feature_unit * chain.feature_unit / chain.variance : 0.0;
  std::fill_n(chain.cluster_scale.begin(), chain.num_features(), of_features * share);
  chain.cluster_scale.back() = 0.0;
}

/// mu, then the mean coordinates of the slice and 0 for their squares.
std::vector<double> center_of(const std::vector<double>& pooled, const RowMoments& moments) {
  std::vector<double> center(pooled);
  center.insert(center.end(), moments.mean.begin() + static_cast<std::ptrdiff_t>(pooled.size()), moments.mean.end());
  if (center.size() > pooled.size()) center.back() = 0.0;
  return center;
}

void set_coordinate_units(ChainSlice& slice, double feature_unit, std::int64_t num_features) {
  slice.coordinate_unit = nearest_power(std::sqrt(slice.intra.square));
  slice.square_unit = nearest_power(std::sqrt(std::max(0.0, slice.intra.fourth - slice.intra.square * slice.intra.square)));
  FeatureFrame& frame = slice.frame;
  frame.center.back() = slice.intra.square;
  frame.scale.assign(frame.center.size(), 1.0 / slice.coordinate_unit);
  std::fill_n(frame.scale.begin(), num_features, 1.0 / feature_unit);
  frame.scale.back() = 1.0 / slice.square_unit;
}

/// Brings all parts of phi to unit size and weighs both parts of E. @param moments   about the centers
void add_coordinates(const Communicator& comm, const HmOtProblem& problem, const std::vector<RowMoments>& moments, Chain& chain) {
  const std::int64_t features = chain.num_features();
  if (features > 0) chain.feature_unit = nearest_power(std::sqrt(chain.variance));
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    chain.slices[t].intra = intra_moments(comm, problem.slices[t].rows, chain.slices[t].frame.center);
    set_coordinate_units(chain.slices[t], chain.feature_unit, features);
  }
  const TransitionParts product = mean_product_parts(moments, chain);
  weigh_parts(problem.alpha, product, chain);
  const double of_features = mean_over_edges(chain, &ChainEdge::weight) * chain.variance;
  const double of_coordinates = 0.5 * mean_over_edges(chain, &ChainEdge::gromov) * product.gromov;
  set_cluster_scale(of_features, of_coordinates, chain);
  chain.variance = of_features + of_coordinates;
}

}  // namespace

Chain prepare_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings) {
  if (problem.slices.size() > max_slices)
    throw DataError(std::to_string(problem.slices.size()) + " times; a chain has at most " + std::to_string(max_slices) + "; choose some with input.days");
  Chain chain;
  chain.dimension = problem.slices.front().rows.dimension;
  chain.num_coordinates = problem.slices.front().rows.coordinates.width;
  const std::vector<double> origin(static_cast<std::size_t>(chain.dimension), 0.0);
  std::vector<RowMoments> moments;
  for (const HmOtSlice& slice : problem.slices) moments.push_back(row_moments(context.comm, slice.rows, without_squares(slice.rows, origin)));
  chain.center = pooled_mean(moments, chain.num_features());
  for (std::size_t t = 0; t < problem.slices.size(); ++t) {
    const FeatureFrame frame = without_squares(problem.slices[t].rows, center_of(chain.center, moments[t]));
    moments[t] = row_moments(context.comm, problem.slices[t].rows, frame);
    chain.variance += trace_of_covariance(moments[t], chain.center) / static_cast<double>(problem.slices.size());
    chain.slices.push_back(make_slice(problem.slices[t], settings, moments[t], frame));
  }
  chain.edges = make_edges(problem);
  if (chain.has_coordinates()) add_coordinates(context.comm, problem, moments, chain);
  if (!(chain.variance > 0.0)) chain.variance = 1.0;  // all rows equal: every coupling costs the same
  for (std::size_t t = 0; t < problem.slices.size(); ++t) {
    const HmOtSlice& slice = problem.slices[t];
    if (chain.has_coordinates()) moments[t] = row_moments(context.comm, slice.rows, chain.slices[t].frame);
    if (!fix_membership(context.comm, slice, moments[t], chain.slices[t])) pack_rows(context, slice.rows, moments[t], chain.slices[t]);
  }
  apply_constraints(problem, chain);
  return chain;
}

Chain sample_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings, const Chain& whole,
                   const std::vector<SampledSlice>& sample) {
  Chain chain;
  chain.dimension = whole.dimension;
  chain.num_coordinates = whole.num_coordinates;
  chain.feature_unit = whole.feature_unit;
  chain.center = whole.center;
  chain.cluster_scale = whole.cluster_scale;
  chain.variance = whole.variance;
  chain.edges = whole.edges;
  for (std::size_t t = 0; t < sample.size(); ++t) {
    if (whole.slices[t].has_fixed_membership()) {
      chain.slices.push_back(without_rows(whole.slices[t]));
      continue;
    }
    HmOtSlice slice;
    slice.rows = sample[t].block(whole.dimension);
    slice.num_types = problem.slices[t].num_types;
    slice.masses = whole.slices[t].fixed_mass;
    const FeatureFrame& frame = whole.slices[t].frame;
    const RowMoments moments = row_moments(context.comm, slice.rows, frame);
    ChainSlice made = make_slice(slice, settings, moments, frame);
    made.second_moment *= whole.feature_unit * whole.feature_unit;
    made.coordinate_unit = whole.slices[t].coordinate_unit;
    made.square_unit = whole.slices[t].square_unit;
    if (whole.has_coordinates()) made.intra = intra_moments(context.comm, slice.rows, frame.center);
    pack_rows(context, slice.rows, moments, made);
    chain.slices.push_back(std::move(made));
  }
  return chain;
}

}  // namespace thalweg
