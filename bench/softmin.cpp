// One evaluation of entropic transport on the host, both potentials once: nanoseconds a pair, share of the machine's
// FMA + exp limit, error of the row sums.
#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "bench/machine_limits.hpp"
#include "bench/record.hpp"
#include "geometry/pair_geometry.hpp"
#include "geometry/pair_points.hpp"
#include "kernels/pair_rows.hpp"
#include "kernels/random.hpp"

namespace {

using namespace thalweg;
using Host = Kokkos::DefaultHostExecutionSpace;

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
  const Marginals sums = geometry.in_float64()->marginals(evaluation.f, g);
  double mean = 0.0, largest = 0.0;
  const auto n = static_cast<double>(sums.row_sums.size());
  for (const double sum : sums.row_sums) {
    mean += std::abs(sum * n - 1.0) / n;
    largest = std::max(largest, std::abs(sum * n - 1.0));
  }
  return {mean, largest};
}

struct Measured {
  bench::Timing timing;
  double mean_error = 0.0, max_error = 0.0;
  std::int64_t fallback_tiles = 0;
};

Measured measure_geometry(const Clouds& clouds, const Options& options, Precision precision,
                          const std::string& variant) {
  const auto self = make_self_communicator();
  const auto form = variant != "two_pass" ? EvaluationForm::strip : EvaluationForm::two_pass;
  const auto geometry = make_pair_geometry({*self, precision, Device::cpu, 0}, clouds.sides(), form);
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

/// The plain kernel over the rows of either side: the two passes of an evaluation.
template <class Scalar>
Measured measure_plain(const Clouds& clouds, const Options& options) {
  const auto self = make_self_communicator();
  const PairPoints<Scalar> points = make_pair_points<Scalar>(*self, clouds.sides());
  const std::int64_t tiles = PairOperands<Scalar>::tiles_of(clouds.n);
  const std::vector<Scalar> biases(static_cast<std::size_t>(tiles * tile_rows), Scalar(-10));
  std::vector<std::int64_t> list(static_cast<std::size_t>(tiles));
  std::iota(list.begin(), list.end(), std::int64_t{0});
  PairOperands<Scalar> rows{
      PairScore::dot, clouds.d, clouds.n, 1, points.source.features.data(), points.target.features.data()};
  rows.column_bias = biases.data();
  PairOperands<Scalar> columns = rows;
  std::swap(columns.rows, columns.columns);
  Measured measured;
  measured.timing = bench::time_repeats(options.budget, [&] {
    for (const auto& operands : {rows, columns})
      pair_row_sums_plain(Host{}, operands, std::span<const std::int64_t>(list), std::span<const Scalar>(biases));
  });
  return measured;
}

void run_case(const Clouds& clouds, const Options& options, const std::string& variant, const std::string& precision) {
  const bool is_double = precision == "float64";
  const Measured measured =
      variant != "plain"
          ? measure_geometry(clouds, options, is_double ? Precision::float64 : Precision::float32, variant)
      : is_double ? measure_plain<double>(clouds, options)
                  : measure_plain<float>(clouds, options);
  const double pairs = static_cast<double>(clouds.n) * static_cast<double>(clouds.n),
               evaluations = variant == "two_pass" || variant == "plain" ? 2.0 : 1.0;
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
                 {"core_ns_per_eval", 1e9 * measured.timing.cpu_seconds / pairs / evaluations},
                 {"share_of_limit", limit / measured.timing.median()},
                 {"error", measured.mean_error},
                 {"max_error", measured.max_error},
                 {"fallback_tiles", measured.fallback_tiles}});
  std::puts(record.dump().c_str());
  std::fflush(stdout);
}

void run_all(const Options& options) {
  for (const std::int64_t n : options.n)
    for (const std::int64_t d : options.d) {
      const Clouds clouds(n, d);
      for (const std::string& precision : options.precisions)
        for (const std::string& variant : options.variants) run_case(clouds, options, variant, precision);
    }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Time of one evaluation of entropic transport on the host, one JSON line a run");
  app.add_option("--n", options.n, "points of either side");
  app.add_option("--d", options.d, "features");
  app.add_option("--variants", options.variants, "strip, two_pass, plain, apply");
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
    options.budget = 0.01;
  }
  const Kokkos::ScopeGuard kokkos(
      Kokkos::InitializationSettings().set_num_threads(options.threads).set_disable_warnings(true));
  run_all(options);
}
