// One evaluation of entropic transport, both potentials once: nanoseconds a pair, share of the machine's FMA + exp limit,
// error of the row sums. On the host; variants device_*: on a GPU.
#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "bench/machine_limits.hpp"
#include "bench/record.hpp"
#include "geometry/pair_geometry.hpp"
#include "geometry/pair_points.hpp"
#include "kernels/pair_parallel.hpp"
#include "kernels/pair_rows.hpp"
#include "kernels/random.hpp"

namespace {

using namespace thalweg;
using Host = Kokkos::DefaultHostExecutionSpace;
using Space = Kokkos::DefaultExecutionSpace;
constexpr bool has_device = !is_host<Space>;

struct Options {
  std::vector<std::int64_t> n = {20'000, 40'000}, d = {30};
  std::vector<std::string> variants = {"strip", "two_pass", "plain"}, precisions = {"float32"};
  double epsilon = 0.05;  // of the mean cost
  std::int64_t width = 32;
  int threads = 2;
  bool smoke = false;
  double budget = 5.0;
};

/// 20 normal components of falling coordinate scale in both clouds, each of its own weights.
struct Clouds {
  std::int64_t n, d;
  std::vector<float> x, y;
  std::vector<double> weights;

  Clouds(std::int64_t n_, std::int64_t d_)
      : n(n_), d(d_), x(cloud(1)), y(cloud(2)), weights(static_cast<std::size_t>(n_), 1.0 / static_cast<double>(n_)) {}

  std::vector<float> cloud(std::uint32_t stream) const {
    const RandomStream random{7, stream}, shared{7, 0};
    std::vector<float> points;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto component = static_cast<std::uint64_t>(
          20.0 * std::pow(random.uniform(static_cast<std::uint64_t>(i), 1), 1.0 + 0.5 * stream));
      for (std::int64_t k = 0; k < d; ++k) {
        const double center =
            2.0 * shared.normal(component * static_cast<std::uint64_t>(d) + static_cast<std::uint64_t>(k));
        const double noise = 0.6 * random.normal(static_cast<std::uint64_t>(i * d + k), 2);
        points.push_back(static_cast<float>((center + noise) * (std::pow(0.9, static_cast<double>(k)) + 0.1)));
      }
    }
    return points;
  }
  PairSides sides() const {
    return {
        Cost::sq_euclidean, {n, d, std::span<const float>(x)}, {n, d, std::span<const float>(y)}, weights, weights, {}};
  }
};

template <class Scalar>
double seconds_at_limit(const Clouds& clouds, double evaluations, std::int64_t width, int threads) {
  static const double fma = bench::fma_per_second<Scalar>(), exp = bench::exp_per_second<Scalar>();
  const double pairs = static_cast<double>(clouds.n) * static_cast<double>(clouds.n);
  return evaluations * pairs * (static_cast<double>(clouds.d + width) / fma + 1.0 / exp) / threads;
}

/// Mean and largest relative error of the row sums of a float32 evaluation, by float64 over the same packed numbers.
std::pair<double, double> row_errors(const PairGeometry& geometry, const Evaluation& evaluation,
                                     const std::vector<double>& g) {
  const std::vector<double> sums = geometry.in_float64()->row_sums(geometry.rows(), evaluation.f, g);
  double mean = 0.0, largest = 0.0;
  const auto n = static_cast<double>(sums.size());
  for (const double sum : sums) {
    mean += std::abs(sum * n - 1.0) / n;
    largest = std::max(largest, std::abs(sum * n - 1.0));
  }
  return {mean, largest};
}

bool is_on_device(const std::string& variant) { return variant.starts_with("device"); }
/// Only the kernels of both passes of an evaluation, no geometry around them.
bool is_kernel(const std::string& variant) {
  return variant == "plain" || variant == "device_plain" || variant == "device_tuned";
}

struct Measured {
  bench::Timing timing;
  double mean_error = 0.0, max_error = 0.0;
  std::int64_t fallback_tiles = 0;
};

Measured measure_geometry(const Clouds& clouds, const Options& options, Precision precision,
                          const std::string& variant) {
  const auto self = make_self_communicator();
  const bool is_two_pass = variant == "two_pass" || is_on_device(variant);
  const auto form = is_two_pass ? EvaluationForm::two_pass : EvaluationForm::strip;
  const Device device = is_on_device(variant) ? Device::cuda : Device::cpu;
  const auto geometry = make_pair_geometry({*self, precision, device, 0}, clouds.sides(), form);
  geometry->set_scale(geometry->cost_statistic(CostStatistic::mean));
  geometry->set_epsilon(options.epsilon);
  const std::vector<double> logs(clouds.weights.size(), std::log(clouds.weights[0])), ratio(clouds.weights.size(), 0.0);
  geometry->set_reference(logs, logs);
  std::vector<double> g(clouds.weights.size(), 0.0);
  Evaluation evaluation = geometry->evaluate({1.0, ratio}, {}, g);
  for (int iteration = 0; iteration < 3; ++iteration) {
    for (std::size_t j = 0; j < g.size(); ++j)
      g[j] += options.epsilon * std::log(clouds.weights[j] / evaluation.column_sums[j]);
    g = geometry->representable(g);
    evaluation = geometry->evaluate({1.0, ratio}, evaluation.f, g);
  }
  Measured measured;
  const std::vector<double> values(variant == "apply" ? g.size() * static_cast<std::size_t>(options.width) : 0, 0.5);
  measured.timing = bench::time_repeats(options.budget, [&] {
    if (variant == "apply") geometry->apply(evaluation.f, g, values, options.width);
    else evaluation = geometry->evaluate({1.0, ratio}, evaluation.f, g);
  });
  measured.fallback_tiles = evaluation.fallback_tiles;
  std::tie(measured.mean_error, measured.max_error) = row_errors(*geometry, evaluation, g);
  return measured;
}

