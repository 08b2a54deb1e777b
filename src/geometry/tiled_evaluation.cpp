// Updates of the row potentials and sums of the coupling.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "geometry/last_level_cache.hpp"
#include "geometry/strip_height.hpp"
#include "geometry/tiled_geometry.hpp"
#include "kernels/fixed_point.hpp"
#include "kernels/host_rows.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/pair_logs.hpp"

namespace thalweg {

template <class Scalar, class ExecutionSpace>
bool TiledGeometry<Scalar, ExecutionSpace>::uses_strip() const {
  if constexpr (!is_host<ExecutionSpace>) return false;
  if (form_ != EvaluationForm::automatic) return form_ == EvaluationForm::strip;
  return strips_fit(num_columns(), sizeof(Scalar), cache_bytes_per_processor());
}

/// u = offset - tau l: f / epsilon = tau (log_ratio - L) with L = ln 2 (l - kappa p).
template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::offsets_of(const RowUpdate& update) const {
  std::vector<double> offsets(static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(rows().size()) * tile_rows), 0.0);
  for_each_point_on_host(update.log_ratio.size(), [&](std::size_t i) {
    const double log_ratio = std::isnan(update.log_ratio[i]) ? 0.0 : update.log_ratio[i];  // 0 / 0: takes no part
    offsets[i] = update.tau * std::numbers::log2e * log_ratio +
                 (update.tau - 1.0) * source_part(rows().begin + static_cast<std::int64_t>(i));
  });
  return offsets;
}

/// The last biases as shifts; rows that took no part are to have their logs all the same.
template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::shifts_before(std::span<const double> f_before) const {
  if (f_before.empty()) return {};
  std::vector<Scalar> shifts = row_biases(f_before);
  for (std::size_t i = 0; i < f_before.size(); ++i)
    if (!std::isfinite(f_before[i])) shifts[i] = Scalar(0);
  return shifts;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::potentials_of(std::span<const Scalar> biases) const {
  std::vector<double> potentials(static_cast<std::size_t>(rows().size()));
  for_each_point_on_host(potentials.size(), [&](std::size_t i) {
    potentials[i] = potential_of(rows().begin + static_cast<std::int64_t>(i), biases[i]);
  });
  return potentials;
}

/// Sum over the owned values of all ranks in their global order.
template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::ordered_sum(std::span<const double> owned) const {
  double sum = 0.0;
  for (const double value : context_.comm.all_gather(owned)) sum += value;
  return sum;
}

/// The mass if f stays as it is: r_i = alpha_i exp(log_ratio_i - (1 - tau) f_i / (tau epsilon)).
template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::mass_guess(const RowUpdate& update,
                                                         std::span<const double> f_before) const {
  std::vector<double> masses(static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(rows().size())), 0.0);
  for (std::size_t i = 0; i < update.log_ratio.size(); ++i) {
    const double log2_alpha = log2_alpha_[static_cast<std::size_t>(rows().begin) + i];
    if (log2_alpha == -INFINITY) continue;
    const double f = f_before.empty() || !std::isfinite(f_before[i]) ? 0.0 : f_before[i];
    const double relaxed = (1.0 - update.tau) * f / (update.tau * epsilon_);
    masses[i / tile_rows] += std::exp2(log2_alpha + std::numbers::log2e * (update.log_ratio[i] - relaxed));
  }
  return ordered_sum(masses);
}

/// Whether a column that takes part has a sum of so few units that their rounding would show.
template <class Scalar>
bool has_coarse_sums(const std::vector<std::int64_t>& sums, const std::vector<Scalar>& biases) {
  constexpr std::int64_t fewest_units = std::int64_t{1} << (sizeof(Scalar) == sizeof(float) ? 32 : 36);
  for (std::size_t j = 0; j < sums.size(); ++j)
    if (sums[j] < fewest_units && takes_part(static_cast<double>(biases[j]))) return true;
  return false;
}

