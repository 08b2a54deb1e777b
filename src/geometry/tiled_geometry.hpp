// Pair geometry over packed tiles of points on one execution space.
#pragma once

#include <Kokkos_Core.hpp>
#include <memory>
#include <vector>

#include "geometry/pair_geometry.hpp"
#include "geometry/pair_points.hpp"
#include "kernels/device_pool.hpp"
#include "kernels/pair_parallel.hpp"
#include "kernels/pair_row_logs.hpp"

namespace thalweg {

/// Host values as the execution space reads them: in place on the host, copied to a device.
template <class Scalar, class ExecutionSpace>
class DeviceCopy {
 public:
  DeviceCopy() = default;
  DeviceCopy(const ExecutionSpace& exec, const DevicePool<ExecutionSpace>& pool, const Scalar* values,
             std::int64_t size);
  explicit DeviceCopy(const PooledValues<Scalar, ExecutionSpace>& values) : copy_(values), data_(values.data()) {}
  const Scalar* data() const { return data_; }

 private:
  PooledValues<Scalar, ExecutionSpace> copy_;
  const Scalar* data_ = nullptr;
};

/// Exponents in base 2: s_ij = kappa score_ij + u_i + v_j with kappa = log2(e) / (epsilon scale) (for dot products a
/// part of the features of x) and
///
///   u_i = log2(e) f_i / epsilon - kappa p_i,   v_j = log2(e) g_j / epsilon - kappa q_j + log2 beta_j,
///
/// so that P_ij = alpha_i 2^s_ij. The files tiled_*.cpp hold its members.
template <class Scalar, class ExecutionSpace>
class TiledGeometry final : public PairGeometry {
 public:
  /// Columns of a part of spread points: as many as are added in Scalar, on a device times its slices of a pass.
  static constexpr std::int64_t part_columns = flush_columns * (is_host<ExecutionSpace> ? 1 : most_slices);

  /// Of points on their way at a time, or one part if that is more; a rank holds two such pieces beside its own points.
  static constexpr std::int64_t passed_bytes = std::int64_t{16} << 20;

  /// @param is_float   the packed numbers are floats, whatever Scalar is
  TiledGeometry(const Context& context, std::shared_ptr<const PairPoints<Scalar>> points, EvaluationForm form,
                bool is_float);

  std::int64_t num_rows() const override { return points_->source.num_points; }
  std::int64_t num_columns() const override { return points_->target.num_points; }
  RowRange rows() const override { return points_->source.own; }
  bool is_ring() const override { return points_->source.layout.is_spread(); }
  double scale() const override { return scale_; }
  double epsilon() const override { return epsilon_; }
  double cost_statistic(CostStatistic which) const override;
  void set_scale(double divisor) override;
  void set_reference(std::span<const double> log_alpha, std::span<const double> log_beta) override;
  void set_epsilon(double epsilon) override;
  std::vector<double> representable(std::span<const double> g) const override;
  Evaluation evaluate(const RowUpdate& update, std::span<const double> f_before,
                      std::span<const double> g) const override;
  std::vector<double> update_rows(const RowUpdate& update, std::span<const double> f_before,
                                  std::span<const double> g) const override;
  double product_cost(std::span<const double> u, std::span<const double> w) override;
  std::vector<double> row_sums(RowRange global_rows, std::span<const double> f,
                               std::span<const double> g) const override;
  RowStatistics row_statistics(std::span<const double> f, std::span<const double> g) const override;
  std::vector<double> apply(std::span<const double> f, std::span<const double> g, std::span<const double> values,
                            std::int64_t width) const override;
  std::vector<double> apply_transposed(std::span<const double> f, std::span<const double> g,
                                       std::span<const double> values, std::int64_t width) const override;
  std::vector<double> coupling_rows(RowRange global_rows, std::span<const double> f,
                                    std::span<const double> g) const override;
  std::vector<double> cost_rows(RowRange global_rows) const override;
  std::unique_ptr<PairGeometry> in_float64() const override;

  /// Takes the settings of a geometry of other precision. log2_alpha, log2_beta in base 2.
  void restore(double scale, double epsilon, std::vector<double> log2_alpha, std::vector<double> log2_beta);

 private:
  using Copy = DeviceCopy<Scalar, ExecutionSpace>;

  /// One side as passes read it.
  struct Side {
    const PackedPoints<Scalar>* points = nullptr;
    Copy features;              // of the held points
    std::vector<Scalar> norms;  // of all points, padded: `euclidean`
    Copy norms_copy;
  };

  /// A pass over the owned rows of one side and all columns, points of the other.
  struct Pass {
    const Side* columns = nullptr;
    std::vector<Scalar> bias, weights;  // of all columns, padded
    Copy bias_copy, weights_copy;
    PairOperands<Scalar> operands;
    TileRange tiles;  // owned, counted from the first held
  };

  // Problem [tiled_geometry.cpp]
  void rescale();
  Copy copied(const Scalar* values, std::int64_t size) const { return Copy(exec_, pool_, values, size); }
  void set_log2_reference(std::vector<double> log2_alpha, std::vector<double> log2_beta);
  bool is_dot() const { return points_->score == PairScore::dot; }
  Copy turned_rows() const;
  Side make_side(const PackedPoints<Scalar>& points, const std::vector<double>& norms) const;
  double source_part(std::int64_t i) const;  // kappa p_i
  double row_bias(std::int64_t i, double f) const;
  double column_bias(std::int64_t j, double g) const;
  double potential_of(std::int64_t i, Scalar bias) const;

