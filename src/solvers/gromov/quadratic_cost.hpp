// The quadratic form E of Gromov-Wasserstein problems as its outer loop sees it: a linear cost at each coupling.
#pragma once

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// (1 - t) K + t L
LinearCost mixed(const LinearCost& k, const LinearCost& l, double t);
/// K + t L
LinearCost added(const LinearCost& k, const LinearCost& l, double t);
LinearCost scaled(const LinearCost& k, double factor);

/// E about a coupling P.
struct Linearisation {
  LinearCost linear;        // K(P)
  double difference = 0.0;  // <K(P) - K, P>, K the cost whose solution P is: as one sum, so that rounding cancels
  double value = 0.0;       // <K(P), P> of those numbers: proximal steps and unbalanced problems
  double energy = 0.0;      // E(P); balanced: extended linearly from couplings of marginals a and b to others
  double energy_gw = 0.0, energy_linear = 0.0;  // E_gw(P) and <M, P>
};

/// Every member is a collective.
class QuadraticCost {
 public:
  virtual ~QuadraticCost() = default;

  virtual bool is_concave() const = 0;
  /// Whether linear costs are cells x cells, so that every one that is kept counts.
  virtual bool is_stored() const { return false; }
  virtual FusedUnits units() const = 0;
  /// K(a b^T)
  virtual LinearCost at_product() const = 0;
  /// K of a coupling between some cells: for all others, that of a new cell by its costs to those of the coupling.
  virtual LinearCost at_coupling(const CellCoupling& coupling) const = 0;
  /// K of a coupling of few entries, taken as one of the problem's marginals.
  virtual LinearCost at_entries(const CouplingEntries& coupling) const = 0;
  /// The pairwise cost K, unscaled.
  virtual std::unique_ptr<PairGeometry> geometry_of(const LinearCost& linear) const = 0;
  /// @param linear, geometry, inner   the linear problem K and the solution that P is
  virtual Linearisation at(const LinearCost& linear, const PairGeometry& geometry,
                           const SinkhornSolution& inner) const = 0;
  /// |K - L| / |K| (Frobenius) of the generating numbers.
  virtual double relative_change(const LinearCost& k, const LinearCost& l) const = 0;
};

/// On the device of `context`; few stored costs on the host.
/// @throws DataError when the sides hold different kinds of costs, or such as the mode or regularisation cannot have
std::unique_ptr<QuadraticCost> make_quadratic_cost(const Context& context, const GromovProblem& problem);

}  // namespace thalweg