/// A side of dot products where an execution space reads it.
template <class Scalar, class ExecutionSpace>
struct KernelSide {
  std::vector<Scalar> features, biases;
  std::vector<std::int64_t> tiles;
  PooledValues<Scalar, ExecutionSpace> features_copy, biases_copy;

  KernelSide(const ExecutionSpace& exec, const DevicePool<ExecutionSpace>& pool, const PackedPoints<Scalar>& points,
             double factor)
      : features(points.features.data(), points.features.data() + points.size()),
        biases(static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(points.num_points) * tile_rows), Scalar(no_bias)),
        tiles(biases.size() / tile_rows) {
    for (Scalar& value : features) value *= static_cast<Scalar>(factor);
    for (std::size_t i = 0; i < static_cast<std::size_t>(points.num_points); ++i)
      biases[i] = static_cast<Scalar>(-0.5 * factor * factor * points.norms[i]);
    std::iota(tiles.begin(), tiles.end(), std::int64_t{0});
    features_copy = pool.copy(exec, std::span<const Scalar>(features));
    biases_copy = pool.copy(exec, std::span<const Scalar>(biases));
  }
};

template <class Side, class Scalar>
double row_sum_in_double(const Clouds& clouds, const Side& x, const Side& y, std::int64_t i,
                         const std::vector<Scalar>& shifts) {
  const auto at = [&](const Side& side, std::int64_t point, std::int64_t k) {
    const std::int64_t tile = point / tile_rows, lane = point % tile_rows;
    return static_cast<double>(side.features[static_cast<std::size_t>((tile * clouds.d + k) * tile_rows + lane)]);
  };
  double sum = 0.0;
  for (std::int64_t j = 0; j < clouds.n; ++j) {
    double exponent = static_cast<double>(shifts[static_cast<std::size_t>(i)]) +
                      static_cast<double>(y.biases[static_cast<std::size_t>(j)]);
    for (std::int64_t k = 0; k < clouds.d; ++k) exponent += at(x, i, k) * at(y, j, k);
    sum += std::exp2(exponent);
  }
  return sum;
}

/// Seconds and errors of the row sums of both sides, for exponents -|x - y|^2 / (2 epsilon s) with s the mean cost.
/// @param sums  (operands, tiles, shifts) -> sums of the rows
template <class Scalar, class ExecutionSpace, class Sums>
Measured measure_kernel(const Clouds& clouds, const Options& options, const Sums& sums) {
  const auto self = make_self_communicator();
  const PairPoints<Scalar> points = make_pair_points<Scalar>(*self, clouds.sides());
  const double n = static_cast<double>(clouds.n),
               scale = (std::accumulate(points.source.norms.begin(), points.source.norms.end(), 0.0) +
                        std::accumulate(points.target.norms.begin(), points.target.norms.end(), 0.0)) / n;
  const double factor = std::sqrt(2.0 * std::numbers::log2e / (options.epsilon * scale));
  const ExecutionSpace exec;
  const DevicePool<ExecutionSpace> pool;
  const KernelSide<Scalar, ExecutionSpace> x(exec, pool, points.source, factor), y(exec, pool, points.target, factor);
  const auto operands_of = [&](const auto& rows, const auto& columns) {
    PairOperands<Scalar> operands{PairScore::dot, clouds.d, clouds.n, 1, rows.features_copy.data(), columns.features_copy.data()};
    operands.column_bias = columns.biases_copy.data();
    return operands;
  };
  const auto over_columns = operands_of(x, y), over_rows = operands_of(y, x);
  // Shifts that bring every sum near 1: less the largest exponent.
  const auto shifts_of = [&](const PairOperands<Scalar>& operands, const auto& rows) {
    std::vector<Scalar> shifts = pair_row_maxima(exec, operands, std::span<const std::int64_t>(rows.tiles));
    for (Scalar& shift : shifts) shift = -shift;
    return shifts;
  };
  const std::vector<Scalar> of_x = shifts_of(over_columns, x), of_y = shifts_of(over_rows, y);
  const auto pass = [&](const PairOperands<Scalar>& operands, const auto& rows, const std::vector<Scalar>& shifts) {
    return sums(exec, operands, std::span<const std::int64_t>(rows.tiles), std::span<const Scalar>(shifts), pool);
  };
  Measured measured;
  measured.timing = bench::time_repeats(options.budget, [&] {
    pass(over_columns, x, of_x);
    pass(over_rows, y, of_y);
  });
  constexpr std::int64_t checked = 200;
  const std::vector<double> found = pass(over_columns, x, of_x);
  for (std::int64_t c = 0; c < std::min(checked, clouds.n); ++c) {
    const std::int64_t i = c * (clouds.n / std::min(checked, clouds.n));
    const double error = std::abs(found[static_cast<std::size_t>(i)] / row_sum_in_double(clouds, x, y, i, of_x) - 1.0);
    measured.mean_error += error / static_cast<double>(std::min(checked, clouds.n));
    measured.max_error = std::max(measured.max_error, error);
  }
  return measured;
}