  // Operands of passes over rows and over columns [tiled_geometry.cpp]
  std::unique_ptr<Pass> make_pass(const Side& rows, const Side& columns, std::vector<Scalar> biases,
                                  std::vector<Scalar> weights) const;
  std::unique_ptr<Pass> row_pass(std::vector<Scalar> column_biases) const;
  std::unique_ptr<Pass> column_pass(std::vector<Scalar> row_biases, std::vector<Scalar> weights) const;
  std::vector<Scalar> row_biases(std::span<const double> f) const;     // of the owned rows, padded
  std::vector<Scalar> column_biases(std::span<const double> g) const;  // of all columns, padded
  std::vector<Scalar> all_rows(std::span<const Scalar> owned) const;   // padded biases of all ranks
  std::vector<Scalar> owned_columns(const std::vector<Scalar>& biases) const;
  std::vector<double> owned_alpha() const;  // padded with zeros

  // Passes, over columns that are all here or pass in parts; collective in the form `ring` [tiled_passes.cpp]
  template <class Use>
  void for_each_part(const Pass& pass, const Use& use) const;
  template <class Use>
  void for_each_passing(const Pass& pass, const std::vector<RowRange>& pieces, const Use& use) const;
  /// @param shifts  near -l; empty, on ranks that have rows: none is known
  RowLogs row_logs(const Pass& pass, std::span<const Scalar> shifts) const;
  std::vector<double> shifted_sums(const Pass& pass, std::span<const std::int64_t> tiles,
                                   std::span<const Scalar> shifts) const;
  std::vector<Scalar> row_maxima(const Pass& pass, std::span<const std::int64_t> tiles) const;
  std::vector<double> row_moments(const Pass& pass, std::span<const Scalar> shifts,
                                  std::span<const Scalar> column_logs) const;
  std::vector<double> row_costs(const Pass& pass, std::span<const Scalar> shifts) const;
  std::vector<std::int64_t> cost_counts(const Pass& pass, std::span<const Scalar> shifts, RadixDigit digit) const;
  std::vector<double> products(const Pass& pass, std::span<const Scalar> shifts, std::span<const double> values,
                               std::int64_t width) const;
  std::vector<double> scores(const Pass& pass, RowRange global_rows) const;
  void scores_to_costs(std::int64_t i, double* row) const;  // of one row, in place

  // Evaluation [tiled_evaluation.cpp]
  bool uses_strip() const;
  std::vector<double> offsets_of(const RowUpdate& update) const;
  std::vector<Scalar> shifts_before(std::span<const double> f_before) const;
  std::vector<double> potentials_of(std::span<const Scalar> biases) const;
  double mass_guess(const RowUpdate& update, std::span<const double> f_before) const;
  double ordered_sum(std::span<const double> owned) const;
  StripSums<Scalar> strip_sums(const Pass& pass, StripRows rows, std::span<const Scalar> shifts,
                               std::vector<double>& sums_of_columns) const;
  Evaluation evaluate_strip(const RowUpdate& update, std::span<const double> f_before, std::span<const double> g) const;
  Evaluation evaluate_two_passes(const RowUpdate& update, std::span<const double> f_before,
                                 std::span<const double> g) const;
  RowLogs update_biases(const Pass& pass, const RowUpdate& update, std::span<const double> f_before,
                        std::vector<Scalar>& biases) const;
  std::vector<double> row_sums_of(RowRange global_rows, std::span<const double> logs,
                                  std::span<const Scalar> biases) const;
  std::vector<double> column_sums(std::span<const Scalar> row_biases, const std::vector<Scalar>& column_biases,
                                  std::int64_t& fallback_tiles) const;

  // Passes down the columns of costs that are stored in tiles of rows alone; all columns on every rank [tiled_columns.cpp]
  bool has_row_tiles() const { return is_host<ExecutionSpace> && points_->score == PairScore::dense; }
  template <class Add>
  std::vector<double> sums_over_rows(std::int64_t size, const Add& add) const;
  std::vector<double> sums_down(const Pass& pass, std::span<const std::int64_t> tiles,
                                std::span<const Scalar> biases) const;
  std::vector<Scalar> maxima_down(const Pass& pass, std::span<const std::int64_t> tiles,
                                  std::span<const Scalar> biases) const;
  RowLogs logs_down(std::vector<Scalar> biases, std::span<const Scalar> shifts) const;
  std::vector<double> products_down(std::span<const double> f, std::span<const double> g,
                                    std::span<const double> values, std::int64_t width) const;

  // Statistics [tiled_statistics.cpp]
  template <class Weight>
  double mean_of_dot_costs(std::span<const Weight> of_source, std::span<const Weight> of_target) const;
  double median_cost(const Pass& pass, std::span<const Scalar> shifts, std::int64_t count) const;

  Context context_;
  ExecutionSpace exec_;
  DevicePool<ExecutionSpace> pool_;
  EvaluationForm form_;
  bool is_float_;
  std::shared_ptr<const PairPoints<Scalar>> points_;
  double scale_ = 1.0, epsilon_ = 1.0, kappa_ = 1.0;
  std::vector<double> log2_alpha_, log2_beta_;
  std::vector<Scalar> alpha_;           // of all rows, padded
  PackedPoints<Scalar> scaled_source_;  // times factor kappa, for dot products
  Side source_, target_;
  Copy dense_rows_, dense_columns_;
};

}  // namespace thalweg
