// What a solver may ask of the cost between two groups of points. Nothing n x m is stored. No Kokkos.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/context.hpp"
#include "distributed/partition.hpp"
#include "kernels/cost_tiles.hpp"

namespace thalweg {

enum class Cost { sq_euclidean, euclidean, manhattan, cosine, correlation, factored, dense };

/// Points of one side: all of them on every rank, or each rank's own.
struct PointSet {
  std::int64_t num_points = 0;  // of all ranks
  std::int64_t dimension = 0;
  std::variant<std::span<const float>, std::span<const double>> values;  // points x dimension, row-major
  std::optional<RowRange> rows = {};  // whose values these are, those of own_points; absent: all
};

/// The points of one side that a rank owns: whole blocks of rows.
RowRange own_points(std::int64_t num_points, const Communicator& comm);

/// Stored costs in tiles that geometries read in place and keep alive; they are not changed from then on.
template <class Scalar>
using SharedTiles = std::shared_ptr<const CostTiles<Scalar>>;

/// Stored costs: row-major, to be copied, or in tiles of the precision of the geometry.
using DenseCosts =
    std::variant<std::span<const float>, std::span<const double>, SharedTiles<float>, SharedTiles<double>>;

/// What the cost is between; read when the geometry is made and, but for shared tiles, not kept.
struct PairSides {
  Cost cost = Cost::sq_euclidean;
  PointSet source, target;                                 // n and m points; `factored`: rows of U and V, C = U V^T
  std::span<const double> source_weights, target_weights;  // n, m; zero takes a point out of every sum
  DenseCosts dense = {};                                   // `dense`: C of the owned rows x m
};

enum class CostStatistic { mean, median, max };

/// How one evaluation runs: `strip` keeps the exponentials of a few rows for both updates, `two_pass` forms them twice;
/// `ring` too, with points that no rank holds whole: blocks of the other side pass every rank. `automatic` is `ring`
/// where a side is given as each rank's own points. Stored costs (`dense`) are spread in every form.
enum class EvaluationForm { automatic, strip, two_pass, ring };

/// f_i = tau (epsilon log_ratio_i - epsilon L_i), L_i = log sum_j beta_j exp((g_j - C_ij) / epsilon).
struct RowUpdate {
  double tau = 1.0;
  std::span<const double> log_ratio;  // log(a_i / alpha_i) of the owned rows
};

/// Result of one evaluation.
struct Evaluation {
  std::vector<double> f;            // owned rows
  std::vector<double> column_sums;  // of P(f, g): all m, the same bits on every rank
  std::int64_t fallback_tiles = 0;  // tiles of all ranks whose exponents needed their maximum first
};

/// Sums along the rows of P, owned rows each.
struct RowStatistics {
  std::vector<double> sum;               // r_i = sum_j P_ij
  std::vector<double> relative_entropy;  // sum_j P_ij log(P_ij / (alpha_i beta_j))
  std::vector<double> entropy;           // -sum_j p_ij log p_ij, p = P / r_i
};

/// Scaled costs C between the points of two sides and the couplings that potentials generate:
///
///   P_ij = alpha_i beta_j exp((f_i + g_j - C_ij) / epsilon)
///
/// A rank owns whole blocks of rows, those of own_points; its points are all of both sides, or in the form `ring` those
/// it owns. f is given for the owned rows, g for all columns; a point with alpha or beta zero takes no part. The packed
/// features and biases define the problem: what `float32` rounds is the points and potentials, not the sums. Every
/// member but the plain queries is a collective and gives the same bits for any number of ranks and threads; in the
/// form `ring` the sums of rows are those of the other forms up to the last bit of a double, formed in an order that
/// depends on the rank and carried with twice the digits, so that rounding shows it only where a sum lies next to the
/// middle of two doubles. Source: Feydy et al. (2019), Interpolating between optimal transport and MMD; docs/math.md.
class PairGeometry {
 public:
  virtual ~PairGeometry() = default;