/// Sums of a strip pass over the rows of all ranks; repeated with another bound where the guess was far off. Where
/// columns get next to nothing, as far from the optimum at small epsilon, their sums come from a pass of their own.
template <class Scalar, class ExecutionSpace>
StripSums<Scalar> TiledGeometry<Scalar, ExecutionSpace>::strip_sums(const Pass& pass, StripRows rows_of_strip,
                                                                    std::span<const Scalar> shifts,
                                                                    std::vector<double>& sums_of_columns) const {
  constexpr double room = 3.0, least_use = 0x1p-16;  // not a power of two: masses of 1 stay clear of the next bound
  constexpr int most_attempts = 4;
  for (int attempt = 1;; ++attempt) {
    if (!std::isfinite(rows_of_strip.bound) || !(rows_of_strip.bound > 0.0)) rows_of_strip.bound = 1.0;
    rows_of_strip.bound *= room;
    rows_of_strip.height = strip_height(num_columns(), sizeof(Scalar), cache_bytes_per_processor());
    StripSums<Scalar> sums = pair_strip(exec_, pass.operands, rows_of_strip, shifts);
    context_.comm.all_reduce(std::span<std::int64_t>(sums.column_sums), Reduction::sum);
    const double mass = ordered_sum(sums.tile_masses), used = mass / rows_of_strip.bound;
    const bool fits = used <= 1.0 && (used >= least_use || mass == 0.0);
    if (fits || !std::isfinite(mass) || attempt == most_attempts) {
      const double to_value = FixedPoint::for_bound(rows_of_strip.bound).to_value;
      sums_of_columns.clear();
      for (const std::int64_t sum : sums.column_sums)
        sums_of_columns.push_back(std::isfinite(mass) ? static_cast<double>(sum) * to_value : NAN);
      if (std::isfinite(mass) && has_coarse_sums(sums.column_sums, pass.bias))
        sums_of_columns = column_sums(sums.biases, pass.bias, sums.fallback_tiles);
      sums.fallback_tiles = context_.comm.all_reduce(sums.fallback_tiles, Reduction::sum);
      return sums;
    }
    rows_of_strip.bound = mass;
  }
}

template <class Scalar, class ExecutionSpace>
Evaluation TiledGeometry<Scalar, ExecutionSpace>::evaluate_strip(const RowUpdate& update,
                                                                 std::span<const double> f_before,
                                                                 std::span<const double> g) const {
  const auto pass = row_pass(column_biases(g));
  const std::vector<double> offsets = offsets_of(update), alpha = owned_alpha();
  const std::vector<Scalar> shifts = shifts_before(f_before);
  Evaluation result;
  const StripSums<Scalar> sums = strip_sums(
      *pass, {pass->tiles, update.tau, offsets, alpha, mass_guess(update, f_before)}, shifts, result.column_sums);
  result.f = potentials_of(sums.biases);
  result.fallback_tiles = sums.fallback_tiles;
  return result;
}

/// New biases of the owned rows for the columns of `pass`.
template <class Scalar, class ExecutionSpace>
RowLogs TiledGeometry<Scalar, ExecutionSpace>::update_biases(const Pass& pass, const RowUpdate& update,
                                                             std::span<const double> f_before,
                                                             std::vector<Scalar>& biases) const {
  const std::vector<Scalar> shifts = shifts_before(f_before);
  RowLogs logs = row_logs(pass, shifts);
  const std::vector<double> offsets = offsets_of(update);
  biases.assign(offsets.size(), Scalar(no_bias));
  for_each_point_on_host(update.log_ratio.size(), [&](std::size_t i) {
    biases[i] = bounded_bias<Scalar>(offsets[i] - update.tau * logs.logs[i]);
  });
  return logs;
}

/// Column sums of the coupling, all of them on every rank.
template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::column_sums(std::span<const Scalar> biases,
                                                                       const std::vector<Scalar>& of_columns,
                                                                       std::int64_t& fallback_tiles) const {
  if (has_row_tiles()) {
    const RowLogs logs = logs_down({biases.begin(), biases.end()}, of_columns);
    std::vector<double> sums(static_cast<std::size_t>(num_columns()), 0.0);
    for (std::size_t j = 0; j < sums.size(); ++j)
      if (takes_part(static_cast<double>(of_columns[j])))
        sums[j] = std::exp2(logs.logs[j] + static_cast<double>(of_columns[j]));
    if (context_.comm.rank() == 0) fallback_tiles += logs.fallback_tiles;  // the same on all ranks
    return sums;
  }
  const auto pass = column_pass(all_rows(biases), alpha_);
  const std::vector<Scalar> shifts = owned_columns(of_columns);
  const RowLogs logs = row_logs(*pass, shifts);
  std::vector<double> sums(static_cast<std::size_t>(points_->target.own.size()), 0.0);
  for_each_point_on_host(sums.size(), [&](std::size_t j) {
    if (takes_part(static_cast<double>(shifts[j]))) sums[j] = std::exp2(logs.logs[j] + static_cast<double>(shifts[j]));
  });
  fallback_tiles += logs.fallback_tiles;
  return context_.comm.all_gather(std::span<const double>(sums));
}