template <class Scalar>
Measured measure_kernel_of(const Clouds& clouds, const Options& options, const std::string& variant) {
  const auto plain = [](const auto& exec, const auto&... arguments) { return pair_row_sums_plain(exec, arguments...); };
  const auto tuned = [](const auto& exec, const auto&... arguments) { return pair_row_sums(exec, arguments...); };
  if (variant == "plain") return measure_kernel<Scalar, Host>(clouds, options, plain);
  if (variant == "device_plain") return measure_kernel<Scalar, Space>(clouds, options, plain);
  return measure_kernel<Scalar, Space>(clouds, options, tuned);
}

void run_case(const Clouds& clouds, const Options& options, const std::string& variant, const std::string& precision) {
  const bool is_double = precision == "float64";
  const Measured measured =
      !is_kernel(variant)
          ? measure_geometry(clouds, options, is_double ? Precision::float64 : Precision::float32, variant)
      : is_double ? measure_kernel_of<double>(clouds, options, variant)
                  : measure_kernel_of<float>(clouds, options, variant);
  const double pairs = static_cast<double>(clouds.n) * static_cast<double>(clouds.n),
               evaluations = variant == "two_pass" || is_kernel(variant) || is_on_device(variant) ? 2.0 : 1.0;
  const std::int64_t width = variant == "apply" ? options.width : 0;
  const double limit = is_double ? seconds_at_limit<double>(clouds, evaluations, width, options.threads)
                                 : seconds_at_limit<float>(clouds, evaluations, width, options.threads);
  auto record = bench::record_of("softmin", variant, measured.timing);
  record.update({{"threads", options.threads},
                 {"n", clouds.n},
                 {"m", clouds.n},
                 {"d", clouds.d},
                 {"width", width},
                 {"epsilon", options.epsilon},
                 {"precision", precision},
                 {"evaluations", evaluations},
                 {"ns_per_pair_iter", 1e9 * measured.timing.median() / pairs},
                 {"ps_per_eval", 1e12 * measured.timing.median() / pairs / evaluations},
                 {"core_ns_per_eval", 1e9 * measured.timing.cpu_seconds / pairs / evaluations},
                 {"error", measured.mean_error},
                 {"max_error", measured.max_error},
                 {"fallback_tiles", measured.fallback_tiles}});
  if (!is_on_device(variant)) record["share_of_limit"] = limit / measured.timing.median();
  std::puts(record.dump().c_str());
  std::fflush(stdout);
}

/// @return  the exit code
int run_all(const Options& options) {
  if (!has_device && std::any_of(options.variants.begin(), options.variants.end(), is_on_device)) {
    std::fputs("error: variants device_* need a build with `cmake --preset cuda`\n", stderr);
    return 2;
  }
  for (const std::int64_t n : options.n)
    for (const std::int64_t d : options.d) {
      const Clouds clouds(n, d);
      for (const std::string& precision : options.precisions)
        for (const std::string& variant : options.variants) run_case(clouds, options, variant, precision);
    }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Time of one evaluation of entropic transport, one JSON line a run");
  app.add_option("--n", options.n, "points of either side");
  app.add_option("--d", options.d, "features");
  app.add_option("--variants", options.variants, "strip, two_pass, plain, apply; on a GPU device_two_pass, device_plain, device_tuned (kernels)");
  app.add_option("--precisions", options.precisions, "float32, float64");
  app.add_option("--width", options.width, "columns of V of apply");
  app.add_option("--epsilon", options.epsilon, "in units of the mean cost");
  app.add_option("--threads", options.threads, "threads");
  app.add_option("--budget", options.budget, "seconds a line");
  app.add_flag("--smoke", options.smoke, "small sizes, under two seconds in all");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.n = {500};
    options.d = {3, 30};
    options.precisions = {"float32", "float64"};
    options.variants = {"strip", "two_pass", "plain", "apply"};
    if (has_device) options.variants.insert(options.variants.end(), {"device_two_pass", "device_plain", "device_tuned"});
    options.budget = 0.01;
  }
  const Kokkos::ScopeGuard kokkos(
      Kokkos::InitializationSettings().set_num_threads(options.threads).set_disable_warnings(true));
  return run_all(options);
}