  virtual std::int64_t num_rows() const = 0;
  virtual std::int64_t num_columns() const = 0;
  virtual RowRange rows() const = 0;
  /// Whether `coupling_rows` and `cost_rows` are collectives: points pass every rank.
  virtual bool is_ring() const { return false; }
  /// The divisor of the costs.
  virtual double scale() const = 0;
  virtual double epsilon() const = 0;

  /// Over the pairs of points of positive weight, of the costs before scaling; `median` is exact.
  virtual double cost_statistic(CostStatistic which) const = 0;

  /// Costs are divided by `divisor` from now on. > 0
  virtual void set_scale(double divisor) = 0;
  /// alpha and beta, all n and all m, as logarithms; -inf takes a point out.
  virtual void set_reference(std::span<const double> log_alpha, std::span<const double> log_beta) = 0;
  /// In units of the scaled cost. > 0
  virtual void set_epsilon(double epsilon) = 0;

  /// The values nearest to g that the stored biases can hold; in float64 g itself.
  virtual std::vector<double> representable(std::span<const double> g) const = 0;

  /// The update of f for given g, and the column sums of the coupling that follows.
  /// @param f_before   shift of the exponents, best the f of the last evaluation; empty: none is known
  virtual Evaluation evaluate(const RowUpdate& update, std::span<const double> f_before,
                              std::span<const double> g) const = 0;

  /// The update of f alone.
  virtual std::vector<double> update_rows(const RowUpdate& update, std::span<const double> f_before,
                                          std::span<const double> g) const = 0;

  /// sum_ij u_i w_j C_ij of the scaled costs. Where costs are dot products no pair is visited, else two passes, in float64,
  /// give it to six digits where costs are not a hundred times their mean.
  /// @param u  of the owned rows, >= 0 @param w  of all columns, >= 0
  virtual double product_cost(std::span<const double> u, std::span<const double> w) = 0;

  /// Sums of P(f, g) along some owned rows; local or collective as `coupling_rows`. @param f  of those rows
  virtual std::vector<double> row_sums(RowRange global_rows, std::span<const double> f,
                                       std::span<const double> g) const = 0;

  virtual RowStatistics row_statistics(std::span<const double> f, std::span<const double> g) const = 0;

  /// P V: owned rows x width. @param values  V, m x width, row-major
  virtual std::vector<double> apply(std::span<const double> f, std::span<const double> g,
                                    std::span<const double> values, std::int64_t width) const = 0;

  /// P^T W: m x width, on every rank. @param values  W, owned rows x width, row-major
  virtual std::vector<double> apply_transposed(std::span<const double> f, std::span<const double> g,
                                               std::span<const double> values, std::int64_t width) const = 0;

  /// P of some owned rows, rows x m, row-major. Local, but a collective in the form `ring`, where the ranks call it
  /// equally often, those without rows left with an empty range. @param f   of those rows
  virtual std::vector<double> coupling_rows(RowRange global_rows, std::span<const double> f,
                                            std::span<const double> g) const = 0;

  /// Scaled costs of some owned rows, rows x m, row-major; local or collective as `coupling_rows`.
  virtual std::vector<double> cost_rows(RowRange global_rows) const = 0;

  /// The same problem, number for number, with arithmetic in float64: what decides `converged`.
  virtual std::unique_ptr<PairGeometry> in_float64() const = 0;
};

/// The owned rows in pieces of at most `most`, for `coupling_rows` and `cost_rows`: equally many pieces on every rank,
/// the last ones of some empty. Collective.
std::vector<RowRange> row_pieces(const Communicator& comm, const PairGeometry& geometry, std::int64_t most);

/// Packs both sides on the device of `context`.
/// @throws DataError for zero or constant rows where the cost normalises them, MemoryError
std::unique_ptr<PairGeometry> make_pair_geometry(const Context& context, const PairSides& sides,
                                                 EvaluationForm form = EvaluationForm::automatic);

}  // namespace thalweg