template <class Scalar, class ExecutionSpace>
Evaluation TiledGeometry<Scalar, ExecutionSpace>::evaluate_two_passes(const RowUpdate& update,
                                                                      std::span<const double> f_before,
                                                                      std::span<const double> g) const {
  const auto pass = row_pass(column_biases(g));
  std::vector<Scalar> biases;
  Evaluation result;
  result.fallback_tiles = update_biases(*pass, update, f_before, biases).fallback_tiles;
  result.f = potentials_of(biases);
  result.column_sums = column_sums(biases, pass->bias, result.fallback_tiles);
  result.fallback_tiles = context_.comm.all_reduce(result.fallback_tiles, Reduction::sum);
  return result;
}

template <class Scalar, class ExecutionSpace>
Evaluation TiledGeometry<Scalar, ExecutionSpace>::evaluate(const RowUpdate& update, std::span<const double> f_before,
                                                           std::span<const double> g) const {
  return uses_strip() ? evaluate_strip(update, f_before, g) : evaluate_two_passes(update, f_before, g);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::update_rows(const RowUpdate& update,
                                                                       std::span<const double> f_before,
                                                                       std::span<const double> g) const {
  std::vector<Scalar> biases;
  update_biases(*row_pass(column_biases(g)), update, f_before, biases);
  return potentials_of(biases);
}

/// r_i = alpha_i 2^(u_i + l_i).
template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::row_sums_of(RowRange global_rows,
                                                                       std::span<const double> logs,
                                                                       std::span<const Scalar> biases) const {
  std::vector<double> sums(static_cast<std::size_t>(global_rows.size()), 0.0);
  for_each_point_on_host(sums.size(), [&](std::size_t i) {
    const double log2_alpha = log2_alpha_[static_cast<std::size_t>(global_rows.begin) + i];
    if (log2_alpha != -INFINITY && takes_part(static_cast<double>(biases[i])))
      sums[i] = std::exp2(log2_alpha + static_cast<double>(biases[i]) + logs[i]);
  });
  return sums;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::row_sums(RowRange global_rows, std::span<const double> f,
                                                                    std::span<const double> g) const {
  const auto pass = row_pass(column_biases(g));
  const std::int64_t first = (global_rows.begin - rows().begin) / tile_rows,
                     offset = (global_rows.begin - rows().begin) % tile_rows;
  const std::int64_t count = global_rows.size() > 0 ? PairOperands<Scalar>::tiles_of(offset + global_rows.size()) : 0;
  pass->tiles = {pass->tiles.first + first, count};
  std::vector<Scalar> biases(static_cast<std::size_t>(count * tile_rows), Scalar(no_bias));
  const auto at = static_cast<std::size_t>(offset);
  for_each_point_on_host(f.size(), [&](std::size_t i) {
    biases[at + i] = bounded_bias<Scalar>(row_bias(global_rows.begin + static_cast<std::int64_t>(i), f[i]));
  });
  const RowLogs logs = row_logs(*pass, biases);
  return row_sums_of(global_rows, std::span(logs.logs).subspan(count > 0 ? at : 0),
                     std::span<const Scalar>(biases).subspan(count > 0 ? at : 0));
}

#define THALWEG_TILED_EVALUATION(Scalar, Space)                                                                       \
  template Evaluation TiledGeometry<Scalar, Space>::evaluate(const RowUpdate&, std::span<const double>,               \
                                                             std::span<const double>) const;                          \
  template std::vector<double> TiledGeometry<Scalar, Space>::update_rows(const RowUpdate&, std::span<const double>,   \
                                                                         std::span<const double>) const;              \
  template std::vector<double> TiledGeometry<Scalar, Space>::row_sums(RowRange, std::span<const double>,              \
                                                                      std::span<const double>) const;                 \
  template double TiledGeometry<Scalar, Space>::ordered_sum(std::span<const double>) const;
THALWEG_INSTANTIATE(THALWEG_TILED_EVALUATION)

}  // namespace thalweg
