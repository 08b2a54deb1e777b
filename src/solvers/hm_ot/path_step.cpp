#include "solvers/hm_ot/path_step.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace thalweg {

namespace {

constexpr int max_fitting_rounds = 100;
constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

double log_sum_exp(const std::vector<double>& values) {
  const double top = *std::max_element(values.begin(), values.end());
  if (!std::isfinite(top)) return top;
  double total = 0.0;
  for (const double value : values) total += std::exp(value - top);
  return top + std::log(total);
}

/// Log weights of a chain: log p(z) = sum_t node_t(z_t) + sum_t edge_t(z_t, z_{t+1}).
struct LogChain {
  std::vector<std::vector<double>> nodes;
  std::vector<Matrix> edges;

  /// One message across an edge; `forward` sums over sources, else over targets.
  std::vector<double> message(std::size_t edge, const std::vector<double>& incoming, bool forward) const {
    const Matrix& weights = edges[edge];
    const std::int64_t outputs = forward ? weights.columns : weights.rows;
    std::vector<double> terms(incoming.size()), result(static_cast<std::size_t>(outputs));
    for (std::int64_t out = 0; out < outputs; ++out) {
      for (std::size_t in = 0; in < incoming.size(); ++in) {
        const auto i = static_cast<std::int64_t>(in);
        terms[in] = incoming[in] + (forward ? weights(i, out) : weights(out, i));
      }
      result[static_cast<std::size_t>(out)] = log_sum_exp(terms);
    }
    return result;
  }

  PathLaw marginals() const {
    const std::size_t count = nodes.size();
    std::vector<std::vector<double>> before(count), after(count);  // messages into each node
    before[0].assign(nodes[0].size(), 0.0);
    after[count - 1].assign(nodes[count - 1].size(), 0.0);
    for (std::size_t t = 0; t + 1 < count; ++t) before[t + 1] = message(t, added(before[t], nodes[t]), true);
    for (std::size_t t = count - 1; t > 0; --t) after[t - 1] = message(t - 1, added(after[t], nodes[t]), false);
    const double total = log_sum_exp(added(added(before[0], nodes[0]), after[0]));
    PathLaw law;
    for (std::size_t t = 0; t < count; ++t) {
      law.masses.push_back(added(added(before[t], nodes[t]), after[t]));
      for (double& value : law.masses.back()) value = std::exp(value - total);
    }
    for (std::size_t t = 0; t + 1 < count; ++t) {
      const std::vector<double> left = added(before[t], nodes[t]), right = added(after[t + 1], nodes[t + 1]);
      Matrix coupling = edges[t];
      for (std::int64_t k = 0; k < coupling.rows; ++k)
        for (std::int64_t l = 0; l < coupling.columns; ++l)
          coupling(k, l) = std::exp(left[static_cast<std::size_t>(k)] + coupling(k, l) + right[static_cast<std::size_t>(l)] - total);
      law.couplings.push_back(std::move(coupling));
    }
    return law;
  }

 private:
  static std::vector<double> added(std::vector<double> a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
};

bool keeps_mass(const Chain& chain, std::size_t slice) { return chain.slices[slice].fixed_mass.has_value(); }

std::vector<double> row_sums(const Matrix& coupling) {
  std::vector<double> sums(static_cast<std::size_t>(coupling.rows));
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    sums[static_cast<std::size_t>(k)] = std::accumulate(coupling.row(k).begin(), coupling.row(k).end(), 0.0);
  return sums;
}

}  // namespace

double PathScores::range() const {
  double low = std::numeric_limits<double>::infinity(), high = minus_infinity;
  const auto include = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const auto& node : nodes) std::for_each(node.begin(), node.end(), include);
  for (const Matrix& edge : edges) std::for_each(edge.values.begin(), edge.values.end(), include);
  return high - low;
}

