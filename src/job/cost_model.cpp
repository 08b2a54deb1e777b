#include "job/cost_model.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "distributed/error.hpp"
#include "geometry/strip_height.hpp"
#include "kernels/random.hpp"

namespace thalweg {

namespace {

constexpr std::uint32_t straggler_stream = 1;
constexpr int drawn_iterations = 200;

double as_double(std::int64_t number) { return static_cast<double>(number); }

/// ceil(log2 G)
double rounds_of(std::int64_t num_ranks) { return as_double(std::bit_width(static_cast<std::uint64_t>(num_ranks - 1))); }

double bandwidth_of(const MachineOptions& machine, std::int64_t num_ranks) {
  return num_ranks <= machine.ranks_per_node ? machine.bandwidth_in : machine.bandwidth_out;
}

/// Bytes of others among `bytes` that are spread evenly.
double foreign(double bytes, std::int64_t num_ranks) { return bytes * as_double(num_ranks - 1) / as_double(num_ranks); }

double collective_time(double received, const MachineOptions& machine, std::int64_t num_ranks) {
  if (num_ranks == 1) return 0.0;
  return received / bandwidth_of(machine, num_ranks) + 2.0 * machine.latency_s * rounds_of(num_ranks);
}

/// The rank with most rows, whose last wave counts as a full one.
double rows_of_rank(std::int64_t num_rows, const MachineOptions& machine, std::int64_t num_ranks) {
  const double rows = as_double(num_rows) / as_double(num_ranks);
  if (machine.wave_rows == 0) return rows;
  return std::ceil(rows / as_double(machine.wave_rows)) * as_double(machine.wave_rows);
}

double precision_factor(bool is_double, const MachineOptions& machine) { return is_double ? machine.float64_factor : 1.0; }

TransportForm form_of(const PlanInput& input, const MachineOptions& machine) {
  if (input.ring) return TransportForm::ring;
  if (input.on_device || input.form == "two_pass") return TransportForm::two_pass;
  const bool is_strip = input.form == "strip" || strips_fit(input.cells_per_slice[1], input.is_double ? 8 : 4, machine.cache_bytes);
  return is_strip ? TransportForm::strip : TransportForm::two_pass;
}

std::int64_t types_of(const PlanInput& input, std::size_t slice) { return input.types.size() == 1 ? input.types[0] : input.types.at(slice); }

}  // namespace

IterationTime evaluation_time(const EvaluationShape& shape, const MachineOptions& machine, std::int64_t num_ranks) {
  const double n = as_double(shape.n), m = as_double(shape.m), d = as_double(shape.d);
  const double factor = precision_factor(shape.is_double, machine);
  IterationTime time;
  if (shape.form == TransportForm::strip) {
    time.compute_s = factor * rows_of_rank(shape.n, machine, num_ranks) * m * (machine.strip_s + d * machine.strip_feature_s);
    time.bytes = 2.0 * foreign(8.0 * m, num_ranks);
    time.communication_s = collective_time(time.bytes, machine, num_ranks);
    return time;
  }
  const double pairs = rows_of_rank(shape.n, machine, num_ranks) * m + rows_of_rank(shape.m, machine, num_ranks) * n;
  time.compute_s = factor * pairs * (machine.pass_s + d * machine.pass_feature_s);
  time.bytes = foreign(as_double(shape.row_bytes) * n + as_double(shape.column_bytes) * m, num_ranks);
  time.communication_s = collective_time(time.bytes, machine, num_ranks);
  if (shape.form == TransportForm::two_pass) return time;
  const double points = foreign((n + m) * d * as_double(shape.coordinate_bytes), num_ranks);
  time.bytes += points;
  time.communication_s += std::max(0.0, points / bandwidth_of(machine, num_ranks) - time.compute_s);
  return time;
}

IterationTime pass_time(const PlanInput& input, const MachineOptions& machine, std::int64_t num_ranks) {
  const double p = as_double(input.num_features), factor = precision_factor(input.is_double, machine);
  IterationTime time;
  for (std::size_t t = 0; t < input.cells_per_slice.size(); ++t) {
    const double r = as_double(types_of(input, t)), received = 2.0 * foreign(8.0 * ((p + 2.0) * r + r * r), num_ranks);
    time.compute_s += factor * 4.0 * rows_of_rank(input.cells_per_slice[t], machine, num_ranks) * r * (p + 2.0) / machine.lowrank_flops;
    time.bytes += received;
    time.communication_s += collective_time(received, machine, num_ranks);
  }
  return time;
}

bool has_cost_model(const PlanInput& input) {
  return (input.command == "transport" && !input.dense_costs) || input.command == "hmot" || input.command == "lowrank";
}

IterationTime iteration_time(const PlanInput& input, const MachineOptions& machine, std::int64_t num_ranks) {
  if (!has_cost_model(input)) throw ConfigError("there is no model of the time of " + input.command + "; available: transport of points, hmot, lowrank");
  if (input.command != "transport") return pass_time(input, machine, num_ranks);
  EvaluationShape shape{input.cells_per_slice[0], input.cells_per_slice[1], input.num_features, form_of(input, machine)};
  shape.is_double = input.is_double;
  shape.row_bytes = shape.coordinate_bytes = input.is_double ? 8 : 4;
  return evaluation_time(shape, machine, num_ranks);
}

double parallel_efficiency(const IterationTime& one, const IterationTime& many, std::int64_t num_ranks) {
  return one.total() / (as_double(num_ranks) * many.total());
}

EfficiencyBand straggler_band(const IterationTime& one, const IterationTime& many, std::int64_t num_ranks, double spread) {
  if (num_ranks == 1) return {};
  const RandomStream random{0, straggler_stream};
  std::array<double, drawn_iterations> efficiencies{};
  for (int k = 0; k < drawn_iterations; ++k) {
    double slowest = -std::numeric_limits<double>::infinity();
    for (std::int64_t rank = 0; rank < num_ranks; ++rank)
      slowest = std::max(slowest, random.normal(static_cast<std::uint64_t>(rank), static_cast<std::uint32_t>(k)));
    const double iteration = many.compute_s * std::exp(spread * slowest) + many.communication_s;
    efficiencies[static_cast<std::size_t>(k)] = one.total() / (as_double(num_ranks) * iteration);
  }
  std::sort(efficiencies.begin(), efficiencies.end());
  const auto at = [&](double share) { return efficiencies[static_cast<std::size_t>(share * (drawn_iterations - 1))]; };
  return {at(0.05), at(0.5), at(0.95)};
}

double state_seconds(const PlanInput& input, const MachineOptions& machine) { return static_cast<double>(saved_bytes(input)) / machine.write_rate; }

double reading_seconds(const PlanInput& input, const MachineOptions& machine) {
  double cells = 0.0;
  for (const std::int64_t n : input.cells_per_slice) cells += as_double(n);
  constexpr double bytes_of_feature = 4.0;
  return cells * as_double(input.num_features) * bytes_of_feature / machine.read_rate;
}

std::int64_t lead_seconds(double iteration_s, double state_s) {
  constexpr double least = 120.0, unit = 60.0, most = 65535.0;  // sbatch takes no more
  const double lead = std::max(least, 2.0 * iteration_s + 3.0 * state_s + 30.0);
  return static_cast<std::int64_t>(std::min(most, unit * std::ceil(lead / unit)));
}

}  // namespace thalweg
