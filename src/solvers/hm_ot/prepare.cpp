#include "solvers/hm_ot/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distributed/error.hpp"

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

/// Given masses agree with 1 only to the digits of their file, type sums to rounding.
std::vector<double> normalised(std::vector<double> masses) {
  const double sum = std::accumulate(masses.begin(), masses.end(), 0.0);
  for (double& mass : masses) mass /= sum;
  return masses;
}

ChainSlice make_slice(const Context& context, const HmOtSlice& slice, const HmOtSettings& settings,
                      const std::vector<double>& center, const RowMoments& moments) {
  ChainSlice result;
  result.num_rows = slice.rows.num_rows;
  result.num_types = slice.num_types;
  result.second_moment = moments.second_moment;
  result.min_mass = std::min(min_type_mass(settings, slice.rows.num_rows), 0.5 / static_cast<double>(slice.num_types));
  if (slice.masses) result.fixed_mass = normalised(*slice.masses);
  const bool is_labelled = context.comm.any(!slice.labels.empty());
  if (is_labelled) {
    result.fixed_labels.assign(slice.labels.begin(), slice.labels.end());
    result.fixed_sums = label_sums(context.comm, slice.rows, center, moments, slice.labels, slice.num_types);
    result.fixed_mass = result.fixed_sums.masses;
  } else {
    context.comm.on_all([&] { result.rows = make_row_pass(context, slice.rows, center, moments); });  // memory may run out on one rank
  }
  return result;
}

double mass_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += std::abs(a[k] - b[k]);
  return sum;
}

/// A given T fixes the masses at both of its ends.
void fix_masses_of_given_couplings(const HmOtProblem& problem, Chain& chain) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    if (!chain.edges[t].coupling) continue;
    const Matrix& coupling = *chain.edges[t].coupling;
    std::vector<double> rows(static_cast<std::size_t>(coupling.rows), 0.0), columns(static_cast<std::size_t>(coupling.columns), 0.0);
    for (std::int64_t k = 0; k < coupling.rows; ++k)
      for (std::int64_t l = 0; l < coupling.columns; ++l) {
        rows[static_cast<std::size_t>(k)] += coupling(k, l);
        columns[static_cast<std::size_t>(l)] += coupling(k, l);
      }
    for (const auto& [slice, masses] : {std::pair{t, &rows}, std::pair{t + 1, &columns}}) {
      auto& fixed = chain.slices[slice].fixed_mass;
      if (fixed && mass_difference(*fixed, *masses) > 1e-6)
        throw DataError("the given coupling " + problem.slices[t].name + ":" + problem.slices[t + 1].name +
                        " has other type masses at " + problem.slices[slice].name + " than the labels, masses or the other coupling given there; make them agree to 1e-6");
      if (!fixed) fixed = normalised(*masses);
    }
  }
}

void check_diagonals(const HmOtProblem& problem, const Chain& chain) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    if (!chain.edges[t].is_diagonal) continue;
    const std::string where = problem.slices[t].name + ":" + problem.slices[t + 1].name;
    const ChainSlice &source = chain.slices[t], &target = chain.slices[t + 1];
    if (source.num_types != target.num_types)
      throw DataError("diagonal coupling " + where + " between " + std::to_string(source.num_types) + " and " +
                      std::to_string(target.num_types) + " types; both ends need the same number; change rank");
    if (source.fixed_mass && target.fixed_mass && mass_difference(*source.fixed_mass, *target.fixed_mass) > 1e-6)
      throw DataError("diagonal coupling " + where + " between different given type masses; they may differ by 1e-6; let one of them free or allow other transitions");
  }
}

std::vector<ChainEdge> make_edges(const HmOtProblem& problem) {
  std::vector<ChainEdge> edges;
  for (const HmOtTransition& transition : problem.transitions)
    edges.push_back({transition.weight, transition.allowed, transition.coupling, transition.is_diagonal});
  return edges;
}

}  // namespace

Chain prepare_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings) {
  Chain chain;
  chain.dimension = problem.slices.front().rows.dimension;
  const std::vector<double> origin(static_cast<std::size_t>(chain.dimension), 0.0);
  std::vector<RowMoments> moments;
  for (const HmOtSlice& slice : problem.slices) moments.push_back(row_moments(context.comm, slice.rows, origin));
  chain.center = pooled_mean(moments);
  for (std::size_t t = 0; t < problem.slices.size(); ++t) {
    const RowMoments centered = row_moments(context.comm, problem.slices[t].rows, chain.center);
    chain.variance += trace_of_covariance(centered, chain.center) / static_cast<double>(problem.slices.size());
    chain.slices.push_back(make_slice(context, problem.slices[t], settings, chain.center, centered));
  }
  if (!(chain.variance > 0.0)) chain.variance = 1.0;  // all rows equal: every coupling costs the same
  chain.edges = make_edges(problem);
  fix_masses_of_given_couplings(problem, chain);
  check_diagonals(problem, chain);
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
    HmOtSlice slice;
    slice.rows = {sample[t].num_rows, {0, sample[t].num_rows}, whole.dimension, sample[t].features, {}};
    slice.num_types = problem.slices[t].num_types;
    slice.masses = whole.slices[t].fixed_mass;
    const RowMoments moments = row_moments(context.comm, slice.rows, whole.center);
    ChainSlice made = make_slice(context, slice, settings, whole.center, moments);
    if (whole.slices[t].has_fixed_membership()) {  // the sums of all rows are known: no need to sample them
      made.rows.reset();
      made.fixed_sums = whole.slices[t].fixed_sums;
      made.second_moment = whole.slices[t].second_moment;
    }
    chain.slices.push_back(std::move(made));
  }
  return chain;
}

}  // namespace thalweg
