// The chain of slices that HM-OT and low-rank transport solve: problem, state, objective.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/matrix.hpp"
#include "solvers/row_pass.hpp"

namespace thalweg {

/// One time point, ready to be solved.
struct ChainSlice {
  std::int64_t num_rows = 0;
  std::int64_t num_types = 0;
  FeatureFrame frame;                             // of phi
  double second_moment = 0.0;                     // sum_i a_i |x_i - mu|^2
  IntraMoments intra;                             // of the coordinates, where there are any
  double coordinate_unit = 1.0, square_unit = 1.0;  // of coordinates and of their squares in phi
  double min_mass = 1e-4;                         // proposals of smaller types are rejected
  std::unique_ptr<RowPass> rows;                  // absent when the membership is fixed
  PassSums fixed_sums;                            // of a fixed membership
  std::optional<std::vector<double>> fixed_mass;  // g given: by a fixed membership, a fixed T, or the user
  std::vector<std::int32_t> fixed_labels;         // of this rank's rows, when labels fix the membership
  std::span<const float> fixed_memberships;       // of this rank's rows, as given, when they fix it

  bool has_fixed_membership() const { return rows == nullptr; }
};

/// The transition between slices t and t + 1.
struct ChainEdge {
  double weight = 1.0;             // of W in the objective; 1/2 for cosine costs
  std::optional<Matrix> allowed;   // nonzero where T may be positive
  std::optional<Matrix> coupling;  // T given
  bool is_diagonal = false;        // T = diag(g): the LOT form
  double gromov = 0.0;             // of GW in the objective
};

struct Chain {
  std::int64_t dimension = 0;        // p
  std::int64_t num_coordinates = 0;  // c; phi = [x, s, |s|^2] where c > 0, else x
  double feature_unit = 1.0;         // of x in phi
  std::vector<double> center;        // mu, removed from x
  std::vector<double> cluster_scale;  // squares of the features of phi times these are distances for k-means; empty: 1
  /// Unit of epsilon: sigma^2, the mean over slices of the pooled variance; for GW half its value at a b^T, which
  /// scales its linear cost alike.
  double variance = 0.0;
  std::vector<ChainSlice> slices;
  std::vector<ChainEdge> edges;

  std::size_t num_slices() const { return slices.size(); }
  bool has_coordinates() const { return num_coordinates > 0; }
  std::int64_t num_features() const { return has_coordinates() ? dimension - num_coordinates - 1 : dimension; }
};

/// Iterate of one slice. The membership is softmax(phi_i . A + v): nothing of size n.
struct SliceState {
  Matrix logits;               // A, p x r, cost features over epsilon
  std::vector<double> duals;   // v; empty before the first solve
  std::vector<double> masses;  // g, as prescribed
  std::vector<double> actual;  // s = Q^T 1, sum 1
  Matrix means;                // m_k = F_k / s_k, p x r
  double entropy = 0.0;        // sum Q log(Q / a)
};

struct ChainState {
  std::vector<SliceState> slices;
  std::vector<Matrix> couplings;         // T_t, r_t x r_{t+1}
  std::vector<double> coupling_gap;      // duality gap of each T step over |K|
  double objective = 0.0;                // E
  double regularized = 0.0;              // F_eps
};

/// K_kl = m_k^T G m'_l, the linear cost of T_t up to constants of rows and columns: -2 w m_k . m'_l, and of the
/// Gromov-Wasserstein part its gradient at the present coupling.
Matrix coupling_cost(const Chain& chain, const ChainState& state, std::size_t edge);

/// Both parts of a transition in their own units, without weights: W = <|x_i - y_j|^2, P> and GW; 0 where it has none.
struct TransitionParts {
  double transport = 0.0, gromov = 0.0;
};
TransitionParts transition_parts(const Chain& chain, const ChainState& state, std::size_t edge);

/// Weight of W times W, plus that of GW times GW.
double transition_cost(const Chain& chain, const ChainState& state, std::size_t edge);

/// The parts at P = a b^T. @param mean_product   of the mean x of both slices, less mu
TransitionParts product_parts(const ChainSlice& source, const ChainSlice& target, double mean_product);

/// Sets E = sum_t transition costs and F_eps = E + epsilon sum_t KL(Q_t | a_t (x) g_t) over free slices.
void update_objective(const Chain& chain, double epsilon, ChainState& state);

/// |s - g|_1 of one slice.
double mass_error(const SliceState& slice);

/// max_t |s_t - g_t|_1 over slices with a free membership.
double column_error(const Chain& chain, const ChainState& state);

/// Stores the sums of a solved or fixed membership in the slice's state.
void set_sums(const PassSums& sums, SliceState& slice);

}  // namespace thalweg