PathScores path_scores(const Chain& chain, const ChainState& state, double epsilon) {
  PathScores scores;
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    const bool is_given = chain.edges[t].coupling.has_value();
    scores.edges.push_back(is_given ? Matrix(state.couplings[t].rows, state.couplings[t].columns) : coupling_cost(chain, state, t));
  }
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const SliceState& slice = state.slices[t];
    std::vector<double> score(slice.masses.size(), 0.0);
    if (!keeps_mass(chain, t))
      for (std::size_t k = 0; k < score.size(); ++k) {
        const auto row = static_cast<std::int64_t>(k);
        double cost = 0.0;
        if (t < chain.edges.size())
          for (std::int64_t l = 0; l < scores.edges[t].columns; ++l) cost += state.couplings[t](row, l) * scores.edges[t](row, l);
        if (t > 0)
          for (std::int64_t l = 0; l < scores.edges[t - 1].rows; ++l) cost += state.couplings[t - 1](l, row) * scores.edges[t - 1](l, row);
        score[k] = epsilon * (slice.duals[k] - std::log(slice.masses[k])) - cost / slice.masses[k];
      }
    // A constant of a slice changes no law; removing it keeps the exponents small.
    const double mean = std::accumulate(score.begin(), score.end(), 0.0) / static_cast<double>(score.size());
    for (double& value : score) value -= mean;
    scores.nodes.push_back(std::move(score));
  }
  return scores;
}

PathLaw tilted_law(const Chain& chain, const std::vector<Matrix>& couplings, const PathScores& scores, double eta) {
  LogChain log_chain;
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    std::vector<double> node = scores.nodes[t];
    for (double& value : node) value *= -eta;
    // p(z) = prod T_t / prod of the inner masses.
    if (t > 0 && t < couplings.size()) {
      const std::vector<double> mass = row_sums(couplings[t]);
      for (std::size_t k = 0; k < node.size(); ++k) node[k] -= mass[k] > 0.0 ? std::log(mass[k]) : 0.0;
    }
    log_chain.nodes.push_back(std::move(node));
  }
  for (std::size_t t = 0; t < couplings.size(); ++t) {
    Matrix edge = couplings[t];
    for (std::size_t i = 0; i < edge.values.size(); ++i)
      edge.values[i] = edge.values[i] > 0.0 ? std::log(edge.values[i]) - eta * scores.edges[t].values[i] : minus_infinity;
    log_chain.edges.push_back(std::move(edge));
  }
  PathLaw law = log_chain.marginals();
  for (int round = 0; round < max_fitting_rounds; ++round) {
    double error = 0.0;
    for (std::size_t t = 0; t < chain.num_slices(); ++t) {
      if (!keeps_mass(chain, t)) continue;
      const std::vector<double>& wanted = *chain.slices[t].fixed_mass;
      double deviation = 0.0;
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        deviation += std::abs(wanted[k] - law.masses[t][k]);
        if (wanted[k] > 0.0 && law.masses[t][k] > 0.0) log_chain.nodes[t][k] += std::log(wanted[k]) - std::log(law.masses[t][k]);
      }
      if (deviation > 1e-12) law = log_chain.marginals();
      error = std::max(error, deviation);
    }
    if (error <= 1e-12) break;
  }
  return law;
}

bool set_law(const Chain& chain, const PathLaw& law, ChainState& state) {
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    if (keeps_mass(chain, t)) continue;
    for (std::size_t k = 0; k < law.masses[t].size(); ++k)
      // A type that began below the minimum may stay as small as it is.
      if (!(law.masses[t][k] >= std::min(chain.slices[t].min_mass, state.slices[t].masses[k]))) return false;
  }
  for (std::size_t t = 0; t < chain.num_slices(); ++t)
    if (!keeps_mass(chain, t)) state.slices[t].masses = law.masses[t];
  for (std::size_t t = 0; t < chain.edges.size(); ++t)
    if (!chain.edges[t].coupling) state.couplings[t] = law.couplings[t];
  return true;
}

bool has_free_masses(const Chain& chain) {
  return std::any_of(chain.slices.begin(), chain.slices.end(), [](const ChainSlice& slice) { return !slice.fixed_mass; });
}

}  // namespace thalweg
