#include "solvers/hm_ot/prepare.hpp"

#include <algorithm>
#include <cmath>

#include "distributed/error.hpp"
#include "solvers/hm_ot/constraints.hpp"
#include "solvers/hm_ot/streams.hpp"

namespace thalweg {

namespace {

std::vector<double> pooled_mean(const std::vector<RowMoments>& moments) {
  std::vector<double> mean(moments.front().mean.size(), 0.0);
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

ChainSlice make_slice(const HmOtSlice& slice, const HmOtSettings& settings, const RowMoments& moments) {
  ChainSlice result;
  result.num_rows = slice.rows.num_rows;
  result.num_types = slice.num_types;
  result.second_moment = moments.second_moment;
  result.min_mass = std::min(min_type_mass(settings, slice.rows.num_rows), 0.5 / static_cast<double>(slice.num_types));
  if (slice.masses) result.fixed_mass = normalised(*slice.masses);
  return result;
}

void pack_rows(const Context& context, const RowBlock& rows, const std::vector<double>& center, const RowMoments& moments, ChainSlice& result) {
  context.comm.on_all([&] { result.rows = make_row_pass(context, rows, center, moments); });  // memory may run out on one rank
}

/// Keeps the labels or shares of the slice and their sums; false when the membership is free. Collective.
bool fix_membership(const Communicator& comm, const HmOtSlice& slice, const std::vector<double>& center, const RowMoments& moments,
                    ChainSlice& result) {
  // A rank without rows has neither.
  if (comm.any(!slice.labels.empty())) {
    result.fixed_labels.assign(slice.labels.begin(), slice.labels.end());
    result.fixed_sums = label_sums(comm, slice.rows, center, moments, slice.labels, slice.num_types);
  } else if (comm.any(!slice.memberships.empty())) {
    result.fixed_memberships = slice.memberships;
    result.fixed_sums = membership_sums(comm, slice.rows, center, moments, slice.memberships, slice.num_types);
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
  result.second_moment = fixed.second_moment;
  result.min_mass = fixed.min_mass;
  result.fixed_sums = fixed.fixed_sums;
  result.fixed_mass = fixed.fixed_mass;
  return result;
}

std::vector<ChainEdge> make_edges(const HmOtProblem& problem) {
  std::vector<ChainEdge> edges;
  for (const HmOtTransition& transition : problem.transitions)
    edges.push_back({transition.weight, transition.allowed, transition.coupling, transition.is_diagonal});
  return edges;
}

}  // namespace

Chain prepare_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings) {
  if (problem.slices.size() > max_slices)
    throw DataError(std::to_string(problem.slices.size()) + " times; a chain has at most " + std::to_string(max_slices) + "; choose some with input.days");
  Chain chain;
  chain.dimension = problem.slices.front().rows.dimension;
  const std::vector<double> origin(static_cast<std::size_t>(chain.dimension), 0.0);
  std::vector<RowMoments> moments;
  for (const HmOtSlice& slice : problem.slices) moments.push_back(row_moments(context.comm, slice.rows, origin));
  chain.center = pooled_mean(moments);
  for (std::size_t t = 0; t < problem.slices.size(); ++t) {
    const RowMoments centered = row_moments(context.comm, problem.slices[t].rows, chain.center);
    chain.variance += trace_of_covariance(centered, chain.center) / static_cast<double>(problem.slices.size());
    ChainSlice slice = make_slice(problem.slices[t], settings, centered);
    if (!fix_membership(context.comm, problem.slices[t], chain.center, centered, slice)) pack_rows(context, problem.slices[t].rows, chain.center, centered, slice);
    chain.slices.push_back(std::move(slice));
  }
  if (!(chain.variance > 0.0)) chain.variance = 1.0;  // all rows equal: every coupling costs the same
  chain.edges = make_edges(problem);
  apply_constraints(problem, chain);
  return chain;
}

Chain sample_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings, const Chain& whole,
                   const std::vector<SampledSlice>& sample) {
  Chain chain;
  chain.dimension = whole.dimension;
  chain.center = whole.center;
  chain.variance = whole.variance;
  chain.edges = whole.edges;
  for (std::size_t t = 0; t < sample.size(); ++t) {
    if (whole.slices[t].has_fixed_membership()) {
      chain.slices.push_back(without_rows(whole.slices[t]));
      continue;
    }
    HmOtSlice slice;
    slice.rows = {sample[t].num_rows, {0, sample[t].num_rows}, whole.dimension, sample[t].features, {}};
    slice.num_types = problem.slices[t].num_types;
    slice.masses = whole.slices[t].fixed_mass;
    const RowMoments moments = row_moments(context.comm, slice.rows, whole.center);
    ChainSlice made = make_slice(slice, settings, moments);
    pack_rows(context, slice.rows, whole.center, moments, made);
    chain.slices.push_back(std::move(made));
  }
  return chain;
}

}  // namespace thalweg
